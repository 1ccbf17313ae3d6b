"""The programs of a system: what its state's rates are, what is read off it, where it balances.

A state holds the free coordinates, their speeds, the activations and the fibre lengths of the
elastic muscles, in this order.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from osimexp.physics.compiled.ir.program import Program, program
from osimexp.physics.compiled.ir.trace import Array, Scalar, Trace, atan2, sqrt
from osimexp.physics.compiled.ir.vectors import total
from osimexp.physics.compiled.mechanics.dynamics import Gains, Loads, accelerations
from osimexp.physics.compiled.mechanics.joints import coordinate_rates
from osimexp.physics.compiled.mechanics.mechanism import GROUND, Mechanism, Station
from osimexp.physics.compiled.mechanics.motion import Motion
from osimexp.physics.compiled.muscles.muscle import Pull
from osimexp.physics.compiled.system import System


@dataclass(frozen=True)
class Shape:
    """Where things stand in a state and in what is read off it.

    Attributes:
        free: free coordinates, ``n``.
        muscles: ``m``.
        elastic: numbers of the muscles that have a fibre length, ``k`` of them.
        fields: what is read off: name and shape of each array, in order.
        points: named points.
        spheres: that touch the floor.
    """

    free: int
    muscles: int
    elastic: tuple[int, ...]
    fields: tuple[tuple[str, tuple[int, ...]], ...]
    points: int
    spheres: int

    @property
    def states(self) -> int:
        """Numbers in a state."""
        return 2 * self.free + self.muscles + len(self.elastic)

    @property
    def controls(self) -> int:
        """Numbers that are held through a step: the excitations, then the push."""
        return self.muscles + 1

    @property
    def speeds(self) -> slice:
        """Where the speeds stand in a state."""
        return slice(self.free, 2 * self.free)

    @property
    def activations(self) -> slice:
        """Where the activations stand in a state."""
        return slice(2 * self.free, 2 * self.free + self.muscles)

    @property
    def fibres(self) -> slice:
        """Where the fibre lengths stand in a state."""
        return slice(2 * self.free + self.muscles, self.states)

    @property
    def places(self) -> dict[str, tuple[slice, tuple[int, ...]]]:
        """Where each field stands in what is read off, and its shape."""
        places, first = {}, 0
        for name, shape in self.fields:
            count = int(np.prod(shape))
            places[name] = (slice(first, first + count), shape)
            first += count
        return places

    @property
    def outputs(self) -> int:
        """Numbers in what is read off."""
        return sum(int(np.prod(shape)) for _, shape in self.fields)


@dataclass(frozen=True)
class Equations:
    """The programs of a system; the inputs of each are a state, the excitations and the push.

    Attributes:
        shape: where things stand.
        derivative: the rates of the state.
        output: what is read off, all fields of ``shape`` one after the other.
        kinematics: the points' positions, then each sphere's height above the floor.
        balance: for each elastic muscle, by how much the fibre pulls more than the tendon.
    """

    shape: Shape
    derivative: Program
    output: Program
    kinematics: Program
    balance: Program


def trace_equations(system: System) -> Equations:
    """Run a system's equations on recorded scalars."""
    output, fields = _traced(system, "output", _read_off)
    mechanism = system.mechanism
    shape = Shape(
        len(mechanism.free),
        len(system.muscles),
        system.elastic,
        fields,
        len(system.points),
        len(system.spheres),
    )
    derivative, _ = _traced(system, "derivative", _rates)
    kinematics, _ = _traced(system, "kinematics", _placed)
    balance, _ = _traced(system, "balance", _imbalances)
    return Equations(shape, derivative, output, kinematics, balance)


@dataclass(frozen=True)
class _Moment:
    """A system at one moment."""

    system: System
    motion: Motion
    gains: Gains
    activations: list[Scalar]
    fibres: dict[int, Scalar]
    excitations: list[Scalar]
    push: Scalar

    def lengths(self) -> list[tuple[Scalar, Scalar]]:
        """Return each path's length and lengthening speed."""
        return [(p.length(self.motion), p.speed(self.motion)) for p in self.system.paths]

    def pulls(self) -> list[Pull]:
        """Return what each muscle does."""
        return [
            muscle.pull(activation, self.fibres.get(i), length, speed)
            for i, (muscle, activation, (length, speed)) in enumerate(
                zip(self.system.muscles, self.activations, self.lengths(), strict=True)
            )
        ]


Results = list[Scalar]
Fields = tuple[tuple[str, tuple[int, ...]], ...]


def _traced(
    system: System, name: str, results: Callable[[_Moment], tuple[Results, Fields]]
) -> tuple[Program, Fields]:
    trace = Trace()
    n, m, k = len(system.mechanism.free), len(system.muscles), len(system.elastic)
    slots = trace.inputs(0, 2 * n + m + k + m + 1)
    q, u, a, fibres, excitations, push = (
        slots[:n],
        slots[n : 2 * n],
        slots[2 * n : 2 * n + m],
        slots[2 * n + m : -m - 1],
        slots[-m - 1 : -1],
        slots[-1],
    )
    coordinates, speeds = _all_coordinates(system.mechanism, list(q), list(u))
    gains = Gains(system.mechanism, coordinates, speeds)
    motion = Motion(system.mechanism, coordinates, speeds, gains.rates)
    lengths: dict[int, Scalar] = dict(zip(system.elastic, fibres, strict=True))
    moment = _Moment(system, motion, gains, list(a), lengths, list(excitations), push)
    values, fields = results(moment)
    return program(name, trace, values, len(slots)), fields


