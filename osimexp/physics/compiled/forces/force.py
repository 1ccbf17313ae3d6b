"""What every compiled force offers."""

from typing import Protocol

import opensim

from osimexp.errors import ModelError
from osimexp.physics.compiled.ir.trace import Array
from osimexp.physics.compiled.mechanics.dynamics import Loads
from osimexp.physics.compiled.mechanics.motion import Motion


class Contact(Protocol):
    """What contact does to one body that carries spheres."""

    @property
    def sphere_body(self) -> int:
        """The number of that body."""
        ...

    def reaction(self, motion: Motion) -> Array:
        """Return the force on the body ``(3,)`` in the ground's axes, N."""
        ...


class Force(Protocol):
    """A force that depends on coordinates and speeds alone."""

    @property
    def name(self) -> str:
        """The name of the force in the model."""
        ...

    @property
    def contacts(self) -> "tuple[Contact, ...]":
        """What it does to each body by contact."""
        ...

    def apply(self, motion: Motion, loads: Loads) -> None:
        """Add what it does to the loads."""
        ...


def title(force: opensim.Force) -> str:
    """Return the name and the class of a force, as messages give them."""
    return f"{force.getName()} ({force.getConcreteClassName()})"


def require(holds: bool, force: opensim.Force, wanted: str) -> None:
    """Refuse a force unless a condition holds.

    Args:
        holds: the condition.
        force: the one it is asked of.
        wanted: what would be right, the end of a sentence.

    Raises:
        ModelError: it does not hold.
    """
    if not holds:
        raise ModelError(f"physics=compiled cannot work out force {title(force)}: {wanted}.")
