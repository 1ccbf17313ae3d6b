"""The equations of motion of a mechanism, traced: from forces to accelerations.

Newton and Euler's equations along the tree give the known part of the forces, the composite rigid
body method gives the mass matrix, and a factorisation from the leaves to the root solves for the
accelerations without filling the zeros of the matrix (Featherstone 2008, Rigid Body Dynamics
Algorithms, chapters 5, 6 and 8). All vectors are in the axes of the ground, and moments are about
the reference point of ``Motion``, so that no vector is changed from one frame to another.
"""

from dataclasses import dataclass

import numpy as np

from osimexp.physics.compiled.ir.trace import Array, Scalar
from osimexp.physics.compiled.ir.vectors import ZERO, cross
from osimexp.physics.compiled.mechanics.mechanism import GROUND, Mechanism, Station
from osimexp.physics.compiled.mechanics.motion import Motion


class Loads:
    """The forces, torques and generalised forces that act on a mechanism at one moment."""

    def __init__(self, mechanism: Mechanism) -> None:
        self.moments: list[Array] = [ZERO] * len(mechanism.bodies)
        self.forces: list[Array] = [ZERO] * len(mechanism.bodies)
        self.generalised: list[Scalar] = [0.0] * len(mechanism.coordinates)

    def force(self, body: int, position: Array, force: Array) -> None:
        """Add a force ``(3,)`` (N) on a body, at a position ``(3,)`` (m) from ``Motion``."""
        if body == GROUND:
            return
        self.forces[body] = self.forces[body] + force
        self.moments[body] = self.moments[body] + cross(position, force)

    def torque(self, body: int, torque: Array) -> None:
        """Add a torque ``(3,)`` in the ground's axes (N m) to a body."""
        if body != GROUND:
            self.moments[body] = self.moments[body] + torque

    def along(self, coordinate: int, value: Scalar) -> None:
        """Add a generalised force (N m or N) to a coordinate."""
        self.generalised[coordinate] = self.generalised[coordinate] + value


@dataclass
class _Inertia:
    """The inertia of a body and all bodies that it carries, about the reference point."""

    mass: float
    first: Array  # mass times the centre of mass, kg m
    second: Array  # (3, 3), kg m^2


def accelerations(motion: Motion, loads: Loads, gains: "Gains") -> list[Scalar]:
    """Return the accelerations (rad/s^2, m/s^2) of all coordinates, in OpenSim's order.

    Args:
        motion: kinematics at this moment.
        loads: forces that act on the mechanism, without gravity.
        gains: coupling Jacobian of the coordinates.
    """
    mechanism = motion.mechanism
    inertias, moments, forces = [], [], []
    for body in range(len(mechanism.bodies)):
        inertia, moment, force = _inertial(motion, body)
        inertias.append(inertia)
        moments.append(moment - loads.moments[body])
        forces.append(force - loads.forces[body])
    for body in reversed(range(len(mechanism.bodies))):
        parent = mechanism.joints[body].parent.body
        if parent != GROUND:
            moments[parent] = moments[parent] + moments[body]
            forces[parent] = forces[parent] + forces[body]
            inertias[parent] = _Inertia(
                inertias[parent].mass + inertias[body].mass,
                inertias[parent].first + inertias[body].first,
                inertias[parent].second + inertias[body].second,
            )
    needed: list[Scalar] = [0.0] * len(mechanism.coordinates)
    for body, joint in enumerate(mechanism.joints):
        for c, column in zip(joint.coordinates, motion.columns[body], strict=True):
            known = column.angular @ moments[body] + column.linear @ forces[body]
            needed[c] = loads.generalised[c] - known
    matrix = _mass_matrix(motion, inertias)
    free = gains.free
    reduced = gains.project_matrix(matrix)
    solved = _solve(reduced, gains.project(needed))
    return gains.spread(dict(zip(free, solved, strict=True)))


