"""Our environments in Stable-Baselines3, and its algorithms beside ours in the benchmarks."""

import csv
import re
from pathlib import Path

import numpy as np
import pytest
from conftest import Command
from gymnasium.utils.env_checker import check_env as check_gymnasium

from osimexp.bench.__main__ import main as bench
from osimexp.tasks.compose import single, vector

pytest.importorskip("stable_baselines3")

FAST = ("physics=compiled", "workers=none")
ARM = ("model=arm", "reward=reach", *FAST)


@pytest.mark.parametrize("task", [ARM, ("model=gait2d", "reward=walk", *FAST)])
@pytest.mark.filterwarnings("ignore:.*render_mode.*")
def test_both_checkers_pass(task: tuple[str, ...]) -> None:
    from stable_baselines3.common.env_checker import check_env

    env = single(*task)
    check_env(env, warn=True)
    check_gymnasium(env, skip_render_check=True)
    env.close()


def test_a_batch_gives_what_the_environment_gives() -> None:
    from osimexp.tasks.stable_baselines import StableBaselinesEnv

    overrides = (*ARM, "task.duration=0.1")
    ours, theirs = vector(3, *overrides), StableBaselinesEnv(vector(3, *overrides), 5)
    observations, _ = ours.reset(seed=5)
    np.testing.assert_array_equal(theirs.reset(), observations)
    generator = np.random.default_rng(0)
    for step in range(1, 12):
        actions = generator.uniform(-1.0, 1.0, (3, 6)).astype(np.float32)
        observations, rewards, terminated, truncated, infos = ours.step(actions)
        seen, rewarded, ended, each = theirs.step(actions)
        np.testing.assert_array_equal(seen, observations)
        np.testing.assert_allclose(rewarded, rewards, rtol=1e-6)
        np.testing.assert_array_equal(ended, terminated | truncated)
        assert ended.all() == (step % 5 == 0)
        if ended.all():
            assert all(info["TimeLimit.truncated"] for info in each)
            last = [info["terminal_observation"] for info in each]
            np.testing.assert_array_equal(last, infos["final_obs"])
    ours.close()
    theirs.close()


def test_the_documented_example_trains() -> None:
    text = (Path(__file__).parents[1] / "docs" / "other_libraries.md").read_text()
    (example,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len([line for line in example.splitlines() if line.strip()]) <= 10
    short = example.replace("1_000_000", "256").replace("vector(64", "vector(2")
    short = short.replace("n_steps=64", "n_steps=16")
    names: dict[str, object] = {}
    exec(compile(short, "example", "exec"), names)
    assert names["model"].num_timesteps >= 256  # type: ignore[attr-defined]


def test_the_benchmark_of_learning_goes_on_where_it_was_cut(command: Command) -> None:
    small = (
        "learning", "problems=[Pendulum-v1]", "episodes=1", "evaluations=3", "output=found",
        "hyperparameters.ppo.rollout_steps=16", "hyperparameters.ppo.epochs=1",
        "steps.ppo.Pendulum-v1=384", "algorithms=[ppo]",
    )  # fmt: skip
    first = command(*small, "seeds=1", main=bench)
    assert first.code == 0, first.err
    assert "ppo Pendulum-v1 stable_baselines3 seed 0" in first.out
    second = command(*small, "seeds=2", main=bench)
    assert "seed 0:" not in second.out
    assert "ppo Pendulum-v1 osimexp seed 1" in second.out
    with Path("found/curves.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [int(r["steps"]) for r in rows] == [128, 256, 384] * 4
    assert Path("found/Pendulum-v1.png").stat().st_size > 1000
    assert Path("found/results.csv").read_text().count("\n") == 3


def test_the_benchmark_of_algorithms_times_every_piece(command: Command) -> None:
    answer = command(
        "algorithms", "rounds=1", "seconds=0.01", "hidden_sizes=[8]", "batch_size=16",
        "problem=['task=gym','task.id=Pendulum-v1']", "output=raw.csv", main=bench,
    )  # fmt: skip
    assert answer.code == 0, answer.err
    with Path("raw.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    pieces = {row["work"] for row in rows}
    assert {"sac update", "ddpg update", "ppo 10 epochs", "ppo act on 1"} <= pieces
    assert len(rows) == 2 * len(pieces)
    assert all(float(row["per_second"]) > 0.0 for row in rows)


def test_a_problem_that_is_not_described_is_refused(command: Command) -> None:
    answer = command("learning", "problems=[Cartpole]", main=bench)
    assert answer.refuses("Cartpole", "no entry in tasks")