def _all_coordinates(
    mechanism: Mechanism, q: list[Scalar], u: list[Scalar]
) -> tuple[list[Scalar], list[Scalar]]:
    """Return all coordinates and speeds, the locked and coupled ones included."""
    coordinates: list[Scalar] = [one.default for one in mechanism.coordinates]
    speeds: list[Scalar] = [0.0] * len(coordinates)
    for number, value, speed in zip(mechanism.free, q, u, strict=True):
        coordinates[number], speeds[number] = value, speed
    for coupler in mechanism.couplers:
        leader = coordinates[coupler.independent]
        coordinates[coupler.dependent] = coupler.curve.value(leader)
        slope = coupler.curve.slope(leader)
        speeds[coupler.dependent] = slope * speeds[coupler.independent]
    return coordinates, speeds


def _rates(moment: _Moment) -> tuple[Results, Fields]:
    system, motion = moment.system, moment.motion
    loads = Loads(system.mechanism)
    pulls = moment.pulls()
    for path, pull in zip(system.paths, pulls, strict=True):
        path.pull(motion, loads, pull.tendon_force)
    for force in system.forces:
        force.apply(motion, loads)
    if system.pushed is not None:
        forward = np.array([moment.push, 0.0, 0.0], dtype=object)
        loads.force(system.pushed.body, motion.position(system.pushed), forward)
    known = accelerations(motion, loads, moment.gains)
    rates: dict[int, Scalar] = {}
    for joint in system.mechanism.joints:
        q = [motion.coordinates[c] for c in joint.coordinates]
        u = [motion.speeds[c] for c in joint.coordinates]
        rates.update(zip(joint.coordinates, coordinate_rates(joint, q, u), strict=True))
    activation_rates = [
        muscle.activation_rate(excitation, activation)
        for muscle, excitation, activation in zip(
            system.muscles, moment.excitations, moment.activations, strict=True
        )
    ]
    fibre_rates = [pulls[i].fibre_rate for i in system.elastic]
    free = system.mechanism.free
    results = [rates[c] for c in free] + [known[c] for c in free] + activation_rates
    return results + [rate for rate in fibre_rates if rate is not None], ()


def _imbalances(moment: _Moment) -> tuple[Results, Fields]:
    lengths = moment.lengths()
    return [
        moment.system.muscles[i].imbalance(moment.activations[i], moment.fibres[i], *lengths[i])
        for i in moment.system.elastic
    ], ()


def _read_off(moment: _Moment) -> tuple[Results, Fields]:
    system, motion = moment.system, moment.motion
    mechanism = system.mechanism
    origins = [Station(b, np.zeros(3)) for b in system.bodies]
    pulls = moment.pulls()
    limits: list[Scalar] = [0.0] * len(mechanism.coordinates)
    for limit in system.limits:
        limits[limit.coordinate] = limits[limit.coordinate] + limit.torque(motion)
    ground = Station(GROUND, np.zeros(3))
    values: dict[str, Array] = {
        "coordinates": _array(motion.coordinates),
        "speeds": _array(motion.speeds),
        "activations": _array(moment.activations),
        "fibre_length": _array([pull.fibre_length for pull in pulls]),
        "fibre_velocity": _array([pull.fibre_velocity for pull in pulls]),
        "tendon_force": _array([pull.tendon_force for pull in pulls]),
        "body_positions": _rows([motion.in_ground(origin) for origin in origins]),
        "body_orientations": _rows([_angles(motion.rotation(b)) for b in system.bodies]),
        "point_positions": _rows([motion.in_ground(point) for point in system.points]),
        "centre_of_mass": _weighted(mechanism, motion.position) - motion.position(ground),
        "centre_of_mass_velocity": _weighted(mechanism, motion.velocity),
        "ground_reaction": _rows(
            [total(contact.reaction(motion) for contact in foot) for foot in system.feet]
        ),
        "limit_torque": _array(limits),
    }
    results = [scalar for value in values.values() for scalar in value.reshape(-1)]
    return results, tuple((name, value.shape) for name, value in values.items())


def _placed(moment: _Moment) -> tuple[Results, Fields]:
    system, motion = moment.system, moment.motion
    points = [x for point in system.points for x in motion.in_ground(point)]
    spheres = system.spheres
    return points + [motion.in_ground(s.middle)[1] - s.radius for s in spheres], ()


def _array(scalars: list[Scalar]) -> Array:
    result = np.empty(len(scalars), dtype=object)
    result[:] = scalars
    return result


def _rows(vectors: list[Array]) -> Array:
    return np.array(vectors, dtype=object).reshape(len(vectors), 3)


def _weighted(mechanism: Mechanism, of: Callable[[Station], Array]) -> Array:
    """Return the mean of a quantity over the bodies' centres, weighted by their masses."""
    mass = sum(body.mass for body in mechanism.bodies)
    return total(
        of(Station(b, body.centre)) * (body.mass / mass) for b, body in enumerate(mechanism.bodies)
    )


def _angles(rotation: Array) -> Array:
    """Return body-fixed X-Y-Z angles, rad."""
    level = sqrt(rotation[0, 0] * rotation[0, 0] + rotation[0, 1] * rotation[0, 1])
    return np.array(
        [
            atan2(-rotation[1, 2], rotation[2, 2]),
            atan2(rotation[0, 2], level),
            atan2(-rotation[0, 1], rotation[0, 0]),
        ],
        dtype=object,
    )
