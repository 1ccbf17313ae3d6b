"""Compiled models against OpenSim itself, and the batch that steps them."""

import logging
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import opensim
import pytest
from tasks import default_start, environment, prepared, reference, simulation

from osimexp.errors import ConfigError, ModelError
from osimexp.models.muscle_sets import MuscleSet
from osimexp.models.prepare import PreparedModel, prepare
from osimexp.models.settings import ModelSettings
from osimexp.physics.compiled.mechanics.dynamics import Gains, Loads, accelerations
from osimexp.physics.compiled.mechanics.mechanism import read_mechanism
from osimexp.physics.compiled.mechanics.motion import Motion
from osimexp.physics.compiled.model import CompiledModel, compare, compile_model
from osimexp.physics.compiled.proof import SOLVED
from osimexp.physics.compiled.simulation import CompiledSimulation
from osimexp.physics.compiled.stored import read, written
from osimexp.physics.reference.engine import Engine
from osimexp.physics.settings import CompiledSettings, OpenSimSettings, WorkerSettings
from osimexp.physics.simulation import COSTLY

ARM = ("model=arm", "reward=reach")
WALKER = ("model=gait2d", "reward=velocity")


def compiled(
    model: PreparedModel, size: int, threads: int = 0, **physics: object
) -> CompiledSimulation:
    settings = CompiledSettings(**physics)  # type: ignore[arg-type]
    return CompiledSimulation(model, settings, WorkerSettings(threads), size, 0.01, COSTLY)


@pytest.fixture(scope="module")
def walker() -> PreparedModel:
    return prepared(*WALKER)


@pytest.fixture(scope="module")
def arm() -> PreparedModel:
    return prepared(*ARM)


def error_at_random_states(model: PreparedModel) -> dict[str, float]:
    """Return how far a compiled model is from OpenSim at 1,000 states, by quantity."""
    made = compile_model(model)
    engine = Engine(model, OpenSimSettings(), 0.01, COSTLY)
    generator = np.random.default_rng(1)
    proof = compare(model, engine, made.machine(), made.shape, made.free, 1000, generator)
    assert proof.states == 1000
    assert proof.holds, proof.errors
    return {name: error for name, error in proof.errors.items() if name not in SOLVED}


@pytest.mark.parametrize(
    "overrides",
    [
        ARM,
        WALKER,
        (*WALKER, "model.paths=geometry"),
        (*WALKER, "model.muscle_model=thelen"),
        (*WALKER, "model.muscle_model=degroote_fregly", "model.tendon=rigid"),
        (*WALKER, "model.tendon=rigid"),
    ],
)
def test_a_model_is_opensim_at_random_states(overrides: tuple[str, ...]) -> None:
    errors = error_at_random_states(prepared(*overrides))
    assert max(errors.values()) < 1e-10, errors


def test_constants_that_opensim_keeps_of_another_model_are_named() -> None:
    one = prepared(*ARM, "model.muscle_model=degroote_fregly", "model.tendon=rigid")
    compile_model(one)
    constant = "<activation_time_constant>0.01"
    assert constant in one.xml
    other = replace(one, xml=one.xml.replace(constant, "<activation_time_constant>0.02"))
    with pytest.raises(ModelError, match=r"DeGrooteFregly2016Muscle.* in a process of its own"):
        compile_model(other)


@pytest.mark.parametrize(
    "name",
    [
        "arm26",
        "gait10dof18musc",
        "gait10dof18musc_subject01",
        pytest.param("Rajagopal2016", marks=pytest.mark.slow),
    ],
)
def test_a_model_of_others_is_opensim_at_random_states(name: str) -> None:
    settings = ModelSettings(path=str(reference(f"{name}.osim")), paths="fitted")
    errors = error_at_random_states(prepare(settings, MuscleSet()))
    assert max(errors.values()) < 1e-10, errors


JOINTS = {
    "PinJoint": opensim.PinJoint,
    "SliderJoint": opensim.SliderJoint,
    "UniversalJoint": opensim.UniversalJoint,
    "PlanarJoint": opensim.PlanarJoint,
    "GimbalJoint": opensim.GimbalJoint,
    "BallJoint": opensim.BallJoint,
    "FreeJoint": opensim.FreeJoint,
}


