"""A small model with one force, and the compiled force beside OpenSim's."""

import numpy as np
import opensim
from numpy.typing import NDArray

from osimexp.physics.compiled.forces.force import Force
from osimexp.physics.compiled.forces.reading import read_force
from osimexp.physics.compiled.ir.program import Program, evaluate, program
from osimexp.physics.compiled.ir.trace import Trace
from osimexp.physics.compiled.mechanics.dynamics import Gains, Loads, accelerations
from osimexp.physics.compiled.mechanics.mechanism import read_mechanism
from osimexp.physics.compiled.mechanics.motion import Motion

Floats = NDArray[np.float64]
STATES = 1000


def body(model: opensim.Model, name: str) -> opensim.Body:
    inertia = opensim.Inertia(0.3, 0.2, 0.4, 0.05, -0.02, 0.01)
    made = opensim.Body(name, 2.0, opensim.Vec3(0.02, -0.01, 0.03), inertia)
    model.addBody(made)
    return made


def two_bodies() -> opensim.Model:
    """A body that is free to move, and one hinged to it."""
    model = opensim.Model()
    upper, lower = body(model, "upper"), body(model, "lower")
    model.addJoint(opensim.FreeJoint("root", model.getGround(), upper))
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
