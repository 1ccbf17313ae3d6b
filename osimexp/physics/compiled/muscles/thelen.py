"""Thelen2003Muscle: an elastic tendon and a force-velocity curve that depends on activation."""

from dataclasses import dataclass, field
from math import exp as exponential

import opensim

from osimexp.physics.compiled.ir.trace import (
    Scalar,
    both,
    exp,
    less,
    maximum,
    minimum,
    negation,
    select,
)
from osimexp.physics.compiled.muscles.activation import FirstOrderActivation, read_first_order
from osimexp.physics.compiled.muscles.muscle import Pull
from osimexp.physics.compiled.muscles.pennation import FixedWidth, read_pennation
from osimexp.physics.compiled.muscles.refusal import refused, require_dynamics

# Shape of the tendon's curve, and the force at which it becomes a straight line.
_TOE_SHAPE = 3.0
_TOE_FORCE = 0.33
# Rounds of iteration for the fibre's share of the path's speed.
_SHARING = 12
# Greatest fibre length at which an equilibrium is looked for, in optimal fibre lengths.
_LONGEST = 5.0


@dataclass
class ThelenMuscle:
    """The equations of OpenSim's Thelen2003Muscle.

    They are those of Thelen (2003), Journal of Biomechanical Engineering 125, 70-77, with OpenSim's
    straight lines beyond the ends of the force-velocity curve.

    Attributes:
        name: name of the muscle.
        force: maximum isometric force, N.
        optimal: optimal fibre length, m.
        slack: tendon slack length, m.
        fastest: maximum contraction velocity, optimal fibre lengths per s.
        pennation: pennation of the fibres.
        activation: activation dynamics.
        tendon_strain: tendon strain at the maximum isometric force.
        muscle_strain: passive fibre strain at the maximum isometric force.
        active_shape: shape factor of the Gaussian of active force over fibre length.
        passive_shape: shape factor of the exponential of passive force over fibre length.
        concentric_shape: shape factor of the force-velocity curve (Af).
        eccentric_force: greatest eccentric force, in maximum isometric forces (Flen).
        threshold: share of the greatest eccentric force above which the curve is a straight line.
        fibre_range: lowest and highest fibre length (m) at which an equilibrium is looked for.
    """

    name: str
    force: float
    optimal: float
    slack: float
    fastest: float
    pennation: FixedWidth
    activation: FirstOrderActivation
    tendon_strain: float
    muscle_strain: float
    active_shape: float
    passive_shape: float
    concentric_shape: float
    eccentric_force: float
    threshold: float
    fibre_range: tuple[float, float]
    elastic: bool = field(default=True, init=False)
    tabulation_error: float = field(default=0.0, init=False)

    def activation_rate(self, excitation: Scalar, activation: Scalar) -> Scalar:
        """Return the rate of activation, 1/s."""
        return self.activation.rate(excitation, activation)

    def pull(
        self, activation: Scalar, fibre_length: Scalar | None, length: Scalar, speed: Scalar
    ) -> Pull:
        """Return the force and motion of the muscle, see ``Muscle.pull``."""
        assert fibre_length is not None
        a = self.activation.held(activation)
        fibre = maximum(fibre_length, self.pennation.least)
        along = self.pennation.along(fibre)
        cosine = self.pennation.cosine(along, fibre)
        normalised = fibre * (1.0 / self.optimal)
        tendon = self._tendon((length - along) * (1.0 / self.slack))
        active_force = tendon / cosine - self._passive(normalised)
        velocity = self._velocity(a, a * self._active(normalised), active_force)
        stopped = both(
            negation(less(self.pennation.least, fibre_length)), negation(less(0.0, velocity))
        )
        velocity = select(stopped, 0.0, velocity)
        return Pull(
            self.force * tendon, (self.fastest * self.optimal) * velocity, normalised, velocity
        )

    def imbalance(
        self, activation: Scalar, fibre_length: Scalar, length: Scalar, speed: Scalar
    ) -> Scalar:
        """Return the fibre force minus the tendon force, see ``Muscle.imbalance``.

        As in OpenSim's initMuscleState, the speed of the path is shared between fibre and tendon by
        their stiffnesses, which depend on the fibre's share.
        """
        a = self.activation.held(activation)
        fibre = maximum(fibre_length, self.pennation.least)
        along = self.pennation.along(fibre)
        cosine = self.pennation.cosine(along, fibre)
        normalised = fibre * (1.0 / self.optimal)
        stretch = (length - along) * (1.0 / self.slack)
        tendon, tendon_slope = self._tendon(stretch), self._tendon_slope(stretch)
        active, passive = self._active(normalised), self._passive(normalised)
        taut = less(1.0, stretch)
        stiffness = tendon_slope * (1.0 / self.slack)
        # The fibre's stiffness along the tendon is `fixed + rising * multiplier`.
        turning = (self.pennation.width * self.pennation.width) / (fibre * fibre * along)
        passive_part = self._passive_slope(normalised) * (1.0 / self.optimal)
        active_part = a * self._active_slope(normalised) * (1.0 / self.optimal)
        fixed = cosine * (passive_part * cosine + passive * turning)
        rising = cosine * (active_part * cosine + a * active * turning)
        multiplier: Scalar = 1.0
        whole = cosine * speed * (1.0 / (self.fastest * self.optimal))
        for _ in range(_SHARING):
            fibre_stiffness = fixed + rising * multiplier
            share = stiffness / (fibre_stiffness + stiffness)
            multiplier = self._multiplier(a, select(taut, whole * share, 0.0))
        return (a * active * multiplier + passive) * cosine - tendon

    # Curves

    def _tendon(self, stretch: Scalar) -> Scalar:
        """Return the tendon force at a tendon length in slack lengths."""
        toe, slope = self._toe()
        strain = maximum(stretch - 1.0, 0.0)
        bent = minimum(strain, toe)
        scale = _TOE_FORCE / (exponential(_TOE_SHAPE) - 1.0)
        curved = scale * (exp((_TOE_SHAPE / toe) * bent) - 1.0)
        return curved + slope * (strain - bent)

    def _tendon_slope(self, stretch: Scalar) -> Scalar:
        toe, slope = self._toe()
        strain = stretch - 1.0
        scale = _TOE_FORCE / (exponential(_TOE_SHAPE) - 1.0) * _TOE_SHAPE / toe
        curved = scale * exp((_TOE_SHAPE / toe) * minimum(maximum(strain, 0.0), toe))
        return select(less(toe, strain), slope, select(less(0.0, strain), curved, 0.0))

    def _toe(self) -> tuple[float, float]:
        """Return the strain at which the tendon's straight line begins, and its slope."""
        cube = exponential(3.0)
        toe = 99.0 * self.tendon_strain * cube / (166.0 * cube - 67.0)
        return toe, 0.67 / (self.tendon_strain - toe)

    def _active(self, normalised: Scalar) -> Scalar:
        offset = normalised - 1.0
        return exp((-1.0 / self.active_shape) * (offset * offset))

    def _active_slope(self, normalised: Scalar) -> Scalar:
        return (-2.0 / self.active_shape) * (normalised - 1.0) * self._active(normalised)

    def _passive(self, normalised: Scalar) -> Scalar:
        rate, scale = self._passive_constants()
        return scale * (exp(rate * maximum(normalised - 1.0, 0.0)) - 1.0)

    def _passive_slope(self, normalised: Scalar) -> Scalar:
        rate, scale = self._passive_constants()
        stretched = rate * scale * exp(rate * maximum(normalised - 1.0, 0.0))
        return select(less(1.0, normalised), stretched, 0.0)

    def _passive_constants(self) -> tuple[float, float]:
        rate = self.passive_shape / self.muscle_strain
        return rate, 1.0 / (exponential(self.passive_shape) - 1.0)

    # Force and velocity

    def _eccentric_steepness(self) -> float:
        return (2.0 + 2.0 / self.concentric_shape) / (self.eccentric_force - 1.0)

    def _velocity(self, a: Scalar, isometric: Scalar, force: Scalar) -> Scalar:
        """Return the fibre velocity at an active force, in maximum contraction velocities.

        Args:
            a: activation.
            isometric: active force at velocity 0, in maximum isometric forces.
            force: active force, in maximum isometric forces.
        """
        steepness = self._eccentric_steepness()
        greatest = self.eccentric_force * isometric
        kept = minimum(maximum(force, 0.0), self.threshold * greatest)
        concentric = negation(less(isometric, kept))
        nominator = (0.25 + 0.75 * a) * (kept - isometric)
        divisor = select(
            concentric,
            isometric + kept * (1.0 / self.concentric_shape),
            steepness * (greatest - kept),
        )
        divisor_slope = select(concentric, 1.0 / self.concentric_shape, -steepness)
        velocity = nominator / divisor
        slope = (0.25 + 0.75 * a - velocity * divisor_slope) / divisor
        return velocity + slope * (force - kept)

    def _multiplier(self, a: Scalar, velocity: Scalar) -> Scalar:
        """Return the active force at a velocity, over that at velocity 0."""
        shape, steepness = self.concentric_shape, self._eccentric_steepness()
        k = 0.25 + 0.75 * a
        # The end of the curve and its slope there, both for an isometric force of 1.
        lowest, low_slope = -k, k * (1.0 + 1.0 / shape)
        gap = steepness * self.eccentric_force * (1.0 - self.threshold)
        highest = k * (self.threshold * self.eccentric_force - 1.0) * (1.0 / gap)
        high_slope = (k + steepness * highest) * (1.0 / gap)
        kept = minimum(maximum(velocity, lowest), highest)
        concentric = (k + kept) / (k - kept * (1.0 / shape))
        eccentric = (k + (steepness * self.eccentric_force) * kept) / (k + steepness * kept)
        found = select(less(0.0, kept), eccentric, concentric)
        beyond = velocity - kept
        found = found + beyond / select(less(0.0, beyond), high_slope, low_slope)
        return maximum(found, 0.0)


