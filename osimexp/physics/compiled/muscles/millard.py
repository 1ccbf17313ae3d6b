"""Millard2012EquilibriumMuscle with an elastic or a rigid tendon, damped or not."""

from dataclasses import dataclass, field

import opensim

from osimexp.physics.compiled.ir.trace import Scalar, both, less, maximum, negation, select
from osimexp.physics.compiled.mechanics.curves import Piecewise
from osimexp.physics.compiled.muscles.activation import FirstOrderActivation, read_first_order
from osimexp.physics.compiled.muscles.damped_velocity import DampedVelocity, damped_velocity
from osimexp.physics.compiled.muscles.millard_curves import (
    Tabulated,
    fibre_curves,
    inverse_velocity_curve,
    tendon_curve,
    velocity_curve,
    velocity_properties,
)
from osimexp.physics.compiled.muscles.muscle import Pull
from osimexp.physics.compiled.muscles.pennation import FixedWidth, read_pennation
from osimexp.physics.compiled.muscles.refusal import refused, require_dynamics

# Greatest fibre length at which an equilibrium is looked for, in optimal fibre lengths.
_LONGEST = 5.0
_GREATEST_ERROR = 1e-11


@dataclass
class Fibre:
    """The fibre of a Millard2012EquilibriumMuscle, which is alike for elastic and rigid tendons.

    The equations are those of OpenSim's class, after Millard et al. (2013), Journal of
    Biomechanical Engineering 135, 021005.

    Attributes:
        name: name of the muscle.
        force: maximum isometric force, N.
        optimal: optimal fibre length, m.
        slack: tendon slack length, m.
        fastest: maximum contraction velocity, optimal fibre lengths per s.
        pennation: pennation of the fibres.
        activation: activation dynamics.
        shortest: minimum fibre length, m.
        active: active force-length curve, normalised.
        passive: passive force-length curve, normalised.
    """

    name: str
    force: float
    optimal: float
    slack: float
    fastest: float
    pennation: FixedWidth
    activation: FirstOrderActivation
    shortest: float
    active: Piecewise
    passive: Piecewise


@dataclass
class ElasticMillardMuscle:
    """A Millard2012EquilibriumMuscle with an elastic tendon; its fibre length is a state.

    Attributes:
        fibre: properties and curves of the fibre.
        tendon: tendon force in maximum isometric forces, as a function of tendon slack lengths.
        velocity_at: fibre velocity as a function of the force, with fibre damping or without.
        name, elastic, fibre_range, tabulation_error: see ``Muscle``.
    """

    fibre: Fibre
    tendon: Piecewise
    velocity_at: DampedVelocity | Piecewise
    name: str
    fibre_range: tuple[float, float]
    tabulation_error: float
    elastic: bool = field(default=True, init=False)

    def activation_rate(self, excitation: Scalar, activation: Scalar) -> Scalar:
        """Return the rate of activation, 1/s."""
        return self.fibre.activation.rate(excitation, activation)

    def pull(
        self, activation: Scalar, fibre_length: Scalar | None, length: Scalar, speed: Scalar
    ) -> Pull:
        """Return the force and motion of the muscle, see ``Muscle.pull``."""
        assert fibre_length is not None
        fibre = self.fibre
        normalised, cosine, tendon = self._stretched(fibre_length, length)
        active = fibre.activation.held(activation) * fibre.active.value(normalised)
        force = tendon / cosine - fibre.passive.value(normalised)
        if isinstance(self.velocity_at, DampedVelocity):
            velocity = self.velocity_at.velocity(active, force)
        else:
            velocity = self.velocity_at.value(force / active)
        stopped = both(negation(less(fibre.shortest, fibre_length)), negation(less(0.0, velocity)))
        velocity = select(stopped, 0.0, velocity)
        rate = (fibre.fastest * fibre.optimal) * velocity
        return Pull(fibre.force * tendon, rate, normalised, velocity)

    def imbalance(
        self, activation: Scalar, fibre_length: Scalar, length: Scalar, speed: Scalar
    ) -> Scalar:
        """Return the fibre force minus the tendon force, see ``Muscle.imbalance``.

        OpenSim looks for the equilibrium of this class at velocity 0, whatever the path's speed is.
        """
        fibre = self.fibre
        normalised, cosine, tendon = self._stretched(fibre_length, length)
        active = fibre.activation.held(activation) * fibre.active.value(normalised)
        return (active + fibre.passive.value(normalised)) * cosine - tendon

    def _stretched(self, fibre_length: Scalar, length: Scalar) -> tuple[Scalar, Scalar, Scalar]:
        """Return the normalised fibre length, the cosine of pennation and the tendon's force."""
        fibre = self.fibre
        fibre_length = maximum(fibre_length, fibre.shortest)
        along = fibre.pennation.along(fibre_length)
        cosine = fibre.pennation.cosine(along, fibre_length)
        tendon = self.tendon.value((length - along) * (1.0 / fibre.slack))
        return fibre_length * (1.0 / fibre.optimal), cosine, tendon


