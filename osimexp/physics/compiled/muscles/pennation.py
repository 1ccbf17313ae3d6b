"""Pennation: the angle between a muscle's fibres and its tendon."""

from dataclasses import dataclass
from math import cos, sin
from math import sqrt as sqrt_of

import opensim

from osimexp.physics.compiled.ir.trace import Scalar, sqrt
from osimexp.physics.compiled.muscles.refusal import refused

# OpenSim's Eps: below this angle (rad) fibres are parallel to the tendon.
_STRAIGHT = 2.0**-52


@dataclass(frozen=True)
class FixedWidth:
    """Pennation with constant width: the angle grows as the fibres shorten.

    The formulas are those of OpenSim's MuscleFixedWidthPennationModel, after Millard et al. (2013),
    Journal of Biomechanical Engineering 135, 021005.

    Attributes:
        width: width of the muscle, m; 0 if the fibres are parallel to the tendon.
        least: fibre length at the maximum pennation angle, m.
    """

    width: float
    least: float

    def along(self, fibre_length: Scalar) -> Scalar:
        """Return the length along the tendon (m) of a fibre whose length is ``least`` or more."""
        if self.width == 0.0:
            return fibre_length
        return sqrt(fibre_length * fibre_length - self.width * self.width)

    def length(self, along: Scalar) -> Scalar:
        """Return the length (m) of a fibre, given its length along the tendon (m)."""
        if self.width == 0.0:
            return along
        return sqrt(along * along + self.width * self.width)

    def cosine(self, along: Scalar, fibre_length: Scalar) -> Scalar:
        """Return the cosine of the pennation angle."""
        return 1.0 if self.width == 0.0 else along / fibre_length

    def alongside(self, fibre_length: float) -> float:
        """Return the length along the tendon (m) of a fibre whose length is a plain number."""
        return sqrt_of(fibre_length * fibre_length - self.width * self.width)


def read_pennation(muscle: opensim.Muscle, greatest: float) -> FixedWidth:
    """Return the pennation of a muscle whose angle is ``greatest`` (rad) at most.

    Raises:
        ModelError: the fibres would turn to a right angle or beyond.
    """
    angle = muscle.get_pennation_angle_at_optimal()
    if angle <= _STRAIGHT:
        return FixedWidth(0.0, 0.0)
    if greatest <= _STRAIGHT or cos(greatest) < 1e-6:
        raise refused(
            muscle,
            f"lets fibres turn to {greatest:.6g} rad, and its maximum_pennation_angle must lie "
            "above 0 and below a right angle",
        )
    width = muscle.get_optimal_fiber_length() * sin(angle)
    return FixedWidth(width, width / sin(greatest))