def read_thelen(muscle: opensim.Thelen2003Muscle) -> ThelenMuscle:
    """Return the equations of a Thelen2003Muscle of a model whose system was initialised.

    Raises:
        ModelError: one of its properties cannot be compiled.
    """
    require_dynamics(muscle)
    if muscle.get_ignore_tendon_compliance():
        raise refused(
            muscle,
            "has an elastic tendon alone in OpenSim: its ignore_tendon_compliance must be false",
        )
    optimal = muscle.get_optimal_fiber_length()
    pennation = read_pennation(muscle, muscle.get_maximum_pennation_angle())
    return ThelenMuscle(
        name=muscle.getName(),
        force=muscle.get_max_isometric_force(),
        optimal=optimal,
        slack=muscle.get_tendon_slack_length(),
        fastest=muscle.get_max_contraction_velocity(),
        pennation=pennation,
        activation=read_first_order(muscle),
        tendon_strain=muscle.get_FmaxTendonStrain(),
        muscle_strain=muscle.get_FmaxMuscleStrain(),
        active_shape=muscle.get_KshapeActive(),
        passive_shape=muscle.get_KshapePassive(),
        concentric_shape=muscle.get_Af(),
        eccentric_force=muscle.get_Flen(),
        threshold=muscle.get_fv_linear_extrap_threshold(),
        fibre_range=(max(pennation.least, 1e-3 * optimal), _LONGEST * optimal),
    )
