"""Observation terms, which are joined in the order of the config.

A term is a dataclass called with a ``Frame``; it returns ``(B, k)``. ``READS`` names the costly
fields of the state that it needs, which the simulation reads only then. A method ``columns`` gives
each of the ``k`` numbers a name and a unit; without it they are numbered.
"""

from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np

from osimexp.arrays import Floats, Indices
from osimexp.models.names import AXES
from osimexp.tasks.columns import Column, Named, along_axes, numbered
from osimexp.tasks.scene import Frame, Scene


class ObservationTerm(Protocol):
    """A term of an observation."""

    READS: ClassVar[frozenset[str]]

    def __call__(self, frame: Frame) -> Floats:
        """Return ``(B, k)``, with the same ``k`` at every call."""
        ...


@dataclass(frozen=True)
class JointAngles:
    """Coordinates without the position on the floor and the heading, rad or m.

    In three dimensions the angles of the base body are left out, too; see ``Pelvis``.

    Attributes:
        coordinates: patterns of the coordinates' names.
    """

    READS: ClassVar[frozenset[str]] = frozenset()
    coordinates: tuple[str, ...]

    def __call__(self, frame: Frame) -> Floats:
        """Return ``(B, coordinates)``."""
        columns = frame.scene.posture(self.coordinates, "observation.joint_angles.coordinates")
        return frame.state.coordinates[:, columns]

    def columns(self, scene: Scene) -> tuple[Column, ...]:
        """Return a column for each coordinate."""
        places = scene.posture(self.coordinates, "observation.joint_angles.coordinates")
        return _of_coordinates(scene, places, "", 1.0)


@dataclass(frozen=True)
class JointSpeeds:
    """Speeds of coordinates (rad/s or m/s) times a scale that brings them near 1.

    In three dimensions the speeds of the base body are left out, except that of its height; see
    ``PelvisTurning`` and ``CentreOfMassVelocity``.

    Attributes:
        coordinates: patterns of the coordinates' names.
        scale: factor, s.
    """

    READS: ClassVar[frozenset[str]] = frozenset()
    coordinates: tuple[str, ...]
    scale: float

    def __call__(self, frame: Frame) -> Floats:
        """Return ``(B, coordinates)``."""
        columns = frame.scene.moving(self.coordinates, "observation.joint_speeds.coordinates")
        return frame.state.speeds[:, columns] * self.scale

    def columns(self, scene: Scene) -> tuple[Column, ...]:
        """Return a column for each coordinate."""
        places = scene.moving(self.coordinates, "observation.joint_speeds.coordinates")
        return _of_coordinates(scene, places, "/s", self.scale)


@dataclass(frozen=True)
class Pelvis:
    """Height (m) and tilt (rad) of the base body, and in three dimensions its list (rad).

    A model without a base body has none of them.
    """

    READS: ClassVar[frozenset[str]] = frozenset({"body_positions", "body_orientations"})

    def __call__(self, frame: Frame) -> Floats:
        """Return ``(B, 2)``, ``(B, 3)`` in three dimensions or ``(B, 0)``."""
        base, place = frame.base, frame.scene.names.base
        if base is None or place is None:
            return np.zeros((len(frame.state.time), 0))
        columns = [base.position[:, 1], base.tilt, *([] if place.planar else [base.list])]
        return np.stack(columns, axis=1)

    def columns(self, scene: Scene) -> tuple[Column, ...]:
        """Return height, tilt and list, as far as the model has them."""
        base = scene.names.base
        both = (Column("height", "m"), Column("tilt", "rad"))
        return () if base is None else both if base.planar else (*both, Column("list", "rad"))


@dataclass(frozen=True)
class PelvisTurning:
    """Angular velocity of the base body in the frame of the heading, rad/s, times a scale.

    A planar model has the component to the right alone; a model without a base body has none.

    Attributes:
        scale: factor, s.
    """

    READS: ClassVar[frozenset[str]] = frozenset({"body_angular_velocities"})
    scale: float

    def __call__(self, frame: Frame) -> Floats:
        """Return ``(B, 3)``: forward, up and to the right; or ``(B, 1)`` or ``(B, 0)``."""
        base = frame.scene.names.base
        if base is None:
            return np.zeros((len(frame.state.time), 0))
        turning = frame.seen(frame.state.body_angular_velocities[:, base.body]) * self.scale
        return turning[:, 2:] if base.planar else turning

    def columns(self, scene: Scene) -> tuple[Column, ...]:
        """Return a column for each axis of the heading, as far as the model has it."""
        base = scene.names.base
        axes = () if base is None else AXES[2:] if base.planar else AXES
        return tuple(Column(axis, "rad/s", self.scale) for axis in axes)


@dataclass(frozen=True)
class CentreOfMassVelocity:
    """Velocity of the centre of mass in the frame of the heading, m/s."""

    READS: ClassVar[frozenset[str]] = frozenset({"centre_of_mass_velocity"})

    def __call__(self, frame: Frame) -> Floats:
        """Return ``(B, 3)``: forward, up and to the right."""
        return frame.velocity

    def columns(self, scene: Scene) -> tuple[Column, ...]:
        """Return a column for each axis of the heading."""
        return tuple(Column(axis, "m/s") for axis in AXES)


@dataclass(frozen=True)
class Activations:
    """Muscle activations in [0, 1]."""

    READS: ClassVar[frozenset[str]] = frozenset()

    def __call__(self, frame: Frame) -> Floats:
        """Return ``(B, muscles)``."""
        return frame.state.activations

    def columns(self, scene: Scene) -> tuple[Column, ...]:
        """Return a column for each muscle."""
        return _of_muscles(scene, "1")


