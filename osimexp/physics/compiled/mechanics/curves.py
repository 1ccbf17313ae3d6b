"""Functions of one variable, as piecewise polynomials that can be traced."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import numpy as np
from numpy.polynomial import chebyshev

from osimexp.arrays import Floats
from osimexp.physics.compiled.ir.trace import Scalar, locate, lookup, refine


class Curve(Protocol):
    """A function f of one variable with two derivatives."""

    def value(self, x: Scalar) -> Scalar:
        """Return f(x)."""
        ...

    def slope(self, x: Scalar) -> Scalar:
        """Return f'(x)."""
        ...

    def curvature(self, x: Scalar) -> Scalar:
        """Return f''(x)."""
        ...


@dataclass(frozen=True)
class Polynomial:
    """A polynomial of one variable; ``coefficients[k]`` multiplies x to the power k."""

    coefficients: tuple[float, ...]

    def value(self, x: Scalar) -> Scalar:
        """Return f(x)."""
        return _horner(self.coefficients, x)

    def slope(self, x: Scalar) -> Scalar:
        """Return f'(x)."""
        return _horner(_derived(self.coefficients), x)

    def curvature(self, x: Scalar) -> Scalar:
        """Return f''(x)."""
        return _horner(_derived(_derived(self.coefficients)), x)


@dataclass(frozen=True)
class Scaled:
    """A curve times a factor."""

    curve: Curve
    factor: float

    def value(self, x: Scalar) -> Scalar:
        """Return f(x)."""
        return self.curve.value(x) * self.factor

    def slope(self, x: Scalar) -> Scalar:
        """Return f'(x)."""
        return self.curve.slope(x) * self.factor

    def curvature(self, x: Scalar) -> Scalar:
        """Return f''(x)."""
        return self.curve.curvature(x) * self.factor


@dataclass(frozen=True)
class Piecewise:
    """A piecewise polynomial; each piece is a polynomial in the distance from its own origin.

    There is one piece below the first break and one above the last. Every piece may be divided into
    the same number of equal ``parts``, which are found without a search.

    Attributes:
        breaks: ends of the pieces, sorted.
        origins: origin of every part, ``(len(breaks) + 1) * parts`` numbers.
        coefficients: of every part, ascending powers of x - origin; as long as ``origins``.
        parts: number of equal parts in every piece; those of the two outer pieces are all alike.
    """

    breaks: tuple[float, ...]
    origins: tuple[float, ...]
    coefficients: tuple[tuple[float, ...], ...]
    parts: int = 1

    def value(self, x: Scalar) -> Scalar:
        """Return f(x)."""
        return self._look_up(x, 0)

    def slope(self, x: Scalar) -> Scalar:
        """Return f'(x)."""
        return self._look_up(x, 1)

    def curvature(self, x: Scalar) -> Scalar:
        """Return f''(x)."""
        return self._look_up(x, 2)

    def _look_up(self, x: Scalar, derivative: int) -> Scalar:
        index = locate(x, self.breaks)
        if self.parts > 1:
            ends = (self.breaks[0], *self.breaks, self.breaks[-1])
            scales = tuple(self.parts / (b - a) if b > a else 0.0 for a, b in pairwise(ends))
            position = (x - lookup(index, ends[:-1])) * lookup(index, scales)
            index = refine(index, position, self.parts)
        rows = list(self.coefficients)
        for _ in range(derivative):
            rows = [_derived(row) for row in rows]
        width = max(len(row) for row in rows)
        distance = x - lookup(index, self.origins)
        result: Scalar = 0.0
        for k in reversed(range(width)):
            column = tuple(row[k] if k < len(row) else 0.0 for row in rows)
            result = result * distance + lookup(index, column)
        return result


def tabulated(
    function: Callable[[float], float],
    joints: tuple[float, ...],
    parts: int,
    degree: int,
    slopes: tuple[float, float],
) -> tuple[Piecewise, float]:
    """Return a smooth function as a piecewise polynomial, and the greatest error found in it.

    Args:
        function: smooth between neighbouring joints, a straight line beyond the outer two.
        joints: sorted points at which derivatives may jump.
        parts: number of polynomials between two joints.
        degree: degree of each polynomial.
        slopes: slopes of the straight lines below the first joint and above the last.
    """
    edges = np.concatenate([np.linspace(a, b, parts + 1) for a, b in pairwise(joints)]).reshape(
        -1, parts + 1
    )
    middles = (0.5 * (edges[:, 1:] + edges[:, :-1])).ravel()
    halves = (0.5 * (edges[:, 1:] - edges[:, :-1])).ravel()
    nodes, between = chebyshev.chebpts1(degree + 1), np.linspace(-1.0, 1.0, 2 * degree + 3)
    series = np.linalg.solve(
        chebyshev.chebvander(nodes, degree), _sampled(function, middles, halves, nodes).T
    )
    exact = _sampled(function, middles, halves, between).T
    worst = float(np.abs(chebyshev.chebvander(between, degree) @ series - exact).max())
    basis = np.zeros((degree + 1, degree + 1))
    for k, row in enumerate(np.eye(degree + 1)):
        powers = chebyshev.cheb2poly(row)
        basis[: len(powers), k] = powers
    scaled = (basis @ series).T / halves[:, None] ** np.arange(degree + 1)
    below: tuple[float, ...] = (function(joints[0]), slopes[0])
    above: tuple[float, ...] = (function(joints[-1]), slopes[1])
    rows = [below] * parts + [tuple(row) for row in scaled.tolist()] + [above] * parts
    origins = [joints[0]] * parts + middles.tolist() + [joints[-1]] * parts
    return Piecewise(joints, tuple(origins), tuple(rows), parts), worst


def _sampled(
    function: Callable[[float], float], middles: Floats, halves: Floats, nodes: Floats
) -> Floats:
    """Return the function ``(pieces, nodes)`` at ``nodes`` of [-1, 1] in every piece."""
    places = middles[:, None] + halves[:, None] * nodes
    return np.array([function(x) for x in places.ravel().tolist()]).reshape(places.shape)


def _horner(coefficients: tuple[float, ...], x: Scalar) -> Scalar:
    result: Scalar = 0.0
    for coefficient in reversed(coefficients):
        result = result * x + coefficient
    return result


def _derived(coefficients: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(k * c for k, c in enumerate(coefficients) if k > 0) or (0.0,)
