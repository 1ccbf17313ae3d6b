"""The compiled paths against OpenSim's own, on a double pendulum that turns out of plane."""

from collections.abc import Callable, Iterator
from math import comb, pi

import numpy as np
import opensim
import pytest
from numpy.typing import NDArray

from osimexp.errors import ModelError
from osimexp.physics.compiled.ir.program import evaluate, program
from osimexp.physics.compiled.ir.trace import Trace
from osimexp.physics.compiled.mechanics.dynamics import Gains, Loads, accelerations
from osimexp.physics.compiled.mechanics.mechanism import read_mechanism
from osimexp.physics.compiled.mechanics.motion import Motion
from osimexp.physics.compiled.paths.path import GeometryPath, read_path

Floats = NDArray[np.float64]
Change = Callable[[opensim.Model, opensim.PathActuator], None]

STATES = 300
TOLERANCE = 1e-10
COORDINATES = ("swing", "turn", "slide")


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Keep OpenSim's notes out of the tests' output."""
    level = opensim.Logger.getLevelString()
    opensim.Logger.setLevelString("error")
    yield
    opensim.Logger.setLevelString(level)


def pendulum(change: Change) -> opensim.Model:
    """Return three bodies in a row, and a path actuator that ``change`` gives its path."""
    model = opensim.Model()
    inertia = opensim.Inertia(0.02, 0.03, 0.01, 0, 0, 0)
    parent = model.getGround()
    joints = (opensim.PinJoint, opensim.PinJoint, opensim.SliderJoint)
    tilts = (opensim.Vec3(0), opensim.Vec3(0.4, 0.7, 0.1), opensim.Vec3(0.2, 0.1, 0.5))
    for kind, name, tilt in zip(joints, COORDINATES, tilts, strict=True):
        body = opensim.Body(f"{name}er", 1.0, opensim.Vec3(0.02, -0.1, 0.01), inertia)
        model.addBody(body)
        zero = opensim.Vec3(0)
        joint = kind(f"{name}_joint", parent, opensim.Vec3(0, -0.3, 0), tilt, body, zero, zero)
        joint.updCoordinate().setName(name)
        joint.updCoordinate().setRangeMin(-1.0)
        joint.updCoordinate().setRangeMax(1.0)
        model.addJoint(joint)
        parent = body
    actuator = opensim.PathActuator()
    actuator.setName("string")
    actuator.setOptimalForce(1.0)
    change(model, actuator)
    model.addForce(actuator)
    model.finalizeConnections()
    return model


def frame(model: opensim.Model, name: str) -> opensim.PhysicalFrame:
    """Return the ground or a body by the name of its coordinate."""
    return model.getGround() if name == "ground" else model.getBodySet().get(f"{name}er")


def fixed(
    model: opensim.Model, actuator: opensim.PathActuator, *points: tuple[str, list[float]]
) -> None:
    """Add points to the actuator's path."""
    for i, (body, at) in enumerate(points):
        actuator.addNewPathPoint(f"p{i}", frame(model, body), opensim.Vec3(*at))


def connect(point: opensim.AbstractPathPoint, body: str, **coordinates: str) -> None:
    """Say by name what a point is fixed to and what moves it."""
    path = "/ground" if body == "ground" else f"/bodyset/{body}er"
    point.updSocket("parent_frame").setConnecteePath(path)
    for socket, name in coordinates.items():
        point.updSocket(socket).setConnecteePath(f"/jointset/{name}_joint/{name}")


def straight(model: opensim.Model, actuator: opensim.PathActuator) -> None:
    """Lead from the ground to the last body, twice through a body on the way."""
    fixed(
        model,
        actuator,
        ("ground", [0.1, 0.0, 0.05]),
        ("swing", [0.05, -0.1, 0.02]),
        ("swing", [0.03, -0.2, -0.02]),
        ("slide", [0.04, -0.1, 0.03]),
    )


def on_offset_frame(model: opensim.Model, actuator: opensim.PathActuator) -> None:
    """Lead from a frame fixed to a body."""
    turned = opensim.Transform(
        opensim.Rotation(0.7, opensim.CoordinateAxis(1)), opensim.Vec3(0.05, -0.1, 0.02)
    )
    offset = opensim.PhysicalOffsetFrame("offset", frame(model, "turn"), turned)
    frame(model, "turn").addComponent(offset)
    actuator.addNewPathPoint("a", offset, opensim.Vec3(0.02, 0.1, 0.0))
    actuator.addNewPathPoint("b", model.getGround(), opensim.Vec3(0.2, 0.1, 0.0))


def conditional(
    body: str, at: list[float], name: str, low: float, high: float
) -> opensim.ConditionalPathPoint:
    """Return a point that is there while a coordinate is in a range."""
    point = opensim.ConditionalPathPoint()
    point.setName(f"{body}{low}")
    connect(point, body, coordinate=name)
    point.setLocation(opensim.Vec3(*at))
    point.setRangeMin(low)
    point.setRangeMax(high)
    return point


