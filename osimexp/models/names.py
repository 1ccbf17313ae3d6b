"""Names of what a model has, and the values that belong to them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from osimexp.arrays import Floats, Mask

AXES = ("x", "y", "z")


@dataclass(frozen=True)
class Actuator:
    """An actuator that is no muscle, such as a torque of the arms.

    Attributes:
        name: name of its control.
        coordinate: name of the coordinate that it acts on; None for one that acts on bodies.
        optimal_force: N m or N that it exerts where its control, or its activation, is 1.
        bounds: lowest and highest control; infinite where the model names none.
    """

    name: str
    coordinate: str | None
    optimal_force: float
    bounds: tuple[float, float]


ROLES = ("forward", "height", "lateral", "list", "rotation", "tilt")
"""Roles of the coordinates of a base body: its way along x, y and z, its turns about them."""


@dataclass(frozen=True)
class BaseBody:
    """The body whose place, heading and lean say how a model stands and goes.

    Its axes are those of OpenSim's models: x forward, y up, z to the right.

    Attributes:
        body: number of the body, a pelvis as a rule.
        trunk: number of the body whose lean is judged.
        roles: column of the coordinate of each role, of ``ROLES``, that the model has.
        planar: whether body and trunk turn about no axis but the one across the way.
    """

    body: int
    trunk: int
    roles: Mapping[str, int]
    planar: bool


@dataclass(frozen=True)
class Names:
    """The names of the columns of a simulation's arrays, and what is fixed of a model.

    Attributes:
        coordinates: generalised coordinates, in the order of ``State.coordinates``.
        rotational: for each coordinate, whether it is an angle (rad) and not a length (m).
        ranges: ``(coordinates, 2)`` lowest and highest value of each coordinate (rad or m).
        default_pose: ``(coordinates,)`` the model's default values (rad or m).
        muscles: in the order of ``State.activations``.
        maximum_isometric_force: ``(muscles,)`` N.
        bodies: in the order of ``State.body_positions``.
        feet: groups of contact spheres, in the order of ``State.ground_reaction``.
        points: named points fixed to bodies, in the order of ``State.point_positions``.
        mass: mass of the whole model, kg.
        actuators: those that are no muscles.
        forces: external forces, each with a component along each axis of the ground.
        base: the base body; None for a model that cannot go anywhere or fall.
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

    @cached_property
    def controls(self) -> tuple[str, ...]:
        """Names of the controls: the excitations of the muscles, actuators, external forces."""
        components = (component for force in self.forces for component in force_controls(force))
        return (*self.muscles, *(one.name for one in self.actuators), *components)

    def force_columns(self, force: str) -> slice:
        """Return the three columns of an external force among the controls."""
        first = self.controls.index(force_controls(force)[0])
        return slice(first, first + len(AXES))


def force_controls(force: str) -> tuple[str, ...]:
    """Return the names of the controls of an external force, N along x, y and z of the ground."""
    return tuple(f"{force}_{axis}" for axis in AXES)


@dataclass(frozen=True)
class StatePaths:
    """The paths of a model's components that hold its states and take its controls.

    Attributes:
        names: the short names, in the order of the paths.
        coordinates: paths of the coordinates, to which ``/value`` and ``/speed`` are added.
        muscles: paths of the muscles, to which ``/activation`` and ``/fiber_length`` are added.
        controls: paths of what takes each control; an actuator of several controls has its path
            once for each.
        elastic: ``(muscles,)`` whether its fibre length is a state.
        activated: ``(muscles,)`` whether its activation is a state.
        optimal_fibre_lengths: ``(muscles,)`` m.
    """

    names: Names
    coordinates: tuple[str, ...]
    muscles: tuple[str, ...]
    controls: tuple[str, ...]
    elastic: Mask
    activated: Mask
    optimal_fibre_lengths: Floats
