"""Our environments in Stable-Baselines3, and its algorithms beside ours in the benchmarks."""

import csv
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from commands import Command
from gymnasium.utils.env_checker import check_env as check_gymnasium
from options import classical
from toy import ToyEnvironment

from osimexp.algorithms.algorithm import Transition, learn
from osimexp.algorithms.rollout import Rollout
from osimexp.bench.shares import shares
from osimexp.cli.bench import main as bench
from osimexp.tasks.compose import single, vector

pytest.importorskip("stable_baselines3", reason="needs pip install stable-baselines3")

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
    from osimexp.tasks.adapters.stable_baselines import StableBaselinesEnv

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


def test_the_documented_example_trains(place: Path) -> None:
    text = (Path(__file__).parents[3] / "docs" / "other_libraries.md").read_text()
    (example,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len([line for line in example.splitlines() if line.strip()]) <= 10
    short = example.replace("1_000_000", "256").replace("vector(64", "vector(2")
    short = short.replace("n_steps=64", "n_steps=16")
    names: dict[str, object] = {}
    exec(compile(short, "example", "exec"), names)
    assert names["model"].num_timesteps >= 256  # type: ignore[attr-defined]
    assert (place / "walker.zip").is_file()


def test_ppo_makes_the_updates_of_theirs() -> None:
    from stable_baselines3 import PPO
    from stable_baselines3.common.logger import Logger

    from osimexp.tasks.adapters.stable_baselines import StableBaselinesEnv

    # A minibatch is the whole rollout, so that the order within it says nothing.
    settings = classical(
        "ppo", environments=4, rollout_steps=64, minibatch_size=256, hidden_sizes=(16, 16),
        max_kl=None, learning_rate=0.01, normalise_observations=False, scale_rewards=False,
    )  # fmt: skip
    ours, task = settings.create(2, 1, 0, "cpu"), ToyEnvironment(4)
    theirs = PPO(
        "MlpPolicy", StableBaselinesEnv(task, 0), learning_rate=0.01, n_steps=64, batch_size=256,
        policy_kwargs={"net_arch": [16, 16], "log_std_init": settings.initial_log_std},
    )  # fmt: skip
    theirs.set_logger(Logger(None, []))
    inner = theirs.policy.mlp_extractor
    pairs = [
        (mine, getattr(layer, kind))
        for network, layers in (
            (ours.controller.network, (*inner.policy_net[::2], theirs.policy.action_net)),
            (ours.critic, (*inner.value_net[::2], theirs.policy.value_net)),
        )
        for kind, own in (("weight", network.weights), ("bias", network.biases))
        for mine, layer in zip(own, layers, strict=True)
    ]
    for mine, their in pairs:
        their.data.copy_(mine)
    before = [mine.detach().clone() for mine, _ in pairs]

    observations, _ = task.reset(seed=3)
    for _ in range(3 * 64):
        actions = ours.act(observations)
        following, rewards, terminated, truncated, infos = task.step(actions)
        ended = (terminated | truncated)[:, None]
        last = np.where(ended, infos.get("final_obs", following), following)
        step = Transition(observations, actions, rewards, last, terminated, truncated)
        if learn(ours, step):
            update_theirs(theirs, ours.rollout)
        observations = following
    for (mine, their), first in zip(pairs, before, strict=True):
        torch.testing.assert_close(mine, their, rtol=0.0, atol=1e-5)
        assert (mine - first).abs().max() > 0.01
    torch.testing.assert_close(ours.log_std, theirs.policy.log_std, rtol=1e-4, atol=1e-5)


def update_theirs(model: Any, rollout: Rollout) -> None:
    """Let their PPO learn from the steps that ours has just learned from."""
    buffer, policy = model.rollout_buffer, model.policy
    buffer.reset()
    ended = rollout.terminated | rollout.truncated
    begins = torch.cat((torch.ones_like(ended[:1]), ended[:-1]))
    with torch.no_grad():
        for step, begin in enumerate(begins):
            seen, drawn = rollout.observations[step], rollout.actions[step]
            values, log_probs, _ = policy.evaluate_actions(seen, drawn)
            following = policy.predict_values(rollout.next_observations[step]).flatten()
            # Their loop, too, adds what follows a truncation to the reward.
            rewards = rollout.rewards[step] + model.gamma * following * rollout.truncated[step]
            buffer.add(*(v.numpy() for v in (seen, drawn, rewards, begin)), values, log_probs)
        last = policy.predict_values(rollout.next_observations[-1])
    buffer.compute_returns_and_advantage(last, ended[-1].numpy())
    model.train()


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
    # What was trained otherwise is not taken for what is asked for, nor lost from the table.
    other = command(*small, "seeds=2", "hyperparameters.ppo.epochs=2", main=bench)
    assert other.refuses("trainings of ppo Pendulum-v1 whose hyperparameters was", "output=FOLDER")
    assert command(*small, "seeds=1", "problems=[]", main=bench).code == 0
    assert Path("found/results.csv").read_text().count("\n") == 3


def test_the_benchmark_of_algorithms_times_every_piece(command: Command) -> None:
    answer = command(
        "algorithms", "rounds=1", "seconds=0.01", "hidden_sizes=[8]", "batch_size=2048",
        "problem=['task=gym','task.id=Pendulum-v1']", "output=raw.csv", main=bench,
    )  # fmt: skip
    assert answer.code == 0, answer.err
    with Path("raw.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    pieces = {row["work"] for row in rows}
    assert {"sac update", "ddpg update", "ppo 10 epochs", "ppo act on 1"} <= pieces
    assert len(rows) == 2 * len(pieces)
    assert all(float(row["per_second"]) > 0.0 for row in rows)
    with Path("raw_shares.csv").open(newline="") as stream:
        parts = list(csv.DictReader(stream))
    assert {row["work"] for row in parts} == {"sac update", "ddpg update", "ppo 10 epochs"}


def test_shares_of_work_are_those_of_what_it_was_made_of() -> None:
    matrix = torch.ones((600, 600))
    products = shares(lambda: matrix @ matrix, 0.05)
    assert products["matrix products"] > 0.8
    python = shares(lambda: sum(range(20_000)), 0.05)
    assert python["Python"] == 1.0
    assert sum(products.values()) == pytest.approx(1.0)


def test_a_problem_that_is_not_described_is_refused(command: Command) -> None:
    answer = command("learning", "problems=[Cartpole]", main=bench)
    assert answer.refuses("Cartpole", "no entry in tasks")
