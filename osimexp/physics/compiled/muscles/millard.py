"""Millard2012EquilibriumMuscle: elastic or rigid, with a damped fibre or without."""

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
    velocity_figures,
)
from osimexp.physics.compiled.muscles.muscle import Pull
from osimexp.physics.compiled.muscles.pennation import FixedWidth, read_pennation
from osimexp.physics.compiled.muscles.refusal import refused, require_dynamics

# An equilibrium is sought up to this fibre length, in optimal ones.
_LONGEST = 5.0
_GREATEST_ERROR = 1e-11


@dataclass
class Fibre:
    """What muscles of this class have whatever their tendon is.

    The equations of OpenSim's Millard2012EquilibriumMuscle, after Millard et al. (2013), Journal
    of Biomechanical Engineering 135, 021005.

    Attributes:
        name: of the muscle.
        force: maximum isometric force, N.
        optimal: optimal fibre length, m.
        slack: tendon slack length, m.
        fastest: maximum contraction velocity, optimal fibre lengths per s.
        pennation: of the fibres.
        activation: how it follows excitation.
        shortest: fibre length, m.
        active: force over the fibre length.
        passive: force over the fibre length.
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
    """A muscle whose fibre length is a state.

    Attributes:
        fibre: its figures.
        tendon: force over the length in slack lengths.
        velocity_at: fibre velocity from the force: of a damped fibre, or without damping.
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
        """Return what it does, see ``Muscle``."""
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
        """Return by how much the fibre pulls more than the tendon, see ``Muscle``.

        OpenSim seeks the equilibrium of this class without motion, whatever the path's speed.
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
    """A muscle whose tendon keeps its slack length.

    Attributes:
        fibre: its figures.
        damping: of the fibre, maximum isometric forces per maximum contraction velocity.
        multiplier: force over the fibre's velocity.
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
        """Return what it does, see ``Muscle``."""
        fibre = self.fibre
        along = length - fibre.slack
        # A fibre that can shorten no further leaves its tendon slack.
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
        """Not asked of a rigid tendon."""
        raise TypeError(f"Muscle {self.name} has no fibre length to find.")


def read_millard(
    muscle: opensim.Millard2012EquilibriumMuscle,
) -> ElasticMillardMuscle | RigidMillardMuscle:
    """Read a Millard2012EquilibriumMuscle of a model whose system is made.

    Raises:
        ModelError: one of its properties cannot be honoured, or its curves cannot be tabulated.
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
    """Return how the velocity is found, and the error of it."""
    curve = muscle.get_ForceVelocityCurve()
    figures = velocity_figures(curve)
    if not muscle.getUseFiberDamping():
        inverse: Tabulated = inverse_velocity_curve(figures)
        return inverse.curve, inverse.error
    if figures.concentric_slope_at_fastest != 0.0 or figures.eccentric_slope_at_fastest != 0.0:
        raise refused(
            muscle,
            "is damped, and the slopes of its ForceVelocityCurve at the greatest velocities, "
            "concentric_slope_at_vmax and eccentric_slope_at_vmax, must be 0",
        )
    solver = damped_velocity(figures, muscle.get_fiber_damping())
    # The corners are those of the muscle's own curve.
    return solver, max(solver.error, velocity_curve(curve).error, _corner_error(muscle))


def _corner_error(muscle: opensim.Millard2012EquilibriumMuscle) -> float:
    """Return how far the corners are from OpenSim's force-velocity curve."""
    curve = muscle.get_ForceVelocityCurve()
    worst = 0.0
    for c in velocity_figures(curve).corners:
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
    """Return an error, unless it is too large."""
    if not error <= _GREATEST_ERROR:
        raise refused(
            muscle,
            f"has curves that physics=compiled misses by {error:.1g}, more than "
            f"{_GREATEST_ERROR:g}: its curves must be less sharply bent, or its fiber_damping "
            "larger",
        )
    return error
