"""Hunt and Crossley's contact forces between spheres and half spaces."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import sqrt

import opensim

from osimexp.errors import ModelError
from osimexp.physics.compiled.forces.contact import (
    Friction,
    HalfSpace,
    Meeting,
    Sphere,
    read_half_space,
    read_sphere,
    sphere_meets_half_space,
    sphere_meets_sphere,
)
from osimexp.physics.compiled.forces.contact_order import (
    Key,
    along_widest_axis,
    cut_after_parting,
    key_of_pair,
)
from osimexp.physics.compiled.forces.force import Contact, require, title
from osimexp.physics.compiled.ir.trace import (
    Array,
    Condition,
    Scalar,
    both,
    less,
    maximum,
    negation,
)
from osimexp.physics.compiled.ir.trace import sqrt as root
from osimexp.physics.compiled.ir.vectors import total
from osimexp.physics.compiled.mechanics.dynamics import Loads
from osimexp.physics.compiled.mechanics.mechanism import GROUND, Mechanism, Station, property_value
from osimexp.physics.compiled.mechanics.motion import Motion


@dataclass(frozen=True)
class Material:
    """The contact parameters of a surface.

    Attributes:
        stiffness: plane strain modulus, N/m^2.
        dissipation: dissipation coefficient, s/m.
        static: coefficient of static friction.
        dynamic: coefficient of dynamic friction.
        viscous: coefficient of viscous friction, s/m.
    """

    stiffness: float
    dissipation: float
    static: float
    dynamic: float
    viscous: float


@dataclass(frozen=True)
class Surface:
    """A contact geometry and its material."""

    shape: Sphere | HalfSpace
    material: Material

    @property
    def body(self) -> int:
        """Number of the body that carries the surface."""
        return self.centre.body

    @property
    def centre(self) -> Station:
        """Centre of a sphere, or origin of a half space."""
        return self.shape.middle if isinstance(self.shape, Sphere) else self.shape.edge


@dataclass(frozen=True)
class Pair:
    """Two surfaces on different bodies that can touch (Sherman, Seth and Delp 2011).

    The formulas are those of Procedia IUTAM 2:241-261.

    Attributes:
        first: number of a sphere among the force's surfaces.
        second: number of the surface that the sphere can touch.
        share: share of the depth by which the second surface is pressed in, 0 to 1.
        hertz: force of Hertz's law at a depth of 1 m, N.
        dissipation: dissipation coefficient of the pair, s/m.
        friction: friction of the pair.
    """

    first: int
    second: int
    share: float
    hertz: float
    dissipation: float
    friction: Friction


@dataclass(frozen=True)
class Touch:
    """The contact of a pair of surfaces at one moment.

    Attributes:
        meeting: contact geometry of the pair.
        press: normal force, N.
        parts: whether the surfaces overlap and yet separate so fast that nothing presses them.
    """

    meeting: Meeting
    press: Scalar
    parts: Condition


@dataclass(frozen=True)
class HuntCrossley:
    """OpenSim's HuntCrossleyForce, which is Simbody's.

    The normal force of a pair depends on its depth and closing speed, and is 0 for a pair that
    parts. A peculiarity of Simbody is kept: pairs that its search for contacts finds after the
    first pair that parts exert no force.

    Attributes:
        name: name of the force.
        surfaces: all contact geometry of the force.
        pairs: pairs of surfaces on different bodies, of which at least one is a sphere.
    """

    name: str
    surfaces: tuple[Surface, ...]
    pairs: tuple[Pair, ...]

    @property
    def contacts(self) -> tuple[Contact, ...]:
        """Contact forces on each body that carries a sphere."""
        bodies = dict.fromkeys(s.body for s in self.surfaces if isinstance(s.shape, Sphere))
        return tuple(BodyContact(self, body) for body in bodies if body != GROUND)

    def apply(self, motion: Motion, loads: Loads) -> None:
        """Add the force of each pair, and its reaction."""
        for meeting, force in self.pushes(motion):
            meeting.push(loads, force)

    def pushes(self, motion: Motion) -> list[tuple[Meeting, Array]]:
        """Return the contact of every pair, and the force ``(3,)`` on its first body, N."""
        touches = self.touches(motion)
        presses = [touch.press for touch in touches]
        if len(touches) > 1 and any(pair.dissipation > 0.0 for pair in self.pairs):
            parts = [touch.parts for touch in touches]
            presses = cut_after_parting(self._keys(motion), parts, presses)
        found = []
        for pair, touch, press in zip(self.pairs, touches, presses, strict=True):
            meeting = touch.meeting
            rub = press * pair.friction.per_speed(meeting.slip @ meeting.slip)
            found.append((meeting, -(meeting.normal * press + meeting.slip * rub)))
        return found

    def touches(self, motion: Motion) -> list[Touch]:
        """Return the contact of every pair as if it were the only one."""
        return [self._touch(motion, pair) for pair in self.pairs]

    def _touch(self, motion: Motion, pair: Pair) -> Touch:
        first, second = self.surfaces[pair.first].shape, self.surfaces[pair.second].shape
        assert isinstance(first, Sphere)
        if isinstance(second, HalfSpace):
            meeting = sphere_meets_half_space(motion, first, second, pair.share)
        else:
            meeting = sphere_meets_sphere(motion, first, second, pair.share)
        depth = maximum(meeting.depth, 0.0)
        hertz = pair.hertz * depth * root(depth)
        if pair.dissipation == 0.0:
            return Touch(meeting, hertz, False)
        damping = 1.0 + 1.5 * pair.dissipation * meeting.closing
        parts = both(less(0.0, meeting.depth), negation(less(0.0, damping)))
        return Touch(meeting, hertz * maximum(damping, 0.0), parts)

    def _keys(self, motion: Motion) -> list[Key]:
        """Return the place of each pair in the order of Simbody's search."""
        radii = [s.shape.radius if isinstance(s.shape, Sphere) else None for s in self.surfaces]
        places = [motion.position(surface.centre) for surface in self.surfaces]
        starts: list[Scalar] = along_widest_axis(places, radii)
        return [key_of_pair(starts[p.first], starts[p.second]) for p in self.pairs]


