"""What every algorithm promises: seeds, resume, bootstrapping, checked settings."""

import copy
from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from algorithm_helpers import Stream, run, through_file
from options import CLASSICAL, classical, values

from osimexp.algorithms.algorithm import Algorithm, Transition, learn
from osimexp.algorithms.networks import Critics
from osimexp.config import build
from osimexp.controllers.policy import Policy
from osimexp.errors import ConfigError

SETTINGS: dict[str, Any] = {
    "sac": classical(
        "sac", hidden_sizes=(16, 16), batch_size=16, learning_starts=20, updates_per_step=0.3,
        replay_capacity=90,
    ),
    "ppo": classical(
        "ppo", environments=4, hidden_sizes=(16,), rollout_steps=16, minibatch_size=16,
        epochs=2,
    ),
    "ppo-adapted": classical(
        "ppo", environments=4, hidden_sizes=(16,), rollout_steps=16, minibatch_size=16,
        epochs=2, desired_kl=0.01,
    ),
    "ddpg": classical(
        "ddpg", hidden_sizes=(16, 16), batch_size=16, learning_starts=20, replay_capacity=90
    ),
    "td3": classical(
        "ddpg", hidden_sizes=(16, 16), batch_size=16, learning_starts=20, updates_per_step=0.3,
        critics=2, target_noise=0.2, policy_delay=2, noise_correlation=0.8, max_gradient_norm=1.0,
    ),
}  # fmt: skip
every_algorithm = pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS.keys())


def create(settings: Any, seed: int = 0) -> Algorithm:
    made: Algorithm = settings.create(3, 2, seed=seed, device="cpu")
    return made


@every_algorithm
def test_the_seed_decides_everything(settings: Any) -> None:
    first = run(create(settings), Stream(4), 40)
    assert run(create(settings, seed=1), Stream(4), 40) != first
    with torch.random.fork_rng():
        torch.manual_seed(99)
        before = torch.get_rng_state()
        assert run(create(settings), Stream(4), 40) == first
        assert torch.equal(torch.get_rng_state(), before)


@every_algorithm
@pytest.mark.parametrize("stop", [3, 24, 37])
def test_a_resumed_run_is_the_uninterrupted_one(settings: Any, stop: int) -> None:
    whole, stream = create(settings), Stream(4)
    run(whole, stream, stop)
    state = through_file(whole.state_dict())
    resumed, again = create(settings, seed=7), Stream(4)
    # The stream of transitions is brought to the same place by a third run.
    run(create(settings), again, stop)
    resumed.load_state_dict(state)
    assert run(resumed, again, 40) == run(whole, stream, 40)
    np.testing.assert_array_equal(
        resumed.controller.act(stream.observations), whole.controller.act(stream.observations)
    )


@every_algorithm
def test_without_the_replay_weights_and_statistics_go_on(settings: Any) -> None:
    whole, stream = create(settings), Stream(4)
    run(whole, stream, 37)
    state = through_file(whole.state_dict(replay=False))
    assert "replay" not in state
    resumed = create(settings, seed=7)
    resumed.load_state_dict(state)
    np.testing.assert_array_equal(
        resumed.controller.act(stream.observations), whole.controller.act(stream.observations)
    )
    np.testing.assert_array_equal(resumed.act(stream.observations), whole.act(stream.observations))
    run(resumed, stream, 37)


@every_algorithm
def test_the_policy_alone_acts_like_the_algorithm_does(settings: Any) -> None:
    algorithm, stream = create(settings), Stream(4)
    run(algorithm, stream, 30)
    policy = Policy.from_state_dict(through_file(algorithm.state_dict(replay=False))["policy"])
    expected = algorithm.controller.act(stream.observations)
    np.testing.assert_array_equal(policy.act(stream.observations), expected)
    assert policy.normaliser.count == 30 * 4


@every_algorithm
def test_actions_and_metrics_are_sound(settings: Any) -> None:
    record = run(create(settings), Stream(4), 40)
    actions = np.array([actions for actions, _ in record])
    assert np.abs(actions).max() <= 1.0
    metrics = [metrics for _, metrics in record if metrics]
    assert metrics
    assert all(np.isfinite(value) for each in metrics for value in each.values())


@pytest.mark.parametrize("name", ["sac", "td3"])
def test_fractions_of_updates_add_up(name: str) -> None:
    record = run(create(SETTINGS[name]), Stream(4), 24)
    made = [bool(metrics) for _, metrics in record]
    # 4 * 0.3 = 1.2 updates a step, from the fifth step on, when 20 transitions are there.
    assert made == [False] * 4 + [True] * 20


@every_algorithm
def test_unnormalised_observations_leave_the_statistics_empty(settings: Any) -> None:
    values = {**vars(settings), "normalise_observations": False}
    algorithm: Any = create(type(settings)(**values))
    run(algorithm, Stream(4), 30)
    assert algorithm.controller.normaliser.count == 0


