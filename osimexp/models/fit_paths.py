"""Fitting of muscle paths by polynomials of their length, which OpenSim computes faster.

OpenSim's own ``PolynomialPathFitter`` does the same in 10 to 36 seconds for the models of this
project, which is too long at the start of every simulation. Here the samples are at places where
errors of polynomials are largest, moment arms come from the speeds of the paths and not from
differences, and all muscles over the same coordinates share the samples, so that fitting takes less
than a second.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import pi

import numpy as np
import opensim
from numpy.typing import NDArray

from osimexp.arrays import Floats
from osimexp.errors import ModelError
from osimexp.models.polynomials import PathFit, Polynomials, design, exponents

# Change of a path (m) below which it does not depend on a coordinate. When a leg turns as a rigid
# whole, a wrapped path in it may change by a micrometre.
_LEAST_CHANGE = 1e-5
# Samples per coordinate for paths over one or two coordinates, and in total for more coordinates.
_SAMPLES = {1: (100,), 2: (24, 24)}
_SCATTERED_SAMPLES = 1200
# Limit of OpenSim's polynomials.
_MOST_COORDINATES = 6
# Error (m) from which a pose is looked at for a jump of OpenSim's own path, as wraps can make,
# change (m) that is a jump, greatest share of poses left out for that, halvings of the way to a
# jump, and rounds of fitting.
_SUSPECT = 1e-2
_JUMP = 5e-3
_LEFT_OUT = 0.05
_HALVINGS = 16
_ROUNDS = 4
# Farthest beyond its range that a coordinate is tried (rad or m), poses tried there, and errors of
# the length (m) and the moment arm (m) up to which a fit holds.
_BEYOND = 0.5
_TRIED = 24
_HELD_LENGTH, _HELD_ARM = 0.02, 0.1


def fit_paths(
    model: opensim.Model,
    length_tolerance: float = 1e-3,
    moment_arm_tolerance: float = 0.04,
    highest_order: int = 9,
    margin: float = 0.05,
) -> dict[str, PathFit]:
    """Replace the path of every muscle by the polynomial of lowest order that is accurate enough.

    The length is fitted as a polynomial of the coordinates (rad or m) by least squares over lengths
    and moment arms together. Coordinates that follow others by a coupler are moved with them, so
    that the moment arms about the leading coordinates are right. A fit is useless beyond the ranges
    of the coordinates and the margin, so joints must be kept within them.

    Args:
        model: changed in place, and left with its connections made.
        length_tolerance: root mean square error to reach, m.
        moment_arm_tolerance: root mean square error to reach, as a share of the root mean square of
            the muscle's own moment arms.
        highest_order: highest order that is tried; if none reaches both tolerances, the lowest
            order that is nearly as good is used.
        margin: distance beyond the ranges up to which samples are taken, rad or m.

    Returns:
        The fit of each muscle; muscles whose path is already fitted, or does not change with any
        coordinate, are unchanged and left out.

    Raises:
        ModelError: a path depends on more than six coordinates, or has no length in many poses.
    """
    sampler = _Sampler(model, margin)
    groups: dict[tuple[int, ...], list[int]] = {}
    for muscle, coordinates in sampler.dependence().items():
        groups.setdefault(coordinates, []).append(muscle)
    found: dict[str, tuple[PathFit, Floats]] = {}
    for coordinates, muscles in groups.items():
        values, lengths, derivatives = sampler.sample(coordinates, muscles)
        names = tuple(sampler.coordinates[i].getAbsolutePathString() for i in coordinates)
        polynomials = Polynomials(names, values, highest_order)
        beyond = sampler.sample_beyond(coordinates, muscles)
        for column, muscle in enumerate(muscles):
            samples = lengths[:, column], derivatives[:, :, column]
            tolerances = length_tolerance, moment_arm_tolerance
            # OpenSim gives NaN where a path cannot wrap.
            jumps = ~(np.isfinite(samples[0]) & np.isfinite(samples[1]).all(axis=1))
            if jumps.mean() > _LEFT_OUT:
                raise ModelError(
                    f"OpenSim gives no length for the path of {sampler.names[muscle]} in "
                    f"{jumps.mean():.0%} of its poses, so it cannot be fitted; keep the geometry "
                    "with model.paths=geometry, or mend the path."
                )
            fit, coefficients = polynomials.fit(*samples, *tolerances, ~jumps)
            for _ in range(_ROUNDS):
                errors = polynomials.length_errors(fit.order, coefficients, lengths[:, column])
                more = sampler.jumps(values, np.where(jumps, 0.0, errors), coordinates, muscle)
                if not more.any() or (jumps | more).mean() > _LEFT_OUT:
                    break
                jumps |= more
                fit, coefficients = polynomials.fit(*samples, *tolerances, ~jumps)
            powers = exponents(len(coordinates), fit.order)
            holds = (max(one.held(column, powers, coefficients), margin) for one in beyond)
            fit = replace(fit, jumps=float(jumps.mean()), holds=tuple(holds))
            found[sampler.names[muscle]] = fit, coefficients
    for name, (fit, coefficients) in found.items():
        path = _path(fit.coordinates, fit.order, coefficients)
        model.updMuscles().get(name).set_path(path)
    model.finalizeConnections()
    return {name: found[name][0] for name in sampler.names if name in found}


@dataclass(frozen=True)
class Beyond:
    """Samples beyond the range of one coordinate.

    Attributes:
        away: ``(S,)`` distance from the range, rad or m.
        values: ``(S, C)`` coordinates.
        lengths: ``(S, M)`` m.
        derivatives: ``(S, C, M)`` derivatives of the lengths.
    """

    away: Floats
    values: Floats
    lengths: Floats
    derivatives: Floats

    def held(self, muscle: int, powers: NDArray[np.int64], coefficients: Floats) -> float:
        """Return the distance up to which a polynomial of a muscle's length holds, rad or m."""
        count = len(self.away)
        target = np.concatenate([self.lengths[:, muscle], self.derivatives[:, :, muscle].ravel()])
        error = np.abs(design(self.values, powers) @ coefficients - target)
        arms = error[count:].reshape(count, -1).max(axis=1)
        wrong = ~((error[:count] <= _HELD_LENGTH) & (arms <= _HELD_ARM))  # True for NaN, too
        return float(self.away[~(self.away >= self.away[wrong].min(initial=np.inf))].max(initial=0))


