"""Every compiled force against OpenSim itself, on small models at random states."""

from pathlib import Path

import numpy as np
import opensim
import pytest
from numpy.typing import NDArray

from osimexp.errors import ModelError
from osimexp.physics.compiled.dynamics import Gains, Loads, accelerations
from osimexp.physics.compiled.forces.expression import parse
from osimexp.physics.compiled.forces.force import Force
from osimexp.physics.compiled.forces.hunt_crossley import HuntCrossley
from osimexp.physics.compiled.forces.limits import CoordinateLimit
from osimexp.physics.compiled.forces.reading import read_force
from osimexp.physics.compiled.mechanism import read_mechanism
from osimexp.physics.compiled.motion import Motion
from osimexp.physics.compiled.trace import Program, Trace, evaluate, program

Floats = NDArray[np.float64]
STATES = 1000


def body(model: opensim.Model, name: str) -> opensim.Body:
    inertia = opensim.Inertia(0.3, 0.2, 0.4, 0.05, -0.02, 0.01)
    made = opensim.Body(name, 2.0, opensim.Vec3(0.02, -0.01, 0.03), inertia)
    model.addBody(made)
    return made


def two_bodies(joint: type[opensim.Joint] = opensim.FreeJoint) -> opensim.Model:
    """A body that is free to move, and one hinged to it."""
    model = opensim.Model()
    upper, lower = body(model, "upper"), body(model, "lower")
    model.addJoint(joint("root", model.getGround(), upper))
    hinge = opensim.PinJoint(
        "hinge",
        upper,
        opensim.Vec3(0.1, -0.2, 0.05),
        opensim.Vec3(0.3, 0.1, -0.2),
        lower,
        opensim.Vec3(0.0, 0.15, 0.0),
        opensim.Vec3(0.0),
    )
    hinge.updCoordinate().setName("angle")
    model.addJoint(hinge)
    return model


def frame(model: opensim.Model, name: str, on: opensim.PhysicalFrame) -> opensim.PhysicalFrame:
    transform = opensim.Transform(opensim.Vec3(0.03, 0.02, -0.04))
    made = opensim.PhysicalOffsetFrame(name, on, transform)
    made.set_orientation(opensim.Vec3(0.4, -0.3, 0.2))
    model.addComponent(made)
    return made


class Bench:
    """One force of a model beside OpenSim's."""

    def __init__(self, model: opensim.Model, force: opensim.Force | None = None) -> None:
        self.model = model
        if force is not None:
            model.addForce(force)
        self.state = model.initSystem()
        self.given = force if force is not None else model.getForceSet().get(0)
        self.mechanism = read_mechanism(model)
        found = read_force(self.given, self.mechanism)
        assert found is not None
        self.force: Force = found
        self.count = len(self.mechanism.coordinates)
        # Names alone would not do: free and ball joints leave a place of the state unused.
        self.state.setY(opensim.Vector.createFromMat(np.arange(float(self.state.getNY()))))
        paths = [one.path for one in self.mechanism.coordinates]
        self.q, self.u = (
            np.array([int(model.getStateVariableValue(self.state, p + kind)) for p in paths])
            for kind in ("/value", "/speed")
        )
        self.state = model.initSystem()
        self.index = {one.name: i for i, one in enumerate(self.mechanism.coordinates)}

    def realize(self, row: Floats) -> opensim.State:
        y = self.state.getY().to_numpy().copy()
        y[self.q], y[self.u] = row[: self.count], row[self.count :]
        self.state.setY(opensim.Vector.createFromMat(y))
        self.model.realizeAcceleration(self.state)
        return self.state

    def record(self, row: Floats) -> Floats:
        record = self.given.getRecordValues(self.realize(row))
        return np.array([record.get(i) for i in range(record.getSize())])

    def expected(self, row: Floats) -> Floats:
        return self.realize(row).getYDot().to_numpy()[self.u]

    def accelerations(self) -> Program:
        trace, motion = self.motion()
        loads = Loads(self.mechanism)
        self.force.apply(motion, loads)
        gains = Gains(self.mechanism, motion.coordinates, motion.speeds)
        return program("udot", trace, accelerations(motion, loads, gains), 2 * self.count)

    def reaction(self, contact: int = 0) -> Program:
        trace, motion = self.motion()
        force = list(self.force.contacts[contact].reaction(motion))
        return program("reaction", trace, force, 2 * self.count)

    def motion(self) -> tuple[Trace, Motion]:
        trace = Trace()
        slots = trace.inputs(0, 2 * self.count)
        q, u = list(slots[: self.count]), list(slots[self.count :])
        return trace, Motion(self.mechanism, q, u, [0.0] * self.count)

    def draw(self, seed: int, rows: int = STATES, speed: float = 1.0) -> Floats:
        random = np.random.default_rng(seed)
        q = random.uniform(-1.0, 1.0, (rows, self.count))
        u = random.normal(0.0, speed, (rows, self.count))
        return np.hstack([q, u])

    def check(self, states: Floats) -> None:
        """Compare the accelerations to 1e-10 of the largest."""
        udot = self.accelerations()
        expected = np.array([self.expected(row) for row in states])
        found = np.array([evaluate(udot, row) for row in states])
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-10 * np.abs(expected).max())


