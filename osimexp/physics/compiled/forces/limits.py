"""Forces that keep a coordinate within its range."""

from dataclasses import dataclass
from math import pi
from typing import ClassVar

import opensim

from osimexp.physics.compiled.forces.force import Contact, require
from osimexp.physics.compiled.ir.trace import Scalar, absolute, less, maximum, minimum, select
from osimexp.physics.compiled.mechanics.dynamics import Loads
from osimexp.physics.compiled.mechanics.mechanism import Mechanism
from osimexp.physics.compiled.mechanics.motion import Motion


@dataclass(frozen=True)
class CoordinateLimit:
    """OpenSim's CoordinateLimitForce: springs and a damper beyond two limits.

    Springs and damper set in over a transition, by Simbody's step of the fifth degree. The energy
    that compute_dissipation_energy counts has no effect on the motion and is not counted.

    Attributes:
        name: name of the force.
        coordinate: number of the coordinate.
        lower: lower limit, rad or m.
        upper: upper limit, rad or m; ``lower`` or above.
        lower_stiffness: stiffness below the lower limit, N m/rad or N/m.
        upper_stiffness: stiffness above the upper limit, N m/rad or N/m.
        damping: damping beyond the limits, N m s/rad or N s/m.
        transition: distance beyond a limit at which the force has set in fully, rad or m.
    """

    name: str
    coordinate: int
    lower: float
    upper: float
    lower_stiffness: float
    upper_stiffness: float
    damping: float
    transition: float
    contacts: ClassVar[tuple[Contact, ...]] = ()

    def apply(self, motion: Motion, loads: Loads) -> None:
        """Add the generalised force on the coordinate."""
        loads.along(self.coordinate, self.torque(motion))

    def torque(self, motion: Motion) -> Scalar:
        """Return the generalised force on the coordinate, N m or N."""
        q, speed = motion.coordinates[self.coordinate], motion.speeds[self.coordinate]
        middle, half = 0.5 * (self.lower + self.upper), 0.5 * (self.upper - self.lower)
        away = q - middle
        beyond = absolute(away) - half
        t = minimum(maximum(beyond * (1.0 / self.transition), 0.0), 1.0)
        step = t * t * t * (10.0 + t * (6.0 * t - 15.0))
        stiffness = select(less(away, 0.0), self.lower_stiffness, -self.upper_stiffness)
        return step * (stiffness * beyond - self.damping * speed)


def read_coordinate_limit(given: opensim.Force, mechanism: Mechanism) -> CoordinateLimit:
    """Return a CoordinateLimitForce; its properties are in degrees for rotations.

    Raises:
        ModelError: its properties give no finite force, or its upper limit is below its lower
            limit.
    """
    force = opensim.CoordinateLimitForce.safeDownCast(given)
    lower, upper = force.getLowerLimit(), force.getUpperLimit()
    require(lower <= upper, force, "set upper_limit to lower_limit or above")
    require(force.getTransition() > 0.0, force, "set transition above 0")
    # OpenSim divides by both.
    require(force.getLowerStiffness() != 0.0, force, "set lower_stiffness above 0")
    require(force.getUpperStiffness() != 0.0, force, "set upper_stiffness above 0")
    name = force.get_coordinate()
    coordinate = force.getModel().getCoordinateSet().get(name)
    rotational = coordinate.getMotionType() == opensim.Coordinate.Rotational
    unit = pi / 180.0 if rotational else 1.0
    return CoordinateLimit(
        force.getName(),
        mechanism.coordinate_index(coordinate.getAbsolutePathString()),
        lower * unit,
        upper * unit,
        force.getLowerStiffness() / unit,
        force.getUpperStiffness() / unit,
        force.getDamping() / unit,
        force.getTransition() * unit,
    )
