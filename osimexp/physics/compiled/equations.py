"""The programs of a system: rates of its state, output fields, kinematics and fibre equilibrium.

A state has the free coordinates, their speeds, the activations of the muscles, the fibre lengths of
the elastic ones and the activations of other actuators, in this order; see ``Shape.blocks``.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate, islice

import numpy as np

from osimexp.physics.compiled.forces.actuators import Actuator
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
    """The order of numbers in states and outputs.

    Attributes:
        free: number of free coordinates, ``n``.
        muscles: number of muscles, ``m``.
        elastic: numbers of the muscles whose fibre length is a state, ``k`` of them.
        fields: name and shape of each output field, in order.
        points: number of named points.
        spheres: number of spheres that touch the floor.
        controls: number of controls; see ``Names.controls``.
        actuators: activation at the beginning of an episode, of each actuator that has one.
    """

    free: int
    muscles: int
    elastic: tuple[int, ...]
    fields: tuple[tuple[str, tuple[int, ...]], ...]
    points: int
    spheres: int
    controls: int
    actuators: tuple[float, ...]

    @cached_property
    def blocks(self) -> dict[str, slice]:
        """Slice of each block of a state, in order; a component with another state adds a block."""
        sizes = {
            "coordinates": self.free,
            "speeds": self.free,
            "activations": self.muscles,
            "fibres": len(self.elastic),
            "actuators": len(self.actuators),
        }
        ends = accumulate(sizes.values())
        return {
            name: slice(end - size, end)
            for (name, size), end in zip(sizes.items(), ends, strict=True)
        }

    @property
    def states(self) -> int:
        """Length of a state."""
        return max(block.stop for block in self.blocks.values())

    @property
    def speeds(self) -> slice:
        """Slice of the speeds in a state."""
        return self.blocks["speeds"]

    @property
    def activations(self) -> slice:
        """Slice of the muscles' activations in a state."""
        return self.blocks["activations"]

    @property
    def fibres(self) -> slice:
        """Slice of the fibre lengths in a state."""
        return self.blocks["fibres"]

    @property
    def places(self) -> dict[str, tuple[slice, tuple[int, ...]]]:
        """Slice and shape of each field in the output."""
        places, first = {}, 0
        for name, shape in self.fields:
            count = int(np.prod(shape))
            places[name] = (slice(first, first + count), shape)
            first += count
        return places

    @property
    def outputs(self) -> int:
        """Length of the output."""
        return sum(int(np.prod(shape)) for _, shape in self.fields)


@dataclass(frozen=True)
class Equations:
    """The programs of a system; the inputs of each are a state and the controls.

    Attributes:
        shape: order of numbers in states and outputs.
        derivative: program for the rates of the state.
        output: program for the output, all fields of ``shape`` in order.
        kinematics: program for the points' positions, then each sphere's height above the floor, m.
        balance: program for the fibre force minus the tendon force of each elastic muscle.
    """

    shape: Shape
    derivative: Program
    output: Program
    kinematics: Program
    balance: Program


def trace_equations(system: System) -> Equations:
    """Return the programs of a system, by running its equations on recorded scalars."""
    shape = Shape(
        free=len(system.mechanism.free),
        muscles=len(system.muscles),
        elastic=system.elastic,
        fields=(),
        points=len(system.points),
        spheres=len(system.spheres),
        controls=len(system.muscles) + sum(one.controls for one in system.actuators),
        actuators=tuple(activation.start for activation in system.activations),
    )
    output, fields = _traced(system, shape, "output", _read_off)
    derivative, _ = _traced(system, shape, "derivative", _rates)
    kinematics, _ = _traced(system, shape, "kinematics", _placed)
    balance, _ = _traced(system, shape, "balance", _imbalances)
    return Equations(replace(shape, fields=fields), derivative, output, kinematics, balance)


@dataclass(frozen=True)
class _Moment:
    """A system at one moment."""

    system: System
    motion: Motion
    gains: Gains
    activations: list[Scalar]
    fibres: dict[int, Scalar]
    drives: list[Scalar]
    controls: list[Scalar]

    @property
    def excitations(self) -> list[Scalar]:
        """Controls of the muscles."""
        return self.controls[: len(self.system.muscles)]

    def driven(self) -> Iterator[tuple[Actuator, list[Scalar], Scalar | None]]:
        """Yield each actuator with its controls and its activation, if it has one."""
        controls = iter(self.controls[len(self.system.muscles) :])
        activations = iter(self.drives)
        for actuator in self.system.actuators:
            own = list(islice(controls, actuator.controls))
            yield actuator, own, None if actuator.activation is None else next(activations)

    def lengths(self) -> list[tuple[Scalar, Scalar]]:
        """Return the length and the lengthening speed of each path."""
        return [(p.length(self.motion), p.speed(self.motion)) for p in self.system.paths]

    def pulls(self) -> list[Pull]:
        """Return the force and motion of each muscle."""
        return [
            muscle.pull(activation, self.fibres.get(i), length, speed)
            for i, (muscle, activation, (length, speed)) in enumerate(
                zip(self.system.muscles, self.activations, self.lengths(), strict=True)
            )
        ]


Results = list[Scalar]
Fields = tuple[tuple[str, tuple[int, ...]], ...]


def _traced(
    system: System,
    shape: Shape,
    name: str,
    results: Callable[[_Moment], tuple[Results, Fields]],
) -> tuple[Program, Fields]:
    trace = Trace()
    slots = trace.inputs(0, shape.states + shape.controls)
    q, u, a, fibres, drives = (slots[block] for block in shape.blocks.values())
    controls = slots[shape.states :]
    coordinates, speeds = _all_coordinates(system.mechanism, list(q), list(u))
    gains = Gains(system.mechanism, coordinates, speeds)
    motion = Motion(system.mechanism, coordinates, speeds, gains.rates)
    lengths: dict[int, Scalar] = dict(zip(system.elastic, fibres, strict=True))
    moment = _Moment(system, motion, gains, list(a), lengths, list(drives), list(controls))
    values, fields = results(moment)
    return program(name, trace, values, len(slots)), fields


def _all_coordinates(
    mechanism: Mechanism, q: list[Scalar], u: list[Scalar]
) -> tuple[list[Scalar], list[Scalar]]:
    """Return all coordinates and speeds, with the locked and coupled ones."""
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
    drive_rates: list[Scalar] = []
    for actuator, controls, drive in moment.driven():
        actuator.exert(motion, loads, controls if drive is None else [drive])
        if actuator.activation is not None and drive is not None:
            drive_rates.append(actuator.activation.rate(controls[0], drive))
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
    results += [rate for rate in fibre_rates if rate is not None]
    return results + drive_rates, ()


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
        "body_angular_velocities": _rows([motion.angular_velocity(b) for b in system.bodies]),
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
