"""Polynomials of the lengths of muscle paths over coordinates, fitted by least squares."""

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from osimexp.arrays import Floats

# A lower order is taken if its errors are at most this many times those of the highest.
_GOOD_AS = 1.1


@dataclass(frozen=True)
class PathFit:
    """The fit of a muscle's path, and its errors over the ranges of its coordinates.

    Attributes:
        coordinates: absolute paths of the coordinates on which the length depends.
        order: largest sum of exponents in a term.
        length_rms, length_max: error of the length, m.
        moment_arm_rms, moment_arm_max: error of the moment arms about all coordinates, m.
        jumps: share of the poses that were left out, because OpenSim's own path jumps there.
        holds: distance beyond the range of each coordinate up to which the fit holds, rad or m.
    """

    coordinates: tuple[str, ...]
    order: int
    length_rms: float
    length_max: float
    moment_arm_rms: float
    moment_arm_max: float
    jumps: float = 0.0
    holds: tuple[float, ...] = ()

    def within(self, length: float, moment_arm: float) -> bool:
        """Return whether the root mean square errors are at most the given ones, m."""
        return self.length_rms <= length and self.moment_arm_rms <= moment_arm


def exponents(dimension: int, order: int) -> NDArray[np.int64]:
    """Return the exponents ``(terms, dimension)`` of a polynomial, in OpenSim's order of terms."""
    rows = [row for row in product(range(order + 1), repeat=dimension) if sum(row) <= order]
    return np.array(rows, dtype=np.int64)


class Polynomials:
    """A fitter of polynomials of rising order over the same samples ``(S, C)``."""

    def __init__(self, coordinates: tuple[str, ...], values: Floats, highest_order: int) -> None:
        self._coordinates = coordinates
        self._values = values
        self._orders = range(1, highest_order + 1)
        self._designs: dict[int, Floats] = {}

    def length_errors(self, order: int, coefficients: Floats, lengths: Floats) -> Floats:
        """Return the errors ``(S,)`` of the lengths of a fit that was made before, m."""
        return np.asarray(self._designs[order][: len(lengths)] @ coefficients - lengths)

    def fit(
        self,
        lengths: Floats,
        derivatives: Floats,
        length_tolerance: float,
        moment_arm_share: float,
        kept: NDArray[np.bool_] | None = None,
    ) -> tuple[PathFit, Floats]:
        """Return the fit of lowest order that is accurate enough, and its coefficients.

        Args:
            lengths: ``(S,)`` m.
            derivatives: ``(S, C)`` m/rad, or 1.
            length_tolerance: root mean square error to reach, m.
            moment_arm_share: the same for moment arms, as a share of their root mean square.
            kept: mask ``(S,)`` of the samples to fit; None fits all.
        """
        everything = np.ones(len(lengths), dtype=bool)
        kept = everything if kept is None else kept
        target = np.concatenate([lengths, derivatives.ravel()])
        tolerance = moment_arm_share * float(np.sqrt(np.mean(derivatives[kept] ** 2)))
        tried = []
        for order in self._orders:
            fit, coefficients = self._solve(order, target, kept)
            if fit.within(length_tolerance, tolerance):
                return fit, coefficients
            tried.append((fit, coefficients))
        # Where no order is accurate enough, a high one costs time without helping.
        last = tried[-1][0]
        nearly = (_GOOD_AS * last.length_rms, _GOOD_AS * last.moment_arm_rms)
        bounds = (max(length_tolerance, nearly[0]), max(tolerance, nearly[1]))
        return next(one for one in tried if one[0].within(*bounds))

    def _solve(self, order: int, target: Floats, kept: NDArray[np.bool_]) -> tuple[PathFit, Floats]:
        if order not in self._designs:
            powers = exponents(len(self._coordinates), order)
            self._designs[order] = design(self._values, powers)
        rows = np.concatenate([kept, np.repeat(kept, len(self._coordinates))])
        whole = rows.all()  # Without a copy of a large array in the usual case.
        matrix = self._designs[order] if whole else self._designs[order][rows]
        target = target if whole else target[rows]
        scale = np.linalg.norm(matrix, axis=0)
        coefficients = np.linalg.lstsq(matrix / scale, target, rcond=None)[0] / scale
        error = matrix @ coefficients - target
        return _judge(self._coordinates, order, error, int(kept.sum())), coefficients


def design(values: Floats, powers: NDArray[np.int64]) -> Floats:
    """Return the matrix ``(S + S C, T)`` from coefficients to lengths, then to their derivatives.

    Args:
        values: ``(S, C)`` values of the coordinates.
        powers: ``(T, C)`` exponents of the terms.
    """
    dimension = values.shape[1]
    rows = [np.prod(values[:, None, :] ** powers, axis=2)]
    slopes = np.empty((len(values), dimension, len(powers)))
    for c in range(dimension):
        lowered = powers.copy()
        lowered[:, c] = np.maximum(powers[:, c] - 1, 0)
        slopes[:, c] = powers[:, c] * np.prod(values[:, None, :] ** lowered, axis=2)
    return np.concatenate([*rows, slopes.reshape(-1, len(powers))])


def _judge(coordinates: tuple[str, ...], order: int, error: Floats, samples: int) -> PathFit:
    length, moment_arm = error[:samples], error[samples:]
    return PathFit(
        coordinates,
        order,
        float(np.sqrt(np.mean(length**2))),
        float(np.abs(length).max()),
        float(np.sqrt(np.mean(moment_arm**2))),
        float(np.abs(moment_arm).max()),
    )