def through_windows(model: opensim.Model, actuator: opensim.PathActuator) -> None:
    """Lead through points that come and go, some of them together, and one as the last."""
    set_ = actuator.updGeometryPath().updPathPointSet()
    fixed(model, actuator, ("ground", [0.1, 0.0, 0.05]))
    set_.cloneAndAppend(conditional("swing", [0.1, -0.1, 0.0], "swing", -0.4, 0.6))
    set_.cloneAndAppend(conditional("swing", [0.08, -0.2, 0.0], "turn", -0.5, 0.5))
    set_.cloneAndAppend(conditional("turn", [0.09, -0.05, 0.0], "swing", -0.4, 0.6))
    set_.cloneAndAppend(conditional("turn", [0.07, -0.1, 0.02], "swing", 0.7, 2.0))
    actuator.addNewPathPoint("end", frame(model, "slide"), opensim.Vec3(0.04, -0.1, 0.03))
    set_.cloneAndAppend(conditional("ground", [0.3, -0.1, 0.02], "slide", 0.0, 2.0))


def spline(*points: tuple[float, float]) -> opensim.SimmSpline:
    """Return a spline through points."""
    made = opensim.SimmSpline()
    for x, y in points:
        made.addPoint(x, y)
    return made


def moving_point(body: str, name: str) -> opensim.MovingPathPoint:
    """Return a point that a coordinate moves on its body."""
    point = opensim.MovingPathPoint()
    point.setName("moving")
    connect(point, body, x_coordinate=name, y_coordinate=name, z_coordinate=name)
    point.set_x_location(spline((-1.5, 0.02), (0.0, 0.05), (0.7, 0.03), (1.5, 0.06)))
    point.set_y_location(opensim.PolynomialFunction(opensim.Vector.createFromMat(
        np.array([0.02, -0.03, -0.1]))))  # fmt: skip
    point.set_z_location(opensim.Constant(0.01))
    return point


def over_moving_point(model: opensim.Model, actuator: opensim.PathActuator) -> None:
    """Lead over a point that moves, between points of its own and of another body."""
    set_ = actuator.updGeometryPath().updPathPointSet()
    fixed(model, actuator, ("ground", [0.1, 0.0, 0.05]), ("turn", [0.06, 0.03, -0.02]))
    set_.cloneAndAppend(moving_point("turn", "turn"))
    actuator.addNewPathPoint("end", frame(model, "slide"), opensim.Vec3(0.04, -0.1, 0.03))


def ends_at_moving_point(model: opensim.Model, actuator: opensim.PathActuator) -> None:
    """Lead from a window to a moving point, as the published walkers' knee extensors do."""
    set_ = actuator.updGeometryPath().updPathPointSet()
    fixed(model, actuator, ("ground", [0.1, 0.0, 0.05]))
    set_.cloneAndAppend(conditional("swing", [0.1, -0.1, 0.0], "turn", -2.0, 0.1))
    set_.cloneAndAppend(moving_point("turn", "turn"))


def function_path(actuator: opensim.PathActuator, *names: str) -> opensim.FunctionBasedPath:
    """Give the actuator a path over coordinates and return it."""
    path = opensim.FunctionBasedPath()
    for name in names:
        path.appendCoordinatePath(f"/jointset/{name}_joint/{name}")
    return path


def polynomial(dimension: int, order: int) -> opensim.MultivariatePolynomialFunction:
    """Return a polynomial with random coefficients."""
    count = comb(dimension + order, order)
    coefficients = np.random.default_rng(order).normal(0.0, 0.1, count)
    vector = opensim.Vector.createFromMat(coefficients)
    return opensim.MultivariatePolynomialFunction(vector, dimension, order)


def over_polynomial(dimension: int, order: int) -> Change:
    """Return how to give an actuator a polynomial path."""

    def change(model: opensim.Model, actuator: opensim.PathActuator) -> None:
        path = function_path(actuator, *COORDINATES[:dimension])
        path.setLengthFunction(polynomial(dimension, order))
        actuator.set_path(path)

    return change


def over_line(model: opensim.Model, actuator: opensim.PathActuator) -> None:
    """Give an actuator a path whose length is linear in two coordinates."""
    path = function_path(actuator, "slide", "swing")
    coefficients = opensim.ArrayDouble()
    for value in (0.3, -0.2, 0.7):
        coefficients.append(value)
    path.setLengthFunction(opensim.LinearFunction(coefficients))
    actuator.set_path(path)


def over_spline(model: opensim.Model, actuator: opensim.PathActuator) -> None:
    """Give an actuator a path whose length is a spline over one coordinate."""
    path = function_path(actuator, "turn")
    path.setLengthFunction(spline((-1.5, 0.2), (0.0, 0.5), (0.7, 0.3), (1.5, 0.6)))
    actuator.set_path(path)


def with_own_functions(model: opensim.Model, actuator: opensim.PathActuator) -> None:
    """Give an actuator moment arms and a speed that do not follow from its length."""
    path = function_path(actuator, "swing", "turn")
    path.setLengthFunction(polynomial(2, 3))
    path.appendMomentArmFunction(polynomial(2, 2))
    path.appendMomentArmFunction(polynomial(2, 4))
    path.setLengtheningSpeedFunction(polynomial(4, 2))
    actuator.set_path(path)


