"""The curves of Millard2012EquilibriumMuscle as piecewise polynomials.

The ends of the pieces follow from the constructions of OpenSim's SmoothSegmentedFunctionFactory,
after Millard et al. (2013), Journal of Biomechanical Engineering 135, 021005. The polynomials
between them are fitted to samples of OpenSim's own curves.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import opensim

from osimexp.physics.compiled.mechanics.curves import Piecewise, tabulated
from osimexp.physics.compiled.muscles.corners import Corner, Point, corner

# Tables are tried, the smallest first, until the error of one is below this.
_NEAR = 1e-12
_SIZES = ((8, 32), (9, 32), (9, 64), (10, 128))
# Number of places at which a muscle's own curve is compared with the table.
_PLACES = 64
# Where corners of the force-velocity curve meet near the maximum velocities.
_NEAR_FASTEST = 0.9


@dataclass(frozen=True)
class Tabulated:
    """A tabulated curve and the greatest error found in it."""

    curve: Piecewise
    error: float


@dataclass(frozen=True)
class FibreCurves:
    """The active and the passive force-length curve; both have the same pieces."""

    active: Tabulated
    passive: Tabulated


def fibre_curves(
    active: opensim.ActiveForceLengthCurve, passive: opensim.FiberForceLengthCurve
) -> FibreCurves:
    """Return the active and passive force over fibre length in optimal fibre lengths."""
    found = _fibre_curves(
        (
            active.get_min_norm_active_fiber_length(),
            active.get_transition_norm_fiber_length(),
            active.get_max_norm_active_fiber_length(),
            active.get_shallow_ascending_slope(),
            active.get_minimum_value(),
        ),
        (
            passive.get_strain_at_zero_force(),
            passive.get_strain_at_one_norm_force(),
            passive.getStiffnessAtLowForceInUse(),
            passive.getStiffnessAtOneNormForceInUse(),
            passive.getCurvinessInUse(),
        ),
    )
    return FibreCurves(
        _compared(found.active, active.calcValue), _compared(found.passive, passive.calcValue)
    )


def tendon_curve(curve: opensim.TendonForceLengthCurve) -> Tabulated:
    """Return the tendon force over tendon length in slack lengths."""
    found = _tendon_curve(
        curve.get_strain_at_one_norm_force(),
        curve.getStiffnessAtOneNormForceInUse(),
        curve.getNormForceAtToeEndInUse(),
        curve.getCurvinessInUse(),
    )
    return _compared(found, curve.calcValue)


@dataclass(frozen=True)
class VelocityProperties:
    """The properties of a ForceVelocityCurve, in the order of its constructor."""

    concentric_slope_at_fastest: float
    concentric_slope_near_fastest: float
    isometric_slope: float
    eccentric_slope_at_fastest: float
    eccentric_slope_near_fastest: float
    greatest: float
    concentric_curviness: float
    eccentric_curviness: float

    @property
    def points(self) -> tuple[tuple[Point, float], ...]:
        """Points (x, y) where the curve's corners meet, and the slope at each."""
        slow = 0.5 * (1.0 - _NEAR_FASTEST)
        concentric = self.concentric_slope_at_fastest + self.concentric_slope_near_fastest
        eccentric = self.eccentric_slope_at_fastest + self.eccentric_slope_near_fastest
        return (
            ((-1.0, 0.0), self.concentric_slope_at_fastest),
            ((-_NEAR_FASTEST, slow * concentric), self.concentric_slope_near_fastest),
            ((0.0, 1.0), self.isometric_slope),
            ((_NEAR_FASTEST, self.greatest - slow * eccentric), self.eccentric_slope_near_fastest),
            ((1.0, self.greatest), self.eccentric_slope_at_fastest),
        )

    @property
    def corners(self) -> tuple[Corner, ...]:
        """The four corners of the curve, in the order of rising velocity."""
        curviness = [self.concentric_curviness] * 2 + [self.eccentric_curviness] * 2
        return tuple(
            corner(*first, *last, c)
            for first, last, c in zip(self.points[:-1], self.points[1:], curviness, strict=True)
        )


def velocity_properties(curve: opensim.ForceVelocityCurve) -> VelocityProperties:
    """Return the properties of a force-velocity curve."""
    return VelocityProperties(
        curve.get_concentric_slope_at_vmax(),
        curve.get_concentric_slope_near_vmax(),
        curve.get_isometric_slope(),
        curve.get_eccentric_slope_at_vmax(),
        curve.get_eccentric_slope_near_vmax(),
        curve.get_max_eccentric_velocity_force_multiplier(),
        curve.get_concentric_curviness(),
        curve.get_eccentric_curviness(),
    )


def velocity_curve(curve: opensim.ForceVelocityCurve) -> Tabulated:
    """Return the force over fibre velocity in maximum contraction velocities."""
    return _compared(_velocity_curve(velocity_properties(curve)), curve.calcValue)


