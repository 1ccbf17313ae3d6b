"""The parts of a musculoskeletal model, as data that does not depend on a simulator.

All values are in SI units except angles, which are in degrees here and in the YAML files because
people read them; ``osimexp.models.build`` converts them to radians. Locations are in the frame of
the body they belong to: X forward, Y up and Z to the right when standing upright.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Vector = tuple[float, float, float]
Interval = tuple[float, float]
Motion = Literal["rx", "ry", "rz", "tx", "ty", "tz"]

# The ground; joints, path points and wrap surfaces may be attached to it as to a body.
GROUND = "ground"


@dataclass(frozen=True)
class Body:
    """A rigid body segment.

    Attributes:
        mass: kg.
        centre: centre of mass, m.
        inertia: moments of inertia about the centre of mass and the axes X, Y and Z, kg m^2.
    """

    mass: float
    centre: Vector
    inertia: Vector

    def __post_init__(self) -> None:
        if not self.mass > 0.0 or not min(self.inertia) > 0.0:
            raise ValueError("mass and inertia must be above 0")


@dataclass(frozen=True)
class Spring:
    """A linear spring and damper on a coordinate, at rest at 0.

    Attributes:
        stiffness: N m/rad or N/m.
        damping: N m s/rad or N s/m.
    """

    stiffness: float
    damping: float


@dataclass(frozen=True)
class Limit:
    """A joint limit: the resistance of cartilage and ligaments beyond the free range.

    Stiffness and damping rise smoothly from 0 at an end of ``free`` to their full values at a
    distance ``transition`` beyond it.

    Attributes:
        free: lowest and highest angle without resistance, degrees.
        transition: distance over which stiffness and damping rise, degrees.
        stiffness: N m/rad.
        damping: N m s/rad.
    """

    free: Interval
    transition: float
    stiffness: float
    damping: float


@dataclass(frozen=True)
class Coordinate:
    """A degree of freedom of a joint.

    Attributes:
        motion: rotation (``r``) about or translation (``t``) along one of the parent's axes, such
            as ``rz``.
        range: lowest and highest value, degrees or m.
        default: value in the default pose, degrees or m.
        limit: joint limit that keeps the coordinate within its range.
        spring: spring that pulls the coordinate to 0.
    """

    motion: Motion
    range: Interval
    default: float = 0.0
    limit: Limit | None = None
    spring: Spring | None = None

    def __post_init__(self) -> None:
        if not self.range[0] <= self.default <= self.range[1]:
            raise ValueError(f"the default {self.default:g} must lie within the range")

    @property
    def rotational(self) -> bool:
        """True if the coordinate is an angle."""
        return self.motion.startswith("r")


@dataclass(frozen=True)
class Track:
    """A location that moves with an angle, by natural cubic splines through knots.

    Attributes:
        coordinate: name of the angle.
        x, y: mappings of angle (degrees) to location (m); if empty, the location does not change.
    """

    coordinate: str
    x: Mapping[float, float] = field(default_factory=dict)
    y: Mapping[float, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Joint:
    """A joint between two bodies.

    Attributes:
        parent: name of the body that carries the joint, or ``ground``.
        child: name of the body that the joint moves; its origin is the joint's centre.
        location: position of the joint's centre in the parent, m.
        coordinates: coordinates of the joint, by name.
        slide: movement of the joint's centre in the parent with an angle; None if it is fixed.
    """

    parent: str
    child: str
    location: Vector
    coordinates: Mapping[str, Coordinate]
    slide: Track | None = None


@dataclass(frozen=True)
class Wrap:
    """A surface that muscles wrap over.

    Attributes:
        body: name of the body that carries the surface.
        location: position of its centre, m.
        rotation: orientation relative to the body, body-fixed X-Y-Z angles, degrees.
        size: semi-axes of an ellipsoid, or radius and length of a cylinder (along Z), m.
        side: half on which muscles pass, such as ``+x`` or ``-y``, or ``all``.
    """

    body: str
    location: Vector
    rotation: Vector
    size: Vector | tuple[float, float]
    side: Literal["all", "+x", "-x", "+y", "-y", "+z", "-z"] = "all"


@dataclass(frozen=True)
class PathPoint:
    """A point of a muscle's path.

    Attributes:
        body: name of the body that carries the point, or ``ground``.
        at: position in the body, m.
        when: name of an angle and the interval (degrees) in which the point is part of the path;
            empty if it always is.
        track: movement of the point with an angle.
    """

    body: str
    at: Vector
    when: Mapping[str, Interval] = field(default_factory=dict)
    track: Track | None = None


@dataclass(frozen=True)
class Muscle:
    """A muscle-tendon unit; its parameters do not depend on the muscle model.

    Attributes:
        force: maximum isometric force, N.
        fibre: optimal fibre length, m.
        tendon: tendon slack length, m.
        pennation: pennation angle at the optimal fibre length, degrees.
        path: points from origin to insertion.
        wraps: surfaces that the muscle wraps over, by name, each with the numbers (from 1) of the
            first and last path point between which it does; None for the whole path.
        velocity: maximum contraction velocity, optimal fibre lengths per second.
    """

    force: float
    fibre: float
    tendon: float
    pennation: float
    path: tuple[PathPoint, ...]
    wraps: Mapping[str, tuple[int, int] | None] = field(default_factory=dict)
    velocity: float = 10.0

    def __post_init__(self) -> None:
        if not min(self.force, self.fibre, self.tendon, self.velocity) > 0.0:
            raise ValueError("force, fibre, tendon and velocity must be above 0")
        if len(self.path) < 2:
            raise ValueError("a path needs at least two points")


@dataclass(frozen=True)
class Point:
    """A named point that is fixed to a body; its position in the body is in m."""

    body: str
    at: Vector


@dataclass(frozen=True)
class ContactSphere:
    """A sphere by which a body touches the ground.

    Attributes:
        body: name of the body that carries the sphere; the spheres of one body make up a foot.
        at: position of its centre in the body, m.
        radius: m.
    """

    body: str
    at: Vector
    radius: float


@dataclass(frozen=True)
class Floor:
    """Contact parameters of the ground, a horizontal plane at height 0.

    Attributes:
        stiffness: plane-strain modulus, N/m^2.
        dissipation: dissipation coefficient of Hunt and Crossley, s/m.
        static_friction, dynamic_friction, viscous_friction: friction coefficients; the last is in
            s/m.
        transition_velocity: speed of sliding at which friction reaches its peak, m/s.
    """

    stiffness: float
    dissipation: float
    static_friction: float
    dynamic_friction: float
    viscous_friction: float
    transition_velocity: float


@dataclass(frozen=True)
class Anatomy:
    """A whole musculoskeletal model; every mapping is by name, in the order of the model.

    Attributes:
        name: name of the model.
        gravity: acceleration of gravity, m/s^2.
        credits: authors of the model's data.
        bodies: body segments.
        joints: joints, each below its parent's joint.
        muscles: muscles.
        wraps: surfaces that muscles wrap over.
        points: named points, which become markers.
        spheres: contact spheres of the feet.
        floor: contact parameters of the ground; None for a model without contact.
    """

    name: str
    gravity: Vector
    credits: str
    bodies: Mapping[str, Body]
    joints: Mapping[str, Joint]
    muscles: Mapping[str, Muscle]
    wraps: Mapping[str, Wrap] = field(default_factory=dict)
    points: Mapping[str, Point] = field(default_factory=dict)
    spheres: Mapping[str, ContactSphere] = field(default_factory=dict)
    floor: Floor | None = None

    @property
    def mass(self) -> float:
        """Mass of all bodies, kg."""
        return sum(body.mass for body in self.bodies.values())

    @property
    def coordinates(self) -> dict[str, Coordinate]:
        """Coordinates of all joints, by name."""
        return {
            name: coordinate
            for joint in self.joints.values()
            for name, coordinate in joint.coordinates.items()
        }

    @property
    def feet(self) -> dict[str, tuple[str, ...]]:
        """Names of the contact spheres of each body that touches the ground."""
        feet: dict[str, tuple[str, ...]] = {}
        for name, sphere in self.spheres.items():
            feet[sphere.body] = (*feet.get(sphere.body, ()), name)
        return feet
