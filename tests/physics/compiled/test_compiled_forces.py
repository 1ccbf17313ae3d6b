"""Compiled forces other than contact against OpenSim itself, at random states."""

import numpy as np
import opensim
import pytest
from force_bench import Bench, frame, two_bodies

from osimexp.errors import ModelError
from osimexp.physics.compiled.forces.expression import parse
from osimexp.physics.compiled.forces.limits import CoordinateLimit
from osimexp.physics.compiled.forces.reading import read_force
from osimexp.physics.compiled.ir.program import evaluate, program
from osimexp.physics.compiled.mechanics.mechanism import read_mechanism

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
