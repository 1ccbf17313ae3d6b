"""OpenSim's functions of one variable, as curves that can be traced."""

import opensim

from osimexp.errors import ModelError
from osimexp.physics.compiled.mechanics.curves import Curve, Piecewise, Polynomial, Scaled


def read_function(function: opensim.Function, owner: str) -> Curve:
    """Return an OpenSim function of one variable as a curve.

    Args:
        function: Constant, LinearFunction, PolynomialFunction, SimmSpline,
            PiecewiseLinearFunction, or a MultiplierFunction of one of them.
        owner: name of the thing that the function belongs to, for the message.

    Raises:
        ModelError: the function is of another type.
    """
    kind = function.getConcreteClassName()
    if kind == "Constant":
        return Polynomial((opensim.Constant.safeDownCast(function).getValue(),))
    if kind == "LinearFunction":
        slope, at_zero = _numbers(opensim.LinearFunction.safeDownCast(function).getCoefficients())
        return Polynomial((at_zero, slope))
    if kind == "PolynomialFunction":
        given = opensim.PolynomialFunction.safeDownCast(function).getCoefficients()
        descending = [given.get(i) for i in range(given.size())]
        return Polynomial(tuple(reversed(descending)))
    if kind == "SimmSpline":
        return _spline(opensim.SimmSpline.safeDownCast(function))
    if kind == "PiecewiseLinearFunction":
        return _piecewise_linear(opensim.PiecewiseLinearFunction.safeDownCast(function))
    if kind == "MultiplierFunction":
        multiplier = opensim.MultiplierFunction.safeDownCast(function)
        return Scaled(read_function(multiplier.getFunction(), owner), multiplier.getScale())
    raise ModelError(
        f"physics=compiled cannot trace the {kind} of {owner}; keep physics=opensim, or replace "
        "the function by a SimmSpline or a PolynomialFunction."
    )


def _numbers(array: opensim.ArrayDouble) -> list[float]:
    return [array.get(i) for i in range(array.getSize())]


def _derivative(function: opensim.Function, order: int, x: float) -> float:
    components = opensim.StdVectorInt([0] * order)
    return float(function.calcDerivative(components, opensim.Vector(1, x)))


def _spline(spline: opensim.SimmSpline) -> Piecewise:
    """Return a SimmSpline as cubics between its knots and straight lines beyond them.

    The cubics follow from OpenSim's own values and derivatives at the knots.
    """
    knots = [spline.getX(i) for i in range(spline.getSize())]
    values = [spline.getY(i) for i in range(spline.getSize())]
    slopes = [_derivative(spline, 1, x) for x in knots]
    curvatures = [_derivative(spline, 2, x) for x in knots]
    rows: list[tuple[float, ...]] = [(values[0], slopes[0])]
    for i in range(len(knots) - 1):
        width = knots[i + 1] - knots[i]
        third = (curvatures[i + 1] - curvatures[i]) / width
        rows.append((values[i], slopes[i], curvatures[i] / 2.0, third / 6.0))
    rows.append((values[-1], slopes[-1]))
    return Piecewise(tuple(knots), (knots[0], *knots[:-1], knots[-1]), tuple(rows))


def _piecewise_linear(function: opensim.PiecewiseLinearFunction) -> Piecewise:
    """Return straight lines between the points; the outer lines go on beyond them."""
    x = [function.getX(i) for i in range(function.getSize())]
    y = [function.getY(i) for i in range(function.getSize())]
    slopes = [(y[i + 1] - y[i]) / (x[i + 1] - x[i]) for i in range(len(x) - 1)]
    rows = [(y[0], slopes[0]), *zip(y[:-1], slopes, strict=True), (y[-1], slopes[-1])]
    return Piecewise(tuple(x), (x[0], *x[:-1], x[-1]), tuple(rows))
