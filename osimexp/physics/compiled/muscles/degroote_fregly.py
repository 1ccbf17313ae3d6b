"""DeGrooteFregly2016Muscle with a rigid tendon."""

from dataclasses import dataclass, field
from math import exp as exponential
from math import sin

import opensim

from osimexp.physics.compiled.ir.trace import Scalar, absolute, exp, less, log, select, sqrt
from osimexp.physics.compiled.muscles.activation import BlendedActivation
from osimexp.physics.compiled.muscles.muscle import Pull
from osimexp.physics.compiled.muscles.pennation import FixedWidth
from osimexp.physics.compiled.muscles.refusal import refused, require_dynamics

# The constants of the curves are OpenSim's: those of the paper, changed so that the curves go
# through (1, 1), (-1, 0) and (0, 1).
_ACTIVE = (
    (0.8150671134243542, 1.055033428970575, 0.162384573599574, 0.063303448465465),
    (0.433004984392647, 0.716775413397760, -0.029947116970696, 0.200356847296188),
    (0.1, 1.0, 0.353553390593274, 0.0),
)
_VELOCITY = (-0.3211346127989808, -8.149, -0.374, 0.8825327733249912)
_PASSIVE_SHAPE = 4.0
_LEAST_LENGTH = 0.2


@dataclass
class DeGrooteFreglyMuscle:
    """The equations of OpenSim's DeGrooteFregly2016Muscle with a rigid tendon.

    They are those of De Groote et al. (2016), Annals of Biomedical Engineering 44, 2922-2936, with
    OpenSim's damping of the fibre and width of the active force-length curve.

    Attributes:
        name: name of the muscle.
        force: maximum isometric force, N.
        optimal: optimal fibre length, m.
        slack: tendon slack length, m.
        fastest: maximum contraction velocity, optimal fibre lengths per s.
        pennation: pennation of the fibres.
        activation: activation dynamics.
        damping: damping of the fibre, maximum isometric forces per maximum contraction velocity.
        active_width: factor of the width of the active force-length curve.
        passive_strain: passive strain of the fibre at the maximum isometric force; None without
            passive force.
    """

    name: str
    force: float
    optimal: float
    slack: float
    fastest: float
    pennation: FixedWidth
    activation: BlendedActivation
    damping: float
    active_width: float
    passive_strain: float | None
    elastic: bool = field(default=False, init=False)
    fibre_range: tuple[float, float] = field(default=(0.0, 0.0), init=False)
    tabulation_error: float = field(default=0.0, init=False)

    def activation_rate(self, excitation: Scalar, activation: Scalar) -> Scalar:
        """Return the rate of activation, 1/s."""
        return self.activation.rate(excitation, activation)

    def pull(
        self, activation: Scalar, fibre_length: Scalar | None, length: Scalar, speed: Scalar
    ) -> Pull:
        """Return the force and motion of the muscle, see ``Muscle.pull``."""
        along = length - self.slack
        fibre = self._length(along)
        cosine = along / fibre
        normalised = fibre * (1.0 / self.optimal)
        velocity = (speed * cosine) * (1.0 / (self.fastest * self.optimal))
        active = activation * self._active(normalised) * _force_velocity(velocity)
        total = active + self._passive(normalised) + self.damping * velocity
        return Pull(self.force * (total * cosine), None, normalised, velocity)

    def imbalance(
        self, activation: Scalar, fibre_length: Scalar, length: Scalar, speed: Scalar
    ) -> Scalar:
        """Raise TypeError, because the fibre length follows from the length of a rigid tendon."""
        raise TypeError(f"Muscle {self.name} has no fibre length to find.")

    def _length(self, along: Scalar) -> Scalar:
        return absolute(along) if self.pennation.width == 0.0 else self.pennation.length(along)

    def _active(self, normalised: Scalar) -> Scalar:
        x = (normalised - 1.0) * (1.0 / self.active_width) + 1.0
        result: Scalar = 0.0
        for height, centre, width, widening in _ACTIVE:
            ratio = (x - centre) / (width + widening * x)
            result = result + height * exp(-0.5 * (ratio * ratio))
        return result

    def _passive(self, normalised: Scalar) -> Scalar:
        if self.passive_strain is None:
            return 0.0
        rate = _PASSIVE_SHAPE / self.passive_strain
        offset = exponential(rate * (_LEAST_LENGTH - 1.0))
        scale = 1.0 / (exponential(_PASSIVE_SHAPE) - offset)
        return scale * (exp(rate * (normalised - 1.0)) - offset)


def _force_velocity(velocity: Scalar) -> Scalar:
    height, steepness, centre, offset = _VELOCITY
    t = steepness * velocity + centre
    # The inverse hyperbolic sine of |t|, as digits would be lost for t far below 0.
    size = log(absolute(t) + sqrt(t * t + 1.0))
    return select(less(t, 0.0), -height * size, height * size) + offset


def read_degroote_fregly(muscle: opensim.DeGrooteFregly2016Muscle) -> DeGrooteFreglyMuscle:
    """Return the equations of a DeGrooteFregly2016Muscle of a model whose system was initialised.

    Raises:
        ModelError: one of its properties cannot be compiled.
    """
    require_dynamics(muscle)
    if not muscle.get_ignore_tendon_compliance():
        raise refused(
            muscle,
            "has an elastic tendon, which in this class is too stiff to integrate: its "
            "ignore_tendon_compliance must be true (model.tendon=rigid for a "
            "model of osimexp's own)",
        )
    activation = _activation(muscle)
    _require_equal(muscle, activation)
    passive = None
    if not muscle.get_ignore_passive_fiber_force():
        passive = muscle.get_passive_fiber_strain_at_one_norm_force()
    optimal = muscle.get_optimal_fiber_length()
    width = optimal * sin(muscle.get_pennation_angle_at_optimal())
    return DeGrooteFreglyMuscle(
        name=muscle.getName(),
        force=muscle.get_max_isometric_force(),
        optimal=optimal,
        slack=muscle.get_tendon_slack_length(),
        fastest=muscle.get_max_contraction_velocity(),
        pennation=FixedWidth(width, width),
        activation=activation,
        damping=muscle.get_fiber_damping(),
        active_width=muscle.get_active_force_width_scale(),
        passive_strain=passive,
    )


def _activation(muscle: opensim.DeGrooteFregly2016Muscle) -> BlendedActivation:
    return BlendedActivation(
        muscle.get_activation_time_constant(),
        muscle.get_deactivation_time_constant(),
        muscle.get_activation_dynamics_smoothing(),
    )


def _require_equal(muscle: opensim.DeGrooteFregly2016Muscle, activation: BlendedActivation) -> None:
    """Refuse time constants that differ within a model.

    OpenSim gives every muscle of this class the time constants of the muscle that a process works
    out first, so the model alone does not say which ones count.
    """
    muscles = muscle.getModel().getMuscles()
    for i in range(muscles.getSize()):
        other = opensim.DeGrooteFregly2016Muscle.safeDownCast(muscles.get(i))
        if other is not None and _activation(other) != activation:
            raise refused(
                muscle,
                f"differs from {other.getName()} in activation_time_constant, "
                "deactivation_time_constant or activation_dynamics_smoothing, of which OpenSim "
                "uses one muscle's for all: they must be equal",
            )
