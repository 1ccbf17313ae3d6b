"""Which of OpenSim's forces can be compiled."""

from collections.abc import Callable

import opensim

from osimexp.errors import ModelError
from osimexp.physics.compiled.forces.force import Contact, Force
from osimexp.physics.compiled.forces.limits import read_limit, read_spring
from osimexp.physics.compiled.forces.smooth_sphere import read_smooth_sphere
from osimexp.physics.compiled.mechanism import Mechanism

__all__ = ["Contact", "Force", "read_force"]

READERS: dict[str, Callable[[opensim.Force, Mechanism], Force]] = {
    "CoordinateLimitForce": read_limit,
    "SmoothSphereHalfSpaceForce": read_smooth_sphere,
    "SpringGeneralizedForce": read_spring,
}

# They exert their control times a constant, and osimexp leaves their controls at 0.
IDLE = frozenset({"CoordinateActuator", "PointActuator", "TorqueActuator"})


def read_force(force: opensim.Force, mechanism: Mechanism) -> Force | None:
    """Read a force that is no muscle; None for one that exerts nothing.

    Raises:
        ModelError: it cannot be compiled.
    """
    kind, name = force.getConcreteClassName(), force.getName()
    if not force.get_appliesForce():
        return None
    if kind in IDLE:
        actuator = opensim.ScalarActuator.safeDownCast(force)
        if actuator.getMinControl() > 0.0 or actuator.getMaxControl() < 0.0:
            raise ModelError(
                f"Actuator {name} cannot be left at a control of 0; widen its controls, or take "
                "it out of the model."
            )
        return None
    if kind not in READERS:
        raise ModelError(
            f"physics=compiled has no {kind} ({name}); keep physics=opensim, or set its "
            "appliesForce to false."
        )
    return READERS[kind](force, mechanism)
