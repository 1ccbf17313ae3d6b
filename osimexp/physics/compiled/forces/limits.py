"""Forces along one coordinate: limits of its range, springs."""

import math
from dataclasses import dataclass

import opensim

from osimexp.physics.compiled.dynamics import Loads
from osimexp.physics.compiled.forces.force import Contact
from osimexp.physics.compiled.mechanism import Mechanism, property_value
from osimexp.physics.compiled.motion import Motion
from osimexp.physics.compiled.trace import Scalar, maximum, minimum


@dataclass(frozen=True)
class CoordinateLimit:
    """OpenSim's CoordinateLimitForce: springs and a damper that set in smoothly.

    Attributes:
        coordinate: its number.
        lower: where the lower spring sets in, rad or m.
        upper: where the upper one does.
        lower_stiffness: N m/rad or N/m.
        upper_stiffness: likewise.
        damping: N m s/rad or N s/m.
        transition: rad or m over which they come to their full stiffness.
    """

    coordinate: int
    lower: float
    upper: float
    lower_stiffness: float
    upper_stiffness: float
    damping: float
    transition: float

    @property
    def contacts(self) -> tuple[Contact, ...]:
        """None."""
        return ()

    def apply(self, motion: Motion, loads: Loads) -> None:
        """Add what it exerts."""
        loads.along(self.coordinate, self.torque(motion))

    def torque(self, motion: Motion) -> Scalar:
        """Return what it exerts on its coordinate, N m or N."""
        q, u = motion.coordinates[self.coordinate], motion.speeds[self.coordinate]
        above = smooth_step((q - self.upper) / self.transition)
        below = 1.0 - smooth_step((q - self.lower) / self.transition + 1.0)
        up = self.upper_stiffness * above * (self.upper - q)
        low = self.lower_stiffness * below * (self.lower - q)
        return up + low - self.damping * (above + below) * u


@dataclass(frozen=True)
class CoordinateSpring:
    """OpenSim's SpringGeneralizedForce: a linear spring and damper.

    Attributes:
        coordinate: its number.
        stiffness: N m/rad or N/m.
        damping: N m s/rad or N s/m.
        rest: rad or m.
    """

    coordinate: int
    stiffness: float
    damping: float
    rest: float

    @property
    def contacts(self) -> tuple[Contact, ...]:
        """None."""
        return ()

    def apply(self, motion: Motion, loads: Loads) -> None:
        """Add what it exerts."""
        q, u = motion.coordinates[self.coordinate], motion.speeds[self.coordinate]
        loads.along(self.coordinate, -self.stiffness * (q - self.rest) - self.damping * u)


def smooth_step(x: Scalar) -> Scalar:
    """Return Simbody's step from 0 at x = 0 to 1 at x = 1, flat to the second derivative."""
    t = minimum(maximum(x, 0.0), 1.0)
    return t * t * t * (10.0 + t * (6.0 * t - 15.0))


def read_limit(force: opensim.Force, mechanism: Mechanism) -> CoordinateLimit:
    """Read a CoordinateLimitForce, whose figures are in degrees where its coordinate is an angle."""
    limit = opensim.CoordinateLimitForce.safeDownCast(force)
    number = mechanism.coordinate_index(limit.get_coordinate())
    unit = math.pi / 180.0 if mechanism.coordinates[number].rotational else 1.0
    return CoordinateLimit(
        number,
        limit.getLowerLimit() * unit,
        limit.getUpperLimit() * unit,
        limit.getLowerStiffness() / unit,
        limit.getUpperStiffness() / unit,
        limit.getDamping() / unit,
        limit.getTransition() * unit,
    )


def read_spring(force: opensim.Force, mechanism: Mechanism) -> CoordinateSpring:
    """Read a SpringGeneralizedForce."""
    spring = opensim.SpringGeneralizedForce.safeDownCast(force)
    return CoordinateSpring(
        mechanism.coordinate_index(spring.get_coordinate()),
        property_value(spring, "stiffness"),
        property_value(spring, "viscosity"),
        property_value(spring, "rest_length"),
    )