@cache
def inverse_velocity_curve(properties: VelocityProperties) -> Tabulated:
    """Return the fibre velocity over the force, as OpenSim has it for a fibre without damping.

    The straight lines beyond its ends have half the slopes that the force-velocity curve has near
    the maximum velocities; the slopes at the maximum velocities are not used.
    """
    concentric = 0.5 * properties.concentric_slope_near_fastest
    eccentric = 0.5 * properties.eccentric_slope_near_fastest
    used = VelocityProperties(
        concentric,
        properties.concentric_slope_near_fastest,
        properties.isometric_slope,
        eccentric,
        properties.eccentric_slope_near_fastest,
        properties.greatest,
        properties.concentric_curviness,
        properties.eccentric_curviness,
    )
    curve = opensim.ForceVelocityInverseCurve(*_listed(used))
    joints = tuple(y for (_, y), _ in used.points)
    return _table(curve.calcValue, joints, (1.0 / concentric, 1.0 / eccentric))


@cache
def _fibre_curves(active: tuple[float, ...], passive: tuple[float, ...]) -> FibreCurves:
    low, transition, high = active[:3]
    shoulder = 0.05
    rising = (
        low,
        low + 0.5 * (transition - low),
        transition + 0.5 * (1.0 - shoulder - transition),
        1.0,
        1.0 + shoulder + 0.5 * (high - 1.0 - shoulder),
        high,
    )
    zero, one = 1.0 + passive[0], 1.0 + passive[1]
    stretching = (zero, zero + min(0.1 / passive[3], 0.1 * (one - zero)), one)
    joints = _merged((*rising, *stretching))
    active_curve = opensim.ActiveForceLengthCurve(*active)
    passive_curve = opensim.FiberForceLengthCurve(*passive)
    lines = (0.0, 0.0), (0.0, passive[3])
    for degree, parts in _SIZES:
        found = FibreCurves(
            Tabulated(*tabulated(active_curve.calcValue, joints, parts, degree, lines[0])),
            Tabulated(*tabulated(passive_curve.calcValue, joints, parts, degree, lines[1])),
        )
        if max(found.active.error, found.passive.error) < _NEAR:
            break
    return found


@cache
def _tendon_curve(strain: float, stiffness: float, toe: float, curviness: float) -> Tabulated:
    end = 1.0 + strain + (toe - 1.0) / stiffness
    foot = 1.0 + 0.1 * (end - 1.0)
    middle = 1.0 + strain + (0.5 * toe - 1.0) / stiffness
    curve = opensim.TendonForceLengthCurve(strain, stiffness, toe, curviness)
    joints = (1.0, foot + 0.5 * (middle - foot), end)
    return _table(curve.calcValue, joints, (0.0, stiffness))


@cache
def _velocity_curve(properties: VelocityProperties) -> Tabulated:
    curve = opensim.ForceVelocityCurve(*_listed(properties))
    joints = tuple(x for (x, _), _ in properties.points)
    slopes = properties.concentric_slope_at_fastest, properties.eccentric_slope_at_fastest
    return _table(curve.calcValue, joints, slopes)


def _listed(properties: VelocityProperties) -> tuple[float, ...]:
    return (
        properties.concentric_slope_at_fastest,
        properties.concentric_slope_near_fastest,
        properties.isometric_slope,
        properties.eccentric_slope_at_fastest,
        properties.eccentric_slope_near_fastest,
        properties.greatest,
        properties.concentric_curviness,
        properties.eccentric_curviness,
    )


def _table(
    function: Callable[[float], float], joints: tuple[float, ...], slopes: tuple[float, float]
) -> Tabulated:
    for degree, parts in _SIZES:
        found = Tabulated(*tabulated(function, joints, parts, degree, slopes))
        if found.error < _NEAR:
            break
    return found


def _merged(joints: tuple[float, ...]) -> tuple[float, ...]:
    """Return sorted joints, with those that differ by rounding alone merged."""
    ordered: list[float] = []
    for joint in sorted(joints):
        if not ordered or joint - ordered[-1] > 1e-12:
            ordered.append(joint)
    return tuple(ordered)


def _compared(table: Tabulated, function: Callable[[float], float]) -> Tabulated:
    """Return the table with its error against a muscle's own curve."""
    seen = max(abs(value - function(x)) for x, value in _read_off(table.curve))
    return Tabulated(table.curve, max(table.error, seen))


@cache
def _read_off(curve: Piecewise) -> tuple[tuple[float, float], ...]:
    """Return places on and beyond a table, and its values there."""
    low, high = curve.breaks[0], curve.breaks[-1]
    margin = 0.1 * (high - low)
    found = []
    for i in range(_PLACES):
        # Steps of the golden ratio, so that the places have no period in common with the pieces.
        x = low - margin + (0.618033988749895 * i % 1.0) * (high - low + 2.0 * margin)
        value = curve.value(x)
        assert isinstance(value, float)
        found.append((x, value))
    return tuple(found)
