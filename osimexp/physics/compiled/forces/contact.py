"""Where spheres meet half spaces and each other, and how surfaces rub."""

from dataclasses import dataclass

import numpy as np
import opensim

from osimexp.arrays import Floats
from osimexp.physics.compiled.ir.trace import Array, Scalar, maximum, sqrt
from osimexp.physics.compiled.ir.vectors import cross, norm
from osimexp.physics.compiled.mechanics.dynamics import Loads
from osimexp.physics.compiled.mechanics.mechanism import GROUND, Mechanism, Station
from osimexp.physics.compiled.mechanics.motion import Motion


@dataclass(frozen=True)
class Sphere:
    """A ball fixed to a body: its middle, and its radius in m."""

    middle: Station
    radius: float


@dataclass(frozen=True)
class HalfSpace:
    """All that lies to one side of a plane.

    Attributes:
        edge: a point of the plane.
        inwards: ``(3,)`` of length 1, from the plane into the half space, in the body's axes.
    """

    edge: Station
    inwards: Floats


@dataclass(frozen=True)
class Meeting:
    """Two surfaces at one moment, the second of which is a half space or a sphere.

    Attributes:
        first: body of the first surface, a sphere.
        second: body of the second.
        depth: m, how far they overlap; below 0 while they are apart.
        normal: ``(3,)`` from the first surface to the second.
        point: ``(3,)`` where the force acts.
        closing: m/s, how fast they near each other along the normal.
        slip: ``(3,)`` m/s, velocity of the first against the second, across the normal.
    """

    first: int
    second: int
    depth: Scalar
    normal: Array
    point: Array
    closing: Scalar
    slip: Array

    def push(self, loads: Loads, force: Array) -> None:
        """Add a force ``(3,)`` on the first body and its reaction on the second."""
        loads.force(self.first, self.point, force)
        if self.second != GROUND:
            loads.force(self.second, self.point, -force)


@dataclass(frozen=True)
class Friction:
    """Friction that grows with the slip up to a transition velocity, then falls and grows again.

    Sherman, Seth and Delp 2011, Procedia IUTAM 2:241-261, from M. Hollars' formula.

    Attributes:
        static: coefficient at the transition velocity.
        dynamic: coefficient far above it.
        viscous: s/m, what a slip of 1 m/s adds to the coefficient.
        transition: m/s, the transition velocity.
    """

    static: float
    dynamic: float
    viscous: float
    transition: float

    def per_speed(self, slip_squared: Scalar) -> Scalar:
        """Return the friction of a normal force of 1 N, divided by the slip; s/m.

        Args:
            slip_squared: slip times slip, (m/s)^2.
        """
        square = self.transition * self.transition
        # The lesser of slip / transition and 1, over the slip, which may be 0.
        rise = 1.0 / sqrt(maximum(slip_squared, square))
        peak = 2.0 * (self.static - self.dynamic) * square / (slip_squared + square)
        return rise * (self.dynamic + peak) + self.viscous


def sphere_meets_half_space(
    motion: Motion, sphere: Sphere, space: HalfSpace, share: float
) -> Meeting:
    """Return how a sphere meets a half space.

    Args:
        motion: the kinematics.
        sphere: the first surface.
        space: the second.
        share: of the depth, how much of it the half space gives way.
    """
    middle = motion.position(sphere.middle)
    edge = motion.position(space.edge)
    normal = motion.rotation(space.edge.body) @ space.inwards.astype(object)
    depth = sphere.radius + (middle - edge) @ normal
    reach = sphere.radius - (1.0 - share) * depth
    point = middle + normal * reach
    turning = cross(motion.angular_velocity(sphere.middle.body), normal)
    velocity = motion.velocity(sphere.middle) + turning * reach
    if space.edge.body != GROUND:
        turning = cross(motion.angular_velocity(space.edge.body), point - edge)
        velocity = velocity - motion.velocity(space.edge) - turning
    closing = velocity @ normal
    slip = velocity - normal * closing
    return Meeting(sphere.middle.body, space.edge.body, depth, normal, point, closing, slip)


def sphere_meets_sphere(motion: Motion, first: Sphere, second: Sphere, share: float) -> Meeting:
    """Return how two spheres meet.

    Args:
        motion: the kinematics.
        first: the first surface.
        second: the second.
        share: of the depth, how much of it the second sphere gives way.
    """
    middle, other = motion.position(first.middle), motion.position(second.middle)
    between = other - middle
    # Two middles in one place push nowhere.
    distance = maximum(norm(between), 1e-12)
    normal = between * (1.0 / distance)
    depth = first.radius + second.radius - distance
    reach = first.radius - (1.0 - share) * depth
    point = middle + normal * reach
    turning = cross(motion.angular_velocity(first.middle.body), normal) * reach
    back = cross(motion.angular_velocity(second.middle.body), normal) * (reach - distance)
    velocity = motion.velocity(first.middle) + turning - motion.velocity(second.middle) - back
    closing = velocity @ normal
    slip = velocity - normal * closing
    return Meeting(first.middle.body, second.middle.body, depth, normal, point, closing, slip)


def read_sphere(sphere: opensim.ContactSphere, mechanism: Mechanism) -> Sphere:
    """Read a contact sphere of a model."""
    middle = mechanism.station(sphere.getFrame(), sphere.get_location())
    return Sphere(middle, float(sphere.getRadius()))


def read_half_space(space: opensim.ContactHalfSpace, mechanism: Mechanism) -> HalfSpace:
    """Read a contact half space of a model: OpenSim's fills the side to which its X axis points."""
    placement = mechanism.placement(space.getFrame())
    transform = space.getTransform()
    axis = np.array([transform.R().asMat33().get(i, 0) for i in range(3)])
    inwards = placement.rotation @ axis
    # The cosine of a right angle comes out as 6e-17, which would fill zeros of the equations.
    inwards = np.where(np.abs(inwards) < 1e-15, 0.0, inwards)
    return HalfSpace(placement.station(transform.p().to_numpy()), inwards)