class _Sampler:
    """A sampler of lengths and their derivatives at chosen poses of a model."""

    def __init__(self, model: opensim.Model, margin: float) -> None:
        self._model = model
        self._margin = margin
        self._state = model.initSystem()
        found = [model.getMuscles().get(i) for i in range(model.getMuscles().getSize())]
        self.muscles = [m for m in found if opensim.GeometryPath.safeDownCast(m.getPath())]
        self.names = [muscle.getName() for muscle in self.muscles]
        every = [model.getCoordinateSet().get(i) for i in range(model.getCoordinateSet().getSize())]
        self.coordinates = [c for c in every if not c.isConstrained(self._state)]
        self._couplers = _couplers(model)
        self._ranges = np.array([_range(c, margin) for c in self.coordinates]).reshape(-1, 2)
        self._defaults = np.array([c.getDefaultValue() for c in self.coordinates])

    def dependence(self) -> dict[int, tuple[int, ...]]:
        """Return, for each muscle that any coordinate moves, the numbers of those coordinates."""
        poses = _scattered(self._ranges, 12)
        moved = np.zeros((len(self.coordinates), len(self.muscles)), dtype=bool)
        lengths = self._lengths(poses)
        for c in range(len(self.coordinates)):
            others = poses.copy()
            others[:, c] = np.roll(poses[:, c], 1)
            moved[c] = (np.abs(self._lengths(others) - lengths) > _LEAST_CHANGE).any(axis=0)
        found = {m: tuple(np.flatnonzero(moved[:, m]).tolist()) for m in range(len(self.muscles))}
        for m, coordinates in found.items():
            if len(coordinates) > _MOST_COORDINATES:
                raise ModelError(
                    f"The path of {self.muscles[m].getName()} depends on {len(coordinates)} "
                    f"coordinates and a fit can have at most {_MOST_COORDINATES}; "
                    "keep the geometry with model.paths=geometry."
                )
        return {m: coordinates for m, coordinates in found.items() if coordinates}

    def sample(
        self, coordinates: Sequence[int], muscles: Sequence[int]
    ) -> tuple[Floats, Floats, Floats]:
        """Return values ``(S, C)``, lengths ``(S, M)`` and their derivatives ``(S, C, M)``."""
        ranges = self._ranges[list(coordinates)]
        if len(coordinates) in _SAMPLES:
            values = _grid(ranges, _SAMPLES[len(coordinates)])
        else:
            values = _scattered(ranges, _SCATTERED_SAMPLES)
        return self._read(values, coordinates, muscles)

    def jumps(
        self, values: Floats, errors: Floats, coordinates: Sequence[int], muscle: int
    ) -> NDArray[np.bool_]:
        """Return the samples ``(S,)`` that a jump of OpenSim's own path parts from the others.

        They are looked for among the samples with a great error: on the way to the nearest other
        sample, a path that jumps changes by millimetres however short the way is made.

        Args:
            values: samples ``(S, C)`` of the coordinates.
            errors: errors ``(S,)`` of the lengths of a fit, m.
            coordinates: numbers of the coordinates.
            muscle: number of the muscle.
        """
        size = np.abs(errors)
        suspect = size > max(_SUSPECT, float(np.quantile(size, 1.0 - _LEFT_OUT)))
        found = np.zeros(len(values), dtype=bool)
        widths = np.maximum(np.ptp(values, axis=0), 1e-9)
        sound = values[~suspect]
        for s in np.flatnonzero(suspect):
            near = sound[np.abs((sound - values[s]) / widths).max(axis=1).argmin()]
            found[s] = self._jumps_between(near, values[s], coordinates, muscle)
        return found

    def _jumps_between(
        self, here: Floats, there: Floats, coordinates: Sequence[int], muscle: int
    ) -> bool:
        """Return whether the path jumps on the straight way between two poses."""
        path = self.muscles[muscle].getPath()

        def length(pose: Floats) -> float:
            for i, value in zip(coordinates, pose, strict=True):
                self.coordinates[i].setValue(self._state, float(value), False)
            self._follow()
            self._model.realizePosition(self._state)
            return float(path.getLength(self._state))

        first, last = length(here), length(there)
        for _ in range(_HALVINGS):
            if abs(last - first) < _JUMP:
                return False
            middle = (here + there) / 2.0
            between = length(middle)
            if abs(between - first) > abs(last - between):
                there, last = middle, between
            else:
                here, first = middle, between
        return True

    def sample_beyond(self, coordinates: Sequence[int], muscles: Sequence[int]) -> list["Beyond"]:
        """Return samples beyond the range of each coordinate, with the others in their ranges."""
        ranges = self._ranges[list(coordinates)]
        away = np.repeat(np.arange(1, _TRIED // 2 + 1) / (_TRIED // 2) * _BEYOND, 2)
        found = []
        for c, (low, high) in enumerate(ranges):
            poses = _scattered(ranges, _TRIED)
            poses[0::2, c] = low + self._margin - away[0::2]
            poses[1::2, c] = high - self._margin + away[1::2]
            found.append(Beyond(away, *self._read(poses, coordinates, muscles)))
        return found

    def _lengths(self, poses: Floats) -> Floats:
        """Return the lengths ``(S, M)`` of all paths in poses of all coordinates."""
        lengths = np.empty((len(poses), len(self.muscles)))
        for s, row in enumerate(poses):
            for coordinate, value in zip(self.coordinates, row, strict=True):
                coordinate.setValue(self._state, float(value), False)
            self._follow()
            self._model.realizePosition(self._state)
            lengths[s] = [muscle.getPath().getLength(self._state) for muscle in self.muscles]
        return lengths

    def _read(
        self, values: Floats, coordinates: Sequence[int], muscles: Sequence[int]
    ) -> tuple[Floats, Floats, Floats]:
        state = self._state
        moving = [self.coordinates[i] for i in coordinates]
        paths = [self.muscles[m].getPath() for m in muscles]
        lengths = np.empty((len(values), len(paths)))
        derivatives = np.empty((len(values), len(moving), len(paths)))
        for coordinate, default in zip(self.coordinates, self._defaults, strict=True):
            coordinate.setValue(state, default, False)
            coordinate.setSpeedValue(state, 0.0)
        for s, row in enumerate(values):
            for coordinate, value in zip(moving, row, strict=True):
                coordinate.setValue(state, float(value), False)
            self._follow()
            self._model.realizePosition(state)
            lengths[s] = [path.getLength(state) for path in paths]
            # If one coordinate has a speed of 1, the lengthening speed is the derivative.
            for c, coordinate in enumerate(moving):
                coordinate.setSpeedValue(state, 1.0)
                self._follow()
                self._model.realizeVelocity(state)
                derivatives[s, c] = [path.getLengtheningSpeed(state) for path in paths]
                coordinate.setSpeedValue(state, 0.0)
            self._follow()
        return values, lengths, derivatives

    def _follow(self) -> None:
        """Set coupled coordinates to the values that the leading coordinates give them."""
        state = self._state
        for coupled, driver, function, scale in self._couplers:
            at = opensim.Vector(1, driver.getValue(state))
            slope = function.calcDerivative(opensim.StdVectorInt([0]), at)
            coupled.setValue(state, scale * function.calcValue(at), False)
            coupled.setSpeedValue(state, scale * slope * driver.getSpeedValue(state))


def _couplers(
    model: opensim.Model,
) -> list[tuple[opensim.Coordinate, opensim.Coordinate, opensim.Function, float]]:
    found = []
    for i in range(model.getConstraintSet().getSize()):
        coupler = opensim.CoordinateCouplerConstraint.safeDownCast(model.getConstraintSet().get(i))
        if coupler is None or not coupler.get_isEnforced():
            continue
        drivers = coupler.getIndependentCoordinateNames()
        if drivers.getSize() == 1:
            coordinates = model.getCoordinateSet()
            found.append((
                coordinates.get(coupler.getDependentCoordinateName()),
                coordinates.get(drivers.get(0)),
                coupler.getFunction(),
                _scale(coupler),
            ))  # fmt: skip
    return found


def _scale(coupler: opensim.CoordinateCouplerConstraint) -> float:
    return float(opensim.PropertyHelper.getValueDouble(coupler.getPropertyByName("scale_factor")))


def _range(coordinate: opensim.Coordinate, margin: float) -> tuple[float, float]:
    low, high = coordinate.getRangeMin() - margin, coordinate.getRangeMax() + margin
    if coordinate.getMotionType() == opensim.Coordinate.Rotational and high - low > 2.0 * pi:
        # Files often have no range; angles beyond a full turn are of no use.
        return coordinate.getDefaultValue() - pi, coordinate.getDefaultValue() + pi
    return low, high


def _grid(ranges: Floats, counts: Sequence[int]) -> Floats:
    """Return a grid ``(S, C)`` that is denser towards the ends, like Chebyshev's points."""
    axes = [
        _stretch((np.arange(count) + 0.5) / count, low, high)
        for count, (low, high) in zip(counts, ranges, strict=True)
    ]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(axes))


def _scattered(ranges: Floats, count: int) -> Floats:
    """Return points ``(S, C)`` of a fixed Latin hypercube, denser towards the ends."""
    generator = np.random.default_rng(0)
    columns = [
        _stretch((generator.permutation(count) + generator.random(count)) / count, low, high)
        for low, high in ranges
    ]
    return np.stack(columns, axis=-1) if columns else np.empty((count, 0))


def _stretch(unit: Floats, low: float, high: float) -> Floats:
    return np.asarray(low + (high - low) * (1.0 - np.cos(pi * unit)) / 2.0)


def _path(
    coordinates: Sequence[str], order: int, coefficients: Floats
) -> opensim.FunctionBasedPath:
    path = opensim.FunctionBasedPath()
    for name in coordinates:
        path.appendCoordinatePath(name)
    vector = opensim.Vector.createFromMat(np.ascontiguousarray(coefficients))
    path.setLengthFunction(opensim.MultivariatePolynomialFunction(vector, len(coordinates), order))
    return path