# Contact


def floor(
    model: opensim.Model, on: opensim.PhysicalFrame | None = None
) -> opensim.ContactHalfSpace:
    down = opensim.Vec3(0.0, 0.0, -np.pi / 2.0)
    space = opensim.ContactHalfSpace(
        opensim.Vec3(0.0), down, on or model.getGround(), f"floor{on.getName() if on else ''}"
    )
    model.addContactGeometry(space)
    return space


def ball(
    model: opensim.Model, on: opensim.PhysicalFrame, name: str, at: tuple[float, float, float]
) -> opensim.ContactSphere:
    made = opensim.ContactSphere(0.05, opensim.Vec3(*at), on, name)
    model.addContactGeometry(made)
    return made


def smooth(sphere: opensim.ContactSphere, space: opensim.ContactHalfSpace, **figures: float):
    force = opensim.SmoothSphereHalfSpaceForce("contact", sphere, space)
    default = {
        "stiffness": 1e6,
        "dissipation": 1.5,
        "static_friction": 0.8,
        "dynamic_friction": 0.5,
        "viscous_friction": 0.3,
        "transition_velocity": 0.15,
    }
    for name, value in {**default, **figures}.items():
        getattr(force, f"set_{name}")(value)
    return force


def near_floor(bench: Bench, seed: int, rows: int = STATES) -> Floats:
    """States with a sphere from 3 cm inside the floor to 4 cm above it, sliding or nearly still."""
    states = bench.draw(seed, rows)
    random = np.random.default_rng(seed)
    speeds = states[:, bench.count :]
    speeds *= 10.0 ** random.uniform(-3.0, 0.3, (rows, 1))
    height = bench.index["root_coord_4"]
    trace, motion = bench.motion()
    sphere = (
        bench.force.surfaces[bench.force.pairs[0].first].shape
        if isinstance(bench.force, HuntCrossley)
        else bench.force.sphere
    )
    place = program("height", trace, [motion.in_ground(sphere.middle)[1]], 2 * bench.count)
    for row in states:
        wanted = 0.05 + random.uniform(-0.03, 0.04)
        row[height] += wanted - evaluate(place, row)[0]
    return states


@pytest.mark.parametrize(
    "figures",
    [
        {},
        {"dissipation": 0.0},
        {"viscous_friction": 0.0, "dynamic_friction": 0.8},
        {
            "constant_contact_force": 1e-3,
            "hertz_smoothing": 150.0,
            "hunt_crossley_smoothing": 20.0,
        },
    ],
)
def test_smooth_sphere_on_the_floor(figures: dict[str, float]) -> None:
    model = two_bodies()
    lower = frame(model, "toe", model.getBodySet().get("lower"))
    force = smooth(ball(model, lower, "ball", (0.02, -0.3, 0.04)), floor(model), **figures)
    bench = Bench(model, force)
    states = near_floor(bench, 1)
    bench.check(states)
    expected = np.array([bench.record(row)[:3] for row in states])
    reaction = bench.reaction()
    found = np.array([evaluate(reaction, row) for row in states])
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-10 * np.abs(expected).max())
    assert bench.force.contacts[0].sphere_body == bench.mechanism.body_index("lower")
    pressed = expected[:, 1] > 1e-3 * expected[:, 1].max()
    assert 0.2 < pressed.mean() < 0.8


def test_smooth_sphere_on_a_moving_plate() -> None:
    model = two_bodies()
    bodies = model.getBodySet()
    plate = floor(model, frame(model, "plate", bodies.get("upper")))
    force = smooth(ball(model, bodies.get("lower"), "ball", (0.0, -0.1, 0.0)), plate)
    bench = Bench(model, force)
    bench.check(bench.draw(2))


