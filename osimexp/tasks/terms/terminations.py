"""Termination terms; an episode is terminated if one of them says so.

A term is a dataclass called with a ``Frame``; it returns a mask ``(B,)``. A failure of the
simulation always ends an episode and needs no term; the time limit is not a termination but a
truncation.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np

from osimexp.arrays import Mask
from osimexp.tasks.scene import Frame, Scene


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


class BeyondFits:
    """The end of an episode in which a joint goes farther than the fitted muscle paths hold.

    It does not belong to the terms, because beyond that nothing that is simulated has a meaning.

    Args:
        scene: fixed facts of the task.
        holds: distance beyond the range of each coordinate up to which paths hold, rad or m.
    """

    def __init__(self, scene: Scene, holds: Mapping[str, float]) -> None:
        names = scene.names
        kept = [name for name in holds if name in names.coordinates]
        self._columns = np.array([names.coordinates.index(name) for name in kept], dtype=np.intp)
        margins = np.array([holds[name] for name in kept])
        # A pose that the model begins in by default is meant, wherever it lies.
        default = names.default_pose[self._columns]
        low, high = names.ranges[self._columns].T
        self._low = np.minimum(low, default) - margins
        self._high = np.maximum(high, default) + margins

    def __call__(self, frame: Frame) -> Mask:
        """Return which models have a joint beyond the fits, as a mask ``(B,)``."""
        values = frame.state.coordinates[:, self._columns]
        return np.asarray(((values < self._low) | (values > self._high)).any(axis=1))
