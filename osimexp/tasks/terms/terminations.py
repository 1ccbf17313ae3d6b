"""What ends an episode for good: named terms, any of which ends it.

A term is a dataclass called with a ``Frame``; it returns a mask ``(B,)``. The simulation's failure
always ends an episode and needs no term; the time limit is no termination but a truncation.
"""

from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np

from osimexp.arrays import Mask
from osimexp.tasks.scene import Frame


class TerminationTerm(Protocol):
    """A reason for an episode's end.

    Attributes:
        TRAINING_ONLY: whether it saves a learner's time and says nothing of how good a movement
            is, so that nothing is judged by it.
    """

    READS: ClassVar[frozenset[str]]
    TRAINING_ONLY: ClassVar[bool]

    def __call__(self, frame: Frame) -> Mask:
        """Return which episodes ``(B,)`` are over."""
        ...


@dataclass(frozen=True)
class Fallen:
    """A base body too low or a trunk that leans too far; a model without a base cannot fall.

    Attributes:
        height: m of the base body under which the model has fallen; null does not look.
        lean: rad of the trunk from upright, to either side, over which it has; null does not look.
    """

    READS: ClassVar[frozenset[str]] = frozenset()
    TRAINING_ONLY: ClassVar[bool] = False
    height: float | None = 0.65
    lean: float | None = 1.0

    def __call__(self, frame: Frame) -> Mask:
        """Return which models ``(B,)`` have fallen."""
        fallen = np.zeros(len(frame.state.time), dtype=bool)
        base = frame.base
        if self.height is not None and base is not None:
            fallen |= base.position[:, 1] < self.height
        if self.lean is not None and base is not None:
            fallen |= base.lean > self.lean
        return fallen


@dataclass(frozen=True)
class OutOfRange:
    """A joint angle is far outside its range, where muscle paths no longer mean anything.

    Attributes:
        coordinates: patterns of the coordinates looked at; pelvis and ways are never among them.
        margin: rad beyond the range that is still allowed.
    """

    READS: ClassVar[frozenset[str]] = frozenset()
    TRAINING_ONLY: ClassVar[bool] = False
    coordinates: tuple[str, ...] = ("*",)
    margin: float = 0.35

    def __call__(self, frame: Frame) -> Mask:
        """Return which models ``(B,)`` have a joint out of range."""
        scene = frame.scene
        columns = scene.joints(self.coordinates, "termination.out_of_range.coordinates")
        angles, ranges = frame.state.coordinates[:, columns], scene.names.ranges[columns]
        outside = (angles < ranges[:, 0] - self.margin) | (angles > ranges[:, 1] + self.margin)
        return np.asarray(outside.any(axis=1))
