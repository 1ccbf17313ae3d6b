"""Every compiled force against OpenSim itself, on small models at random states."""

from collections.abc import Callable

import numpy as np
import opensim
import pytest
from numpy.typing import NDArray

from osimexp.physics.compiled.dynamics import Gains, Loads, accelerations
from osimexp.physics.compiled.forces.force import Force
from osimexp.physics.compiled.forces.hunt_crossley import HuntCrossley
from osimexp.physics.compiled.forces.reading import read_force
from osimexp.physics.compiled.mechanism import read_mechanism
from osimexp.physics.compiled.motion import Motion
from osimexp.physics.compiled.trace import Program, Trace, evaluate, program

Floats = NDArray[np.float64]
Draw = Callable[[np.random.Generator, int], Floats]
STATES = 300


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

    def __init__(self, model: opensim.Model, force: opensim.Force) -> None:
        self.model, self.given = model, force
        model.addForce(force)
        self.state = model.initSystem()
        self.mechanism = read_mechanism(model)
        found = read_force(force, self.mechanism)
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
    """States with the sphere up to 3 cm in the floor or above it, at speeds from 0 to 2 m/s."""
    states = bench.draw(seed, rows)
    random = np.random.default_rng(seed)
    speeds = states[:, bench.count :]
    speeds *= 10.0 ** random.uniform(-3.0, 0.3, (rows, 1))
    height = bench.index["root_coord_4"] if "root_coord_4" in bench.index else 1
    trace, motion = bench.motion()
    sphere = (
        bench.force.surfaces[bench.force.pairs[0].first].shape
        if isinstance(bench.force, HuntCrossley)
        else bench.force.sphere
    )
    place = program("height", trace, [motion.in_ground(sphere.middle)[1]], 2 * bench.count)
    for row in states:
        wanted = 0.05 + random.uniform(-0.03, 0.03)
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
    assert (expected[:, 1] > 1.0).mean() > 0.2
    assert (expected[:, 1] < 1.0).mean() > 0.2


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
