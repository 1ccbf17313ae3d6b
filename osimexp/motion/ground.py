"""The ground under a movement: a floor that stands still, or the belt of a treadmill."""

import numpy as np

from osimexp.arrays import Floats

BELT = 0.2
"""Least speed backwards of feet on the ground for a treadmill, m/s."""

_FEET = 0.08
"""Greatest height of a foot's point above the lowest point, as both stand, m."""

_DOWN = 0.01
"""Greatest height of a point that stands above its lowest height, m."""

_LOWEST = 5.0
"""Percentile of a point's height that is its height as it stands."""


def belt_under(time: Floats, points: Floats) -> float:
    """Return the speed at which the ground moves backwards under a walk or a run, m/s.

    The speed is the median of that of the point that is nearest to the ground, in moments in
    which one stands on it. It needs no forces.

    Args:
        time: ``(T,)`` s.
        points: ``(T, points, 3)`` points in ground, those of heels and toes among them, m.

    Returns:
        The speed; 0 on still ground and if nothing stands on the ground for long enough.
    """
    standing = np.percentile(points[:, :, 1], _LOWEST, axis=0)
    feet = points[:, standing < standing.min() + _FEET]
    above = feet[:, :, 1] - standing[standing < standing.min() + _FEET]
    backwards = -np.gradient(feet[:, :, 0], time, axis=0)
    rows, lowest = np.arange(len(time)), above.argmin(axis=1)
    down = above[rows, lowest] < _DOWN
    if down.sum() < 3:
        return 0.0
    speed = float(np.median(backwards[rows, lowest][down]))
    return speed if speed > BELT else 0.0