@dataclass(frozen=True)
class FibreLength:
    """Fibre lengths in optimal fibre lengths."""

    READS: ClassVar[frozenset[str]] = frozenset({"fibre_length"})

    def __call__(self, frame: Frame) -> Floats:
        """Return ``(B, muscles)``."""
        return frame.state.fibre_length

    def columns(self, scene: Scene) -> tuple[Column, ...]:
        """Return a column for each muscle."""
        return _of_muscles(scene, "optimal fibre lengths")


@dataclass(frozen=True)
class FibreVelocity:
    """Fibre velocities in maximum contraction velocities, negative when shortening."""

    READS: ClassVar[frozenset[str]] = frozenset({"fibre_velocity"})

    def __call__(self, frame: Frame) -> Floats:
        """Return ``(B, muscles)``."""
        return frame.state.fibre_velocity

    def columns(self, scene: Scene) -> tuple[Column, ...]:
        """Return a column for each muscle."""
        return _of_muscles(scene, "maximum contraction velocities")


@dataclass(frozen=True)
class TendonForce:
    """Tendon forces in maximum isometric forces."""

    READS: ClassVar[frozenset[str]] = frozenset({"tendon_force"})

    def __call__(self, frame: Frame) -> Floats:
        """Return ``(B, muscles)``."""
        return frame.state.tendon_force / frame.scene.names.maximum_isometric_force

    def columns(self, scene: Scene) -> tuple[Column, ...]:
        """Return a column for each muscle."""
        return _of_muscles(scene, "maximum isometric forces")


@dataclass(frozen=True)
class GroundReaction:
    """Force of the ground on each foot in the frame of the heading, in body weights.

    A model without feet has none.
    """

    READS: ClassVar[frozenset[str]] = frozenset({"ground_reaction"})

    def __call__(self, frame: Frame) -> Floats:
        """Return ``(B, feet * 3)``."""
        forces = frame.seen(frame.state.ground_reaction) / frame.scene.body_weight
        return forces.reshape(len(forces), 3 * len(frame.scene.names.feet))

    def columns(self, scene: Scene) -> tuple[Column, ...]:
        """Return a column for each axis of the heading of each foot."""
        return along_axes(scene.names.feet, "body weights")


@dataclass(frozen=True)
class Points:
    """Positions of named points, m: in ground, or from the base body in the heading's frame.

    Attributes:
        points: names of the points.
    """

    READS: ClassVar[frozenset[str]] = frozenset({"point_positions", "body_positions"})
    points: tuple[str, ...] = ()

    def __call__(self, frame: Frame) -> Floats:
        """Return ``(B, points * 3)``."""
        rows = [frame.scene.point(name) for name in self.points]
        positions = frame.state.point_positions[:, rows]
        if frame.base is not None:
            positions = frame.seen(positions - frame.base.position[:, None])
        return positions.reshape(len(positions), 3 * len(rows))

    def columns(self, scene: Scene) -> tuple[Column, ...]:
        """Return a column for each axis of each point."""
        return along_axes(self.points, "m")


@dataclass(frozen=True)
class Target:
    """Target of the task; no columns for a task without a target."""

    READS: ClassVar[frozenset[str]] = frozenset()

    def __call__(self, frame: Frame) -> Floats:
        """Return ``(B, target_size)``."""
        return frame.targets

    def columns(self, scene: Scene) -> tuple[Column, ...]:
        """Return the target's columns, numbered if the target does not name them."""
        target: object = scene.target
        return target.columns(scene) if isinstance(target, Named) else numbered(scene.target_size)


@dataclass(frozen=True)
class TargetOffset:
    """Vector from a named point to the target point, m; no columns for a task without such a point.

    Attributes:
        point: name of the point.
    """

    READS: ClassVar[frozenset[str]] = frozenset({"point_positions"})
    point: str

    def __call__(self, frame: Frame) -> Floats:
        """Return ``(B, 3)`` or ``(B, 0)``."""
        if not frame.scene.has_target_point:
            return frame.targets[:, :0]
        position = frame.state.point_positions[:, frame.scene.point(self.point)]
        return frame.seen(frame.targets - position)

    def columns(self, scene: Scene) -> tuple[Column, ...]:
        """Return a column for each axis; none for a task without a target point."""
        return tuple(Column(axis, "m") for axis in AXES) if scene.has_target_point else ()


@dataclass(frozen=True)
class PreviousActions:
    """Actions of the last step, in [-1, 1]."""

    READS: ClassVar[frozenset[str]] = frozenset()

    def __call__(self, frame: Frame) -> Floats:
        """Return ``(B, actions)``."""
        return np.asarray(frame.actions)

    def columns(self, scene: Scene) -> tuple[Column, ...]:
        """Return a column for each action."""
        return tuple(Column(name, "1") for name in scene.actions)


def _of_coordinates(scene: Scene, places: Indices, rate: str, scale: float) -> tuple[Column, ...]:
    names = scene.names
    units = np.where(names.rotational, f"rad{rate}", f"m{rate}")
    return tuple(Column(names.coordinates[c], str(units[c]), scale) for c in places)


def _of_muscles(scene: Scene, unit: str) -> tuple[Column, ...]:
    return tuple(Column(name, unit) for name in scene.names.muscles)
