"""Where the bodies of a model are and how they move, traced."""

from dataclasses import dataclass

import numpy as np

from osimexp.physics.compiled.ir.trace import Array, Scalar
from osimexp.physics.compiled.ir.vectors import ZERO, cross, total
from osimexp.physics.compiled.mechanics.joints import Crossing, cross_joint
from osimexp.physics.compiled.mechanics.mechanism import GROUND, Mechanism, Placement, Station


@dataclass(frozen=True)
class Column:
    """How one coordinate moves a body and all that it carries: its column of the Jacobian.

    Attributes:
        angular: ``(3,)`` angular velocity per speed.
        linear: ``(3,)`` velocity per speed of the point that is now at the reference point.
    """

    angular: Array
    linear: Array


class Motion:
    """The kinematics of a mechanism at one moment.

    Positions are relative to a reference point, in the ground's axes: the origin of the body that
    a joint with translations joins to the ground, or else the ground's own. The ground is a body,
    too, of number ``GROUND``. So numbers stay small however far the model has travelled.

    Args:
        mechanism: what moves.
        coordinates: of all coordinates, rad or m.
        speeds: of all coordinates, as OpenSim's state has them, rad/s or m/s.
        accelerations: the part of all coordinates' accelerations that is known before the
            equations of motion are solved: 0 but for coordinates that follow others.

    Attributes:
        mechanism: what moves.
        coordinates: as given.
        speeds: as given.
        columns: for each body, those of its joint's coordinates.
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
        # Gravity is an acceleration of the ground upwards.
        self._linear_rates: dict[int, Array] = {GROUND: -mechanism.gravity.astype(object)}
        self.columns: dict[int, list[Column]] = {}
        for body, joint in enumerate(mechanism.joints):
            q = [coordinates[c] for c in joint.coordinates]
            u = [speeds[c] for c in joint.coordinates]
            rates = [accelerations[c] for c in joint.coordinates]
            self._place(body, joint.parent, joint.child, cross_joint(joint, q, u), u, rates)

    def rotation(self, body: int) -> Array:
        """Return the matrix ``(3, 3)`` from the body's axes to the ground's."""
        return self._rotations[body]

    def position(self, station: Station) -> Array:
        """Return where a point of a body is ``(3,)``, m."""
        return self._origins[station.body] + self.arm(station)

    def velocity(self, station: Station) -> Array:
        """Return how a point of a body moves ``(3,)``, m/s."""
        return self._linear[station.body] + cross(self._angular[station.body], self.arm(station))

    def angular_velocity(self, body: int) -> Array:
        """Return how a body turns ``(3,)``, rad/s."""
        return self._angular[body]

    def acceleration(self, station: Station) -> Array:
        """Return the part of a point's acceleration that does not depend on the unknown ones.

        It is what would act were all unknown accelerations 0, with gravity taken off, m/s^2.
        """
        omega, arm = self._angular[station.body], self.arm(station)
        turning = cross(self._angular_rates[station.body], arm) + cross(omega, cross(omega, arm))
        return self._linear_rates[station.body] + turning

    def angular_acceleration(self, body: int) -> Array:
        """Return the same part of a body's angular acceleration ``(3,)``, rad/s^2."""
        return self._angular_rates[body]

    def in_ground(self, station: Station) -> Array:
        """Return where a point is in the ground's frame and not relative to the reference."""
        return self.position(station) - self._origins[GROUND]

    def arm(self, station: Station) -> Array:
        """Return the point from its body's origin, in the ground's axes."""
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
        """Work out where a body is from where its parent is."""
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
        # Of the joint's frame on the body, then of the body's origin, `back` before it.
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
