"""The fibre velocity of a damped Millard2012EquilibriumMuscle.

OpenSim looks for the velocity v at which ``active f(v) + damping v`` equals the force that is left
for it, by Newton's method with a look-up of the curve f in each round. Both v and f(v) are corners
with a common parameter w, and so is the sum: its share of the way from one end of the corner to the
other is ``shape P(w) + (1 - curviness) Q(w) + w^5`` (see ``Corner``). The activation, the damping
and the fibre length are in ``shape`` alone. Here w is found from a table of two variables and a few
rounds of Halley's method on one polynomial, and v follows from w.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from osimexp.arrays import Floats
from osimexp.physics.compiled.ir.trace import (
    Condition,
    Index,
    Scalar,
    less,
    lookup,
    maximum,
    minimum,
    refine,
    select,
)
from osimexp.physics.compiled.muscles.corners import Corner
from osimexp.physics.compiled.muscles.millard_curves import VelocityProperties

# Cells of the table of first guesses, over the share of the force and over that of the crossing.
_CELLS = (16, 8)
# Powers of the two in a cell's polynomial.
_POWERS = ((0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (2, 0))
# Rounds are added until the error of the velocity is below this, at activations down to the least.
_NEAR = 2e-13
_LEAST_ACTIVE = 1e-4
_MOST_ROUNDS = 8


@dataclass(frozen=True)
class DampedVelocity:
    """A solver for the velocity of a damped fibre at a given force.

    Attributes:
        properties: properties of the force-velocity curve, whose slopes at the maximum velocities
            are 0.
        damping: damping in maximum isometric forces per maximum contraction velocity, above 0.
        rounds: number of rounds of Halley's method.
        error: greatest error found in the velocity, in maximum contraction velocities.
    """

    properties: VelocityProperties
    damping: float
    rounds: int
    error: float

    def velocity(self, active: Scalar, force: Scalar) -> Scalar:
        """Return the fibre velocity in maximum contraction velocities.

        Args:
            active: active force at velocity 0, in maximum isometric forces; 0 or more.
            force: force of the moving fibre and its damping together, in maximum isometric forces.
        """
        corners = self.properties.corners
        ends = [active * y + self.damping * x for x, y in self._points()]
        kept = minimum(maximum(force, ends[0]), ends[4])
        place = _Place(less(kept, ends[1]), less(kept, ends[2]), less(kept, ends[3]))
        first = place.pick(ends[:4])
        scale = 1.0 / (place.pick(ends[1:]) - first)
        share = (kept - first) * scale
        crossing = scale * (
            active * place.pick([c.crossing[1] - c.first[1] for c in corners])
            + place.pick([self.damping * (c.crossing[0] - c.first[0]) for c in corners])
        )
        curviness = place.pick([c.curviness for c in corners])
        shape = crossing * curviness
        w = self._guess(place, share, crossing)
        for _ in range(self.rounds):
            w = _improved(w, share, shape, curviness)
        rest = w - w * w
        bulge = 5.0 * rest * (1.0 - rest)
        own = place.pick([c.curviness * (c.crossing[0] - c.first[0]) / c.width for c in corners])
        inside = share + (own - shape) * bulge
        velocity = place.pick([c.first[0] for c in corners]) + inside * place.pick(
            [c.width for c in corners]
        )
        # Beyond the maximum velocities the curve is flat, and damping takes the rest of the force.
        return velocity + (force - kept) * (1.0 / self.damping)

    def _points(self) -> list[tuple[float, float]]:
        corners = self.properties.corners
        return [corners[0].first, *(c.last for c in corners)]

    def _guess(self, place: "_Place", share: Scalar, crossing: Scalar) -> Scalar:
        """Return the first guess of w from the table."""
        kinds = sorted({c.curviness for c in self.properties.corners})
        numbers = [float(kinds.index(c.curviness)) for c in self.properties.corners]
        index: Index = refine(0, place.pick(numbers), len(kinds)) if len(kinds) > 1 else 0
        index = refine(index, share * float(_CELLS[0]), _CELLS[0])
        index = refine(index, crossing * float(_CELLS[1]), _CELLS[1])
        table = np.concatenate([_guesses(kind) for kind in kinds])
        constant, c, cc, s, sc, ss = (lookup(index, tuple(column)) for column in table.T.tolist())
        by_crossing = constant + crossing * (c + crossing * cc)
        return by_crossing + share * (s + crossing * sc + share * ss)


@cache
def damped_velocity(properties: VelocityProperties, damping: float) -> DampedVelocity:
    """Return a solver with as many rounds as its error takes to become small enough.

    Args:
        properties: properties of the force-velocity curve, whose slopes at the maximum velocities
            are 0.
        damping: damping in maximum isometric forces per maximum contraction velocity, above 0.
    """
    for rounds in range(1, _MOST_ROUNDS + 1):
        error = max(_error(c, damping, rounds) for c in properties.corners)
        if error < _NEAR:
            break
    return DampedVelocity(properties, damping, rounds, error)


@dataclass(frozen=True)
class _Place:
    """The position of a velocity among the four corners, in the order of rising velocity."""

    before_second: Condition
    before_third: Condition
    before_fourth: Condition

    def pick(self, values: Sequence[Scalar]) -> Scalar:
        """Return the value that belongs to the corner."""
        shortening = select(self.before_second, values[0], values[1])
        lengthening = select(self.before_fourth, values[2], values[3])
        return select(self.before_third, shortening, lengthening)


def _improved(w: Scalar, share: Scalar, shape: Scalar, curviness: Scalar) -> Scalar:
    """Return the parameter for ``share`` after one more round of Halley's method."""
    rest = 1.0 - curviness
    c5 = 5.0 * rest + 1.0
    c4 = -5.0 * shape - 15.0 * rest
    c3 = 10.0 * (shape + rest)
    c2 = -10.0 * shape
    # Horner's scheme works out the value, its slope and half its curvature together.
    b4 = c4 + w * c5
    b3 = c3 + w * b4
    b2 = c2 + w * b3
    b1 = 5.0 * shape + w * b2
    value = w * b1 - share
    d3 = b4 + w * c5
    d2 = b3 + w * d3
    d1 = b2 + w * d2
    slope = b1 + w * d1
    e2 = d3 + w * c5
    e1 = d2 + w * e2
    half_curvature = d1 + w * e1
    return w - value * slope / (slope * slope - value * half_curvature)