@dataclass(frozen=True)
class BodyContact:
    """The contact force of a Hunt-Crossley force on one body."""

    force: HuntCrossley
    sphere_body: int

    def reaction(self, motion: Motion) -> Array:
        """Return the contact force ``(3,)`` on the body in the ground's axes, N."""
        pushes = self.force.pushes(motion)
        ahead = total(force for meeting, force in pushes if meeting.first == self.sphere_body)
        back = total(force for meeting, force in pushes if meeting.second == self.sphere_body)
        return ahead - back


def read_hunt_crossley(given: opensim.Force, mechanism: Mechanism) -> HuntCrossley:
    """Return a HuntCrossleyForce.

    Raises:
        ModelError: it has geometry other than spheres and half spaces, or parameters that give no
            finite force.
    """
    force = opensim.HuntCrossleyForce.safeDownCast(given)
    transition = force.getTransitionVelocity()
    require(transition > 0.0, force, "set transition_velocity above 0")
    surfaces = _surfaces(force, mechanism)
    # The forces of a pair on one body cancel.
    pairs = [
        _pair(surfaces, a, b, transition)
        for a, b in combinations(range(len(surfaces)), 2)
        if surfaces[a].body != surfaces[b].body
        and any(isinstance(surfaces[i].shape, Sphere) for i in (a, b))
    ]
    return HuntCrossley(force.getName(), surfaces, tuple(pairs))


def _pair(surfaces: Sequence[Surface], a: int, b: int, transition: float) -> Pair:
    if not isinstance(surfaces[a].shape, Sphere):
        a, b = b, a
    first, second = surfaces[a], surfaces[b]
    one, two = first.material, second.material
    assert isinstance(first.shape, Sphere)
    radius = first.shape.radius
    if isinstance(second.shape, Sphere):
        radius = radius * second.shape.radius / (radius + second.shape.radius)
    hard, soft = one.stiffness ** (2.0 / 3.0), two.stiffness ** (2.0 / 3.0)
    share = hard / (hard + soft)
    stiffness = soft * share
    return Pair(
        a,
        b,
        share,
        4.0 / 3.0 * stiffness * sqrt(radius * stiffness),
        one.dissipation * (1.0 - share) + two.dissipation * share,
        Friction(
            _harmonic_mean(one.static, two.static),
            _harmonic_mean(one.dynamic, two.dynamic),
            _harmonic_mean(one.viscous, two.viscous),
            transition,
        ),
    )


def _harmonic_mean(a: float, b: float) -> float:
    return 2.0 * a * b / (a + b) if a + b > 0.0 else 0.0


def _surfaces(force: opensim.HuntCrossleyForce, mechanism: Mechanism) -> tuple[Surface, ...]:
    # OpenSim's Python has no class for the contact parameters, but their properties can be read.
    sets = force.getPropertyByName("contact_parameters").getValueAsObject(0)
    objects = sets.getPropertyByName("objects")
    found = []
    for i in range(objects.size()):
        parameters = objects.getValueAsObject(i)
        material = _material(force, parameters)
        names = parameters.getPropertyByName("geometry")
        for j in range(names.size()):
            name = opensim.PropertyHelper.getValueString(names, j)
            found.append(Surface(_shape(force, name, mechanism), material))
    return tuple(found)


def _material(force: opensim.HuntCrossleyForce, parameters: opensim.OpenSimObject) -> Material:
    names = ("stiffness", "dissipation", "static_friction", "dynamic_friction", "viscous_friction")
    values = [property_value(parameters, name) for name in names]
    require(values[0] > 0.0, force, "set the stiffness of its contact parameters above 0")
    for name, value in zip(names, values, strict=True):
        require(value >= 0.0, force, f"set the {name} of its contact parameters to 0 or more")
    return Material(*values)


def _shape(force: opensim.HuntCrossleyForce, name: str, mechanism: Mechanism) -> Sphere | HalfSpace:
    model = force.getModel()
    # A surface may be called as a body is, such as a half space named ground.
    known = model.getContactGeometrySet().getIndex(name) >= 0
    path = f"./contactgeometryset/{name}" if known else name
    geometry = model.getComponent(path)
    kind = geometry.getConcreteClassName()
    if kind == "ContactSphere":
        sphere = opensim.ContactSphere.safeDownCast(geometry)
        require(sphere.getRadius() > 0.0, force, f"set the radius of {name} above 0")
        return read_sphere(sphere, mechanism)
    if kind == "ContactHalfSpace":
        return read_half_space(opensim.ContactHalfSpace.safeDownCast(geometry), mechanism)
    raise ModelError(
        f"physics=compiled has spheres and half spaces alone, and force {title(force)} uses "
        f"{kind} {name}; replace it by spheres, or keep physics=opensim."
    )
