"""Symmetry terms: a controller gets mirror images, so that it treats both sides alike.

If a ``SymmetryTerm`` says so, an environment shows its mirror image and takes actions for it. The
controller then acts on the leading leg in the same way on both sides, has half as much to learn,
and cannot limp.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from osimexp.arrays import Mask
from osimexp.errors import UnlikeSidesError, near_matches
from osimexp.tasks.scene import Frame, Scene


class SymmetryTerm(Protocol):
    """A term that chooses the environments to mirror."""

    @property
    def reversed(self) -> tuple[str, ...] | None:
        """Patterns of the coordinates that change their sign in the mirror; None finds them."""
        ...

    def __call__(self, frame: Frame) -> Mask:
        """Return which environments are mirrored, as a mask ``(B,)``."""
        ...


@dataclass(frozen=True)
class LeadingLeg:
    """Mirror the environments whose left leg is in front.

    Attributes:
        coordinate: name of the angle that is larger for the leg in front; ``$`` stands for the
            side.
        reversed: patterns of the coordinates that change their sign in the mirror, because they
            leave the plane; null finds them by moving the model.
        where_possible: whether a model that has no such mirror is not mirrored, which is said, in
            place of being refused.
    """

    coordinate: str
    reversed: tuple[str, ...] | None
    where_possible: bool

    def __call__(self, frame: Frame) -> Mask:
        """Return which environments have a larger angle of the left leg, as a mask ``(B,)``.

        Raises:
            UnlikeSidesError: the model has no such angle of a side.
        """
        right, left = frame.state.coordinates[:, self.columns(frame.scene)].T
        return np.asarray(left > right)

    def columns(self, scene: Scene) -> list[int]:
        """Return the columns of the right and the left angle.

        Raises:
            UnlikeSidesError: the model has no such angle of a side.
        """
        known = scene.names.coordinates
        for side in "rl":
            name = self.coordinate.replace("$", side)
            if name not in known:
                raise UnlikeSidesError(
                    "symmetry.coordinate must name the angle that is larger for the leg in front, "
                    "with $ for r and l, or ~symmetry leaves the symmetry out: the model has no "
                    f"coordinate {name!r}; {near_matches(name, known)}"
                )
        return [known.index(self.coordinate.replace("$", side)) for side in "rl"]
