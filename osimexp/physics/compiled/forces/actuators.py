"""Actuators other than muscles: forces and torques that follow a control or an activation."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np
import opensim

from osimexp.errors import ModelError
from osimexp.physics.compiled.forces.force import require, title
from osimexp.physics.compiled.ir.trace import Array, Scalar
from osimexp.physics.compiled.ir.vectors import norm
from osimexp.physics.compiled.mechanics.dynamics import Loads
from osimexp.physics.compiled.mechanics.mechanism import (
    GROUND,
    Mechanism,
    Placement,
    Station,
    property_value,
)
from osimexp.physics.compiled.mechanics.motion import Motion
from osimexp.physics.compiled.paths.path import Path, read_path


class Actuator(Protocol):
    """An actuator other than a muscle."""

    @property
    def controls(self) -> int:
        """Number of controls of the actuator."""
        ...

    @property
    def activation(self) -> "Activation | None":
        """Activation between the control and the force; None if there is none."""
        ...

    def exert(self, motion: Motion, loads: Loads, drive: Sequence[Scalar]) -> None:
        """Add the actuator's forces to the loads.

        Args:
            motion: kinematics at this moment.
            loads: loads that the forces are added to.
            drive: activation of the actuator or, without one, its controls.
        """
        ...


@dataclass(frozen=True)
class Activation:
    """A first-order delay between a control and a force.

    Attributes:
        start: activation at the beginning of an episode.
        time_constant: s.
    """

    start: float
    time_constant: float

    def rate(self, control: Scalar, activation: Scalar) -> Scalar:
        """Return the rate of the activation, 1/s."""
        return (control - activation) / self.time_constant


@dataclass(frozen=True)
class CoordinateForce:
    """OpenSim's CoordinateActuator and ActivationCoordinateActuator.

    Attributes:
        coordinate: number of the coordinate.
        optimal: generalised force at a drive of 1, N m or N.
        activation: activation of an ActivationCoordinateActuator; None for a CoordinateActuator.
    """

    coordinate: int
    optimal: float
    activation: Activation | None = None
    controls: ClassVar[int] = 1

    def exert(self, motion: Motion, loads: Loads, drive: Sequence[Scalar]) -> None:
        """Add the generalised force on the coordinate."""
        loads.along(self.coordinate, drive[0] * self.optimal)


@dataclass(frozen=True)
class Torque:
    """OpenSim's TorqueActuator: a torque on a body, and its opposite on another.

    Attributes:
        body: number of the body that the torque acts on.
        other: number of the body that the opposite torque acts on, or the ground's.
        frame: number of the body in whose axes ``axis`` is given, or the ground's.
        axis: direction ``(3,)`` of length 1.
        optimal: torque at a control of 1, N m.
    """

    body: int
    other: int
    frame: int
    axis: Array
    optimal: float
    controls: ClassVar[int] = 1
    activation: ClassVar[None] = None

    def exert(self, motion: Motion, loads: Loads, drive: Sequence[Scalar]) -> None:
        """Add the torques."""
        torque = (motion.rotation(self.frame) @ self.axis) * (drive[0] * self.optimal)
        loads.torque(self.body, torque)
        loads.torque(self.other, -torque)


@dataclass(frozen=True)
class PointForce:
    """OpenSim's PointActuator: a force at a point that is fixed on a body.

    Attributes:
        point: point at which the force acts.
        frame: number of the body in whose axes ``direction`` is given, or the ground's.
        direction: direction ``(3,)`` of length 1.
        optimal: force at a control of 1, N.
    """

    point: Station
    frame: int
    direction: Array
    optimal: float
    controls: ClassVar[int] = 1
    activation: ClassVar[None] = None

    def exert(self, motion: Motion, loads: Loads, drive: Sequence[Scalar]) -> None:
        """Add the force at the point."""
        force = (motion.rotation(self.frame) @ self.direction) * (drive[0] * self.optimal)
        loads.force(self.point.body, motion.position(self.point), force)


@dataclass(frozen=True)
class SpatialForce:
    """OpenSim's BodyActuator: a torque and a force on a body, with three controls each.

    Attributes:
        point: point at which the force acts.
        frame: number of the body in whose axes the controls are given, or the ground's.
    """

    point: Station
    frame: int
    controls: ClassVar[int] = 6
    activation: ClassVar[None] = None

    def exert(self, motion: Motion, loads: Loads, drive: Sequence[Scalar]) -> None:
        """Add the torque and the force."""
        rotation = motion.rotation(self.frame)
        torque, force = (
            rotation @ np.array(drive[part], dtype=object) for part in (slice(0, 3), slice(3, 6))
        )
        loads.torque(self.point.body, torque)
        loads.force(self.point.body, motion.position(self.point), force)


@dataclass(frozen=True)
class BetweenPoints:
    """OpenSim's PointToPointActuator: a force that pushes two points apart.

    Attributes:
        first: first point.
        second: second point.
        optimal: force at a control of 1, N.
    """

    first: Station
    second: Station
    optimal: float
    controls: ClassVar[int] = 1
    activation: ClassVar[None] = None

    def exert(self, motion: Motion, loads: Loads, drive: Sequence[Scalar]) -> None:
        """Add the force at each point."""
        start, end = motion.position(self.first), motion.position(self.second)
        between = start - end
        force = between * (drive[0] * self.optimal / norm(between))
        for station, at, push in ((self.first, start, force), (self.second, end, -force)):
            if station.body != GROUND:
                loads.force(station.body, at, push)


@dataclass(frozen=True)
class PathTension:
    """OpenSim's PathActuator: a tension along a path.

    Attributes:
        path: path of the tension.
        optimal: tension at a control of 1, N.
    """

    path: Path
    optimal: float
    controls: ClassVar[int] = 1
    activation: ClassVar[None] = None

    def exert(self, motion: Motion, loads: Loads, drive: Sequence[Scalar]) -> None:
        """Add the forces of the tension along the path."""
        self.path.pull(motion, loads, drive[0] * self.optimal)


# Reading


def read_actuator(component: opensim.Actuator, mechanism: Mechanism) -> Actuator:
    """Return an actuator other than a muscle.

    Args:
        component: actuator of a model whose system was initialised.
        mechanism: mechanism of the model.

    Raises:
        ModelError: its class or one of its properties cannot be compiled.
    """
    kind = component.getConcreteClassName()
    reader = _READERS.get(kind)
    if reader is None:
        raise ModelError(
            f"physics=compiled has no actuator such as {title(component)}; replace it by a "
            "CoordinateActuator, or keep physics=opensim."
        )
    return reader(component, mechanism)


def _coordinate_force(given: opensim.Actuator, mechanism: Mechanism) -> CoordinateForce:
    force = opensim.CoordinateActuator.safeDownCast(given)
    number = mechanism.coordinate_index(force.get_coordinate())
    return CoordinateForce(number, force.getOptimalForce())


def _activated(given: opensim.Actuator, mechanism: Mechanism) -> CoordinateForce:
    plain = _coordinate_force(given, mechanism)
    time_constant = property_value(given, "activation_time_constant")
    require(time_constant > 0.0, given, "set activation_time_constant above 0")
    activation = Activation(property_value(given, "default_activation"), time_constant)
    return CoordinateForce(plain.coordinate, plain.optimal, activation)


def _torque(given: opensim.Actuator, mechanism: Mechanism) -> Torque:
    force = opensim.TorqueActuator.safeDownCast(given)
    body = _body(force.get_bodyA(), mechanism)
    axis = force.getAxis().to_numpy()
    return Torque(
        body,
        _body(force.get_bodyB(), mechanism),
        GROUND if force.get_torque_is_global() else body,
        _unit(axis, given),
        force.getOptimalForce(),
    )


def _point_force(given: opensim.Actuator, mechanism: Mechanism) -> PointForce:
    force = opensim.PointActuator.safeDownCast(given)
    require(not force.get_point_is_global(), given, "give its point in the frame of the body")
    body = _body(force.get_body(), mechanism)
    return PointForce(
        Station(body, force.get_point().to_numpy()),
        GROUND if force.get_force_is_global() else body,
        _unit(force.get_direction().to_numpy(), given),
        force.getOptimalForce(),
    )


def _spatial_force(given: opensim.Actuator, mechanism: Mechanism) -> SpatialForce:
    force = opensim.BodyActuator.safeDownCast(given)
    require(not force.get_point_is_global(), given, "give its point in the frame of the body")
    placement: Placement = mechanism.placement(force.getBody())
    return SpatialForce(
        placement.station(force.get_point().to_numpy()),
        GROUND if force.get_spatial_force_is_global() else placement.body,
    )


def _between_points(given: opensim.Actuator, mechanism: Mechanism) -> BetweenPoints:
    force = opensim.PointToPointActuator.safeDownCast(given)
    require(not force.get_points_are_global(), given, "give its points in the frames of the bodies")
    first, second = (
        Station(_body(name, mechanism), point.to_numpy())
        for name, point in (
            (force.get_bodyA(), force.get_pointA()),
            (force.get_bodyB(), force.get_pointB()),
        )
    )
    return BetweenPoints(first, second, force.getOptimalForce())


def _path_tension(given: opensim.Actuator, mechanism: Mechanism) -> PathTension:
    force = opensim.PathActuator.safeDownCast(given)
    return PathTension(read_path(force, mechanism), force.getOptimalForce())


_READERS: dict[str, Callable[[opensim.Actuator, Mechanism], Actuator]] = {
    "ActivationCoordinateActuator": _activated,
    "BodyActuator": _spatial_force,
    "CoordinateActuator": _coordinate_force,
    "PathActuator": _path_tension,
    "PointActuator": _point_force,
    "PointToPointActuator": _between_points,
    "TorqueActuator": _torque,
}


def _body(name: str, mechanism: Mechanism) -> int:
    return GROUND if name.rsplit("/", 1)[-1] == "ground" else mechanism.body_index(name)


def _unit(direction: Array, given: opensim.Actuator) -> Array:
    length = float(np.linalg.norm(direction))
    require(length > 0.0, given, "give it a direction other than (0, 0, 0)")
    return np.asarray(direction / length).astype(object)
