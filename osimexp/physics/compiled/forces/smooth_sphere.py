"""Contact of a sphere with a half space, with a force that is smooth in the state."""

from dataclasses import dataclass
from math import sqrt

import opensim

from osimexp.physics.compiled.forces.contact import (
    Friction,
    HalfSpace,
    Meeting,
    Sphere,
    read_half_space,
    read_sphere,
    sphere_meets_half_space,
)
from osimexp.physics.compiled.forces.force import Contact, require
from osimexp.physics.compiled.ir.trace import Array, Scalar, exp, power
from osimexp.physics.compiled.ir.trace import sqrt as root
from osimexp.physics.compiled.mechanics.dynamics import Loads
from osimexp.physics.compiled.mechanics.mechanism import Mechanism
from osimexp.physics.compiled.mechanics.motion import Motion


@dataclass(frozen=True)
class SmoothSphere:
    """OpenSim's SmoothSphereHalfSpaceForce.

    It has Hertz's stiffness and Hunt and Crossley's dissipation, each switched on by a hyperbolic
    tangent, and the friction of ``Friction`` (Serrancolí et al. 2019, IEEE Transactions on Neural
    Systems and Rehabilitation Engineering 27(8):1690-1696).

    Attributes:
        name: name of the force.
        sphere: contact sphere.
        space: contact half space.
        stiffness: stiffness of both materials together if each takes half of the depth, N/m^2.
        dissipation: dissipation coefficient, s/m.
        friction: friction of the two surfaces.
        least: smallest square of depth (m^2) and of slip ((m/s)^2) that differs from 0.
        hertz_smoothing: steepness of the switch over the depth, 1/m.
        hunt_crossley_smoothing: steepness of the switch over the closing speed, s/m.
    """

    name: str
    sphere: Sphere
    space: HalfSpace
    stiffness: float
    dissipation: float
    friction: Friction
    least: float
    hertz_smoothing: float
    hunt_crossley_smoothing: float

    @property
    def sphere_body(self) -> int:
        """Number of the body that carries the sphere."""
        return self.sphere.middle.body

    @property
    def contacts(self) -> tuple[Contact, ...]:
        """Contact force on the body that carries the sphere."""
        return (self,)

    def apply(self, motion: Motion, loads: Loads) -> None:
        """Add the force on the sphere, and its reaction."""
        meeting, force = self._force(motion)
        meeting.push(loads, force)

    def reaction(self, motion: Motion) -> Array:
        """Return the contact force ``(3,)`` on the sphere's body in the ground's axes, N."""
        return self._force(motion)[1]

    def _force(self, motion: Motion) -> tuple[Meeting, Array]:
        meeting = sphere_meets_half_space(motion, self.sphere, self.space, 0.5)
        press = self._press(meeting)
        rub = press * self.friction.per_speed(meeting.slip @ meeting.slip + self.least)
        return meeting, -(meeting.normal * press + meeting.slip * rub)

    def _press(self, meeting: Meeting) -> Scalar:
        half = 0.5 * self.stiffness ** (2.0 / 3.0)
        factor = 4.0 / 3.0 * half * sqrt(self.sphere.radius * half)
        depth = meeting.depth
        hertz = power(root(depth * depth + self.least), 1.5)
        switches = _inverse_step(self.hertz_smoothing, depth)
        if self.dissipation > 0.0:
            # Measured from the closing speed at which damping cancels the whole force.
            speed = meeting.closing + 2.0 / (3.0 * self.dissipation)
            hertz = hertz * speed
            factor = factor * 1.5 * self.dissipation
            switches = switches * _inverse_step(self.hunt_crossley_smoothing, speed)
        return hertz * factor / switches


def _inverse_step(steepness: float, x: Scalar) -> Scalar:
    """Return 2 / (1 + tanh(steepness x)), worked out with one exponential."""
    return 1.0 + exp(-2.0 * steepness * x)


def read_smooth_sphere(given: opensim.Force, mechanism: Mechanism) -> SmoothSphere:
    """Return a SmoothSphereHalfSpaceForce.

    Raises:
        ModelError: its properties give no finite force.
    """
    force = opensim.SmoothSphereHalfSpaceForce.safeDownCast(given)
    sphere = opensim.ContactSphere.safeDownCast(force.getConnectee("sphere"))
    space = opensim.ContactHalfSpace.safeDownCast(force.getConnectee("half_space"))
    require(force.get_transition_velocity() > 0.0, force, "set transition_velocity above 0")
    require(force.get_stiffness() >= 0.0, force, "set stiffness to 0 or more")
    require(force.get_dissipation() >= 0.0, force, "set dissipation to 0 or more")
    require(force.get_constant_contact_force() >= 0.0, force, "set constant_contact_force above 0")
    require(
        force.get_dissipation() > 0.0 or force.get_hunt_crossley_smoothing() > 0.0,
        force,
        "set hunt_crossley_smoothing or dissipation above 0",
    )
    return SmoothSphere(
        force.getName(),
        read_sphere(sphere, mechanism),
        read_half_space(space, mechanism),
        force.get_stiffness(),
        force.get_dissipation(),
        Friction(
            force.get_static_friction(),
            force.get_dynamic_friction(),
            force.get_viscous_friction(),
            force.get_transition_velocity(),
        ),
        force.get_constant_contact_force(),
        force.get_hertz_smoothing(),
        force.get_hunt_crossley_smoothing(),
    )
