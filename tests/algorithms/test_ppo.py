import math

import numpy as np
import pytest
import torch
from algorithm_helpers import Stream, run, solve
from options import classical

from osimexp.algorithms.algorithm import Transition, learn
from osimexp.algorithms.ppo import (
    adapted_rate,
    approximate_kl,
    clipped_loss,
    compute_gae,
    gaussian_entropy,
    gaussian_log_prob,
)


def column(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)[:, None]


def flags(*values: int) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.bool)[:, None]


def test_gae_by_hand_without_an_end() -> None:
    advantages = compute_gae(
        column(1, 2, 3), column(10, 20, 30), column(20, 30, 40), flags(0, 0, 0), flags(0, 0, 0),
        discount=0.5, gae_lambda=0.5,
    )  # fmt: skip
    # Errors: 1+10-10 = 1, 2+15-20 = -3, 3+20-30 = -7; the trace decays by 0.25.
    torch.testing.assert_close(advantages, column(1 + 0.25 * (-3 - 1.75), -3 - 1.75, -7))


def test_gae_by_hand_with_a_termination_and_a_truncation_in_the_middle() -> None:
    advantages = compute_gae(
        rewards=column(1, 2, 3, 4, 5),
        values=column(10, 20, 30, 40, 50),
        next_values=column(20, 999, 40, 44, 60),
        terminated=flags(0, 1, 0, 0, 0),
        truncated=flags(0, 0, 0, 1, 0),
        discount=0.5,
        gae_lambda=0.5,
    )
    # Errors: 1+10-10 = 1; 2-20 = -18 (nothing follows); 3+20-30 = -7;
    # 4+22-40 = -14 (the value of its last observation follows); 5+30-50 = -15.
    # The trace joins steps 0-1 and 2-3, and is cut after 1 and 3.
    expected = column(1 + 0.25 * -18, -18, -7 + 0.25 * -14, -14, -15)
    torch.testing.assert_close(advantages, expected)


def test_gae_rows_of_a_batch_do_not_mix() -> None:
    generator = torch.Generator().manual_seed(0)
    rewards, values, following = torch.randn(3, 7, 4, generator=generator)
    terminated = torch.rand(7, 4, generator=generator) < 0.3
    truncated = torch.rand(7, 4, generator=generator) < 0.3
    inputs = (rewards, values, following, terminated, truncated)
    whole = compute_gae(*inputs, 0.9, 0.8)
    for row in range(4):
        alone = compute_gae(*(each[:, row : row + 1] for each in inputs), 0.9, 0.8)
        torch.testing.assert_close(whole[:, row : row + 1], alone)


def test_clipped_loss_by_hand() -> None:
    log_ratios = torch.tensor([1.5, 0.5, 1.5, 0.5]).log()
    advantages = torch.tensor([1.0, 1.0, -1.0, -1.0])
    # Gains are capped at 1.2 and 0.8 where they favour the policy, losses never are:
    # min(1.5, 1.2) = 1.2; min(0.5, 0.8) = 0.5; min(-1.5, -1.2) = -1.5; min(-0.5, -0.8) = -0.8.
    expected = -(1.2 + 0.5 - 1.5 - 0.8) / 4
    assert clipped_loss(log_ratios, advantages, 0.2).item() == pytest.approx(expected)


def test_gaussian_density_and_entropy_are_those_of_torch() -> None:
    generator = torch.Generator().manual_seed(0)
    means, actions = torch.randn(2, 9, 3, generator=generator)
    log_std = torch.tensor([-1.0, 0.0, 0.5])
    reference = torch.distributions.Normal(means, log_std.exp())
    log_probs = gaussian_log_prob(actions, means, log_std)
    torch.testing.assert_close(log_probs, reference.log_prob(actions).sum(-1))
    torch.testing.assert_close(gaussian_entropy(log_std), reference.entropy()[0].sum())


def test_kl_estimate_is_that_of_two_gaussians() -> None:
    generator = torch.Generator().manual_seed(0)
    draws = torch.randn(200_000, 1, generator=generator)
    old, new = torch.zeros(1, 1), torch.full((1, 1), 0.2)
    ratios = gaussian_log_prob(draws, new, torch.zeros(1)) - gaussian_log_prob(
        draws, old, torch.zeros(1)
    )
    assert approximate_kl(ratios).item() == pytest.approx(0.5 * 0.2**2, rel=0.02)


