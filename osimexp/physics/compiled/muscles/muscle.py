"""What every compiled muscle offers."""

from dataclasses import dataclass
from typing import Protocol

from osimexp.physics.compiled.ir.trace import Scalar


@dataclass(frozen=True)
class Pull:
    """What a muscle does at one moment.

    Attributes:
        tendon_force: N, along the path.
        fibre_rate: m/s, the rate of the fibre length that is a state; None with a rigid tendon.
        fibre_length: in optimal fibre lengths.
        fibre_velocity: in maximum contraction velocities, shortening negative.
    """

    tendon_force: Scalar
    fibre_rate: Scalar | None
    fibre_length: Scalar
    fibre_velocity: Scalar


class Muscle(Protocol):
    """A muscle's own equations, apart from its path.

    Attributes:
        name: of the muscle.
        elastic: whether its fibre length (m) is a state.
        fibre_range: m, the lowest and highest fibre length that an equilibrium is sought in.
        tabulation_error: greatest error found in its tabulated curves; 0 for formulas.
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
        """Return what it does.

        Args:
            activation: the state, in [0, 1].
            fibre_length: the state, m; None with a rigid tendon.
            length: of the path, m.
            speed: lengthening speed of the path, m/s.
        """
        ...

    def imbalance(
        self, activation: Scalar, fibre_length: Scalar, length: Scalar, speed: Scalar
    ) -> Scalar:
        """Return by how much the fibre pulls more than the tendon (in maximum isometric forces).

        An episode begins at the fibre length in ``fibre_range`` where this is 0; it rises with the
        fibre length there. Asked of elastic muscles alone.
        """
        ...
