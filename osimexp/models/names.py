"""Names of the parts of a model, and constants that belong to them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from osimexp.arrays import Floats, Mask

AXES = ("x", "y", "z")


@dataclass(frozen=True)
class Actuator:
    """An actuator other than a muscle, such as a torque of the arms.

    Attributes:
        name: name of its control.
        coordinate: name of the coordinate that it acts on; None if it acts on bodies.
        optimal_force: force (N) or torque (N m) if the control, or the activation, is 1.
        bounds: lowest and highest control; infinite if the model gives none.
    """

    name: str
    coordinate: str | None
    optimal_force: float
    bounds: tuple[float, float]


ROLES = ("forward", "height", "lateral", "list", "rotation", "tilt")
"""Roles of the coordinates of a base body: translations along x, y, z and rotations about them."""


@dataclass(frozen=True)
class BaseBody:
    """The body whose position, heading and lean describe how a model stands and moves.

    Its axes are those of OpenSim's models: x forward, y up, z to the right.

    Attributes:
        body: number of the body, usually the pelvis.
        trunk: number of the body whose lean is judged.
        roles: index of the coordinate of each role of ``ROLES`` that the model has.
        planar: whether body and trunk turn about the z axis alone.
    """

    body: int
    trunk: int
    roles: Mapping[str, int]
    planar: bool


@dataclass(frozen=True)
class Names:
    """Names of the columns of a simulation's arrays, and constants of the model.

    Attributes:
        coordinates: names of the generalised coordinates, in the order of ``State.coordinates``.
        rotational: ``(coordinates,)`` whether each is an angle (rad) and not a length (m).
        ranges: ``(coordinates, 2)`` lowest and highest value of each coordinate, rad or m.
        default_pose: ``(coordinates,)`` default values of the coordinates, rad or m.
        muscles: names of the muscles, in the order of ``State.activations``.
        maximum_isometric_force: ``(muscles,)`` N.
        bodies: names of the bodies, in the order of ``State.body_positions``.
        feet: names of the feet, which are groups of contact spheres, in the order of
            ``State.ground_reaction``.
        points: names of points fixed to bodies, in the order of ``State.point_positions``.
        mass: mass of the whole model, kg.
        actuators: actuators other than muscles.
        forces: names of the external forces, each with a component along each axis of the ground.
        base: base body; None for a model that cannot travel or fall.
        rooted: names of the coordinates of joints on the ground, which turn a model as a whole.
        lifting: names of those of them that move it upwards.
    """

    coordinates: tuple[str, ...]
    rotational: Mask
    ranges: Floats
    default_pose: Floats
    muscles: tuple[str, ...]
    maximum_isometric_force: Floats
    bodies: tuple[str, ...]
    feet: tuple[str, ...]
    points: tuple[str, ...]
    mass: float
    actuators: tuple[Actuator, ...] = ()
    forces: tuple[str, ...] = ()
    base: BaseBody | None = None
    rooted: tuple[str, ...] = ()
    lifting: tuple[str, ...] = ()

    @cached_property
    def controls(self) -> tuple[str, ...]:
        """Names of the controls: excitations of muscles, other actuators, external forces."""
        components = (component for force in self.forces for component in force_controls(force))
        return (*self.muscles, *(one.name for one in self.actuators), *components)

    def force_columns(self, force: str) -> slice:
        """Return the columns of the three components of an external force among the controls."""
        first = self.controls.index(force_controls(force)[0])
        return slice(first, first + len(AXES))


def force_controls(force: str) -> tuple[str, ...]:
    """Return the names of an external force's controls, N along x, y and z of the ground."""
    return tuple(f"{force}_{axis}" for axis in AXES)


@dataclass(frozen=True)
class StatePaths:
    """Paths of the model components that hold states and take controls.

    Attributes:
        names: names of the columns, in the order of the paths.
        coordinates: path of each coordinate, to which ``/value`` and ``/speed`` are added.
        muscles: path of each muscle, to which ``/activation`` and ``/fiber_length`` are added.
        controls: path of the component of each control; an actuator with several controls is listed
            once for each.
        elastic: ``(muscles,)`` whether the fibre length is a state.
        activated: ``(muscles,)`` whether the activation is a state.
        optimal_fibre_lengths: ``(muscles,)`` m.
    """

    names: Names
    coordinates: tuple[str, ...]
    muscles: tuple[str, ...]
    controls: tuple[str, ...]
    elastic: Mask
    activated: Mask
    optimal_fibre_lengths: Floats
