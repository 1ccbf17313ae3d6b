import math

import numpy as np
import pytest
import torch
from algorithm_helpers import solve
from options import classical

from osimexp.algorithms.sac import (
    actor_loss,
    critic_loss,
    critic_target,
    squashed_sample,
    temperature_loss,
)


def test_squashed_log_probability_is_that_of_torch() -> None:
    generator = torch.Generator().manual_seed(0)
    outputs = 0.5 * torch.randn(64, 6, generator=generator, dtype=torch.float64)
    noise = torch.randn(64, 3, generator=generator, dtype=torch.float64)
    actions, log_probs = squashed_sample(outputs, noise)
    mean, log_std = outputs.chunk(2, dim=-1)
    reference = torch.distributions.TransformedDistribution(
        torch.distributions.Normal(mean, log_std.exp()),
        [torch.distributions.transforms.TanhTransform(cache_size=1)],
    )
    torch.testing.assert_close(actions, torch.tanh(mean + log_std.exp() * noise))
    torch.testing.assert_close(log_probs, reference.log_prob(actions).sum(-1))


def test_squashed_log_probability_stays_finite_where_tanh_saturates() -> None:
    outputs = torch.tensor([[40.0, 0.0], [-40.0, 0.0]], requires_grad=True)
    actions, log_probs = squashed_sample(outputs, torch.zeros(2, 1))
    assert actions.flatten().tolist() == [1.0, -1.0]
    # log(1 - tanh(u)^2) = 2 log 2 - 2 |u| for large |u|.
    expected = -0.5 * math.log(2 * math.pi) - 2 * math.log(2) + 80.0
    assert log_probs.tolist() == pytest.approx([expected, expected])
    log_probs.sum().backward()
    assert outputs.grad is not None
    assert torch.isfinite(outputs.grad).all()


def test_target_by_hand() -> None:
    target = critic_target(
        rewards=torch.tensor([1.0, 2.0]),
        continues=torch.tensor([1.0, 0.0]),
        next_values=torch.tensor([[10.0, 50.0], [8.0, 60.0]]),
        next_log_probs=torch.tensor([-2.0, 3.0]),
        temperature=torch.tensor(0.5),
        discount=0.9,
    )
    # 1 + 0.9 * (min(10, 8) - 0.5 * -2) = 9.1; a terminated row is its reward.
    torch.testing.assert_close(target, torch.tensor([9.1, 2.0]))


def test_losses_by_hand() -> None:
    values = torch.tensor([[1.0, 3.0], [2.0, 0.0]])
    # 0.5 * ((0 + 4) / 2 + (1 + 1) / 2)
    assert critic_loss(values, torch.tensor([1.0, 1.0])).item() == pytest.approx(1.5)
    # mean of 0.1 * 2 - 1 and 0.1 * 4 - 0
    loss = actor_loss(values, torch.tensor([2.0, 4.0]), torch.tensor(0.1))
    assert loss.item() == pytest.approx(-0.2)


@pytest.mark.parametrize(("log_prob", "rises"), [(3.0, True), (-3.0, False)])
def test_temperature_rises_while_entropy_is_below_its_target(log_prob: float, rises: bool) -> None:
    log_temperature = torch.tensor(0.0, requires_grad=True)
    temperature_loss(log_temperature, torch.full((4,), log_prob), -1.0).backward()
    assert log_temperature.grad is not None
    assert (log_temperature.grad.item() < 0.0) == rises


def test_solves_a_one_step_task() -> None:
    settings = classical(
        "sac",
        environments=16,
        hidden_sizes=(32, 32),
        learning_rate=3e-3,
        batch_size=64,
        learning_starts=256,
        updates_per_step=0.1,
        initial_temperature=0.1,
    )
    assert solve(settings.create(2, 2, seed=0, device="cpu"), 16, 500) > -0.02


def test_actions_before_learning_starts_are_uniform() -> None:
    algorithm = classical("sac", environments=500).create(3, 2, seed=0, device="cpu")
    actions = algorithm.act(np.zeros((500, 3), dtype=np.float32))
    assert actions.var() == pytest.approx(1.0 / 3.0, rel=0.1)


def test_a_fixed_temperature_stays() -> None:
    settings = classical(
        "sac",
        environments=4,
        hidden_sizes=(8,),
        learning_starts=8,
        learn_temperature=False,
        initial_temperature=1.0,
    )
    algorithm = settings.create(2, 2, seed=0, device="cpu")
    solve(algorithm, 4, 20)
    assert algorithm.log_temperature.item() == 0.0
