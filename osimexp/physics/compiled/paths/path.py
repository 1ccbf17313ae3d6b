"""The paths of muscles: their lengths, their lengthening speeds and the forces along them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import opensim

from osimexp.errors import ModelError
from osimexp.physics.compiled.ir.trace import Array, Scalar, select
from osimexp.physics.compiled.ir.vectors import norm, total
from osimexp.physics.compiled.mechanics.curves import Curve, Polynomial
from osimexp.physics.compiled.mechanics.dynamics import Loads
from osimexp.physics.compiled.mechanics.functions import read_function
from osimexp.physics.compiled.mechanics.mechanism import Mechanism, Placement
from osimexp.physics.compiled.mechanics.motion import Motion
from osimexp.physics.compiled.paths.functions import Field, read_field
from osimexp.physics.compiled.paths.points import Point, Segment, Window

# Margin (rad or m) by which OpenSim widens the range of a conditional point.
_RANGE_MARGIN = 1e-5


class Path(Protocol):
    """The path of a muscle or a ligament between points of bodies."""

    def length(self, motion: Motion) -> Scalar:
        """Return the length of the path, m."""
        ...

    def speed(self, motion: Motion) -> Scalar:
        """Return the lengthening speed of the path, m/s."""
        ...

    def pull(self, motion: Motion, loads: Loads, tension: Scalar) -> None:
        """Add the forces of a tension (N) along the path to the loads."""
        ...


def read_path(actuator: opensim.PathActuator, mechanism: Mechanism) -> Path:
    """Return the path of a muscle, from a model whose system was initialised.

    Raises:
        ModelError: the path is of another class, it wraps, or one of its points or functions cannot
            be compiled.
    """
    path, owner = actuator.getPath(), actuator.getName()
    match path.getConcreteClassName():
        case "FunctionBasedPath":
            return _function_path(opensim.FunctionBasedPath.safeDownCast(path), owner, mechanism)
        case "GeometryPath":
            return _geometry_path(opensim.GeometryPath.safeDownCast(path), actuator, mechanism)
    raise ModelError(
        f"physics=compiled has no {path.getConcreteClassName()} (of {owner}); keep "
        f"physics=opensim{_or_fitted(actuator)}."
    )


def _or_fitted(actuator: opensim.PathActuator) -> str:
    """Return the advice to fit a path, which is possible for those of muscles alone."""
    muscle = opensim.Muscle.safeDownCast(actuator) is not None
    return ", or replace it with model.paths=fitted" if muscle else ""


# Paths given by functions of coordinates


@dataclass(frozen=True)
class FunctionPath:
    """A path whose length is a function of coordinates: OpenSim's FunctionBasedPath.

    Attributes:
        coordinates: numbers of the coordinates.
        lengths: length (m) as a function of the coordinates.
        arms: moment arm (m) by each coordinate, as functions of the coordinates; empty if the model
            gives none, and they are then derivatives of the length.
        speeds: lengthening speed (m/s) as a function of the coordinates and then their speeds; None
            if the model gives none.
    """

    coordinates: tuple[int, ...]
    lengths: Field
    arms: tuple[Field, ...]
    speeds: Field | None

    def length(self, motion: Motion) -> Scalar:
        """Return the length of the path, m."""
        return self.lengths.value(self._values(motion))

    def speed(self, motion: Motion) -> Scalar:
        """Return the lengthening speed of the path, m/s."""
        speeds = [motion.speeds[c] for c in self.coordinates]
        if self.speeds is not None:
            return self.speeds.value([*self._values(motion), *speeds])
        result: Scalar = 0.0
        for arm, speed in zip(self._moment_arms(motion), speeds, strict=True):
            result = result - arm * speed
        return result

    def pull(self, motion: Motion, loads: Loads, tension: Scalar) -> None:
        """Add the generalised forces of a tension (N) along the path to the loads."""
        for coordinate, arm in zip(self.coordinates, self._moment_arms(motion), strict=True):
            loads.along(coordinate, arm * tension)

    def _values(self, motion: Motion) -> list[Scalar]:
        return [motion.coordinates[c] for c in self.coordinates]

    def _moment_arms(self, motion: Motion) -> list[Scalar]:
        values = self._values(motion)
        if self.arms:
            return [arm.value(values) for arm in self.arms]
        return [-slope for slope in self.lengths.gradient(values)]


def _function_path(
    path: opensim.FunctionBasedPath, owner: str, mechanism: Mechanism
) -> FunctionPath:
    names = path.getCoordinatePaths()
    coordinates = tuple(mechanism.coordinate_index(names[i]) for i in range(len(names)))
    turning = {
        c for joint in mechanism.joints if joint.kind in ("BallJoint", "FreeJoint")
        for c in joint.coordinates[:3]
    }  # fmt: skip
    for c in coordinates:
        if c in turning:
            raise ModelError(
                f"physics=compiled cannot lead the path of {owner} over "
                f"{mechanism.coordinates[c].name}, an angle of a ball or free joint; keep "
                "physics=opensim, or replace the joint by a GimbalJoint or CustomJoint."
            )
    count = len(coordinates)
    where = f"the path of {owner}"
    arms = range(path.getPropertyByName("moment_arm_functions").size())
    speeds = path.getPropertyByName("lengthening_speed_function").size() > 0
    return FunctionPath(
        coordinates,
        read_field(path.get_length_function(), count, where),
        tuple(read_field(path.get_moment_arm_functions(i), count, where) for i in arms),
        read_field(path.get_lengthening_speed_function(), 2 * count, where) if speeds else None,
    )


# Paths through points


@dataclass(frozen=True)
class GeometryPath:
    """A path through points, without wrapping: OpenSim's GeometryPath.

    Attributes:
        points: all points that the path can pass through.
        segments: all straight lines that can be part of the path.
    """

    points: tuple[Point, ...]
    segments: tuple[Segment, ...]

    def length(self, motion: Motion) -> Scalar:
        """Return the length of the path, m."""
        result: Scalar = 0.0
        for segment in self.segments:
            distance = norm(segment.across(motion))
            result = result + select(segment.there(motion), distance, 0.0)
        return result

    def speed(self, motion: Motion) -> Scalar:
        """Return the lengthening speed of the path, m/s."""
        result: Scalar = 0.0
        for segment in self.segments:
            across, rate = segment.across(motion), segment.rate(motion)
            speed = (across @ rate) * (1.0 / norm(across))
            result = result + select(segment.there(motion), speed, 0.0)
        return result

    def pull(self, motion: Motion, loads: Loads, tension: Scalar) -> None:
        """Add the forces of a tension (N) along the path to the loads.

        The force on the coordinate of a moving point is left out if the next point belongs to the
        same body, as OpenSim does.
        """
        forces = [self._force(segment, motion, tension) for segment in self.segments]
        for point in self.points:
            force = total(
                force if segment.first is point else -force
                for segment, force in zip(self.segments, forces, strict=True)
                if force is not None and (segment.first is point or segment.last is point)
            )
            loads.force(point.body, point.position(motion), force)
            if point.coordinate is not None:
                shift = motion.rotation(point.body) @ point.shift(motion)
                loads.along(point.coordinate, shift @ force)

    @staticmethod
    def _force(segment: Segment, motion: Motion, tension: Scalar) -> Array | None:
        """Return the force ``(3,)`` on the segment's first point, N."""
        if segment.still:
            return None
        across = segment.across(motion)
        strength = select(segment.there(motion), tension, 0.0) * (1.0 / norm(across))
        return np.asarray(across * strength)


