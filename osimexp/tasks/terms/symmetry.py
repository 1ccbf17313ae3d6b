"""A symmetric controller: what happens on one side is shown to it as if on the other.

Where a ``SymmetryTerm`` says so, an environment shows its mirror image and takes actions for it, so
that whatever the controller does with the one leg in front it does with the other. It has half as
much to learn and cannot limp.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from osimexp.arrays import Mask
from osimexp.tasks.scene import Frame


class SymmetryTerm(Protocol):
    """Says which environments are mirrored at a moment."""

    @property
    def reversed(self) -> tuple[str, ...] | None:
        """Patterns of the coordinates whose sign turns in the mirror; None finds them."""
        ...

    def __call__(self, frame: Frame) -> Mask:
        """Return which environments ``(B,)`` are mirrored."""
        ...


@dataclass(frozen=True)
class LeadingLeg:
    """Mirrored are those whose left leg is in front.

    Attributes:
        coordinate: an angle that tells how far a leg is in front; ``$`` stands for the side.
        reversed: patterns of the coordinates whose sign turns in the mirror, as they lead out of
            the plane; null finds them by moving the model.
    """

    coordinate: str = "hip_flexion_$"
    reversed: tuple[str, ...] | None = None

    def __call__(self, frame: Frame) -> Mask:
        """Return where the left leg's angle is larger than the right one's."""
        right, left = (
            frame.state.coordinates[:, frame.scene.coordinate(self.coordinate.replace("$", side))]
            for side in "rl"
        )
        return np.asarray(left > right)
