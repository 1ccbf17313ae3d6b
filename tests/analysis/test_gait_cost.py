"""Muscles' energy against OpenSim's own model of it at random states."""

from dataclasses import replace

import numpy as np
import opensim
import pytest
import tasks

from osimexp.analysis.gait.cost import metabolic_power, muscle_power
from osimexp.analysis.gait.settings import CostSettings
from osimexp.errors import MovementError
from osimexp.models.prepare import PreparedModel, loaded
from osimexp.motion.movement import Movement
from osimexp.physics.posing.muscle_states import muscle_states
from osimexp.physics.reference.engine import Engine
from osimexp.physics.settings import OpenSimSettings

MOMENTS = 25


@pytest.fixture(scope="module")
def model() -> PreparedModel:
    return tasks.prepared(*tasks.WALKER, "model.paths=geometry")


@pytest.fixture(scope="module")
def movement(model: PreparedModel) -> Movement:
    """Random poses, speeds, activations and fibre lengths: fibres of 0.1 to 10 1/s either way."""
    names = Engine(model, OpenSimSettings(), 0.01, frozenset()).names
    generator = np.random.default_rng(7)
    shape = (MOMENTS, len(names.muscles))
    low, high = names.ranges.T
    positions = generator.uniform(0.5 * low, 0.5 * high, (MOMENTS, len(low)))
    return Movement(
        time=0.01 * np.arange(MOMENTS),
        coordinates=names.coordinates,
        rotational=names.rotational,
        positions=positions,
        speeds=generator.normal(size=positions.shape),
        muscles=names.muscles,
        controls=names.muscles,
        control_values=generator.uniform(0.0, 1.0, shape),
        activations=generator.uniform(0.02, 1.0, shape),
        fibre_lengths=generator.uniform(0.6, 1.4, shape),
        mass=names.mass,
    )


@pytest.mark.parametrize("force_dependent", [True, False])
@pytest.mark.parametrize("negative_work", [True, False])
def test_every_muscle_uses_what_opensim_says(
    model: PreparedModel, movement: Movement, force_dependent: bool, negative_work: bool
) -> None:
    settings = CostSettings(force_dependent_shortening=force_dependent, negative_work=negative_work)
    states = muscle_states(model, movement)
    found = muscle_power(states, settings)
    expected = of_opensim(model, movement, force_dependent, negative_work)
    assert (states.fibre_velocity > 0.0).any()
    assert (states.fibre_velocity < 0.0).any()
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)
    total = metabolic_power(states, movement.mass, settings)
    np.testing.assert_allclose(total, expected.sum(axis=1) + 1.2 * movement.mass, rtol=1e-6)


def of_opensim(
    prepared: PreparedModel, movement: Movement, force_dependent: bool, negative_work: bool
) -> np.ndarray:
    """Return ``(T, muscles)`` W by a component of OpenSim's for each muscle."""
    with loaded(prepared.xml) as model:
        parts = []
        for name in movement.muscles:
            part = opensim.Bhargava2004SmoothedMuscleMetabolics()
            part.setName(f"energy_{name}")
            part.set_use_force_dependent_shortening_prop_constant(force_dependent)
            part.set_include_negative_mechanical_work(negative_work)
            part.set_basal_coefficient(0.0)
            part.addMuscle(name, model.getMuscles().get(name), float("nan"))
            model.addComponent(part)
            parts.append(part)
        model.finalizeConnections()
        state = model.initSystem()
        power = np.empty(movement.activations.shape)
        for t in range(len(movement)):
            for number, name in enumerate(movement.coordinates):
                coordinate = model.getCoordinateSet().get(name)
                coordinate.setValue(state, movement.positions[t, number], False)
                coordinate.setSpeedValue(state, movement.speeds[t, number])
            for number, name in enumerate(movement.muscles):
                muscle = model.getMuscles().get(name)
                muscle.setActivation(state, movement.activations[t, number])
                length = movement.fibre_lengths[t, number] * muscle.getOptimalFiberLength()
                path = f"{muscle.getAbsolutePathString()}/fiber_length"
                model.setStateVariableValue(state, path, length)
            model.realizeVelocity(state)
            controls = opensim.Vector.createFromMat(movement.excitations[t])
            model.setControls(state, controls)
            model.realizeDynamics(state)
            power[t] = [part.getTotalMetabolicRate(state) for part in parts]
        return power


def test_fibres_are_those_of_the_simulation(model: PreparedModel) -> None:
    fields = frozenset({"fibre_length", "fibre_velocity"})
    batch = tasks.simulation(model, 1, fields=fields)
    names, generator = batch.names, np.random.default_rng(3)
    batch.reset(np.ones(1, dtype=bool), tasks.default_start(batch))
    kept = []
    for _ in range(3):
        excitations = generator.uniform(size=(1, len(names.muscles)))
        state = batch.step(excitations)
        kept.append(
            (
                state.coordinates[0].copy(), state.speeds[0].copy(), state.activations[0].copy(),
                state.fibre_length[0].copy(), state.fibre_velocity[0].copy(), excitations[0],
            )
        )  # fmt: skip
    batch.close()
    positions, speeds, activations, lengths, velocities, excitations = map(
        np.array, zip(*kept, strict=True)
    )
    movement = Movement(
        time=0.01 * np.arange(3),
        coordinates=names.coordinates,
        rotational=names.rotational,
        positions=positions,
        speeds=speeds,
        muscles=names.muscles,
        controls=names.muscles,
        control_values=excitations,
        activations=activations,
        fibre_lengths=lengths,
        mass=names.mass,
    )
    states = muscle_states(model, movement)
    np.testing.assert_allclose(states.fibre_length, lengths, atol=1e-9)
    # A model's muscles contract by 10 optimal lengths a second at most.
    found = states.fibre_velocity / (10.0 * states.optimal_fibre_length)
    np.testing.assert_allclose(found, velocities, atol=1e-6)


def test_what_is_missing_is_said(model: PreparedModel, movement: Movement) -> None:
    nothing = np.zeros((0, 0))
    with pytest.raises(MovementError, match="excitations and activations"):
        muscle_states(model, replace(movement, control_values=nothing, controls=()))
    with pytest.raises(MovementError, match="needs their fibre lengths"):
        muscle_states(model, replace(movement, fibre_lengths=nothing))


def test_rigid_tendons_need_no_lengths() -> None:
    arm = tasks.prepared(*tasks.ARM, "model.paths=geometry")
    names = Engine(arm, OpenSimSettings(), 0.01, frozenset()).names
    half = np.full((2, len(names.muscles)), 0.5)
    movement = Movement(
        time=np.array([0.0, 0.01]),
        coordinates=names.coordinates,
        rotational=names.rotational,
        positions=np.array([[0.1, 0.8], [0.1, 0.8]]),
        speeds=np.array([[0.0, 0.0], [0.0, 2.0]]),
        muscles=names.muscles,
        controls=names.muscles,
        control_values=half,
        activations=half,
        mass=names.mass,
    )
    states = muscle_states(arm, movement)
    np.testing.assert_allclose(states.fibre_velocity[0], 0.0, atol=1e-9)
    biceps, triceps = names.muscles.index("BICshort"), names.muscles.index("TRIlat")
    assert states.fibre_velocity[1, biceps] < 0.0 < states.fibre_velocity[1, triceps]
