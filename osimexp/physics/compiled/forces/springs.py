"""Springs along a coordinate, between two points and along a path."""

from dataclasses import dataclass
from typing import ClassVar

import opensim

from osimexp.physics.compiled.forces.force import Contact, require, title
from osimexp.physics.compiled.ir.trace import less, maximum, select
from osimexp.physics.compiled.ir.vectors import norm
from osimexp.physics.compiled.mechanics.curves import Curve
from osimexp.physics.compiled.mechanics.dynamics import Loads
from osimexp.physics.compiled.mechanics.functions import read_function
from osimexp.physics.compiled.mechanics.mechanism import GROUND, Mechanism, Station
from osimexp.physics.compiled.mechanics.motion import Motion
from osimexp.physics.compiled.paths.path import Path, read_path


@dataclass(frozen=True)
class CoordinateSpring:
    """OpenSim's SpringGeneralizedForce: a spring and a damper along a coordinate.

    Attributes:
        name: name of the force.
        coordinate: number of the coordinate.
        stiffness: stiffness of the spring, N m/rad or N/m.
        rest: coordinate at which the spring exerts no force, rad or m.
        viscosity: damping, N m s/rad or N s/m.
    """

    name: str
    coordinate: int
    stiffness: float
    rest: float
    viscosity: float
    contacts: ClassVar[tuple[Contact, ...]] = ()

    def apply(self, motion: Motion, loads: Loads) -> None:
        """Add the generalised force on the coordinate."""
        q, speed = motion.coordinates[self.coordinate], motion.speeds[self.coordinate]
        loads.along(self.coordinate, self.stiffness * (self.rest - q) - self.viscosity * speed)


def read_coordinate_spring(given: opensim.Force, mechanism: Mechanism) -> CoordinateSpring:
    """Return a SpringGeneralizedForce; its properties are in radians."""
    force = opensim.SpringGeneralizedForce.safeDownCast(given)
    return CoordinateSpring(
        force.getName(),
        mechanism.coordinate_index(force.get_coordinate()),
        force.getStiffness(),
        force.getRestLength(),
        force.getViscosity(),
    )


@dataclass(frozen=True)
class PointSpring:
    """OpenSim's PointToPointSpring: a spring between points of two bodies.

    Attributes:
        name: name of the force.
        first: point at one end.
        second: point at the other end.
        stiffness: stiffness of the spring, N/m.
        rest: length at which the spring exerts no force, m.
    """

    name: str
    first: Station
    second: Station
    stiffness: float
    rest: float
    contacts: ClassVar[tuple[Contact, ...]] = ()

    def apply(self, motion: Motion, loads: Loads) -> None:
        """Add the pull on each end."""
        start, end = motion.position(self.first), motion.position(self.second)
        between = end - start
        tightness = self.stiffness
        if self.rest != 0.0:
            # Ends in one place have no direction to pull in.
            tightness = tightness * (1.0 - self.rest / maximum(norm(between), 1e-12))
        for station, at, pull in (
            (self.first, start, between * tightness),
            (self.second, end, between * -tightness),
        ):
            if station.body != GROUND:
                loads.force(station.body, at, pull)


def read_point_spring(given: opensim.Force, mechanism: Mechanism) -> PointSpring:
    """Return a PointToPointSpring.

    OpenSim takes its points in the frames of the bodies, even if its sockets name frames that are
    fixed on a body with an offset.
    """
    force = opensim.PointToPointSpring.safeDownCast(given)
    ends = (force.getBody1(), force.getPoint1()), (force.getBody2(), force.getPoint2())
    first, second = (mechanism.station(frame.findBaseFrame(), point) for frame, point in ends)
    return PointSpring(force.getName(), first, second, force.getStiffness(), force.getRestlength())


@dataclass(frozen=True)
class PathSpring:
    """OpenSim's Ligament: a tension that depends on the length of a path, 0 if the path is slack.

    Attributes:
        name: name of the force.
        path: path of the ligament.
        rest: length up to which the ligament is slack, m.
        strength: factor of the curve, N.
        curve: tension as a function of the length in rest lengths, normalised.
    """

    name: str
    path: Path
    rest: float
    strength: float
    curve: Curve
    contacts: ClassVar[tuple[Contact, ...]] = ()

    def apply(self, motion: Motion, loads: Loads) -> None:
        """Add the forces of the tension along the path."""
        length = self.path.length(motion)
        tension = self.curve.value(length * (1.0 / self.rest)) * self.strength
        self.path.pull(motion, loads, select(less(self.rest, length), tension, 0.0))


def read_ligament(given: opensim.Force, mechanism: Mechanism) -> PathSpring:
    """Return a Ligament.

    Raises:
        ModelError: its path or its curve cannot be compiled.
    """
    force = opensim.Ligament.safeDownCast(given)
    require(force.getRestingLength() > 0.0, force, "set resting_length above 0")
    return PathSpring(
        force.getName(),
        read_path(force, mechanism),
        force.getRestingLength(),
        force.getMaxIsometricForce(),
        read_function(force.getForceLengthCurve(), f"force {title(force)}"),
    )
