"""Reading of a force of any class that can be compiled, without muscles and actuators."""

from collections.abc import Callable

import opensim

from osimexp.errors import ModelError
from osimexp.physics.compiled.forces.bushing import read_bushing, read_expression_bushing
from osimexp.physics.compiled.forces.expression import read_coordinate_expression
from osimexp.physics.compiled.forces.force import Contact, Force, title
from osimexp.physics.compiled.forces.hunt_crossley import read_hunt_crossley
from osimexp.physics.compiled.forces.limits import read_coordinate_limit
from osimexp.physics.compiled.forces.smooth_sphere import read_smooth_sphere
from osimexp.physics.compiled.forces.springs import (
    read_coordinate_spring,
    read_ligament,
    read_point_spring,
)
from osimexp.physics.compiled.mechanics.mechanism import Mechanism

__all__ = ["Contact", "Force", "read_force"]

_READERS: dict[str, Callable[[opensim.Force, Mechanism], Force]] = {
    "BushingForce": read_bushing,
    "CoordinateLimitForce": read_coordinate_limit,
    "ExpressionBasedBushingForce": read_expression_bushing,
    "ExpressionBasedCoordinateForce": read_coordinate_expression,
    "HuntCrossleyForce": read_hunt_crossley,
    "Ligament": read_ligament,
    "PointToPointSpring": read_point_spring,
    "SmoothSphereHalfSpaceForce": read_smooth_sphere,
    "SpringGeneralizedForce": read_coordinate_spring,
}

_REPLACEMENTS = {
    "Blankevoort1991Ligament": "replace it by a Ligament",
    "ElasticFoundationForce": "replace its meshes by spheres and it by HuntCrossleyForce",
    "ExponentialContactForce": "replace it by SmoothSphereHalfSpaceForce",
    "FunctionBasedBushingForce": "replace it by ExpressionBasedBushingForce",
    "MeyerFregly2016Force": "replace it by SmoothSphereHalfSpaceForce",
}


def read_force(force: opensim.Force, mechanism: Mechanism) -> Force | None:
    """Return a force, or None if it is switched off.

    Args:
        force: force that is not an actuator, of a model whose system was initialised.
        mechanism: mechanism of the model.

    Raises:
        ModelError: its class or one of its properties cannot be compiled.
    """
    if not force.get_appliesForce():
        return None
    kind = force.getConcreteClassName()
    reader = _READERS.get(kind)
    if reader is None:
        advice = _REPLACEMENTS.get(kind, "take it out of the model")
        raise ModelError(
            f"physics=compiled has no force such as {title(force)}; {advice}, or keep "
            "physics=opensim."
        )
    return reader(force, mechanism)
