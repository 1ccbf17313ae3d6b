import numpy as np
import pytest
import torch
from algorithm_helpers import Stream, solve
from options import classical

from osimexp.algorithms.algorithm import Transition, learn
from osimexp.algorithms.ddpg import (
    actor_loss,
    critic_loss,
    critic_target,
    next_noise,
    smoothed_action,
)

SMALL = {
    "environments": 16,
    "hidden_sizes": (32, 32),
    "actor_learning_rate": 3e-3,
    "critic_learning_rate": 3e-3,
    "batch_size": 64,
    "learning_starts": 256,
    "updates_per_step": 0.1,
}


def test_target_by_hand() -> None:
    rewards, continues = torch.tensor([1.0, 2.0]), torch.tensor([1.0, 0.0])
    plain = critic_target(rewards, continues, torch.tensor([[10.0, 5.0]]), 0.9)
    torch.testing.assert_close(plain, torch.tensor([10.0, 2.0]))
    twin = critic_target(rewards, continues, torch.tensor([[10.0, 5.0], [4.0, 6.0]]), 0.9)
    torch.testing.assert_close(twin, torch.tensor([4.6, 2.0]))


def test_losses_by_hand() -> None:
    values = torch.tensor([[1.0, 3.0], [2.0, 0.0]])
    assert critic_loss(values, torch.tensor([1.0, 1.0])).item() == pytest.approx(3.0)
    assert actor_loss(values).item() == pytest.approx(-2.0)


def test_target_noise_is_clipped_twice() -> None:
    white = torch.tensor([[5.0, 1.0, -5.0]])
    smoothed = smoothed_action(torch.tensor([[0.0, 0.95, -0.2]]), white, 0.2, 0.5)
    torch.testing.assert_close(smoothed, torch.tensor([[0.5, 1.0, -0.7]]))


@pytest.mark.parametrize("correlation", [0.0, 0.9])
def test_noise_has_its_deviation_and_correlation(correlation: float) -> None:
    generator = torch.Generator().manual_seed(0)
    noise = torch.zeros(2000)
    for _ in range(60):
        earlier = noise
        noise = next_noise(noise, torch.randn(2000, generator=generator), 0.3, correlation)
    assert noise.std().item() == pytest.approx(0.3, rel=0.05)
    measured = torch.corrcoef(torch.stack([earlier, noise]))[0, 1].item()
    assert measured == pytest.approx(correlation, abs=0.05)


def test_exploration_noise_is_forgotten_where_an_episode_ended() -> None:
    settings = classical(
        "ddpg", environments=4, learning_starts=1, noise_correlation=0.9, hidden_sizes=(4,)
    )
    algorithm = settings.create(3, 2, seed=0, device="cpu")
    observations = np.zeros((4, 3), dtype=np.float32)

    def step(terminated: list[int], truncated: list[int]) -> list[bool]:
        actions = algorithm.act(observations)
        ends = [np.array(each, dtype=bool) for each in (terminated, truncated)]
        learn(algorithm, Transition(observations, actions, np.zeros(4), observations, *ends))
        noise: list[bool] = (algorithm.state_dict()["noise"] != 0.0).all(1).tolist()
        return noise

    step([0, 0, 0, 0], [0, 0, 0, 0])  # By random actions.
    assert step([0, 0, 0, 0], [0, 0, 0, 0]) == [True, True, True, True]
    assert step([1, 0, 0, 1], [0, 1, 0, 0]) == [False, False, True, False]


@pytest.mark.parametrize(
    "options",
    [{}, {"critics": 2, "target_noise": 0.2, "policy_delay": 2, "noise_correlation": 0.5}],
    ids=["plain", "td3"],
)
def test_solves_a_one_step_task(options: dict[str, float]) -> None:
    settings = classical("ddpg", **SMALL, **options)
    assert solve(settings.create(2, 2, seed=0, device="cpu"), 16, 500) > -0.02


def test_the_delayed_policy_moves_only_with_every_second_update() -> None:
    settings = classical(
        "ddpg",
        environments=1,
        hidden_sizes=(4,),
        learning_starts=1,
        policy_delay=2,
        batch_size=4,
    )
    algorithm = settings.create(3, 2, seed=0, device="cpu")
    stream = Stream(1)
    moved = []
    for _ in range(6):
        before = algorithm.controller.network.weights[0].detach().clone()
        _, metrics = stream.step(algorithm)
        changed = not torch.equal(before, algorithm.controller.network.weights[0])
        assert changed == ("actor_loss" in metrics)
        moved.append(changed)
    assert moved == [False, True] * 3
