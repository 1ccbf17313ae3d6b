"""Actuators of a model other than muscles, and external forces that are added to it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import opensim

from osimexp.errors import ModelError, near_matches
from osimexp.models.names import Actuator, force_controls

BODY_CONTROLS = tuple(f"{kind}_{axis}" for kind in ("torque", "force") for axis in "xyz")
"""Names of the controls of a BodyActuator, in OpenSim's order."""


@dataclass(frozen=True)
class ExternalForce:
    """A force of three components on a body, such as a push.

    Attributes:
        name: name of the force; the names of its controls end in ``_x``, ``_y`` and ``_z``.
        body: name of the body that the force acts on.
        location: point at which the force acts, in the body's frame, m; None is the centre of mass.
    """

    name: str
    body: str
    location: tuple[float, float, float] | None = None


@dataclass(frozen=True)
class ModelControl:
    """One control of an actuator of a model.

    Attributes:
        actuator: description of the control.
        component: OpenSim's component, which may have more than one control.
        place: index of the control among all controls of the model.
    """

    actuator: Actuator
    component: opensim.Actuator
    place: int


def actuator_controls(
    model: opensim.Model, forces: Sequence[ExternalForce] = ()
) -> list[ModelControl]:
    """Return the controls of the model's own active actuators, without muscles.

    Args:
        model: a model whose system was initialised.
        forces: external forces that were added to the model; they are left out.
    """
    external = {name for force in forces for name in force_controls(force.name)}
    found = []
    for component, place in _with_places(model):
        own = opensim.Muscle.safeDownCast(component) is None and component.getName() not in external
        if own and component.get_appliesForce():
            for number, actuator in enumerate(_described(component)):
                found.append(ModelControl(actuator, component, place + number))
    return found


def control_places(model: opensim.Model) -> dict[str, int]:
    """Return the index of the first control of each actuator among the model's, by its name."""
    return {component.getName(): place for component, place in _with_places(model)}


def add_force(model: opensim.Model, force: ExternalForce) -> None:
    """Add an external force to a model: an actuator of 1 N along each axis of the ground.

    Raises:
        ModelError: the model has no such body, or already has a component of that name.
    """
    body_set = model.getBodySet()
    bodies = [body_set.get(i).getName() for i in range(body_set.getSize())]
    if force.body not in bodies:
        raise ModelError(
            f"{force.name}.body: the model has no body {force.body!r}; "
            f"{near_matches(force.body, bodies)}"
        )
    body = body_set.get(force.body)
    known = model.getForceSet()
    for name, axis in zip(force_controls(force.name), np.eye(3), strict=True):
        if known.contains(name):
            raise ModelError(f"The model already has a force {name}; choose another name.")
        actuator = opensim.PointActuator(force.body)
        actuator.setName(name)
        location = force.location
        actuator.set_point(body.getMassCenter() if location is None else opensim.Vec3(*location))
        actuator.set_direction(opensim.Vec3(*axis.tolist()))
        actuator.set_point_is_global(False)
        actuator.set_force_is_global(True)
        actuator.set_optimal_force(1.0)
        model.addForce(actuator)


def _with_places(model: opensim.Model) -> Iterator[tuple[opensim.Actuator, int]]:
    actuators = model.getActuators()
    place = 0
    for i in range(actuators.getSize()):
        yield actuators.get(i), place
        place += actuators.get(i).numControls()


def _described(component: opensim.Actuator) -> Iterator[Actuator]:
    name, count = component.getName(), component.numControls()
    if count != 1:
        known = component.getConcreteClassName() == "BodyActuator"
        for number in range(count):
            part = BODY_CONTROLS[number] if known else str(number)
            yield Actuator(f"{name}_{part}", None, 1.0, (-np.inf, np.inf))
        return
    scalar = opensim.ScalarActuator.safeDownCast(component)
    coordinate = None
    if component.hasProperty("coordinate"):
        named = component.getPropertyByName("coordinate").toString().strip("()")
        coordinate = named if named != "Unassigned" else None
    bounds = (float(scalar.getMinControl()), float(scalar.getMaxControl()))
    yield Actuator(name, coordinate, float(scalar.getOptimalForce()), bounds)