@pytest.fixture
def chain(request: pytest.FixtureRequest) -> Iterator[opensim.Model]:
    """A joint of one kind between ground and a body that carries another by the same kind."""
    model = opensim.Model()
    parent: opensim.PhysicalFrame = model.getGround()
    for i in range(2):
        inertia = opensim.Inertia(0.3, 0.2, 0.25, 0.01, 0.02, 0.03)
        body = opensim.Body(f"body{i}", 2.0 + i, opensim.Vec3(0.1, -0.2, 0.05), inertia)
        model.addBody(body)
        joint = JOINTS[request.param](
            f"joint{i}",
            parent, opensim.Vec3(0.1, 0.2, -0.1), opensim.Vec3(0.3, -0.2, 0.5),
            body, opensim.Vec3(0.05, 0.3, 0.1), opensim.Vec3(-0.4, 0.1, 0.2),
        )  # fmt: skip
        model.addJoint(joint)
        parent = body
    model.finalizeConnections()
    return model


@pytest.mark.parametrize("chain", JOINTS, indirect=True)
def test_each_joint_accelerates_as_in_opensim(chain: opensim.Model) -> None:
    state = chain.initSystem()
    mechanism = read_mechanism(chain)
    count = len(mechanism.coordinates)
    generator = np.random.default_rng(0)
    for _ in range(100):
        q, u = generator.uniform(-1.0, 1.0, count), generator.normal(size=count) * 3.0
        coordinates = [chain.getComponent(c.path) for c in mechanism.coordinates]
        for one, value, speed in zip(coordinates, q, u, strict=True):
            chain.setStateVariableValue(state, f"{one.getAbsolutePathString()}/value", value)
            chain.setStateVariableValue(state, f"{one.getAbsolutePathString()}/speed", speed)
        chain.realizeAcceleration(state)
        expected = np.array(
            [opensim.Coordinate.safeDownCast(c).getAccelerationValue(state) for c in coordinates]
        )
        gains = Gains(mechanism, q.tolist(), u.tolist())
        motion = Motion(mechanism, q.tolist(), u.tolist(), gains.rates)
        found = np.array(accelerations(motion, Loads(mechanism), gains), dtype=float)
        assert np.abs(found - expected).max() < 1e-10 * np.abs(expected).max()


def test_a_compiled_model_is_kept_as_data(arm: PreparedModel) -> None:
    model = compile_model(arm)
    found = read(CompiledModel, written(model))
    assert (found.code, found.shape, found.proof) == (model.code, model.shape, model.proof)
    assert found.names.controls == model.names.controls
    for name in ("free", "fibre_ranges"):
        ours, theirs = getattr(found, name), getattr(model, name)
        assert ours.dtype == theirs.dtype
        np.testing.assert_array_equal(ours, theirs)
    assert found.names.rotational.dtype == bool
    np.testing.assert_array_equal(found.names.ranges, model.names.ranges)
    with pytest.raises(TypeError, match="is not data"):
        written(Engine)


def rolled(batch: CompiledSimulation, excitations: np.ndarray) -> np.ndarray:
    states = [batch.step(row).coordinates.copy() for row in excitations]
    return np.stack(states)


@pytest.mark.parametrize(
    # OpenSim takes two minutes for the walker's second.
    "overrides",
    [ARM, pytest.param(WALKER, marks=pytest.mark.slow)],
    ids=["arm", "walker"],
)
def test_it_moves_as_opensim_moves_it(overrides: tuple[str, ...]) -> None:
    model = prepared(*overrides)
    ours, theirs = compiled(model, 1), simulation(model, 1, accuracy=1e-8, minimum_step=1e-9)
    muscles = len(ours.names.muscles)
    excitations = np.random.default_rng(1).uniform(size=(100, 1, muscles))
    ours.reset(np.ones(1, dtype=bool), default_start(theirs))
    theirs.reset(np.ones(1, dtype=bool), default_start(theirs))
    expected = np.stack([theirs.step(row).coordinates.copy() for row in excitations])
    found = rolled(ours, excitations)
    assert np.sqrt(np.mean((found[-1] - expected[-1]) ** 2)) < 1e-4
    theirs.close()