# A task of one state and a reward of 1 in each step: truncated episodes are worth
# 1 / (1 - discount) = 5, terminated ones 1, however short the episodes are.
DISCOUNT = 0.8


def learn_constant_reward(algorithm: Algorithm, terminates: bool, steps: int) -> None:
    observations = np.zeros((4, 3), dtype=np.float32)
    ends = np.ones(4, dtype=bool)
    for _ in range(steps):
        actions = algorithm.act(observations)
        terminated, truncated = (ends, ~ends) if terminates else (~ends, ends)
        step = Transition(observations, actions, np.ones(4), observations, terminated, truncated)
        learn(algorithm, step)


@pytest.mark.parametrize(("terminates", "value"), [(True, 1.0), (False, 5.0)])
@pytest.mark.parametrize("name", ["sac", "ddpg"])
def test_truncation_bootstraps_the_critics(name: str, terminates: bool, value: float) -> None:
    common = {
        "hidden_sizes": (16,), "batch_size": 16, "learning_starts": 16, "discount": DISCOUNT,
        "target_rate": 0.1,
    }  # fmt: skip
    settings: Any = (
        classical(
            "sac",
            learning_rate=1e-2,
            initial_temperature=1e-6,
            learn_temperature=False,
            **common,
        )
        if name == "sac"
        else classical("ddpg", critic_learning_rate=1e-2, **common)
    )
    algorithm = create(settings)
    learn_constant_reward(algorithm, terminates, 200)
    actions = torch.linspace(-0.5, 0.5, 10).reshape(5, 2)
    values = algorithm.critics(torch.zeros(5, 3), actions)  # type: ignore[attr-defined]
    torch.testing.assert_close(values, torch.full_like(values, value), rtol=0.05, atol=0.05)


@pytest.mark.parametrize("layer_norm", [False, True])
@pytest.mark.parametrize("name", ["sac", "ddpg"])
def test_rewards_of_several_steps_are_worth_what_single_ones_are(
    name: str, layer_norm: bool
) -> None:
    """A reward of 1 in each step for ever is worth 5, whatever part of it enters a target."""
    common = {
        "hidden_sizes": (16,), "batch_size": 16, "learning_starts": 16, "discount": DISCOUNT,
        "target_rate": 0.1, "horizon": 3, "layer_norm": layer_norm,
    }  # fmt: skip
    settings: Any = (
        classical("sac", learning_rate=1e-2, initial_temperature=1e-6, learn_temperature=False,
             **common)
        if name == "sac"
        else classical("ddpg", critic_learning_rate=1e-2, **common)
    )  # fmt: skip
    algorithm = create(settings)
    observations, never = np.zeros((4, 3), dtype=np.float32), np.zeros(4, dtype=bool)
    for _ in range(200):
        actions = algorithm.act(observations)
        learn(algorithm, Transition(observations, actions, np.ones(4), observations, never, never))
    actions = torch.linspace(-0.5, 0.5, 10).reshape(5, 2)
    values = algorithm.critics(torch.zeros(5, 3), actions)  # type: ignore[attr-defined]
    torch.testing.assert_close(values, torch.full_like(values, 5.0), rtol=0.05, atol=0.05)


def test_normalised_critics_do_not_depend_on_the_scale_of_their_layers() -> None:
    critics = Critics(2, 3, 2, (8, 8), "relu", torch.Generator().manual_seed(0), layer_norm=True)
    observations, actions = torch.randn(5, 3), torch.randn(5, 2)
    before = critics(observations, actions)
    with torch.no_grad():
        for parameter in (critics.weights[0], critics.biases[0]):
            parameter.mul_(10.0)
    torch.testing.assert_close(critics(observations, actions), before, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(("terminates", "value"), [(True, 1.0), (False, 5.0)])
def test_truncation_bootstraps_the_value_of_ppo(terminates: bool, value: float) -> None:
    settings = classical(
        "ppo", environments=4, hidden_sizes=(16,), rollout_steps=8, minibatch_size=16,
        epochs=8, discount=DISCOUNT, scale_rewards=False, learning_rate=1e-2, max_kl=None,
    )  # fmt: skip
    algorithm = settings.create(3, 2, seed=0, device="cpu")
    learn_constant_reward(algorithm, terminates, 400)
    assert algorithm.critic(torch.zeros(1, 3)).item() == pytest.approx(value, rel=0.05)


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        ("sac", {"discount": 1.5}, "algo: discount must be from 0 to 1, not 1.5"),
        ("sac", {"batch_size": 0}, "batch_size must be above 0, not 0"),
        ("sac", {"hidden_sizes": [64, 0]}, "hidden_sizes must be layer widths above 0"),
        ("sac", {"replay_capacity": 10}, "learning_starts must be from 1 to 10, not 1000"),
        ("sac", {"learning_rate": float("nan")}, "learning_rate must be a finite number"),
        ("sac", {"activation": "gelu"}, "algo.activation"),
        ("sac", {"batch_sise": 1}, "did you mean batch_size"),
        ("ddpg", {"critics": 3}, "critics must be from 1 to 2, not 3"),
        ("sac", {"observation_clip": 2e77}, r"observation_clip must be at most 1e\+30"),
        ("ddpg", {"reward_scale": 1e39}, r"reward_scale must be at most 1e\+30"),
        (
            "ppo",
            {"value_coefficient": 1e31},
            r"value_coefficient must be from 0 to 1e\+30",
        ),
        ("sac", {"target_entropy": -1e77}, r"target_entropy must be from -1e\+30 to 1e\+30"),
        ("ddpg", {"noise_correlation": 1.0}, "noise_correlation must be from 0 to 0.9999"),
        ("ppo", {"minibatch_size": 4096}, "minibatch_size must be from 2 to 2048"),
        ("ppo", {"max_kl": 0.0}, "max_kl must be above 0, not 0"),
    ],
)
def test_unusable_settings_are_named(name: str, given: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message.replace("[", r"\[")):
        build({**values(f"algo/{name}"), **CLASSICAL[name], **given}, "algo")


