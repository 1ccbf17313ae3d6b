"""OpenSim's functions of several variables, such as a path's length over coordinates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Protocol

import opensim

from osimexp.errors import ModelError
from osimexp.physics.compiled.ir.trace import Scalar
from osimexp.physics.compiled.mechanics.curves import Curve
from osimexp.physics.compiled.mechanics.functions import read_function

Terms = Mapping[tuple[int, ...], float]


class Field(Protocol):
    """A differentiable function of several variables."""

    def value(self, at: Sequence[Scalar]) -> Scalar:
        """Return the value of the function at a point."""
        ...

    def gradient(self, at: Sequence[Scalar]) -> list[Scalar]:
        """Return the derivative of the function by each variable."""
        ...


@dataclass(frozen=True)
class PolynomialField:
    """A polynomial of several variables.

    Attributes:
        variables: number of variables.
        terms: coefficient of each term, by the exponents of the variables in it.
    """

    variables: int
    terms: Terms

    def value(self, at: Sequence[Scalar]) -> Scalar:
        """Return the value of the polynomial at a point."""
        return _value_and_gradient(self.terms, at)[0]

    def gradient(self, at: Sequence[Scalar]) -> list[Scalar]:
        """Return the derivative of the polynomial by each variable."""
        return _value_and_gradient(self.terms, at)[1]


@dataclass(frozen=True)
class CurveField:
    """A function of one variable, as a ``Field``."""

    curve: Curve

    def value(self, at: Sequence[Scalar]) -> Scalar:
        """Return the value of the function."""
        return self.curve.value(at[0])

    def gradient(self, at: Sequence[Scalar]) -> list[Scalar]:
        """Return the derivative of the function, as a list of one."""
        return [self.curve.slope(at[0])]


def read_field(function: opensim.Function, variables: int, owner: str) -> Field:
    """Return an OpenSim function of several variables.

    Args:
        function: MultivariatePolynomialFunction, LinearFunction or Constant, or any function of
            one variable that can be read.
        variables: number of variables that the function is given.
        owner: name of the thing that the function belongs to, for the message.

    Raises:
        ModelError: the function is of another type.
    """
    kind = function.getConcreteClassName()
    if kind == "MultivariatePolynomialFunction":
        polynomial = opensim.MultivariatePolynomialFunction.safeDownCast(function)
        order, given = polynomial.getOrder(), polynomial.getCoefficients()
        exponents = [
            row for row in product(range(order + 1), repeat=variables) if sum(row) <= order
        ]
        return PolynomialField(
            variables, {row: given.get(i) for i, row in enumerate(exponents) if given.get(i)}
        )
    if kind == "LinearFunction":
        coefficients = opensim.LinearFunction.safeDownCast(function).getCoefficients()
        terms = {(0,) * variables: coefficients.get(variables)}
        for i in range(variables):
            terms[tuple(int(i == j) for j in range(variables))] = coefficients.get(i)
        return PolynomialField(variables, terms)
    if kind == "Constant":
        value = opensim.Constant.safeDownCast(function).getValue()
        return PolynomialField(variables, {(0,) * variables: value})
    if variables == 1:
        return CurveField(read_function(function, owner))
    raise ModelError(
        f"physics=compiled cannot trace the {kind} of {owner}; keep physics=opensim, or replace "
        "the function by a MultivariatePolynomialFunction."
    )


def _value_and_gradient(terms: Terms, at: Sequence[Scalar]) -> tuple[Scalar, list[Scalar]]:
    """Work out a polynomial by Horner's scheme in one variable after another."""
    if not at:
        return terms.get((), 0.0), []
    x, others = at[0], at[1:]
    rows: dict[int, dict[tuple[int, ...], float]] = {}
    for (exponent, *rest), coefficient in terms.items():
        rows.setdefault(exponent, {})[tuple(rest)] = coefficient
    value: Scalar = 0.0
    slope: Scalar = 0.0
    gradient: list[Scalar] = [0.0] * len(others)
    for exponent in range(max(rows, default=0), -1, -1):
        inner, inner_gradient = _value_and_gradient(rows.get(exponent, {}), others)
        slope = slope * x + value
        value = value * x + inner
        gradient = [a * x + b for a, b in zip(gradient, inner_gradient, strict=True)]
    return value, [slope, *gradient]