@cache
def _guesses(curviness: float) -> Floats:
    """Return the coefficients ``(cells, powers)`` of w over the two shares in each cell."""
    nodes = 0.5 - 0.5 * np.cos(np.pi * (np.arange(5) + 0.5) / 5.0)
    shares = ((np.arange(_CELLS[0])[:, None] + nodes) / _CELLS[0])[:, None, :, None]
    crossings = ((np.arange(_CELLS[1])[:, None] + nodes) / _CELLS[1])[None, :, None, :]
    shares, crossings = np.broadcast_arrays(shares, crossings)
    low, high = np.zeros(shares.shape), np.ones(shares.shape)
    for _ in range(50):
        w = 0.5 * (low + high)
        below = _share(w, crossings * curviness, curviness) < shares
        low, high = np.where(below, w, low), np.where(below, high, w)
    design = np.stack([shares**i * crossings**j for i, j in _POWERS], axis=-1)
    cells = _CELLS[0] * _CELLS[1]
    inverse = np.linalg.pinv(design.reshape(cells, -1, len(_POWERS)))
    return np.asarray(np.einsum("cpn,cn->cp", inverse, w.reshape(cells, -1)))


def _share(w: Floats, shape: Floats, curviness: float) -> Floats:
    """Return the share of the way that is reached at w."""
    bulge = 1.0 - w**5 - (1.0 - w) ** 5
    return np.asarray(
        shape * bulge + (1.0 - curviness) * w**3 * (10.0 - 15.0 * w + 5.0 * w * w) + w**5
    )


def _error(corner: Corner, damping: float, rounds: int) -> float:
    """Return the greatest error of the velocity within a corner after a number of rounds."""
    active = np.concatenate([[0.0], np.geomspace(_LEAST_ACTIVE, 1.0, 120)])[:, None]
    damped = damping * (corner.crossing[0] - corner.first[0])
    crossing = (active * (corner.crossing[1] - corner.first[1]) + damped) / (
        active * corner.height + damping * corner.width
    )
    shape = crossing * corner.curviness
    exact = np.linspace(0.0, 1.0, 301)[None]
    share = _share(exact, shape, corner.curviness)
    rows = (np.clip(share * _CELLS[0], 0, _CELLS[0] - 1)).astype(int) * _CELLS[1]
    rows = rows + np.clip(crossing * _CELLS[1], 0, _CELLS[1] - 1).astype(int)
    terms = np.stack([share**i * crossing**j for i, j in _POWERS], axis=-1)
    w = (_guesses(corner.curviness)[rows] * terms).sum(axis=-1)
    for _ in range(rounds):
        w = _improved(w, share, shape, corner.curviness)  # type: ignore[arg-type]
    own = corner.curviness * (corner.crossing[0] - corner.first[0]) / corner.width
    bulge = [1.0 - v**5 - (1.0 - v) ** 5 for v in (w, exact)]
    return float(np.abs((own - shape) * (bulge[0] - bulge[1])).max()) * corner.width
