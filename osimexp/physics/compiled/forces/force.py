"""The interface of a compiled force."""

from typing import Protocol

import opensim

from osimexp.errors import ModelError
from osimexp.physics.compiled.ir.trace import Array
from osimexp.physics.compiled.mechanics.dynamics import Loads
from osimexp.physics.compiled.mechanics.motion import Motion


class Contact(Protocol):
    """The contact force on one body that carries contact spheres."""

    @property
    def sphere_body(self) -> int:
        """Number of the body."""
        ...

    def reaction(self, motion: Motion) -> Array:
        """Return the contact force ``(3,)`` on the body in the ground's axes, N."""
        ...


class Force(Protocol):
    """A force that depends on coordinates and speeds alone."""

    @property
    def name(self) -> str:
        """Name of the force in the model."""
        ...

    @property
    def contacts(self) -> "tuple[Contact, ...]":
        """Contact forces on each body that carries a contact sphere of this force."""
        ...

    def apply(self, motion: Motion, loads: Loads) -> None:
        """Add the force to the loads."""
        ...


def title(force: opensim.Force) -> str:
    """Return the name and the class of a force, for messages."""
    return f"{force.getName()} ({force.getConcreteClassName()})"


def require(holds: bool, force: opensim.Force, wanted: str) -> None:
    """Refuse a force unless a condition holds.

    Args:
        holds: condition that must hold.
        force: force that the condition is about.
        wanted: end of the sentence, which says what would be right.

    Raises:
        ModelError: the condition does not hold.
    """
    if not holds:
        raise ModelError(f"physics=compiled cannot work out force {title(force)}: {wanted}.")
