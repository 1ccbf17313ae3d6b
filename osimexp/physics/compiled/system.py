"""The components of a model that move it or that are read from it, ready to be traced."""

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

import opensim

from osimexp.errors import ModelError
from osimexp.models.actuators import ExternalForce, actuator_controls
from osimexp.models.names import force_controls
from osimexp.models.prepare import require_bodies
from osimexp.models.settings import ModelSettings
from osimexp.physics.compiled.forces.actuators import Activation, Actuator, read_actuator
from osimexp.physics.compiled.forces.contact import Sphere, read_sphere
from osimexp.physics.compiled.forces.limits import CoordinateLimit
from osimexp.physics.compiled.forces.reading import Contact, Force, read_force
from osimexp.physics.compiled.mechanics.mechanism import Mechanism, Station, read_mechanism
from osimexp.physics.compiled.muscles.muscle import Muscle
from osimexp.physics.compiled.muscles.reading import read_muscle
from osimexp.physics.compiled.paths.path import Path, read_path


@dataclass(frozen=True)
class System:
    """A model as components that can be traced.

    Attributes:
        mechanism: bodies, joints and coordinates.
        bodies: numbers of the bodies, in OpenSim's order.
        muscles: muscles in OpenSim's order.
        paths: path of each muscle.
        actuators: other actuators, then the components of external forces.
        forces: all other forces.
        points: named points.
        feet: for each foot, the contact forces whose sum is its ground reaction.
        spheres: contact spheres, for the clearance of a pose.
    """

    mechanism: Mechanism
    bodies: tuple[int, ...]
    muscles: tuple[Muscle, ...]
    paths: tuple[Path, ...]
    actuators: tuple[Actuator, ...]
    forces: tuple[Force, ...]
    points: tuple[Station, ...]
    feet: tuple[tuple[Contact, ...], ...]
    spheres: tuple[Sphere, ...]

    @property
    def limits(self) -> tuple[CoordinateLimit, ...]:
        """Forces that limit the range of a coordinate."""
        return tuple(force for force in self.forces if isinstance(force, CoordinateLimit))

    @property
    def elastic(self) -> tuple[int, ...]:
        """Numbers of the muscles whose fibre length is a state."""
        return tuple(i for i, muscle in enumerate(self.muscles) if muscle.elastic)

    @property
    def activations(self) -> tuple[Activation, ...]:
        """Activations of the actuators that have one."""
        return tuple(one.activation for one in self.actuators if one.activation is not None)


def read_system(
    model: opensim.Model,
    settings: ModelSettings,
    points: Sequence[str],
    external: Sequence[ExternalForce] = (),
) -> System:
    """Return the components of a model whose system was initialised.

    Args:
        model: model to read.
        settings: settings of the model, with its feet.
        points: names of the markers to read, in order.
        external: external forces that were added to the model.

    Raises:
        ModelError: a component cannot be compiled; the message names it.
    """
    if model.getControllerSet().getSize():
        raise ModelError(
            "physics=compiled has no controllers; take them out of the model, because the policy "
            "drives the muscles."
        )
    mechanism = read_mechanism(model)
    set_ = model.getMuscles()
    muscles = [set_.get(i) for i in range(set_.getSize())]
    every = [model.getForceSet().get(i) for i in range(model.getForceSet().getSize())]
    _refuse_strays(model, len(every))
    others = [force for force in every if opensim.Actuator.safeDownCast(force) is None]
    forces = [read_force(force, mechanism) for force in others]
    kept = tuple(force for force in forces if force is not None)
    markers, body_set = model.getMarkerSet(), model.getBodySet()
    return System(
        mechanism,
        tuple(mechanism.body_index(body_set.get(i).getName()) for i in range(body_set.getSize())),
        tuple(read_muscle(muscle) for muscle in muscles),
        tuple(read_path(muscle, mechanism) for muscle in muscles),
        tuple(read_actuator(one, mechanism) for one in _actuators(model, external)),
        kept,
        tuple(_marker(markers.get(name), mechanism) for name in points),
        _feet(settings.feet, kept, mechanism),
        _spheres(model, mechanism),
    )


def _refuse_strays(model: opensim.Model, known: int) -> None:
    """Refuse components that act on the model from outside its sets of forces and constraints."""
    count = 0
    for component in model.getComponentsList():
        force = opensim.Force.safeDownCast(component)
        if force is not None:
            count += 1
    if count != known:
        raise ModelError(
            f"The model holds {count - known} forces outside its ForceSet, which physics=compiled "
            "does not look for; move them there, or keep physics=opensim."
        )


def _marker(marker: opensim.Marker, mechanism: Mechanism) -> Station:
    return mechanism.station(marker.getParentFrame(), marker.get_location())


def _actuators(model: opensim.Model, external: Sequence[ExternalForce]) -> list[opensim.Actuator]:
    """Return the components of the controls after the excitations, in order."""
    own = {c.component.getName(): c.component for c in actuator_controls(model, external)}
    forces = [name for force in external for name in force_controls(force.name)]
    actuators = model.getActuators()
    return [*own.values(), *(actuators.get(name) for name in forces)]


def _feet(
    feet: dict[str, tuple[str, ...]], forces: Sequence[Force], mechanism: Mechanism
) -> tuple[tuple[Contact, ...], ...]:
    bodies = [body.name for body in mechanism.bodies]
    require_bodies(feet, bodies)
    contacts = [contact for force in forces for contact in force.contacts]
    found = []
    for patterns in feet.values():
        found.append(
            tuple(
                contact
                for contact in contacts
                if any(fnmatchcase(bodies[contact.sphere_body], pattern) for pattern in patterns)
            )
        )
    return tuple(found)


def _spheres(model: opensim.Model, mechanism: Mechanism) -> tuple[Sphere, ...]:
    set_ = model.getContactGeometrySet()
    found = []
    for i in range(set_.getSize()):
        sphere = opensim.ContactSphere.safeDownCast(set_.get(i))
        if sphere is not None:
            found.append(read_sphere(sphere, mechanism))
    return tuple(found)