def hunt(transition: float = 0.1) -> opensim.HuntCrossleyForce:
    force = opensim.HuntCrossleyForce()
    force.setName("contact")
    force.setStiffness(1e6)
    force.setDissipation(1.5)
    force.setStaticFriction(0.8)
    force.setDynamicFriction(0.5)
    force.setViscousFriction(0.3)
    force.setTransitionVelocity(transition)
    return force


def contact_bench(force: opensim.HuntCrossleyForce, model: opensim.Model, *names: str) -> Bench:
    for name in names:
        force.addGeometry(name)
    return Bench(model, force)


def test_hunt_crossley_sphere_on_the_floor() -> None:
    model = two_bodies()
    space = floor(model)
    ball(model, frame(model, "toe", model.getBodySet().get("lower")), "ball", (0.02, -0.3, 0.04))
    bench = contact_bench(hunt(), model, space.getName(), "ball")
    states = near_floor(bench, 3)
    bench.check(states)
    reaction = bench.reaction()
    expected = np.array([bench.record(row)[-6:-3] for row in states])
    found = np.array([evaluate(reaction, row) for row in states])
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-10 * np.abs(expected).max())
    assert 0.2 < (expected[:, 1] > 0.0).mean() < 0.8
    assert bench.force.contacts[0].sphere_body == bench.mechanism.body_index("lower")


def test_hunt_crossley_leaves_out_what_follows_a_parting_pair() -> None:
    model = two_bodies()
    space = floor(model)
    upper, lower = (model.getBodySet().get(name) for name in ("upper", "lower"))
    names = [space.getName()]
    random = np.random.default_rng(0)
    for i in range(5):
        on = upper if i % 2 else lower
        names.append(f"ball{i}")
        ball(model, on, names[-1], tuple(random.uniform(-0.08, 0.08, 3)))
    bench = contact_bench(hunt(), model, *names)
    states = bench.draw(4, speed=3.0)
    random = np.random.default_rng(4)
    # Turned far enough to change the axis that the search runs along, and all near the floor.
    states[:, bench.index["root_coord_4"]] = random.uniform(-0.1, 0.25, len(states))
    bench.check(states)
    for number, contact in enumerate(bench.force.contacts):
        name = bench.mechanism.bodies[contact.sphere_body].name
        labels = [bench.given.getRecordLabels().get(i) for i in range(6 * len(names))]
        column = labels.index(f"contact.{name}.force.X")
        expected = np.array([bench.record(row)[column : column + 3] for row in states])
        reaction = bench.reaction(number)
        found = np.array([evaluate(reaction, row) for row in states])
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-10 * np.abs(expected).max())
    # The states do reach the quirk: without it the forces would be others.
    trace, motion = bench.motion()
    parted = [touch.parts for touch in bench.force.touches(motion)]
    assert len(parted) == len(bench.force.pairs)
    parts = program("parts", trace, parted, 2 * bench.count)
    assert np.mean([evaluate(parts, row).any() for row in states]) > 0.05


def test_hunt_crossley_of_two_materials(tmp_path: Path) -> None:
    model = two_bodies()
    upper, lower = (model.getBodySet().get(name) for name in ("upper", "lower"))
    plate = floor(model, frame(model, "plate", upper))
    ball(model, lower, "ball", (0.0, -0.1, 0.02))
    ball(model, upper, "other", (0.05, -0.3, 0.0))
    force = hunt()
    force.addGeometry("ball")
    model.addForce(force)
    model.finalizeConnections()
    model.printToXML(str(tmp_path / "model.osim"))
    text = (tmp_path / "model.osim").read_text()
    names = ("stiffness", "dissipation", "static_friction", "dynamic_friction", "viscous_friction")
    figures = "".join(
        f"<{n}>{v}</{n}>" for n, v in zip(names, (3e5, 0.4, 0.5, 0.0, 0.1), strict=True)
    )
    end = "</HuntCrossleyForce::ContactParameters>"
    more = f"<geometry>{plate.getName()} other</geometry>{figures}"
    added = f"{end}<{end[2:-1]}>{more}{end}"
    (tmp_path / "model.osim").write_text(text.replace(end, added))
    bench = Bench(opensim.Model(str(tmp_path / "model.osim")))
    assert [pair.hertz for pair in bench.force.pairs]
    assert len(bench.force.pairs) == 2
    bench.check(bench.draw(5))


