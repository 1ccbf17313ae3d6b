"""Positions, velocities and known accelerations of the bodies of a mechanism, traced."""

from dataclasses import dataclass

import numpy as np

from osimexp.physics.compiled.ir.trace import Array, Scalar
from osimexp.physics.compiled.ir.vectors import ZERO, cross, total
from osimexp.physics.compiled.mechanics.joints import Crossing, cross_joint
from osimexp.physics.compiled.mechanics.mechanism import GROUND, Mechanism, Placement, Station


@dataclass(frozen=True)
class Column:
    """The Jacobian column of one coordinate: the motion that it gives to a body and all it carries.

    Attributes:
        angular: angular velocity ``(3,)`` per speed.
        linear: velocity ``(3,)``, per speed, of the point that is now at the reference point.
    """

    angular: Array
    linear: Array


class Motion:
    """The kinematics of a mechanism at one moment.

    Positions are relative to a reference point, in the ground's axes. The reference point is the
    origin of the body that a joint with translations joins to the ground, or else the origin of the
    ground, so that numbers stay small when the model has travelled far. The ground counts as a
    body, with the number ``GROUND``.

    Args:
        mechanism: mechanism that moves.
        coordinates: values of all coordinates, rad or m.
        speeds: speeds of all coordinates, as in OpenSim's state, rad/s or m/s.
        accelerations: for each coordinate, the part of its acceleration that is known before the
        equations of motion are solved; it is 0 unless the coordinate follows another.

    Attributes:
        mechanism: mechanism that moves.
        coordinates: values of all coordinates, rad or m.
        speeds: speeds of all coordinates, rad/s or m/s.
        columns: for each body, the Jacobian columns of its joint's coordinates.
    """

    def __init__(
        self,
        mechanism: Mechanism,
        coordinates: list[Scalar],
        speeds: list[Scalar],
        accelerations: list[Scalar],
    ) -> None:
        self.mechanism = mechanism
        self.coordinates = coordinates
        self.speeds = speeds
        self._rotations: dict[int, Array] = {GROUND: np.eye(3).astype(object)}
        self._origins: dict[int, Array] = {GROUND: ZERO}
        self._angular: dict[int, Array] = {GROUND: ZERO}
        self._linear: dict[int, Array] = {GROUND: ZERO}
        self._angular_rates: dict[int, Array] = {GROUND: ZERO}
        # Gravity is put in as an acceleration of the ground, upwards.
        self._linear_rates: dict[int, Array] = {GROUND: -mechanism.gravity.astype(object)}
        self.columns: dict[int, list[Column]] = {}
        for body, joint in enumerate(mechanism.joints):
            q = [coordinates[c] for c in joint.coordinates]
            u = [speeds[c] for c in joint.coordinates]
            rates = [accelerations[c] for c in joint.coordinates]
            self._place(body, joint.parent, joint.child, cross_joint(joint, q, u), u, rates)

    def rotation(self, body: int) -> Array:
        """Return the matrix ``(3, 3)`` from a body's axes to the ground's."""
        return self._rotations[body]

    def position(self, station: Station) -> Array:
        """Return the position ``(3,)`` (m) of a point of a body, from the reference point."""
        return self._origins[station.body] + self.arm(station)

    def velocity(self, station: Station) -> Array:
        """Return the velocity ``(3,)`` (m/s) of a point of a body."""
        return self._linear[station.body] + cross(self._angular[station.body], self.arm(station))

    def angular_velocity(self, body: int) -> Array:
        """Return the angular velocity ``(3,)`` (rad/s) of a body."""
        return self._angular[body]

    def acceleration(self, station: Station) -> Array:
        """Return the known part ``(3,)`` (m/s^2) of the acceleration of a point of a body.

        It is the acceleration if all unknown accelerations were 0, minus the acceleration of
        gravity.
        """
        omega, arm = self._angular[station.body], self.arm(station)
        turning = cross(self._angular_rates[station.body], arm) + cross(omega, cross(omega, arm))
        return self._linear_rates[station.body] + turning

    def angular_acceleration(self, body: int) -> Array:
        """Return the known part ``(3,)`` (rad/s^2) of the angular acceleration of a body."""
        return self._angular_rates[body]

    def in_ground(self, station: Station) -> Array:
        """Return the position ``(3,)`` (m) of a point of a body in the ground's frame."""
        return self.position(station) - self._origins[GROUND]

    def arm(self, station: Station) -> Array:
        """Return the vector ``(3,)`` (m) from a body's origin to its point, in ground axes."""
        return self._rotations[station.body] @ station.location.astype(object)

    def _place(
        self,
        body: int,
        parent: Placement,
        child: Placement,
        crossing: Crossing,
        speeds: list[Scalar],
        rates: list[Scalar],
    ) -> None:
        """Work out the pose and motion of a body from those of its parent."""
        frame = self._rotations[parent.body] @ parent.rotation.astype(object)
        rotation = frame @ crossing.rotation @ child.rotation.T.astype(object)
        self._rotations[body] = rotation
        leaves = Station(parent.body, parent.origin)
        across = frame @ crossing.position
        back = rotation @ child.origin.astype(object)
        if parent.body == GROUND and crossing.travels and not self.columns:
            # This body's origin is the reference point.
            self._origins[GROUND] = back - across - self.arm(leaves)
            self._origins[body] = ZERO
        else:
            self._origins[body] = self.position(leaves) + across - back
        turns = [frame @ column for column in crossing.angular]
        slides = [frame @ column for column in crossing.linear]
        hinge = self._origins[body] + back
        self.columns[body] = [
            Column(turn, slide + cross(hinge, turn))
            for turn, slide in zip(turns, slides, strict=True)
        ]
        spin = total(turn * u for turn, u in zip(turns, speeds, strict=True))
        slip = total(slide * u for slide, u in zip(slides, speeds, strict=True))
        spin_rate = frame @ crossing.angular_bias + total(
            turn * a for turn, a in zip(turns, rates, strict=True)
        )
        slip_rate = frame @ crossing.linear_bias + total(
            slide * a for slide, a in zip(slides, rates, strict=True)
        )
        omega = self._angular[parent.body]
        turning = omega + spin
        self._angular[body] = turning
        turning_rate = self._angular_rates[parent.body] + cross(omega, spin) + spin_rate
        self._angular_rates[body] = turning_rate
        # First of the joint's frame on the body, then of the body's origin, `back` before it.
        reach = cross(omega, across)
        at_hinge = self.velocity(leaves) + reach + slip
        self._linear[body] = at_hinge - cross(turning, back)
        hinge_rate = (
            self.acceleration(leaves)
            + cross(self._angular_rates[parent.body], across)
            + cross(omega, reach + 2.0 * slip)
            + slip_rate
        )
        self._linear_rates[body] = (
            hinge_rate - cross(turning_rate, back) - cross(turning, cross(turning, back))
        )
