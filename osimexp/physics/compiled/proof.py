"""The proof that a compiled model is OpenSim's: both at random states, side by side."""

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
"""Greatest relative difference with which a model is taken."""

SOLVED = frozenset({"fibre rates", "fibre_velocity"})
SOLVED_BOUND = 1e-8
"""The same for what OpenSim itself solves for only so far: the velocity of damped fibres.

Its Millard2012EquilibriumMuscle stops where forces balance to 1e-10, and with the usual damping of
0.1 that leaves up to 1e-9 of the velocity open.
"""

EXERTED = 200.0
"""Standard deviation of the forces and torques drawn for actuators, N and N m."""

WIDTH = 1.0
"""How far from their defaults coordinates are drawn, rad or m."""


@dataclass(frozen=True)
class Proof:
    """How far a compiled model was from OpenSim.

    Attributes:
        states: random states that were compared.
        errors: for each quantity the greatest difference, relative to its greatest entry in that
            state.
    """

    states: int
    errors: dict[str, float]

    @property
    def holds(self) -> bool:
        """Whether no difference is above its bound."""
        return all(
            error <= (SOLVED_BOUND if name in SOLVED else BOUND)
            for name, error in self.errors.items()
        )

    @property
    def worst(self) -> tuple[str, float]:
        """The quantity that differs most, and by how much."""
        return max(self.errors.items(), key=lambda item: item[1])


@dataclass(frozen=True)
class Sample:
    """A random state as OpenSim has it.

    Attributes:
        start: where its coordinates, speeds and activations are; one row.
        controls: ``(controls,)``.
        equilibrium: lengths of the elastic fibres that OpenSim began with, m.
        rates: of its state, with the lengths that the fibres were stretched to.
        read: what is read off it; one row.
    """

    start: Start
    controls: Floats
    equilibrium: Floats
    rates: Rates
    read: State


def samples(
    model: PreparedModel, engine: Engine, count: int, generator: np.random.Generator
) -> Iterator[Sample]:
    """Give random states of a model with the feet at the floor, and what OpenSim makes of them.

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
        except (ModelError, RuntimeError):
            refused += 1
            if refused > 20 + 4 * count:
                raise ModelError(
                    "OpenSim can begin no episode in most random poses of the model, so it cannot "
                    "be compared; narrow the ranges of its coordinates."
                ) from None
            continue
        read = block(bytearray(bytes_needed(names, 1, COSTLY)), names, 1, COSTLY).state
        engine.read(read, 0)
        # Coupled coordinates are where OpenSim's assembly put them.
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
    """Compare compiled programs with OpenSim.

    Args:
        states: from ``samples``.
        names: of the model.
        shape: where things stand in a state.
        free: numbers of the free coordinates.
        derivative: rates ``(S, states)`` of states ``(S, states)`` and controls.
        output: what is read off, ``(S, outputs)``.
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
    # A state with next to nothing of a quantity is held to the others' size.
    scale = np.maximum(greatest, max(1e-3 * float(greatest.max()), 1e-12))
    error = np.abs(found - expected).max(axis=1) / scale
    return float(np.max(np.where(np.isfinite(error), error, np.inf)))


def _nearest(angles: Floats, near: Floats) -> Floats:
    """Return angles with whole turns added that bring them near others."""
    return angles + 2.0 * np.pi * np.round((near - angles) / (2.0 * np.pi))


def _lowered(
    model: PreparedModel, engine: Engine, pose: Floats, generator: np.random.Generator
) -> Floats:
    """Return the pose with its lowest contact sphere at the floor, where it can be lowered."""
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