def train_on_pendulum(algorithm: Algorithm, environments: int, steps: int) -> float:
    """Train on Pendulum-v1 and return the mean return of 20 evaluation episodes."""
    train = gymnasium.make_vec("Pendulum-v1", environments, vectorization_mode="sync",
        vector_kwargs={"autoreset_mode": gymnasium.vector.AutoresetMode.SAME_STEP})  # fmt: skip
    observations, _ = train.reset(seed=0)
    for _ in range(steps // environments):
        actions = algorithm.act(observations)
        following, rewards, terminated, truncated, infos = train.step(2.0 * actions)
        last = following.copy()
        for row in np.flatnonzero(terminated | truncated):
            last[row] = infos["final_obs"][row]
        learn(algorithm, Transition(observations, actions, rewards, last, terminated, truncated))
        observations = following
    train.close()
    test = gymnasium.make_vec("Pendulum-v1", 20, vectorization_mode="sync")
    observations, _ = test.reset(seed=1000)
    returns = np.zeros(20)
    for _ in range(200):
        actions = algorithm.controller.act(observations)
        observations, rewards, *_ = test.step(2.0 * actions)
        returns += rewards
    test.close()
    return float(returns.mean())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("settings", "steps"),
    [
        (classical("sac", learning_rate=1e-3), 10_000),
        (classical("ddpg"), 10_000),
        (
            classical(
                "ppo",
                learning_rate=1e-3,
                rollout_steps=64,
                epochs=10,
                discount=0.9,
                initial_log_std=0.0,
            ),
            200_000,
        ),
    ],
    ids=["sac", "ddpg", "ppo"],
)
def test_swings_up_a_pendulum(settings: Any, steps: int) -> None:
    algorithm = settings.create(3, 1, seed=0, device="cpu")
    reached = train_on_pendulum(algorithm, settings.environments, steps)
    print(f"Pendulum-v1 mean return {reached:.0f}")
    assert reached > -250.0


@every_algorithm
def test_a_state_of_an_optimizer_that_does_not_fit_is_refused(settings: Any) -> None:
    whole = create(settings)
    run(whole, Stream(4), 37)
    state = whole.state_dict()
    name = next(name for name in state if name.endswith("optimizer"))

    def refused(change: Callable[[dict[str, Any]], None]) -> None:
        crafted = copy.deepcopy(state)
        change(crafted[name])
        with pytest.raises(ValueError, match="the saved optimizer"):
            create(settings).load_state_dict(crafted)

    def moments(key: str, value: Any) -> Callable[[dict[str, Any]], None]:
        return lambda saved: saved["state"][0].update({key: value})

    def group(**values: Any) -> Callable[[dict[str, Any]], None]:
        return lambda saved: saved["param_groups"][0].update(values)

    right = state[name]["state"][0]["exp_avg"]
    for key in ("exp_avg", "exp_avg_sq"):
        refused(moments(key, torch.zeros(1)))
        refused(moments(key, right.double()))
        refused(moments(key, right.to_sparse()))
        refused(moments(key, 1.0))
    refused(moments("step", torch.zeros(3)))
    refused(moments("step", torch.tensor(float("nan"))))
    refused(moments("more", right))
    refused(lambda saved: saved["state"].update({99: saved["state"][0]}))
    refused(lambda saved: saved["state"].update({0: 1}))
    refused(lambda saved: saved.update(param_groups=[{"lr": "x"}]))
    refused(lambda saved: saved.update(param_groups=5))
    refused(group(lr="x"))
    refused(group(lr=float("nan")))
    refused(group(betas=(0.9, "x")))
    refused(group(params=[0]))
    refused(group(unknown=1))
