"""Bushings: springs and dampers between two frames, in all six degrees of freedom."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import opensim

from osimexp.arrays import Floats
from osimexp.physics.compiled.forces.expression import Expression, parse
from osimexp.physics.compiled.forces.force import Contact, title
from osimexp.physics.compiled.ir.trace import Array, Scalar, atan2, sqrt
from osimexp.physics.compiled.ir.vectors import cross
from osimexp.physics.compiled.mechanics.dynamics import Loads
from osimexp.physics.compiled.mechanics.mechanism import Mechanism, Placement, Station
from osimexp.physics.compiled.mechanics.motion import Motion

DEFLECTIONS = ("theta_x", "theta_y", "theta_z", "delta_x", "delta_y", "delta_z")
"""Deflections of the second frame in the first: body-fixed X-Y-Z angles (rad) and shifts (m)."""


@dataclass(frozen=True)
class Bushing:
    """OpenSim's BushingForce and ExpressionBasedBushingForce.

    The deflections are taken as coordinates, and springs and dampers exert generalised forces on
    them. The energy that OpenSim counts as dissipated has no effect on the motion and is not
    counted.

    Attributes:
        name: name of the force.
        first: frame in which deflections are measured.
        second: frame that is deflected.
        resistance: for each of ``DEFLECTIONS``, the generalised force against it, N m or N.
        damping: ``(6,)`` force per rate of each deflection, N m s/rad and N s/m.
    """

    name: str
    first: Placement
    second: Placement
    resistance: tuple[Expression, ...]
    damping: Floats
    contacts: ClassVar[tuple[Contact, ...]] = ()

    def apply(self, motion: Motion, loads: Loads) -> None:
        """Add the force on the second frame, and its reaction on the first."""
        frame, other = (
            motion.rotation(p.body) @ p.rotation.astype(object) for p in (self.first, self.second)
        )
        rotation = frame.T @ other
        start, end = Station(self.first.body, self.first.origin), self._end
        between = motion.position(end) - motion.position(start)
        spin = motion.angular_velocity(self.first.body)
        turning = motion.angular_velocity(self.second.body) - spin
        parting = motion.velocity(end) - motion.velocity(start) - cross(spin, between)
        gains = _rates_of_angles(rotation)
        values = [*_angles(rotation), *(frame.T @ between)]
        rates = [*(gains @ (other.T @ turning)), *(frame.T @ parting)]
        resisted = self._resisted(values, rates)
        torque = other @ (gains.T @ resisted[:3])
        force = frame @ resisted[3:]
        at = motion.position(end)
        loads.force(self.second.body, at, force)
        loads.torque(self.second.body, torque)
        loads.force(self.first.body, at, -force)
        loads.torque(self.first.body, -torque)

    @property
    def _end(self) -> Station:
        return Station(self.second.body, self.second.origin)

    def _resisted(self, values: Sequence[Scalar], rates: Sequence[Scalar]) -> Array:
        named = dict(zip(DEFLECTIONS, values, strict=True))
        return np.array(
            [
                -(resistance.value(named) + float(damping) * rate)
                for resistance, damping, rate in zip(
                    self.resistance, self.damping, rates, strict=True
                )
            ],
            dtype=object,
        )


def read_bushing(given: opensim.Force, mechanism: Mechanism) -> Bushing:
    """Return a BushingForce, whose force is in proportion to the deflections."""
    force = opensim.BushingForce.safeDownCast(given)
    stiffness = _six(force.get_rotational_stiffness(), force.get_translational_stiffness())
    resistance = tuple(
        parse(f"{float(k)!r} * {name}", (name,), f"force {title(force)}")
        for k, name in zip(stiffness, DEFLECTIONS, strict=True)
    )
    damping = _six(force.get_rotational_damping(), force.get_translational_damping())
    return _between(force, mechanism, resistance, damping)


def read_expression_bushing(given: opensim.Force, mechanism: Mechanism) -> Bushing:
    """Return an ExpressionBasedBushingForce.

    Raises:
        ModelError: one of its expressions cannot be compiled.
    """
    force = opensim.ExpressionBasedBushingForce.safeDownCast(given)
    texts = (
        force.get_Mx_expression(),
        force.get_My_expression(),
        force.get_Mz_expression(),
        force.get_Fx_expression(),
        force.get_Fy_expression(),
        force.get_Fz_expression(),
    )
    resistance = tuple(parse(text, DEFLECTIONS, f"force {title(force)}") for text in texts)
    damping = _six(force.get_rotational_damping(), force.get_translational_damping())
    return _between(force, mechanism, resistance, damping)


def _between(
    force: opensim.BushingForce | opensim.ExpressionBasedBushingForce,
    mechanism: Mechanism,
    resistance: tuple[Expression, ...],
    damping: Floats,
) -> Bushing:
    first, second = (mechanism.placement(f) for f in (force.getFrame1(), force.getFrame2()))
    return Bushing(force.getName(), first, second, resistance, damping)


def _six(rotational: opensim.Vec3, translational: opensim.Vec3) -> Floats:
    return np.concatenate([rotational.to_numpy(), translational.to_numpy()])


def _angles(rotation: Array) -> list[Scalar]:
    """Return the body-fixed X-Y-Z angles of a rotation, the second within [-pi/2, pi/2]."""
    return [
        atan2(-rotation[1, 2], rotation[2, 2]),
        atan2(rotation[0, 2], _cosine_of_second(rotation)),
        atan2(-rotation[0, 1], rotation[0, 0]),
    ]


def _rates_of_angles(rotation: Array) -> Array:
    """Return the matrix from the angular velocity, in the turned frame, to the rates of the angles.

    It grows without bound as the second angle nears a right angle.
    """
    per_cosine = 1.0 / _cosine_of_second(rotation)
    sine2 = rotation[0, 2]
    sine3, cosine3 = -rotation[0, 1] * per_cosine, rotation[0, 0] * per_cosine
    tangent = sine2 * per_cosine
    return np.array(
        [
            [cosine3 * per_cosine, -sine3 * per_cosine, 0.0],
            [sine3, cosine3, 0.0],
            [-cosine3 * tangent, sine3 * tangent, 1.0],
        ],
        dtype=object,
    )


def _cosine_of_second(rotation: Array) -> Scalar:
    return sqrt(rotation[0, 0] * rotation[0, 0] + rotation[0, 1] * rotation[0, 1])