def test_learning_rate_follows_the_kl() -> None:
    assert adapted_rate(3e-4, 0.05, 0.02) == pytest.approx(2e-4)
    assert adapted_rate(3e-4, 0.005, 0.02) == pytest.approx(4.5e-4)
    assert adapted_rate(3e-4, 0.02, 0.02) == 3e-4
    assert adapted_rate(1e-2, 0.0, 0.02) == 1e-2
    assert adapted_rate(1e-5, 1.0, 0.02) == 1e-5


SMALL = {
    "environments": 16,
    "hidden_sizes": (32, 32),
    "learning_rate": 3e-3,
    "rollout_steps": 16,
    "initial_log_std": -1.0,
}


@pytest.mark.parametrize("options", [{}, {"max_kl": None, "desired_kl": 0.01}])
def test_solves_a_one_step_task(options: dict[str, float | None]) -> None:
    algorithm = classical("ppo", **SMALL, **options).create(2, 2, seed=0, device="cpu")
    assert solve(algorithm, 16, 640) > -0.02


def test_an_update_stops_once_the_policy_moved_too_far() -> None:
    def steps(max_kl: float | None) -> float:
        settings = classical(
            "ppo", environments=4, rollout_steps=32, learning_rate=1e-2, max_kl=max_kl
        )
        record = run(settings.create(3, 2, seed=0, device="cpu"), Stream(4), 32)
        assert all(not metrics for _, metrics in record[:-1])
        return record[-1][1]["gradient_steps"]

    assert steps(None) == 20
    assert 1 <= steps(1e-3) < 20


def test_rewards_are_scaled_by_the_deviation_of_the_return() -> None:
    settings = classical("ppo", environments=2, rollout_steps=64, discount=0.9)
    algorithm = settings.create(3, 2, seed=0, device="cpu")
    generator = np.random.default_rng(0)
    returns, seen = np.zeros(2), []
    for step in range(20):
        observations = np.zeros((2, 3), dtype=np.float32)
        rewards = generator.normal(5.0, 3.0, 2)
        ended = np.array([step == 7, False])
        transition = Transition(
            observations, algorithm.act(observations), rewards, observations, ended, ended & False
        )
        learn(algorithm, transition)
        returns = 0.9 * returns + rewards
        seen.append(returns)
        returns = np.where(ended, 0.0, returns)
        expected = np.clip(rewards / np.sqrt(np.var(seen) + 1e-8), -10.0, 10.0)
        np.testing.assert_allclose(algorithm.rollout.rewards[step].numpy(), expected, rtol=1e-5)


def test_observations_are_normalised_by_statistics_that_include_them() -> None:
    algorithm, stream = (
        classical("ppo", environments=4, rollout_steps=8, minibatch_size=8).create(3, 3, 0, "cpu"),
        Stream(4),
    )
    seen = []
    for _ in range(2):
        seen.append(stream.observations)
        stream.step(algorithm)
    first, both = seen[0], np.concatenate(seen)
    expected = [(first - first.mean(0)) / first.std(0), (seen[1] - both.mean(0)) / both.std(0)]
    np.testing.assert_allclose(algorithm.rollout.observations[:2], np.stack(expected), atol=1e-5)


def test_actions_are_clipped_but_learned_from_as_drawn() -> None:
    settings = classical("ppo", environments=64, rollout_steps=4, initial_log_std=1.0)
    algorithm = settings.create(3, 2, seed=0, device="cpu")
    actions, _ = Stream(64).step(algorithm)
    draws = algorithm.rollout.actions[0].numpy()
    assert np.abs(draws).max() > 1.0
    np.testing.assert_array_equal(actions, np.clip(draws, -1.0, 1.0))


def test_entropy_metric_is_that_of_the_first_policy() -> None:
    settings = classical("ppo", environments=4, rollout_steps=16, epochs=1, initial_log_std=-0.5)
    record = run(settings.create(3, 2, seed=0, device="cpu"), Stream(4), 16)
    expected = 2 * (-0.5 + 0.5 * math.log(2 * math.pi * math.e))
    assert record[-1][1]["entropy"] == pytest.approx(expected)
    assert record[-1][1]["kl"] == pytest.approx(0.0, abs=1e-6)