@dataclass
class RigidMillardMuscle:
    """A Millard2012EquilibriumMuscle with a rigid tendon, which keeps its slack length.

    Attributes:
        fibre: properties and curves of the fibre.
        damping: damping of the fibre, maximum isometric forces per maximum contraction velocity.
        multiplier: force-velocity curve, normalised.
        name, elastic, fibre_range, tabulation_error: see ``Muscle``.
    """

    fibre: Fibre
    damping: float
    multiplier: Piecewise
    name: str
    tabulation_error: float
    fibre_range: tuple[float, float] = field(default=(0.0, 0.0), init=False)
    elastic: bool = field(default=False, init=False)

    def activation_rate(self, excitation: Scalar, activation: Scalar) -> Scalar:
        """Return the rate of activation, 1/s."""
        return self.fibre.activation.rate(excitation, activation)

    def pull(
        self, activation: Scalar, fibre_length: Scalar | None, length: Scalar, speed: Scalar
    ) -> Pull:
        """Return the force and motion of the muscle, see ``Muscle.pull``."""
        fibre = self.fibre
        along = length - fibre.slack
        # A fibre at its minimum length leaves the tendon slack.
        shortest = fibre.pennation.alongside(fibre.shortest)
        buckled = less(along, shortest)
        along = maximum(along, shortest)
        fibre_length = fibre.pennation.length(along)
        cosine = fibre.pennation.cosine(along, fibre_length)
        normalised = fibre_length * (1.0 / fibre.optimal)
        velocity = (speed * cosine) * (1.0 / (fibre.fastest * fibre.optimal))
        active = fibre.activation.held(activation) * fibre.active.value(normalised)
        total = (
            active * self.multiplier.value(velocity)
            + fibre.passive.value(normalised)
            + self.damping * velocity
        )
        tension = fibre.force * (maximum(total, 0.0) * cosine)
        return Pull(select(buckled, 0.0, tension), None, normalised, select(buckled, 0.0, velocity))

    def imbalance(
        self, activation: Scalar, fibre_length: Scalar, length: Scalar, speed: Scalar
    ) -> Scalar:
        """Raise TypeError, because the fibre length follows from the length of a rigid tendon."""
        raise TypeError(f"Muscle {self.name} has no fibre length to find.")


def read_millard(
    muscle: opensim.Millard2012EquilibriumMuscle,
) -> ElasticMillardMuscle | RigidMillardMuscle:
    """Return the equations of a Millard2012EquilibriumMuscle; the model's system is initialised.

    Raises:
        ModelError: one of its properties cannot be compiled, or its curves cannot be tabulated.
    """
    require_dynamics(muscle)
    optimal = muscle.get_optimal_fiber_length()
    pennation = read_pennation(muscle, muscle.get_maximum_pennation_angle())
    curves = fibre_curves(muscle.get_ActiveForceLengthCurve(), muscle.get_FiberForceLengthCurve())
    fibre = Fibre(
        name=muscle.getName(),
        force=muscle.get_max_isometric_force(),
        optimal=optimal,
        slack=muscle.get_tendon_slack_length(),
        fastest=muscle.get_max_contraction_velocity(),
        pennation=pennation,
        activation=read_first_order(muscle),
        shortest=muscle.getMinimumFiberLength(),
        active=curves.active.curve,
        passive=curves.passive.curve,
    )
    error = max(curves.active.error, curves.passive.error)
    if muscle.get_ignore_tendon_compliance():
        multiplier = velocity_curve(muscle.get_ForceVelocityCurve())
        error = _allowed(muscle, max(error, multiplier.error))
        return RigidMillardMuscle(
            fibre, muscle.get_fiber_damping(), multiplier.curve, fibre.name, error
        )
    tendon = tendon_curve(muscle.get_TendonForceLengthCurve())
    velocity_at, velocity_error = _velocity_at(muscle)
    error = _allowed(muscle, max(error, tendon.error, velocity_error))
    fibre_range = (fibre.shortest, _LONGEST * optimal)
    return ElasticMillardMuscle(fibre, tendon.curve, velocity_at, fibre.name, fibre_range, error)


def _velocity_at(
    muscle: opensim.Millard2012EquilibriumMuscle,
) -> tuple[DampedVelocity | Piecewise, float]:
    """Return the fibre velocity as a function of the force, and its error."""
    curve = muscle.get_ForceVelocityCurve()
    properties = velocity_properties(curve)
    if not muscle.getUseFiberDamping():
        inverse: Tabulated = inverse_velocity_curve(properties)
        return inverse.curve, inverse.error
    slopes = properties.concentric_slope_at_fastest, properties.eccentric_slope_at_fastest
    if slopes != (0.0, 0.0):
        raise refused(
            muscle,
            "is damped, and the slopes of its ForceVelocityCurve at the greatest velocities, "
            "concentric_slope_at_vmax and eccentric_slope_at_vmax, must be 0",
        )
    solver = damped_velocity(properties, muscle.get_fiber_damping())
    # The corners are those of the muscle's own curve.
    return solver, max(solver.error, velocity_curve(curve).error, _corner_error(muscle))


def _corner_error(muscle: opensim.Millard2012EquilibriumMuscle) -> float:
    """Return the greatest difference between the corners and OpenSim's force-velocity curve."""
    curve = muscle.get_ForceVelocityCurve()
    worst = 0.0
    for c in velocity_properties(curve).corners:
        for i in range(1, 16):
            w = i / 16.0
            bulge = 1.0 - w**5 - (1.0 - w) ** 5
            rest = (1.0 - c.curviness) * (10.0 * w**3 - 15.0 * w**4 + 5.0 * w**5) + w**5
            x, y = (
                c.first[k]
                + c.curviness * (c.crossing[k] - c.first[k]) * bulge
                + (c.last[k] - c.first[k]) * rest
                for k in (0, 1)
            )
            worst = max(worst, abs(curve.calcValue(x) - y))
    return worst


def _allowed(muscle: opensim.Millard2012EquilibriumMuscle, error: float) -> float:
    """Return an error, or refuse the muscle if the error is too large."""
    if not error <= _GREATEST_ERROR:
        raise refused(
            muscle,
            f"has curves that physics=compiled misses by {error:.1g}, more than "
            f"{_GREATEST_ERROR:g}: its curves must be less sharply bent, or its fiber_damping "
            "larger",
        )
    return error