def _geometry_path(
    path: opensim.GeometryPath, actuator: opensim.PathActuator, mechanism: Mechanism
) -> GeometryPath:
    owner = actuator.getName()
    wraps = path.getWrapSet()
    for i in range(wraps.getSize()):
        surface = wraps.get(i).getWrapObject()
        if surface.get_active():
            raise ModelError(
                f"physics=compiled cannot wrap the path of {owner} over {surface.getName()} "
                f"({surface.getConcreteClassName()}); keep physics=opensim{_or_fitted(actuator)}."
            )
    set_ = path.getPathPointSet()
    found = (_point(set_.get(i), actuator, mechanism) for i in range(set_.getSize()))
    points = [point for point in found if point is not None]
    return GeometryPath(tuple(points), tuple(s for s in _segments(points) if s.possible))


def _segments(points: Sequence[Point]) -> Iterator[Segment]:
    """Yield the straight lines between points that are neighbours on the path, or can become so."""
    for i, first in enumerate(points):
        between: list[Window] = []
        for last in points[i + 1 :]:
            yield Segment(first, last, tuple(between))
            if last.window is None:
                break
            between.append(last.window)


def _point(
    point: opensim.AbstractPathPoint, actuator: opensim.PathActuator, mechanism: Mechanism
) -> Point | None:
    """Return a point of a path; None if it never belongs to the path."""
    owner = actuator.getName()
    placement = mechanism.placement(point.getParentFrame())
    match point.getConcreteClassName():
        case "PathPoint":
            fixed = opensim.PathPoint.safeDownCast(point).get_location()
            return Point(placement, _fixed(fixed))
        case "ConditionalPathPoint":
            conditional = opensim.ConditionalPathPoint.safeDownCast(point)
            if not conditional.hasCoordinate():
                return None
            window = Window(
                mechanism.coordinate_index(conditional.getCoordinate().getAbsolutePathString()),
                conditional.get_range(0) - _RANGE_MARGIN,
                conditional.get_range(1) + _RANGE_MARGIN,
            )
            return Point(placement, _fixed(conditional.get_location()), window=window)
        case "MovingPathPoint":
            moving = opensim.MovingPathPoint.safeDownCast(point)
            return _moving_point(moving, placement, owner, mechanism)
    raise ModelError(
        f"physics=compiled has no {point.getConcreteClassName()} (point {point.getName()} of "
        f"{owner}); keep physics=opensim{_or_fitted(actuator)}."
    )


def _fixed(location: opensim.Vec3) -> tuple[Curve, Curve, Curve]:
    x, y, z = (Polynomial((location.get(i),)) for i in range(3))
    return x, y, z


def _moving_point(
    point: opensim.MovingPathPoint, placement: Placement, owner: str, mechanism: Mechanism
) -> Point:
    where = f"point {point.getName()} of {owner}"
    x, y, z = (
        read_function(function, where)
        for function in (point.get_x_location(), point.get_y_location(), point.get_z_location())
    )
    if not point.hasXCoordinate():
        return Point(placement, (x, y, z))
    # OpenSim itself refuses a point that several coordinates move.
    coordinate = mechanism.coordinate_index(point.getXCoordinate().getAbsolutePathString())
    return Point(placement, (x, y, z), coordinate, mechanism.coordinates[coordinate].range)
