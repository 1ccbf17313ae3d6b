"""Times and lengths of strides and steps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from osimexp.analysis.gait.cycles import interpolated
from osimexp.analysis.gait.strides import Contacts, Stride
from osimexp.arrays import Floats

FLAT = (0.1, 0.5)
"""Shares of the stance between which the foot lies flat on the ground and moves with it."""


@dataclass(frozen=True)
class Ground:
    """Where feet and body are, on a ground that may move.

    Attributes:
        time: ``(T,)`` s.
        feet: for each side, ``(T, 3)`` m of the foot's body.
        centre: ``(T, 3)`` m of the centre of mass.
        belt: m/s at which the ground moves backwards; 0 without a treadmill.
    """

    time: Floats
    feet: Mapping[str, Floats]
    centre: Floats
    belt: float

    def foot(self, side: str, at: float) -> Floats:
        """Return where a foot is on the ground at a moment, ``(3,)`` m along the belt's surface."""
        return self._placed(self.feet[side], at)

    def body(self, at: float) -> Floats:
        """Return the same of the centre of mass."""
        return self._placed(self.centre, at)

    def _placed(self, positions: Floats, at: float) -> Floats:
        place = interpolated(self.time, positions, np.array([at]))[0]
        return np.asarray(place + np.array([self.belt * at, 0.0, 0.0]))


@dataclass(frozen=True)
class StrideMeasures:
    """What is measured of one stride.

    Attributes:
        stride_time: s.
        stride_length: m, between two placements of the foot.
        stance_share: percent of the stride.
        stance_time: s.
        double_support: percent of the stride in which both feet bore weight.
        step_time: s, from the other foot's strike to the strike that ends the stride.
        step_length: m, likewise.
        step_width: m, likewise, across the way.
    """

    stride_time: float
    stride_length: float
    stance_share: float
    stance_time: float
    double_support: float
    step_time: float
    step_length: float
    step_width: float


def belt_speed(
    time: Floats, feet: Mapping[str, Floats], strides: Sequence[Stride], least: float
) -> float:
    """Return how fast the ground moves backwards under feet that bear weight, m/s.

    Args:
        time: ``(T,)`` s.
        feet: for each side, ``(T, 3)`` m.
        strides: of both sides.
        least: m/s below which feet slip and the ground does not move.
    """
    speeds = []
    for stride in strides:
        stance = stride.toe_off - stride.start
        moments = stride.start + np.array(FLAT) * stance
        ends = interpolated(time, feet[stride.side][:, 0], moments)
        speeds.append((ends[0] - ends[1]) / (moments[1] - moments[0]))
    found = float(np.median(speeds))
    return found if found > least else 0.0


def measure_stride(
    stride: Stride, contacts: Mapping[str, Contacts], ground: Ground
) -> StrideMeasures:
    """Measure one stride."""
    other = next(side for side in contacts if side != stride.side)
    here = ground.foot(stride.side, stride.end)
    length = here[0] - ground.foot(stride.side, stride.start)[0]
    step = here - ground.foot(other, stride.opposite)
    mine = contacts[stride.side].held(stride.start, stride.end)
    both = sum(end - start for span in mine for start, end in contacts[other].held(*span))
    stance = stride.toe_off - stride.start
    return StrideMeasures(
        stride_time=stride.duration,
        stride_length=float(length),
        stance_share=100.0 * stance / stride.duration,
        stance_time=stance,
        double_support=100.0 * both / stride.duration,
        step_time=stride.end - stride.opposite,
        step_length=float(step[0]),
        step_width=float(abs(step[2])),
    )


def walking_speed(ground: Ground, start: float, end: float) -> float:
    """Return the mean speed of the centre of mass over the ground, m/s forward."""
    return float((ground.body(end) - ground.body(start))[0] / (end - start))


def symmetry_index(right: float, left: float) -> float:
    """Return the right's excess over the left in percent of their mean; 0 is symmetric.

    R. O. Robinson, W. Herzog and B. M. Nigg, Journal of Manipulative and Physiological
    Therapeutics 10 (1987) 172-176.
    """
    return 200.0 * (right - left) / (right + left)