def test_contact_sets_in_without_a_jump_and_friction_opposes_sliding() -> None:
    for kind in ("smooth", "hunt"):
        model = two_bodies()
        space = floor(model)
        sphere = ball(model, model.getBodySet().get("lower"), "ball", (0.0, -0.1, 0.02))
        if kind == "smooth":
            bench = Bench(model, smooth(sphere, space))
        else:
            bench = contact_bench(hunt(), model, space.getName(), "ball")
        reaction = bench.reaction()
        states = near_floor(bench, 6, 100)
        trace, motion = bench.motion()
        found = bench.force.sphere if kind == "smooth" else bench.force.surfaces[1].shape
        results = [*motion.in_ground(found.middle), *motion.velocity(found.middle)]
        results += list(motion.angular_velocity(found.middle.body))
        middle = program("middle", trace, results, 2 * bench.count)
        height = bench.index["root_coord_4"]
        for row in states:
            point = evaluate(middle, row)
            force = evaluate(reaction, row)
            depth = 0.05 - point[1]
            velocity = point[3:6] + np.cross(point[6:], [0.0, -0.05 + 0.5 * depth, 0.0])
            # The smooth one pulls a little where the two part fast.
            assert force[1] >= -1e-3
            assert force[0] * velocity[0] + force[2] * velocity[2] <= 1e-3
            touching = row.copy()
            touching[height] -= point[1] - 0.05
            forces = []
            for step in (-1e-9, 0.0, 1e-9):
                moved = touching.copy()
                moved[height] += step
                forces.append(evaluate(reaction, moved))
            np.testing.assert_allclose(forces[0], forces[1], atol=1e-3)
            np.testing.assert_allclose(forces[2], forces[1], atol=1e-3)


# Limits, springs and bushings


@pytest.mark.parametrize(
    "figures",
    [(20.0, 30.0, -15.0, 40.0, 0.5, 10.0), (0.0, 5.0, 0.0, 5.0, 0.2, 3.0)],
)
@pytest.mark.parametrize("name", ["angle", "root_coord_3"])
def test_coordinate_limit(name: str, figures: tuple[float, ...]) -> None:
    if name != "angle":
        figures = tuple(0.01 * f for f in figures)
    model = two_bodies()
    limit = opensim.CoordinateLimitForce(name, *figures)
    bench = Bench(model, limit)
    assert isinstance(bench.force, CoordinateLimit)
    assert bench.mechanism.coordinates[bench.force.coordinate].name == name
    states = bench.draw(7)
    bench.check(states)
    trace, motion = bench.motion()
    torque = program("torque", trace, [bench.force.torque(motion)], 2 * bench.count)
    found, expected = [], []
    for row in states:
        found.append(evaluate(torque, row)[0])
        expected.append(limit.calcLimitForce(bench.realize(row)))
    scale = np.abs(expected).max()
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-10 * scale)


def test_coordinate_spring() -> None:
    spring = opensim.SpringGeneralizedForce("angle")
    spring.setStiffness(30.0)
    spring.setRestLength(0.4)
    spring.setViscosity(2.0)
    bench = Bench(two_bodies(), spring)
    bench.check(bench.draw(8))


@pytest.mark.parametrize("rest", [0.0, 0.2])
def test_point_spring_takes_its_points_in_the_bodies_frames(rest: float) -> None:
    model = two_bodies()
    end = frame(model, "end", model.getBodySet().get("lower"))
    points = opensim.Vec3(0.3, 0.1, -0.2), opensim.Vec3(0.0, 0.2, 0.1)
    spring = opensim.PointToPointSpring(model.getGround(), points[0], end, points[1], 500.0, rest)
    bench = Bench(model, spring)
    bench.check(bench.draw(9))


def test_ligament_between_bodies() -> None:
    model = two_bodies()
    ligament = opensim.Ligament()
    ligament.setName("ligament")
    bodies = model.getBodySet()
    for i, name in enumerate(("upper", "lower")):
        where = opensim.Vec3(0.05, 0.02 * i, 0.1)
        ligament.updGeometryPath().appendNewPathPoint(f"p{i}", bodies.get(name), where)
    ligament.setRestingLength(0.25)
    ligament.setMaxIsometricForce(300.0)
    bench = Bench(model, ligament)
    bench.check(bench.draw(10))