PATHS: dict[str, Change] = {
    "straight": straight,
    "offset_frame": on_offset_frame,
    "windows": through_windows,
    "moving": over_moving_point,
    "ends_moving": ends_at_moving_point,
    "one_coordinate": over_polynomial(1, 9),
    "two_coordinates": over_polynomial(2, 5),
    "three_coordinates": over_polynomial(3, 4),
    "line": over_line,
    "spline": over_spline,
    "own_functions": with_own_functions,
}


@pytest.mark.parametrize("name", PATHS)
def test_paths_are_as_long_and_pull_as_opensims(name: str) -> None:
    model = pendulum(PATHS[name])
    state = model.initSystem()
    actuator = opensim.PathActuator.safeDownCast(model.getForceSet().get(0))
    mechanism = read_mechanism(model)
    path = read_path(actuator, mechanism)
    trace = Trace()
    q, u, tension = trace.inputs(0, 3), trace.inputs(3, 3), trace.input(6)
    gains = Gains(mechanism, list(q), list(u))
    motion, loads = Motion(mechanism, list(q), list(u), gains.rates), Loads(mechanism)
    path.pull(motion, loads, tension)
    results = [path.length(motion), path.speed(motion), *accelerations(motion, loads, gains)]
    found = program("path", trace, results, 7)
    generator = np.random.default_rng(0)
    rows = generator.uniform(-1.0, 1.0, (STATES, 7)) * [1.3, 1.3, 1.3, 5.0, 5.0, 2.0, 300.0]
    expected, given = [], []
    order = [mechanism.coordinate_index(name) for name in COORDINATES]
    coordinates = [model.getCoordinateSet().get(name) for name in COORDINATES]
    for row in rows:
        for i, one in enumerate(coordinates):
            one.setValue(state, row[i], False)
            one.setSpeedValue(state, row[3 + i])
        model.setDefaultControls(opensim.Vector(1, row[6]))
        model.markControlsAsInvalid(state)
        model.realizeAcceleration(state)
        opensims = actuator.getPath()
        expected.append(
            [
                opensims.getLength(state),
                opensims.getLengtheningSpeed(state),
                *(one.getAccelerationValue(state) for one in coordinates),
            ]
        )
        inputs = np.zeros(7)
        inputs[order], inputs[[3 + i for i in order]] = row[:3], row[3:6]
        inputs[6] = row[6]
        result = evaluate(found, inputs)
        given.append([*result[:2], *result[2:][order]])
    error = np.abs(np.array(given) - expected).max(axis=0) / np.abs(expected).max(axis=0)
    assert (error < TOLERANCE).all(), error


def test_polynomials_take_few_operations() -> None:
    model = pendulum(over_polynomial(2, 7))
    model.initSystem()
    mechanism = read_mechanism(model)
    actuator = opensim.PathActuator.safeDownCast(model.getForceSet().get(0))
    path = read_path(actuator, mechanism)
    trace = Trace()
    q, u = trace.inputs(0, 3), trace.inputs(3, 3)
    gains = Gains(mechanism, list(q), list(u))
    motion = Motion(mechanism, list(q), list(u), gains.rates)
    found = program("path", trace, [path.length(motion), path.speed(motion)], 6)
    # Two for each of the 36 terms, and as many again for the derivatives, roughly.
    assert len(found.operations) < 170


def test_windows_that_never_meet_make_no_segment() -> None:
    model = pendulum(through_windows)
    model.initSystem()
    actuator = opensim.PathActuator.safeDownCast(model.getForceSet().get(0))
    path = read_path(actuator, read_mechanism(model))
    assert isinstance(path, GeometryPath)
    # Of 16 pairs of points that have none but conditional points between them.
    assert len(path.segments) == 12


def wrapped(model: opensim.Model, actuator: opensim.PathActuator) -> None:
    """Lead over a cylinder."""
    straight(model, actuator)
    cylinder = opensim.WrapCylinder()
    cylinder.setName("drum")
    cylinder.set_radius(0.02)
    cylinder.set_length(1.0)
    frame(model, "swing").addWrapObject(cylinder)
    actuator.updGeometryPath().addPathWrap(cylinder)


def test_wrapping_is_refused_by_name() -> None:
    model = pendulum(wrapped)
    model.initSystem()
    actuator = opensim.PathActuator.safeDownCast(model.getForceSet().get(0))
    # It is no muscle, whose path alone could be fitted.
    with pytest.raises(ModelError, match=r"drum \(WrapCylinder\); keep physics=opensim\.$"):
        read_path(actuator, read_mechanism(model))


def test_functions_and_coordinates_that_cannot_be_traced_are_refused() -> None:
    def strange(model: opensim.Model, actuator: opensim.PathActuator) -> None:
        path = function_path(actuator, "swing")
        path.setLengthFunction(opensim.Sine(1.0, 1.0, pi))
        actuator.set_path(path)

    model = pendulum(strange)
    model.initSystem()
    actuator = opensim.PathActuator.safeDownCast(model.getForceSet().get(0))
    with pytest.raises(ModelError, match="Sine of the path of string"):
        read_path(actuator, read_mechanism(model))
