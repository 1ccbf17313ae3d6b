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
        name: of the force.
        coordinate: number of the coordinate.
        stiffness: N m/rad or N/m.
        rest: rad or m, where it pushes nowhere.
        viscosity: N m s/rad or N s/m.
    """

    name: str
    coordinate: int
    stiffness: float
    rest: float
    viscosity: float
    contacts: ClassVar[tuple[Contact, ...]] = ()

    def apply(self, motion: Motion, loads: Loads) -> None:
        """Add the force along the coordinate."""
        q, speed = motion.coordinates[self.coordinate], motion.speeds[self.coordinate]
        loads.along(self.coordinate, self.stiffness * (self.rest - q) - self.viscosity * speed)


def read_coordinate_spring(given: opensim.Force, mechanism: Mechanism) -> CoordinateSpring:
    """Read a SpringGeneralizedForce; its figures are in radians."""
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
        name: of the force.
        first: one end.
        second: the other.
        stiffness: N/m.
        rest: m, the length at which it pushes nowhere.
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
            # Ends in one place have no direction to push in.
            tightness = tightness * (1.0 - self.rest / maximum(norm(between), 1e-12))
        for station, at, pull in (
            (self.first, start, between * tightness),
            (self.second, end, between * -tightness),
        ):
            if station.body != GROUND:
                loads.force(station.body, at, pull)


def read_point_spring(given: opensim.Force, mechanism: Mechanism) -> PointSpring:
    """Read a PointToPointSpring.

    OpenSim takes its points in the frames of the bodies, even where its sockets name frames that
    are fixed on a body with an offset.
    """
    force = opensim.PointToPointSpring.safeDownCast(given)
    ends = (force.getBody1(), force.getPoint1()), (force.getBody2(), force.getPoint2())
    first, second = (mechanism.station(frame.findBaseFrame(), point) for frame, point in ends)
    return PointSpring(force.getName(), first, second, force.getStiffness(), force.getRestlength())


@dataclass(frozen=True)
class PathSpring:
    """OpenSim's Ligament: a tension by the strain of a path, and none when it is slack.

    Attributes:
        name: of the force.
        path: that it pulls along.
        rest: m, the length up to which it is slack.
        strength: N, factor of the curve.
        curve: tension over the length in rest lengths.
    """

    name: str
    path: Path
    rest: float
    strength: float
    curve: Curve
    contacts: ClassVar[tuple[Contact, ...]] = ()

    def apply(self, motion: Motion, loads: Loads) -> None:
        """Add the pull along the path."""
        length = self.path.length(motion)
        tension = self.curve.value(length * (1.0 / self.rest)) * self.strength
        self.path.pull(motion, loads, select(less(self.rest, length), tension, 0.0))


def read_ligament(given: opensim.Force, mechanism: Mechanism) -> PathSpring:
    """Read a Ligament.

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
