"""Termination terms; an episode is terminated if one of them says so.

A term is a dataclass called with a ``Frame``; it returns a mask ``(B,)``. A failure of the
simulation always ends an episode and needs no term; the time limit is not a termination but a
truncation.
"""

from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np

from osimexp.arrays import Mask
from osimexp.tasks.scene import Frame


class TerminationTerm(Protocol):
    """A term that terminates episodes.

    Attributes:
        TRAINING_ONLY: whether the term only saves time in training and is not used in evaluations.
    """

    READS: ClassVar[frozenset[str]]
    TRAINING_ONLY: ClassVar[bool]

    def __call__(self, frame: Frame) -> Mask:
        """Return which episodes are over, as a mask ``(B,)``."""
        ...


def is_fall(term: TerminationTerm) -> bool:
    """Return whether an episode that a term ends counts as a fall.

    A class says so by ``FALL: ClassVar[bool] = True``; one that says nothing tells no falls.
    """
    return bool(getattr(term, "FALL", False))


@dataclass(frozen=True)
class Fallen:
    """Termination if the base body is too low or the trunk leans too far.

    A model without a base body cannot fall.

    Attributes:
        height: height of the base body below which the model has fallen, m; null has no such limit.
        lean: angle of the trunk from upright above which the model has fallen, rad; null has no
            such limit.
    """

    READS: ClassVar[frozenset[str]] = frozenset()
    TRAINING_ONLY: ClassVar[bool] = False
    FALL: ClassVar[bool] = True
    height: float | None
    lean: float | None

    def __call__(self, frame: Frame) -> Mask:
        """Return which models have fallen, as a mask ``(B,)``."""
        fallen = np.zeros(len(frame.state.time), dtype=bool)
        base = frame.base
        if self.height is not None and base is not None:
            fallen |= base.position[:, 1] < self.height
        if self.lean is not None and base is not None:
            fallen |= base.lean > self.lean
        return fallen


@dataclass(frozen=True)
class OutOfRange:
    """Termination if a joint angle is far outside its range, where muscle paths are meaningless.

    Attributes:
        coordinates: patterns of the coordinates to check; the base body and translations are left
            out.
        margin: distance beyond the range that is still allowed, rad.
    """

    READS: ClassVar[frozenset[str]] = frozenset()
    TRAINING_ONLY: ClassVar[bool] = False
    coordinates: tuple[str, ...]
    margin: float

    def __call__(self, frame: Frame) -> Mask:
        """Return which models have a joint out of range, as a mask ``(B,)``."""
        scene = frame.scene
        columns = scene.joints(self.coordinates, "termination.out_of_range.coordinates")
        angles, ranges = frame.state.coordinates[:, columns], scene.names.ranges[columns]
        outside = (angles < ranges[:, 0] - self.margin) | (angles > ranges[:, 1] + self.margin)
        return np.asarray(outside.any(axis=1))
