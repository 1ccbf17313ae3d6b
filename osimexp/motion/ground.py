"""The ground under a movement: a floor that stands still, or the belt of a treadmill."""

import numpy as np

from osimexp.arrays import Floats

BELT = 0.2
"""Least level speed of feet on the ground for a treadmill, m/s."""

LEVEL = [0, 2]
"""Numbers of the level axes of ground, x and z."""

_FEET = 0.08
"""Greatest height of a foot's point above the lowest point, as both stand, m."""

_DOWN = 0.01
"""Greatest height of a point that stands above its lowest height, m."""

_LOWEST = 5.0
"""Percentile of a point's height that is its height as it stands."""


def velocity_under(time: Floats, points: Floats) -> Floats:
    """Return the level velocity ``(2,)`` of the ground under a walk or a run, x and z, m/s.

    The velocity is the median of that of the point that is nearest to the ground, in moments in
    which one stands on it. It needs no forces.

    Args:
        time: ``(T,)`` s.
        points: ``(T, points, 3)`` points in ground, those of heels and toes among them, m.

    Returns:
        The velocity; 0 on still ground and if nothing stands on the ground for long enough.
    """
    standing = np.percentile(points[:, :, 1], _LOWEST, axis=0)
    feet = points[:, standing < standing.min() + _FEET]
    above = feet[:, :, 1] - standing[standing < standing.min() + _FEET]
    rates = np.gradient(feet[:, :, LEVEL], time, axis=0)
    rows, lowest = np.arange(len(time)), above.argmin(axis=1)
    down = above[rows, lowest] < _DOWN
    if down.sum() < 3:
        return np.zeros(2)
    velocity = np.asarray(np.median(rates[rows, lowest][down], axis=0))
    return velocity if np.linalg.norm(velocity) > BELT else np.zeros(2)


def facing(bodies: Floats) -> Floats:
    """Return the level direction ``(2,)`` in which a model faces over a movement, x and z.

    It is the mean of the directions of the bodies' x axes, which point forward in OpenSim's models.

    Args:
        bodies: ``(T, bodies, 4, 4)`` transforms from each body's frame to ground.
    """
    ahead = bodies[:, :, LEVEL, 0].mean(axis=(0, 1))
    length = float(np.linalg.norm(ahead))
    return np.asarray(ahead / length) if length > 0.0 else np.array([1.0, 0.0])
