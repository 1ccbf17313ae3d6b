"""Contact geometry of spheres and half spaces, and friction between surfaces."""

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
    """A ball fixed to a body.

    Attributes:
        middle: centre of the ball.
        radius: m.
    """

    middle: Station
    radius: float


@dataclass(frozen=True)
class HalfSpace:
    """The space on one side of a plane that is fixed to a body.

    Attributes:
        edge: a point of the plane.
        inwards: direction ``(3,)`` of length 1 from the plane into the half space, in the body's
            axes.
    """

    edge: Station
    inwards: Floats


@dataclass(frozen=True)
class Meeting:
    """The contact of two surfaces at one moment: of a sphere with a half space or another sphere.

    Attributes:
        first: number of the body of the first surface, a sphere.
        second: number of the body of the second surface.
        depth: depth by which the surfaces overlap, m; below 0 if they are apart.
        normal: direction ``(3,)`` of length 1 from the first surface to the second.
        point: position ``(3,)`` at which the force acts, m.
        closing: speed at which the surfaces approach along the normal, m/s.
        slip: velocity ``(3,)`` of the first surface against the second, across the normal, m/s.
    """

    first: int
    second: int
    depth: Scalar
    normal: Array
    point: Array
    closing: Scalar
    slip: Array

    def push(self, loads: Loads, force: Array) -> None:
        """Add a force ``(3,)`` (N) on the first body, and its reaction on the second."""
        loads.force(self.first, self.point, force)
        if self.second != GROUND:
            loads.force(self.second, self.point, -force)


@dataclass(frozen=True)
class Friction:
    """Friction that rises up to a transition speed, then falls, and then rises with viscosity.

    The formula is that of M. Hollars, from Sherman, Seth and Delp (2011), Procedia IUTAM 2:241-261.

    Attributes:
        static: friction coefficient at the transition speed.
        dynamic: friction coefficient far above it.
        viscous: increase of the coefficient per slip speed, s/m.
        transition: transition speed, m/s.
    """

    static: float
    dynamic: float
    viscous: float
    transition: float

    def per_speed(self, slip_squared: Scalar) -> Scalar:
        """Return the friction force of a normal force of 1 N, divided by the slip speed, s/m.

        Args:
            slip_squared: square of the slip speed, (m/s)^2.
        """
        square = self.transition * self.transition
        # The smaller of slip / transition and 1, divided by the slip, which may be 0.
        rise = 1.0 / sqrt(maximum(slip_squared, square))
        peak = 2.0 * (self.static - self.dynamic) * square / (slip_squared + square)
        return rise * (self.dynamic + peak) + self.viscous


def sphere_meets_half_space(
    motion: Motion, sphere: Sphere, space: HalfSpace, share: float
) -> Meeting:
    """Return the contact of a sphere with a half space.

    Args:
        motion: kinematics at this moment.
        sphere: first surface.
        space: second surface.
        share: share of the depth by which the half space is pressed in, 0 to 1.
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
    """Return the contact of two spheres.

    Args:
        motion: kinematics at this moment.
        first: first surface.
        second: second surface.
        share: share of the depth by which the second sphere is pressed in, 0 to 1.
    """
    middle, other = motion.position(first.middle), motion.position(second.middle)
    between = other - middle
    # Centres in one place have no direction to push in.
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
    """Return a contact sphere of a model."""
    middle = mechanism.station(sphere.getFrame(), sphere.get_location())
    return Sphere(middle, float(sphere.getRadius()))


def read_half_space(space: opensim.ContactHalfSpace, mechanism: Mechanism) -> HalfSpace:
    """Return a contact half space of a model; OpenSim's X axis points into it."""
    placement = mechanism.placement(space.getFrame())
    transform = space.getTransform()
    axis = np.array([transform.R().asMat33().get(i, 0) for i in range(3)])
    inwards = placement.rotation @ axis
    # The cosine of a right angle comes out as 6e-17, which would remove zeros of the equations.
    inwards = np.where(np.abs(inwards) < 1e-15, 0.0, inwards)
    return HalfSpace(placement.station(transform.p().to_numpy()), inwards)