@pytest.mark.parametrize("kind", ["linear", "expressions"])
def test_bushing(kind: str) -> None:
    model = two_bodies()
    first = frame(model, "first", model.getGround())
    second = frame(model, "second", model.getBodySet().get("lower"))
    stiffness, damping = (opensim.Vec3(20.0, 0.0, 40.0), opensim.Vec3(1.0, 2.0, 0.0))
    if kind == "linear":
        bushing = opensim.BushingForce("b", first, second, damping, stiffness, stiffness, damping)
    else:
        bushing = opensim.ExpressionBasedBushingForce("b", first, second)
        bushing.setMxExpression("10*theta_x+3*theta_y^3")
        bushing.setFzExpression("a*delta_x;a=20*delta_y")
        bushing.setFxExpression("500*delta_x")
        bushing.set_rotational_damping(damping)
        bushing.set_translational_damping(stiffness)
    bench = Bench(model, bushing)
    # The angles' rates have no bounds where the second is a right angle.
    states = bench.draw(11)
    bench.check(states)


# Expressions


@pytest.mark.parametrize(
    "text",
    [
        "-10*q^2 + 3*qdot",
        "2^-q - -q^-2*3",
        "-2^2*q",
        "a*2; a=b+q; b=qdot*0.5",
        "a*2;a=q;a=3",
        "(q+2)^2^0.5",
        "step(q)*delta(q) + step(qdot) + delta(0)",
        "sec(q)+csc(q+2)+cot(q+2)+tan(q)",
        "asin(q/2)+acos(q/2)+atan(qdot)",
        "sinh(q)+cosh(qdot)+tanh(q)",
        "recip(q+3)+min(q,qdot)*max(q,qdot)+abs(qdot)+square(q)+cube(q)",
        "exp(-q)*log(q+4)*sqrt(q+5)",
        "(q+2)^1.3+(q+2)^-0.5+max(q,0)^2.2",
        "1.5e+2*q/2/3-q-3",
        "0.1^q",
    ],
)
def test_expression_on_a_coordinate(text: str) -> None:
    force = opensim.ExpressionBasedCoordinateForce("angle", text)
    force.setName("force")
    bench = Bench(two_bodies(), force)
    bench.check(bench.draw(12, 100))


@pytest.mark.parametrize("text", ["erf(q)", "q^qdot", "(-1)^q", "pi*q", "log(0-1)*q", "007*q"])
def test_expression_that_cannot_be_compiled_is_refused(text: str) -> None:
    with pytest.raises(ModelError, match=r"of force tendon: .*physics=opensim"):
        parse(text, ("q", "qdot"), "force tendon")


# Actuators and refusals


def test_actuators_without_muscles_exert_nothing_even_with_bounds_above_0() -> None:
    actuator = opensim.CoordinateActuator("angle")
    actuator.setName("motor")
    actuator.setOptimalForce(100.0)
    actuator.setMinControl(0.5)
    actuator.setMaxControl(1.0)
    bench = Bench(two_bodies(), actuator)
    bench.check(bench.draw(13, 50))
    activated = opensim.ActivationCoordinateActuator("angle")
    activated.setName("motor")
    with pytest.raises(ModelError, match="set default_activation to 0"):
        Bench(two_bodies(), activated)
    activated = opensim.ActivationCoordinateActuator("angle")
    activated.setName("motor")
    activated.set_default_activation(0.0)
    bench = Bench(two_bodies(), activated)
    bench.check(bench.draw(14, 50))


def test_forces_that_are_switched_off_are_left_out() -> None:
    model = two_bodies()
    spring = opensim.SpringGeneralizedForce("angle")
    spring.set_appliesForce(False)
    model.addForce(spring)
    model.initSystem()
    assert read_force(spring, read_mechanism(model)) is None


def test_other_forces_are_refused_by_name() -> None:
    model = two_bodies()
    pushed = opensim.PrescribedForce("push", model.getBodySet().get("upper"))
    pushed.setName("push")
    model.addForce(pushed)
    model.initSystem()
    with pytest.raises(ModelError, match=r"push \(PrescribedForce\); take it out"):
        read_force(pushed, read_mechanism(model))


@pytest.mark.parametrize("figure", ["transition_velocity", "hunt_crossley_smoothing"])
def test_contact_without_a_finite_force_is_refused(figure: str) -> None:
    model = two_bodies()
    sphere = ball(model, model.getBodySet().get("lower"), "ball", (0.0, 0.0, 0.0))
    force = smooth(sphere, floor(model), dissipation=0.0, **{figure: 0.0})
    with pytest.raises(ModelError, match=rf"contact \(SmoothSphereHalfSpaceForce\): set {figure}"):
        Bench(model, force)
