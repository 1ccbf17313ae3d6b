"""The equations of motion of a mechanism, traced: forces in, accelerations out.

Newton and Euler's equations along the tree give what is known of the forces, the composite rigid
body method the mass matrix, and a factorisation from the leaves to the root solves them without
filling the matrix's zeros (Featherstone 2008, Rigid Body Dynamics Algorithms, chapters 5, 6 and
8). All vectors are in the ground's axes and moments are about the reference point of ``Motion``,
so that nothing need be carried from one body's frame to another's.
"""

from dataclasses import dataclass

import numpy as np

from osimexp.physics.compiled.ir.trace import Array, Scalar
from osimexp.physics.compiled.ir.vectors import ZERO, cross
from osimexp.physics.compiled.mechanics.mechanism import GROUND, Mechanism, Station
from osimexp.physics.compiled.mechanics.motion import Motion


class Loads:
    """What acts on the bodies at one moment: forces, torques and generalised forces."""

    def __init__(self, mechanism: Mechanism) -> None:
        self.moments: list[Array] = [ZERO] * len(mechanism.bodies)
        self.forces: list[Array] = [ZERO] * len(mechanism.bodies)
        self.generalised: list[Scalar] = [0.0] * len(mechanism.coordinates)

    def force(self, body: int, position: Array, force: Array) -> None:
        """Add a force ``(3,)`` in the ground's axes (N) at a position of ``Motion``."""
        if body == GROUND:
            return
        self.forces[body] = self.forces[body] + force
        self.moments[body] = self.moments[body] + cross(position, force)

    def torque(self, body: int, torque: Array) -> None:
        """Add a torque ``(3,)`` in the ground's axes, N m."""
        if body != GROUND:
            self.moments[body] = self.moments[body] + torque

    def along(self, coordinate: int, value: Scalar) -> None:
        """Add a generalised force on a coordinate, N m or N."""
        self.generalised[coordinate] = self.generalised[coordinate] + value


@dataclass
class _Inertia:
    """Of a body and all it carries, about the reference point."""

    mass: float
    first: Array  # mass times centre of mass, kg m
    second: Array  # (3, 3), kg m^2


def accelerations(motion: Motion, loads: Loads, gains: "Gains") -> list[Scalar]:
    """Return the accelerations of all coordinates, as OpenSim has them.

    Args:
        motion: the kinematics.
        loads: all that acts, gravity apart.
        gains: how all coordinates follow the free ones.
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
    """How the speeds of all coordinates follow from those of the free ones.

    Attributes:
        free: numbers of the free coordinates, parents first.
        rows: for each coordinate, the free ones that move it and by how much.
        rates: for each coordinate, its acceleration while those of the free ones are 0.
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
        """Return the generalised forces on the free coordinates."""
        result: dict[int, Scalar] = dict.fromkeys(self.free, 0.0)
        for value, row in zip(generalised, self.rows, strict=True):
            for c, gain in row.items():
                result[c] = result[c] + gain * value
        return [result[c] for c in self.free]

    def project_matrix(self, matrix: Array) -> Array:
        """Return the mass matrix of the free coordinates, from that of all."""
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
        """Return the accelerations of all coordinates from those of the free ones."""
        spread = []
        for row, rate in zip(self.rows, self.rates, strict=True):
            value = rate
            for c, gain in row.items():
                value = value + gain * values[c]
            spread.append(value)
        return spread


def _inertial(motion: Motion, body: int) -> tuple[_Inertia, Array, Array]:
    """Return a body's inertia, and the moment and force that its known acceleration needs."""
    figures = motion.mechanism.bodies[body]
    rotation = motion.rotation(body)
    centre = Station(body, figures.centre)
    at = motion.position(centre)
    inertia = rotation @ figures.inertia.astype(object) @ rotation.T
    omega = motion.angular_velocity(body)
    force = motion.acceleration(centre) * figures.mass
    moment = (
        inertia @ motion.angular_acceleration(body)
        + cross(omega, inertia @ omega)
        + cross(at, force)
    )
    offset = np.eye(3).astype(object) * (at @ at) - np.outer(at, at)
    return (
        _Inertia(figures.mass, at * figures.mass, inertia + offset * figures.mass),
        moment,
        force,
    )


def _mass_matrix(motion: Motion, inertias: list[_Inertia]) -> Array:
    """Return the mass matrix of all coordinates; those of separate limbs share zeros."""
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
    """Solve ``matrix x = right``, the matrix being factored as L^T D L from its last row up."""
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