class Gains:
    """The coupling Jacobian: the speeds of all coordinates from the speeds of the free ones.

    Attributes:
        free: numbers of the free coordinates, parents before children.
        rows: for each coordinate, its derivative by each free coordinate that moves it.
        rates: for each coordinate, its acceleration if those of the free coordinates are 0.
    """

    def __init__(
        self, mechanism: Mechanism, coordinates: list[Scalar], speeds: list[Scalar]
    ) -> None:
        self.free = mechanism.free
        count = len(mechanism.coordinates)
        self.rows: list[dict[int, Scalar]] = [{} for _ in range(count)]
        self.rates: list[Scalar] = [0.0] * count
        for c in self.free:
            self.rows[c] = {c: 1.0}
        for coupler in mechanism.couplers:
            leader = coupler.independent
            q, u = coordinates[leader], speeds[leader]
            slope = coupler.curve.slope(q)
            self.rows[coupler.dependent] = {c: g * slope for c, g in self.rows[leader].items()}
            bending = coupler.curve.curvature(q) * u * u
            self.rates[coupler.dependent] = bending + slope * self.rates[leader]

    def project(self, generalised: list[Scalar]) -> list[Scalar]:
        """Return the generalised forces on the free coordinates, from those on all coordinates."""
        result: dict[int, Scalar] = dict.fromkeys(self.free, 0.0)
        for value, row in zip(generalised, self.rows, strict=True):
            for c, gain in row.items():
                result[c] = result[c] + gain * value
        return [result[c] for c in self.free]

    def project_matrix(self, matrix: Array) -> Array:
        """Return the mass matrix of the free coordinates, from that of all coordinates."""
        place = {c: i for i, c in enumerate(self.free)}
        result = np.zeros((len(self.free), len(self.free))).astype(object)
        for a, row in enumerate(self.rows):
            for b, other in enumerate(self.rows):
                entry = matrix[a, b]
                if isinstance(entry, float) and entry == 0.0:
                    continue
                for c, gain in row.items():
                    for d, factor in other.items():
                        at = place[c], place[d]
                        result[at] = result[at] + gain * entry * factor
        return result

    def spread(self, values: dict[int, Scalar]) -> list[Scalar]:
        """Return the accelerations of all coordinates, from those of the free ones."""
        spread = []
        for row, rate in zip(self.rows, self.rates, strict=True):
            value = rate
            for c, gain in row.items():
                value = value + gain * values[c]
            spread.append(value)
        return spread


def _inertial(motion: Motion, body: int) -> tuple[_Inertia, Array, Array]:
    """Return a body's inertia, and the moment and the force that its known acceleration takes."""
    given = motion.mechanism.bodies[body]
    rotation = motion.rotation(body)
    centre = Station(body, given.centre)
    at = motion.position(centre)
    inertia = rotation @ given.inertia.astype(object) @ rotation.T
    omega = motion.angular_velocity(body)
    force = motion.acceleration(centre) * given.mass
    moment = (
        inertia @ motion.angular_acceleration(body)
        + cross(omega, inertia @ omega)
        + cross(at, force)
    )
    offset = np.eye(3).astype(object) * (at @ at) - np.outer(at, at)
    return (
        _Inertia(given.mass, at * given.mass, inertia + offset * given.mass),
        moment,
        force,
    )


def _mass_matrix(motion: Motion, inertias: list[_Inertia]) -> Array:
    """Return the mass matrix of all coordinates; entries between separate limbs are 0."""
    mechanism = motion.mechanism
    count = len(mechanism.coordinates)
    matrix = np.zeros((count, count)).astype(object)
    for body, joint in enumerate(mechanism.joints):
        inertia = inertias[body]
        for c, column in zip(joint.coordinates, motion.columns[body], strict=True):
            force = column.linear * inertia.mass - cross(inertia.first, column.angular)
            moment = inertia.second @ column.angular + cross(inertia.first, column.linear)
            carrier = body
            while carrier != GROUND:
                above = mechanism.joints[carrier]
                for d, other in zip(above.coordinates, motion.columns[carrier], strict=True):
                    matrix[c, d] = other.angular @ moment + other.linear @ force
                    matrix[d, c] = matrix[c, d]
                carrier = above.parent.body
    return matrix


def _solve(matrix: Array, right: list[Scalar]) -> list[Scalar]:
    """Solve ``matrix x = right`` by factoring the matrix as L^T D L from its last row up."""
    count = len(right)
    lower = matrix.copy()
    inverse: list[Scalar] = [0.0] * count
    for k in reversed(range(count)):
        inverse[k] = 1.0 / lower[k, k]
        for i in reversed(range(k)):
            if _zero(lower[k, i]):
                continue
            factor = lower[k, i] * inverse[k]
            for j in range(i + 1):
                if not _zero(lower[k, j]):
                    lower[i, j] = lower[i, j] - factor * lower[k, j]
            lower[k, i] = factor
    x = list(right)
    for k in reversed(range(count)):
        for i in range(k):
            if not _zero(lower[k, i]):
                x[i] = x[i] - lower[k, i] * x[k]
    for k in range(count):
        x[k] = x[k] * inverse[k]
        for i in range(k):
            if not _zero(lower[k, i]):
                x[k] = x[k] - lower[k, i] * x[i]
    return x


def _zero(entry: Scalar) -> bool:
    return isinstance(entry, float) and entry == 0.0