def test_an_episode_depends_on_neither_batch_nor_threads(walker: PreparedModel) -> None:
    excitations = np.random.default_rng(2).uniform(size=(20, 5, 18))
    many, alone = compiled(walker, 5, threads=2), compiled(walker, 1)
    many.reset(np.ones(5, dtype=bool), default_start(many))  # type: ignore[arg-type]
    alone.reset(np.ones(1, dtype=bool), default_start(alone))  # type: ignore[arg-type]
    together = rolled(many, excitations)
    assert np.array_equal(rolled(alone, excitations[:, 3:4])[:, 0], together[:, 3])
    many.close()


@pytest.mark.parametrize("physics", [{"tolerance": 1e-3}, {"integrator": "rk3"}])
def test_lanes_stay_near_exact_steps(walker: PreparedModel, physics: dict[str, object]) -> None:
    excitations = np.random.default_rng(3).uniform(size=(20, 20, 18))
    lanes = compiled(walker, 20, lanes=True, **physics)
    exact = compiled(walker, 20, tolerance=1e-8)
    for batch in (lanes, exact):
        batch.reset(np.ones(20, dtype=bool), default_start(batch))  # type: ignore[arg-type]
    difference = rolled(lanes, excitations)[-1] - rolled(exact, excitations)[-1]
    error = np.sqrt(np.mean(difference**2))
    assert error < 1e-3
    assert lanes.lanes_error == pytest.approx(error, rel=1.0)
    assert exact.lanes_error is None


def test_a_restored_batch_goes_on_to_the_very_bit(walker: PreparedModel) -> None:
    excitations = np.random.default_rng(4).uniform(size=(10, 2, 18))
    batch = compiled(walker, 2)
    batch.reset(np.ones(2, dtype=bool), default_start(batch))  # type: ignore[arg-type]
    rolled(batch, excitations)
    snapshot = batch.snapshot()
    first = rolled(batch, excitations)
    batch.restore(snapshot)
    assert np.array_equal(rolled(batch, excitations), first)


def test_a_wrapped_path_is_refused_by_name() -> None:
    model = prepared("model=arm", "reward=reach", "model.paths=geometry")
    with pytest.raises(ModelError, match=r"wrap.*model.paths=fitted"):
        compile_model(model)


def test_what_cannot_be_compiled_is_left_to_opensim_aloud(
    caplog: pytest.LogCaptureFixture,
) -> None:
    overrides = (*ARM, "model.paths=geometry", "physics=auto", "workers=none")
    with caplog.at_level(logging.WARNING, "osimexp"):
        batch = environment(1, *overrides)
    assert batch.backend.reference
    assert "OpenSim itself simulates this model" in caplog.text
    batch.close()


def test_any_failure_to_compile_is_left_to_opensim_aloud(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise IndexError("list index out of range")

    monkeypatch.setattr("osimexp.physics.backends.CompiledSimulation", broken)
    with caplog.at_level(logging.WARNING, "osimexp"):
        batch = environment(1, *ARM, "physics=auto", "workers=none")
    assert batch.backend.reference
    assert "not foreseen (IndexError: list index out of range)" in caplog.text
    batch.close()


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("termination.out_of_range.coordinates=[elbo_flexion]", "did you mean elbow_flexion"),
        ("muscles.driven=[BICshrt]", "did you mean BICshort"),
        ("target.point=foot", r"no point 'foot'.*a point is added by model\.points\.foot="),
        ("model.poses.bent.elbow=1.0 start.poses=[bent]", "no coordinate 'elbow'"),
    ],
)
def test_names_are_refused_before_anything_is_compiled(
    override: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def compiling(*_: object) -> None:
        raise AssertionError("it was compiled")

    monkeypatch.setattr("osimexp.physics.backends.CompiledSimulation", compiling)
    monkeypatch.setattr("osimexp.physics.backends.is_compiled", lambda *_: False)
    with pytest.raises(ConfigError, match=said):
        environment(1, *ARM, "physics=compiled", "workers=none", *override.split())
