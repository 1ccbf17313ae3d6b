"""The interface of a compiled muscle."""

from dataclasses import dataclass
from typing import Protocol

from osimexp.physics.compiled.ir.trace import Scalar


@dataclass(frozen=True)
class Pull:
    """The force and motion of a muscle at one moment.

    Attributes:
        tendon_force: tension along the path, N.
        fibre_rate: rate of the fibre length (m/s) if that is a state; None with a rigid tendon.
        fibre_length: fibre length in optimal fibre lengths.
        fibre_velocity: fibre velocity in maximum contraction velocities; negative when shortening.
    """

    tendon_force: Scalar
    fibre_rate: Scalar | None
    fibre_length: Scalar
    fibre_velocity: Scalar


class Muscle(Protocol):
    """The equations of a muscle, without its path.

    Attributes:
        name: name of the muscle.
        elastic: whether the fibre length (m) is a state.
        fibre_range: lowest and highest fibre length (m) at which an equilibrium is looked for.
        tabulation_error: greatest error found in tabulated curves; 0 for formulas.
    """

    name: str
    elastic: bool
    fibre_range: tuple[float, float]
    tabulation_error: float

    def activation_rate(self, excitation: Scalar, activation: Scalar) -> Scalar:
        """Return the rate of activation, 1/s."""
        ...

    def pull(
        self, activation: Scalar, fibre_length: Scalar | None, length: Scalar, speed: Scalar
    ) -> Pull:
        """Return the force and motion of the muscle.

        Args:
            activation: activation in [0, 1].
            fibre_length: fibre length (m), which is a state; None with a rigid tendon.
            length: length of the path, m.
            speed: lengthening speed of the path, m/s.
        """
        ...

    def imbalance(
        self, activation: Scalar, fibre_length: Scalar, length: Scalar, speed: Scalar
    ) -> Scalar:
        """Return the fibre force minus the tendon force, in maximum isometric forces.

        An episode begins at the fibre length in ``fibre_range`` at which it is 0; it rises with the
        fibre length. Only muscles with elastic tendons have it.

        Args:
            activation: activation in [0, 1].
            fibre_length: fibre length, m.
            length: length of the path, m.
            speed: lengthening speed of the path, m/s.
        """
        ...
