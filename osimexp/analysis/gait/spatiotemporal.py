"""Spatiotemporal measures: times and lengths of strides and steps."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from osimexp.analysis.gait.cycles import interpolated
from osimexp.analysis.gait.strides import Contacts, Stride
from osimexp.arrays import Floats

_NOTHING = 0.05
"""Share of the mean of two sizes, below which the mean of both values is about 0."""


@dataclass(frozen=True)
class Ground:
    """Positions of feet and body over a ground that may move, in a walk that goes along x.

    Attributes:
        time: ``(T,)`` s.
        feet: path ``(T, 3)`` of each side's foot body, m.
        centre: path ``(T, 3)`` of the centre of mass, m.
        belt: speed at which the ground moves backwards, m/s; 0 without a treadmill.
    """

    time: Floats
    feet: Mapping[str, Floats]
    centre: Floats
    belt: float

    def foot(self, side: str, at: float) -> Floats:
        """Return the position ``(3,)`` (m) of a foot at a time, in the frame of the ground."""
        return self._placed(self.feet[side], at)

    def body(self, at: float) -> Floats:
        """Return the position ``(3,)`` (m) of the centre of mass, in the frame of the ground."""
        return self._placed(self.centre, at)

    def _placed(self, positions: Floats, at: float) -> Floats:
        place = interpolated(self.time, positions, np.array([at]))[0]
        return np.asarray(place + np.array([self.belt * at, 0.0, 0.0]))


@dataclass(frozen=True)
class StrideMeasures:
    """Measures of one stride.

    Attributes:
        stride_time: duration of the stride, s.
        stride_length: distance between two placements of the foot, m.
        stance_share: stance phase in percent of the stride.
        stance_time: duration of the stance, s.
        double_support: percent of the stride in which both feet bear weight; NaN if unknown.
        step_time: time from the other foot's strike to the strike that ends the stride, s.
        step_length: distance forward between the same two strikes, m.
        step_width: distance sideways between the same two strikes, m.
    """

    stride_time: float
    stride_length: float
    stance_share: float
    stance_time: float
    double_support: float
    step_time: float
    step_length: float
    step_width: float


def measure_stride(
    stride: Stride, contacts: Mapping[str, Contacts], ground: Ground, seen: bool = True
) -> StrideMeasures:
    """Return the measures of one stride.

    Args:
        stride: stride to measure.
        contacts: contacts of both feet.
        ground: positions of feet and body.
        seen: whether all contacts in the stride are known; its double support is NaN if not.
    """
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
        double_support=100.0 * both / stride.duration if seen else float("nan"),
        step_time=stride.end - stride.opposite,
        step_length=float(step[0]),
        step_width=float(abs(step[2])),
    )


def walking_speed(ground: Ground, start: float, end: float) -> float:
    """Return the mean forward speed of the centre of mass over the ground, m/s."""
    return float((ground.body(end) - ground.body(start))[0] / (end - start))


def symmetry_index(right: float, left: float) -> float:
    """Return (right - left) in percent of the mean of both; 0 is symmetric.

    It is NaN where the mean is about 0, of which there is no percent.

    R. O. Robinson, W. Herzog and B. M. Nigg, Journal of Manipulative and Physiological
    Therapeutics 10 (1987) 172-176.
    """
    if abs(right + left) <= _NOTHING * (abs(right) + abs(left)):
        return float("nan")
    return 200.0 * (right - left) / (right + left)
