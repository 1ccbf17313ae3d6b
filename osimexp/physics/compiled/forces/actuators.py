"""Actuators other than muscles, which nothing drives."""

from dataclasses import dataclass
from typing import ClassVar

import opensim

from osimexp.physics.compiled.forces.force import Contact, require
from osimexp.physics.compiled.mechanics.dynamics import Loads
from osimexp.physics.compiled.mechanics.mechanism import Mechanism, property_value
from osimexp.physics.compiled.mechanics.motion import Motion

PROPORTIONAL = frozenset(
    {
        "BodyActuator",
        "CoordinateActuator",
        "PathActuator",
        "PointActuator",
        "PointToPointActuator",
        "TorqueActuator",
    }
)
"""Classes whose force is their control times a constant."""


@dataclass(frozen=True)
class IdleActuator:
    """An actuator whose control is 0, for the policy drives muscles alone; it exerts nothing.

    OpenSim does not hold controls within min_control and max_control by itself, so bounds that
    leave 0 out change nothing.

    Attributes:
        name: of the actuator.
    """

    name: str
    contacts: ClassVar[tuple[Contact, ...]] = ()

    def apply(self, motion: Motion, loads: Loads) -> None:
        """Add nothing."""


def read_actuator(force: opensim.Force, mechanism: Mechanism) -> IdleActuator:
    """Read an actuator whose force is its control times a constant."""
    return IdleActuator(force.getName())


def read_activation_actuator(force: opensim.Force, mechanism: Mechanism) -> IdleActuator:
    """Read an ActivationCoordinateActuator, whose activation follows its control.

    Raises:
        ModelError: its activation does not begin at 0, so that it acts until it is there.
    """
    require(
        property_value(force, "default_activation") == 0.0,
        force,
        "set default_activation to 0, for nothing drives it, or keep physics=opensim",
    )
    return IdleActuator(force.getName())
