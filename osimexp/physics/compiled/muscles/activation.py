"""How activation follows excitation."""

from dataclasses import dataclass

import opensim

from osimexp.physics.compiled.ir.trace import Scalar, less, maximum, minimum, select, tanh


@dataclass(frozen=True)
class FirstOrderActivation:
    """Activation that rises with one time constant and falls with another.

    The formula of OpenSim's MuscleFirstOrderActivationDynamicModel, after Thelen (2003),
    Journal of Biomechanical Engineering 125, 70-77.

    Attributes:
        rise: time constant, s.
        fall: time constant, s.
        least: activation below which the muscle does not go.
    """

    rise: float
    fall: float
    least: float

    def held(self, activation: Scalar) -> Scalar:
        """Return the activation within [least, 1]."""
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
    """The same, with a smooth passage from one time constant to the other.

    The formula of De Groote et al. (2016), Annals of Biomedical Engineering 44, 2922-2936, with
    the steepness of OpenSim's DeGrooteFregly2016Muscle.

    Attributes:
        rise: time constant, s.
        fall: time constant, s.
        steepness: of the passage, per unit of activation.
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
    """Read how activation follows excitation in a Millard or Thelen muscle."""
    return FirstOrderActivation(
        muscle.get_activation_time_constant(),
        muscle.get_deactivation_time_constant(),
        muscle.get_minimum_activation(),
    )
