"""What an anatomy consists of: the parts of a musculoskeletal model, whatever simulates it.

All figures are in SI units but angles, which are in degrees here and in the YAML files because
people read them; ``osimexp.models.build`` turns them into radians. Locations are in the frame of
the body they belong to: X forward, Y up and Z to the right when standing upright.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Vector = tuple[float, float, float]
Interval = tuple[float, float]
Motion = Literal["rx", "ry", "rz", "tx", "ty", "tz"]

# The fixed world, to which joints, path points and wrap surfaces may be attached like to a body.
GROUND = "ground"


@dataclass(frozen=True)
class Body:
    """A rigid segment.

    Attributes:
        mass: kg.
        centre: of mass, m.
        inertia: about the centre of mass and the axes X, Y and Z, kg m^2.
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
    """What cartilage and ligaments exert on a joint that leaves its free range.

    The stiffness rises smoothly from nothing at an end of ``free`` to its full value
    ``transition`` further out, and so does the damping.

    Attributes:
        free: lowest and highest angle without resistance, degrees.
        transition: degrees.
        stiffness: N m/rad.
        damping: N m s/rad.
    """

    free: Interval
    transition: float
    stiffness: float
    damping: float


@dataclass(frozen=True)
class Coordinate:
    """One degree of freedom of a joint.

    Attributes:
        motion: ``r`` for a rotation about or ``t`` for a translation along the parent's axis.
        range: lowest and highest value, degrees or m.
        default: value in the default pose, degrees or m.
        limit: keeps the coordinate within its range.
        spring: pulls the coordinate to 0.
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
        """Whether the coordinate is an angle."""
        return self.motion.startswith("r")


@dataclass(frozen=True)
class Track:
    """A location that follows an angle, on natural cubic splines through knots.

    Attributes:
        coordinate: the angle that is followed.
        x, y: mappings of angle (degrees) to location (m); empty leaves the location as it is.
    """

    coordinate: str
    x: Mapping[float, float] = field(default_factory=dict)
    y: Mapping[float, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Joint:
    """How a body moves relative to another.

    Attributes:
        parent: the body that carries the joint, or ``ground``.
        child: the body that it moves, whose origin is the joint's centre.
        location: of the joint's centre in the parent, m.
        coordinates: by name.
        slide: where the joint's centre is not fixed in the parent but follows an angle.
    """

    parent: str
    child: str
    location: Vector
    coordinates: Mapping[str, Coordinate]
    slide: Track | None = None


@dataclass(frozen=True)
class Wrap:
    """A surface that muscles bend around.

    Attributes:
        body: that carries it.
        location: of its centre, m.
        rotation: of its axes relative to the body's, body-fixed X-Y-Z, degrees.
        size: semi-axes of an ellipsoid, or radius and length of a cylinder (along Z), m.
        side: the half on which muscles pass, ``+x`` or ``-y`` for instance, or ``all``.
    """

    body: str
    location: Vector
    rotation: Vector
    size: Vector | tuple[float, float]
    side: Literal["all", "+x", "-x", "+y", "-y", "+z", "-z"] = "all"


@dataclass(frozen=True)
class PathPoint:
    """A point that a muscle's path passes.

    Attributes:
        body: that carries it, or ``ground``.
        at: m, in the body.
        when: an angle and its interval (degrees) within which the path passes the point at all.
        track: moves the point with an angle.
    """

    body: str
    at: Vector
    when: Mapping[str, Interval] = field(default_factory=dict)
    track: Track | None = None


@dataclass(frozen=True)
class Muscle:
    """A muscle-tendon unit; its figures do not depend on the muscle model.

    Attributes:
        force: maximum isometric force, N.
        fibre: optimal fibre length, m.
        tendon: tendon slack length, m.
        pennation: angle at the optimal fibre length, degrees.
        path: from origin to insertion.
        wraps: the surfaces it bends around, each with the numbers (from 1) of the first and last
            path point between which it does, or none for the whole path.
        velocity: maximum contraction velocity, optimal fibre lengths a second.
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
    """A named point fixed to a body, m."""

    body: str
    at: Vector


@dataclass(frozen=True)
class ContactSphere:
    """A sphere through which a body touches the ground.

    Attributes:
        body: that carries it; the spheres of one body make up a foot.
        at: its centre, m.
        radius: m.
    """

    body: str
    at: Vector
    radius: float


@dataclass(frozen=True)
class Floor:
    """How spheres press on and slide over the ground, a horizontal plane at height 0.

    Attributes:
        stiffness: plane-strain modulus, N/m^2.
        dissipation: of Hunt and Crossley, s/m.
        static_friction, dynamic_friction, viscous_friction: coefficients.
        transition_velocity: of the sliding at which friction reaches its peak, m/s.
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
        name: of the model.
        gravity: m/s^2.
        credits: whose figures they are.
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
        """The coordinates of all joints by name."""
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
