"""Pushes, against Newton's law, against OpenSim and against their own plan."""

import numpy as np
import pytest
import tasks
from options import made
from tasks import environment, prepared, specification

from osimexp.errors import ConfigError, ModelError
from osimexp.physics.compiled.model import compile_model
from osimexp.physics.compiled.simulation import CompiledSimulation
from osimexp.physics.settings import CompiledSettings, WorkerSettings
from osimexp.physics.simulation import COSTLY, Start

WALKER = (*tasks.WALKER, "task.control_period=0.02")
PUSHED = ("push=random", "push.impulse=30", "push.least=0.1", "push.most=0.2")


def test_a_push_changes_the_momentum_by_its_impulse() -> None:
    """In the air nothing else acts forward, so that the impulse is mass times change of speed."""
    model = prepared(*WALKER, "push=random")
    batch = CompiledSimulation(model, CompiledSettings(), WorkerSettings(0), 2, 0.01, COSTLY)
    pose = np.tile(batch.names.default_pose, (2, 1))
    pose[:, batch.names.coordinates.index("pelvis_ty")] += 1.0
    batch.reset(np.ones(2, bool), Start(pose, np.zeros_like(pose), np.full((2, 18), 0.05)))
    controls = np.zeros((2, 21))
    controls[:, :18] = 0.05
    controls[0, 18:] = 200.0, 0.0, -100.0
    for _ in range(10):
        state = batch.step(controls)
    np.testing.assert_array_equal(state.controls, controls)
    impulse = batch.names.mass * state.centre_of_mass_velocity[:, 0]
    np.testing.assert_allclose(impulse, [200.0 * 0.1, 0.0], atol=1e-6)
    batch.close()


def test_compiled_pushes_are_proven_against_opensim() -> None:
    made = compile_model(prepared(*WALKER, "push=random"))
    assert made.proof.holds
    assert made.proof.errors["accelerations"] < 1e-10


def test_engines_agree_on_a_pushed_walker() -> None:
    ends = []
    for physics in ("compiled", "opensim"):
        overrides = (*WALKER, *PUSHED, f"physics={physics}", "start=default", "termination=none")
        batch = environment(2, *overrides)
        batch.reset(seed=1)
        for _ in range(20):
            batch.step(np.full((2, 18), -0.8, np.float32))
        ends.append(
            (batch.frame.state.controls[:, 18:].copy(), batch.frame.state.coordinates.copy())
        )
        batch.close()
    np.testing.assert_array_equal(ends[0][0], ends[1][0])
    # OpenSim steps to an accuracy of 1e-2 here.
    np.testing.assert_allclose(ends[0][1], ends[1][1], atol=2e-3)


def test_a_plan_keeps_its_distances_and_is_carried_out() -> None:
    term = made("push/random", impulse=12.0, duration=0.1, least=0.5, most=0.8)
    generators = [np.random.default_rng(seed) for seed in range(50)]
    plan = term.plan(generators, 10.0, 0.02)
    waits = np.diff(plan[:, :, 0], axis=1) - 0.1
    assert waits.min() > 0.5 - 0.021
    assert waits.max() < 0.8 + 0.021
    assert plan[:, -1, 0].min() > 8.0
    assert 11.0 < np.abs(plan[:, :, 1]).max() <= 12.0
    assert not plan[:, :, 2:].any()
    times = 0.02 * np.arange(1000)
    forces = np.stack([term.force(plan, np.full(50, t))[:, 0] for t in times], axis=1)
    # Each push acts for five control periods, and so gives its impulse.
    np.testing.assert_allclose(0.02 * forces.sum(axis=1), plan[:, :, 1].sum(axis=1), atol=1e-9)
    assert (forces != 0.0).any(axis=1).all()


def test_pushes_are_harder_only_while_a_controller_learns() -> None:
    task = specification(*WALKER, "push=random", "push.impulse=12", "push.harder=1.5")
    generators = [np.random.default_rng(seed) for seed in range(200)]
    hardest = []
    for pushes in (task.push, task.for_judging().push):
        assert pushes is not None
        hardest.append(np.abs(pushes.plan(generators, 10.0, 0.02)[:, :, 1]).max())
    assert 17.9 < hardest[0] <= 18.0
    assert 11.9 < hardest[1] <= 12.0
    with pytest.raises(ConfigError, match="harder must be above 0"):
        specification(*WALKER, "push=random", "push.harder=0")


def test_a_restored_batch_is_pushed_as_before() -> None:
    for physics in ("compiled", "opensim"):
        overrides = (*WALKER, *PUSHED, f"physics={physics}", "start=default", "termination=none")
        batch = environment(2, *overrides)
        batch.reset(seed=4)
        action = np.full((2, 18), -0.8, np.float32)
        for _ in range(8):
            batch.step(action)
        saved = batch.snapshot()
        expected = [batch.step(action)[0] for _ in range(8)]
        again = environment(2, *overrides)
        again.restore(saved)
        for row in expected:
            np.testing.assert_array_equal(again.step(action)[0], row)
        batch.close()
        again.close()


def test_what_cannot_be_pushed_is_said() -> None:
    with pytest.raises(ModelError, match=r"push\.body: the model has no body 'trunk'"):
        environment(1, *WALKER, "push=random", "push.body=trunk")
    with pytest.raises(ConfigError, match="least must be above 0"):
        environment(1, *WALKER, "push=random", "push.least=0.0")
