"""Activation dynamics: the rate of activation from excitation and activation."""

from dataclasses import dataclass

import opensim

from osimexp.physics.compiled.ir.trace import Scalar, less, maximum, minimum, select, tanh


@dataclass(frozen=True)
class FirstOrderActivation:
    """Activation dynamics with one time constant to rise and another to fall.

    The formula is that of OpenSim's MuscleFirstOrderActivationDynamicModel, after Thelen (2003),
    Journal of Biomechanical Engineering 125, 70-77.

    Attributes:
        rise: activation time constant, s.
        fall: deactivation time constant, s.
        least: minimum activation.
    """

    rise: float
    fall: float
    least: float

    def held(self, activation: Scalar) -> Scalar:
        """Return an activation limited to [least, 1]."""
        return minimum(maximum(activation, self.least), 1.0)

    def rate(self, excitation: Scalar, activation: Scalar) -> Scalar:
        """Return the rate of activation, 1/s."""
        activation = self.held(activation)
        slowing = 0.5 + 1.5 * activation
        missing = excitation - activation
        speed = select(less(0.0, missing), (1.0 / self.rise) / slowing, (1.0 / self.fall) * slowing)
        return missing * speed


@dataclass(frozen=True)
class BlendedActivation:
    """Activation dynamics with a smooth change between the time constants of rise and fall.

    The formula is that of De Groote et al. (2016), Annals of Biomedical Engineering 44, 2922-2936,
    with the steepness of OpenSim's DeGrooteFregly2016Muscle.

    Attributes:
        rise: activation time constant, s.
        fall: deactivation time constant, s.
        steepness: steepness of the change, per unit of activation.
    """

    rise: float
    fall: float
    steepness: float

    def rate(self, excitation: Scalar, activation: Scalar) -> Scalar:
        """Return the rate of activation, 1/s."""
        slowing = 0.5 + 1.5 * activation
        missing = excitation - activation
        blend = 0.5 * tanh(self.steepness * missing)
        rising = (1.0 / self.rise) / slowing
        falling = (1.0 / self.fall) * slowing
        return missing * (rising * (0.5 + blend) + falling * (0.5 - blend))


def read_first_order(muscle: opensim.Muscle) -> FirstOrderActivation:
    """Return the activation dynamics of a Millard or Thelen muscle."""
    return FirstOrderActivation(
        muscle.get_activation_time_constant(),
        muscle.get_deactivation_time_constant(),
        muscle.get_minimum_activation(),
    )
