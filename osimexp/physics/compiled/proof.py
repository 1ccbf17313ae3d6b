"""The proof that a compiled model equals OpenSim's: a comparison at random states."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from osimexp.arrays import Floats
from osimexp.errors import ModelError
from osimexp.models.names import Names
from osimexp.models.prepare import PreparedModel
from osimexp.physics.arrays import block, bytes_needed
from osimexp.physics.compiled.equations import Shape
from osimexp.physics.reference.engine import Engine, Rates
from osimexp.physics.simulation import COSTLY, Start, State

BOUND = 1e-9
"""Greatest relative difference that is allowed."""

SOLVED = frozenset({"fibre rates", "fibre_velocity"})
SOLVED_BOUND = 1e-8
"""Greatest relative difference allowed for the velocity of damped fibres, which OpenSim iterates.

Its Millard2012EquilibriumMuscle stops when forces balance to 1e-10. With the usual damping of 0.1,
this leaves the velocity uncertain by up to 1e-9.
"""

_SLACK = 1e-6
"""Share of the maximum isometric force below which a tendon counts as slack."""

EXERTED = 200.0
"""Standard deviation of random forces and torques of actuators, N and N m."""

WIDTH = 1.0
"""Greatest distance of random coordinates from their defaults, rad or m."""


@dataclass(frozen=True)
class Proof:
    """The differences between a compiled model and OpenSim.

    Attributes:
        states: number of random states that were compared.
        errors: for each quantity, the greatest difference, relative to its greatest entry in that
            state.
    """

    states: int
    errors: dict[str, float]

    @property
    def holds(self) -> bool:
        """True if every difference is within its bound."""
        return all(
            error <= (SOLVED_BOUND if name in SOLVED else BOUND)
            for name, error in self.errors.items()
        )

    @property
    def worst(self) -> tuple[str, float]:
        """Quantity that differs most, and its difference."""
        return max(self.errors.items(), key=lambda item: item[1])


@dataclass(frozen=True)
class Sample:
    """A random state and OpenSim's results for it.

    Attributes:
        start: coordinates, speeds and activations, one row.
        controls: ``(controls,)``.
        equilibrium: lengths of the elastic fibres in OpenSim's equilibrium, m.
        rates: rates of the state, with fibres stretched from equilibrium.
        read: output fields, one row.
    """

    start: Start
    controls: Floats
    equilibrium: Floats
    rates: Rates
    read: State


def samples(
    model: PreparedModel, engine: Engine, count: int, generator: np.random.Generator
) -> Iterator[Sample]:
    """Yield random states of a model with the feet at the floor, and OpenSim's results for them.

    Poses that OpenSim cannot bring into equilibrium are drawn again.

    Raises:
        ModelError: OpenSim refuses most poses.
    """
    names = engine.names
    low = np.maximum(names.ranges[:, 0], names.default_pose - WIDTH)
    high = np.minimum(names.ranges[:, 1], names.default_pose + WIDTH)
    high = np.maximum(low, high)
    refused = 0
    muscles = len(names.muscles)
    strengths = [max(abs(one.optimal_force), 1e-9) for one in names.actuators]
    strengths += [1.0] * (len(names.controls) - muscles - len(strengths))
    scales = EXERTED / np.array(strengths)
    while count:
        pose = np.where(engine.locked, names.default_pose, generator.uniform(low, high))
        pose = _lowered(model, engine, pose, generator)
        speeds = generator.normal(size=len(pose)) * np.where(names.rotational, 3.0, 1.0)
        speeds[engine.locked] = 0.0
        activations = generator.uniform(0.02, 1.0, muscles)
        stretch = generator.uniform(0.98, 1.02, muscles)
        controls = np.append(generator.uniform(size=muscles), generator.normal(scale=scales))
        drives = generator.normal(size=engine.activated_actuators)
        try:
            engine.reset(pose, speeds, activations)
            equilibrium = engine.rates(np.ones(muscles), controls, drives).fibres
            rates = engine.rates(stretch, controls, drives)
            if not all(np.isfinite(values).all() for values in vars(rates).values()):
                raise ModelError("OpenSim gives rates that are not finite.")
        except (ModelError, RuntimeError):
            refused += 1
            if refused > 20 + 4 * count:
                raise ModelError(
                    "OpenSim cannot start an episode in most random poses of the model, or gives "
                    "no finite accelerations there, so the model cannot be compared; mend what "
                    "OpenSim refuses, or narrow the ranges of its coordinates."
                ) from None
            continue
        read = block(bytearray(bytes_needed(names, 1, COSTLY)), names, 1, COSTLY).state
        engine.read(read, 0)
        # Coupled coordinates have the values that OpenSim's assembly gave them.
        start = Start(read.coordinates.copy(), read.speeds.copy(), read.activations.copy())
        yield Sample(start, controls, equilibrium, rates, read)
        count -= 1


def prove(
    states: list[Sample],
    names: Names,
    shape: Shape,
    free: NDArray[np.intp],
    derivative: Callable[[Floats, Floats], Floats],
    output: Callable[[Floats, Floats], Floats],
) -> Proof:
    """Return the differences between compiled programs and OpenSim.

    Args:
        states: random states from ``samples``.
        names: names of the model's columns.
        shape: order of numbers in states and outputs.
        free: numbers of the free coordinates, in the order of the state.
        derivative: function from states ``(S, states)`` and controls ``(S, controls)`` to rates
            ``(S, states)``.
        output: function from states and controls to outputs ``(S, outputs)``.
    """
    rows = np.stack([_state(sample, shape, free) for sample in states])
    controls = np.stack([sample.controls for sample in states])
    rates, read = derivative(rows, controls), output(rows, controls)
    n = shape.free
    expected = {
        "coordinate rates": np.stack([s.rates.coordinates[free] for s in states]),
        "accelerations": np.stack([s.rates.speeds[free] for s in states]),
        "activation rates": np.stack([s.rates.activations for s in states]),
        "fibre rates": np.stack([s.rates.fibre_rates for s in states]),
        "actuator rates": np.stack([s.rates.actuator_rates for s in states]),
    }
    found = {
        "coordinate rates": rates[:, :n],
        "accelerations": rates[:, shape.speeds],
        "activation rates": rates[:, shape.activations],
        "fibre rates": rates[:, shape.fibres],
        "actuator rates": rates[:, shape.blocks["actuators"]],
    }
    for name, (place, _) in shape.places.items():
        expected[name] = np.stack([getattr(s.read, name)[0].reshape(-1) for s in states])
        found[name] = read[:, place]
    slack = expected["tendon_force"] < _SLACK * np.maximum(names.maximum_isometric_force, 1e-9)
    for name, muscles in (
        ("fibre rates", slack[:, list(shape.elastic)]),
        ("fibre_velocity", slack),
    ):
        # OpenSim stops to iterate where forces balance, and without tension any velocity does.
        near = np.isclose(found[name], expected[name], rtol=1e-3, atol=1e-4)
        expected[name] = np.where(muscles & near, found[name], expected[name])
    found["body_orientations"] = _nearest(found["body_orientations"], expected["body_orientations"])
    errors = {
        name: _difference(found[name], expected[name])
        for name in expected
        if expected[name].shape[1]
    }
    return Proof(len(states), errors)


def _state(sample: Sample, shape: Shape, free: NDArray[np.intp]) -> Floats:
    start = sample.start
    return np.concatenate(
        [
            start.coordinates[0, free],
            start.speeds[0, free],
            start.activations[0],
            sample.rates.fibres,
            sample.rates.actuators,
        ]
    )


def _difference(found: Floats, expected: Floats) -> float:
    """Return the greatest difference in a state over the greatest entry in it."""
    greatest = np.abs(expected).max(axis=1)
    # For a quantity that is almost 0 in a state, the scale follows from its values in all states.
    scale = np.maximum(greatest, max(1e-3 * float(greatest.max()), 1e-12))
    error = np.abs(found - expected).max(axis=1) / scale
    return float(np.max(np.where(np.isfinite(error), error, np.inf)))


def _nearest(angles: Floats, near: Floats) -> Floats:
    """Return angles plus multiples of a full turn that bring them near other angles."""
    return angles + 2.0 * np.pi * np.round((near - angles) / (2.0 * np.pi))


def _lowered(
    model: PreparedModel, engine: Engine, pose: Floats, generator: np.random.Generator
) -> Floats:
    """Return the pose with its lowest contact sphere at the floor, if it can be lowered."""
    height = model.settings.base.height
    if height is None or height not in engine.names.coordinates:
        return pose
    clearance = engine.kinematics(pose[None]).clearance[0]
    if not np.isfinite(clearance):
        return pose
    lowered = pose.copy()
    depth = generator.uniform(-0.005, 0.02)
    lowered[engine.names.coordinates.index(height)] -= clearance + depth
    return lowered
