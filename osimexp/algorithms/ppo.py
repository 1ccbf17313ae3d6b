"""Proximal policy optimisation with a clipped objective and generalised advantage estimation.

Schulman et al. (2017), Proximal Policy Optimization Algorithms, arXiv:1707.06347;
Schulman et al. (2016), High-dimensional continuous control using generalized advantage
estimation, arXiv:1506.02438.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from osimexp.algorithms.algorithm import Transition
from osimexp.algorithms.bounds import LARGEST, layer_widths, positive, within
from osimexp.algorithms.networks import averages, descend, restore_optimizer
from osimexp.algorithms.rollout import Rollout
from osimexp.algorithms.threads import one_thread
from osimexp.controllers.controller import Actions, Controller, Observations
from osimexp.controllers.networks import MLP, Activation
from osimexp.controllers.normaliser import Normaliser
from osimexp.controllers.policy import Policy, array, tensor


@dataclass(frozen=True)
class Settings:
    """Hyperparameters of PPO.

    Attributes:
        environments: number of environments in the batch.
        hidden_sizes: widths of the hidden layers of the actor and of the critic.
        activation: activation function between layers.
        learning_rate: learning rate of Adam at the start.
        rollout_steps: steps of every environment between two updates.
        epochs: passes over the rollout in an update.
        minibatch_size: approximate number of transitions in one gradient step; all are of equal
            size.
        discount: discount of rewards, per step.
        gae_lambda: decay of the advantage's trace; 0 takes one step, 1 the whole episode.
        clip_range: greatest change of the ratio of probabilities that is still rewarded.
        value_coefficient: weight of the critic's loss.
        entropy_coefficient: weight of the policy's entropy.
        max_gradient_norm: bound of the gradient's norm; None does not clip.
        max_kl: divergence (nats) from the rollout's policy at which an update ends early; None
            never ends early.
        desired_kl: divergence (nats) that each gradient step is to reach, by adapting the learning
            rate; None keeps the learning rate.
        initial_log_std: log of the standard deviation of actions at the start.
        normalise_observations: whether observations are normalised by their running mean and
            variance.
        observation_clip: bound of normalised observations.
        scale_rewards: whether rewards are scaled by the running standard deviation of the
            discounted return.
        reward_clip: bound of scaled rewards.
    """

    environments: int
    hidden_sizes: tuple[int, ...]
    activation: Activation
    learning_rate: float
    rollout_steps: int
    epochs: int
    minibatch_size: int
    discount: float
    gae_lambda: float
    clip_range: float
    value_coefficient: float
    entropy_coefficient: float
    max_gradient_norm: float | None
    max_kl: float | None
    desired_kl: float | None
    initial_log_std: float
    normalise_observations: bool
    observation_clip: float
    scale_rewards: bool
    reward_clip: float

    def __post_init__(self) -> None:
        """Raise ValueError if a value cannot be used."""
        layer_widths(self)
        positive(self, "environments", "learning_rate", "rollout_steps", "epochs", "clip_range")
        positive(self, "max_gradient_norm", "max_kl", "desired_kl")
        positive(self, "observation_clip", "reward_clip")
        within(self, 0.0, 1.0, "discount", "gae_lambda")
        within(self, 0.0, LARGEST, "value_coefficient", "entropy_coefficient")
        within(self, -20.0, 2.0, "initial_log_std")
        within(self, 2, self.rollout_steps * self.environments, "minibatch_size")

    def gradient_steps(self, steps: int) -> int:
        """Return the number of gradient steps that ``steps`` environment steps make due."""
        rollout = self.rollout_steps * self.environments
        return (steps // rollout) * self.epochs * max(1, rollout // self.minibatch_size)

    def create(self, observation_size: int, action_size: int, seed: int, device: str) -> "PPO":
        """Return the algorithm, with weights drawn from ``seed``."""
        return PPO(self, observation_size, action_size, seed, device)


# Bounds of an adapted learning rate.
RATE_LOW, RATE_HIGH = 1e-5, 1e-2


def compute_gae(
    rewards: Tensor,
    values: Tensor,
    next_values: Tensor,
    terminated: Tensor,
    truncated: Tensor,
    discount: float,
    gae_lambda: float,
) -> Tensor:
    """Return generalised advantage estimates ``(T, B)``.

    A terminated step has no next value; a truncated step has the value of its last observation. The
    trace is cut after both.

    Args:
        rewards: ``(T, B)``.
        values: ``(T, B)`` values of the observations before the steps.
        next_values: ``(T, B)`` values of the observations after the steps.
        terminated: ``(T, B)`` bool.
        truncated: ``(T, B)`` bool.
        discount: discount per step.
        gae_lambda: decay of the trace.
    """
    errors = rewards + discount * next_values * ~terminated - values
    decay = discount * gae_lambda * ~(terminated | truncated)
    advantages = torch.empty_like(errors)
    following = torch.zeros_like(errors[0])
    for step in reversed(range(len(errors))):
        following = errors[step] + decay[step] * following
        advantages[step] = following
    return advantages


def gaussian_log_prob(actions: Tensor, means: Tensor, log_std: Tensor) -> Tensor:
    """Return the log-density ``(B,)`` of actions ``(B, actions)`` under a diagonal Gaussian."""
    scaled = (actions - means) * (-log_std).exp()
    return (-0.5 * scaled.square() - log_std - 0.5 * math.log(2.0 * math.pi)).sum(-1)


def gaussian_entropy(log_std: Tensor) -> Tensor:
    """Return the entropy (nats) of a diagonal Gaussian with ``log_std`` ``(actions,)``."""
    return (log_std + 0.5 * math.log(2.0 * math.pi * math.e)).sum()


def clipped_loss(log_ratios: Tensor, advantages: Tensor, clip_range: float) -> Tensor:
    """Return the negative clipped objective (eq. 7 of the paper) from ``(B,)`` log-ratios."""
    ratios = log_ratios.exp()
    clipped = ratios.clamp(1.0 - clip_range, 1.0 + clip_range)
    return -torch.minimum(ratios * advantages, clipped * advantages).mean()


def approximate_kl(log_ratios: Tensor) -> Tensor:
    """Return the divergence (nats) of the new policy from the old one, estimated from samples.

    The estimate ``ratio - 1 - log(ratio)`` is unbiased and never negative (J. Schulman 2020,
    Approximating KL divergence, joschu.net/blog/kl-approx.html).
    """
    return (log_ratios.exp() - 1.0 - log_ratios).mean()


def adapted_rate(rate: float, kl: float, desired_kl: float) -> float:
    """Return a learning rate that brings ``kl`` nearer to ``desired_kl``.

    It is smaller if ``kl`` is over twice ``desired_kl``, and larger if it is below half of it. The
    rule is that of Rudin et al. (2022), Learning to walk in minutes, arXiv:2109.11978.
    """
    if kl > 2.0 * desired_kl:
        return max(rate / 1.5, RATE_LOW)
    if kl < 0.5 * desired_kl:
        return min(rate * 1.5, RATE_HIGH)
    return rate


class PPO:
    """An ``Algorithm`` that learns a stochastic policy on-policy from rollouts.

    The policy is a Gaussian whose standard deviation does not depend on the observation. Its
    samples are clipped to [-1, 1] for the environment, as part of the environment: PPO compares the
    probabilities of the samples before clipping.

    Attributes:
        controller: deterministic policy, the clipped mean.
    """

    off_policy: ClassVar[bool] = False

    def __init__(
        self, settings: Settings, observation_size: int, action_size: int, seed: int, device: str
    ) -> None:
        self.settings = settings
        self._device = torch.device(device)
        self._generator = torch.Generator(self._device).manual_seed(seed)

        hidden = settings.hidden_sizes
        actor = MLP([observation_size, *hidden, action_size], settings.activation, self._generator)
        actor.initialise_orthogonal(math.sqrt(2.0), 0.01, self._generator)
        self.critic = MLP([observation_size, *hidden, 1], settings.activation, self._generator)
        self.critic.initialise_orthogonal(math.sqrt(2.0), 1.0, self._generator)
        self.log_std = nn.Parameter(
            torch.full((action_size,), settings.initial_log_std, device=self._device)
        )
        normaliser = Normaliser(observation_size, settings.observation_clip, self._device)
        self.controller = Policy(actor, normaliser, action_size, squash="clip")
        self._optimizer = torch.optim.Adam(
            [*actor.parameters(), self.log_std, *self.critic.parameters()],
            settings.learning_rate,
            eps=1e-5,
            fused=True,
        )

        environments = settings.environments
        self.rollout = Rollout(
            settings.rollout_steps, environments, observation_size, action_size, self._device
        )
        self._draws = torch.zeros(environments, action_size, device=self._device)
        self._returns = torch.zeros(environments, dtype=torch.float64, device=self._device)
        self._return_statistics = Normaliser(1, device=self._device)

    def act(self, observations: Observations) -> Actions:
        """Return clipped samples of the policy, and keep the samples for ``learn``."""
        with one_thread():
            seen = tensor(observations, self._device)
            if self.settings.normalise_observations:
                # The statistics are updated first: without any, the first ones would be far off.
                self.controller.normaliser.update(seen)
        with torch.inference_mode(), one_thread():
            means = self.controller.outputs(seen)
            white = torch.randn(means.shape, generator=self._generator, device=self._device)
            self._draws.copy_(means + self.log_std.exp() * white)
            return array(self._draws.clamp(-1.0, 1.0))

    def take(self, transition: Transition) -> None:
        """Add the step whose actions the last ``act`` returned to the rollout."""
        with one_thread():
            self._keep(transition)

    def update(self) -> dict[str, float]:
        """Update if the rollout is full."""
        if not self.rollout.full:
            return {}
        metrics = self._epochs()
        self.rollout.clear()
        return metrics

    def _keep(self, transition: Transition) -> None:
        normaliser = self.controller.normaliser
        observations = tensor(transition.observations, self._device)
        next_observations = tensor(transition.next_observations, self._device)
        terminated = torch.as_tensor(transition.terminated, device=self._device)
        truncated = torch.as_tensor(transition.truncated, device=self._device)
        rewards = torch.as_tensor(transition.rewards, dtype=torch.float64, device=self._device)
        # Observations are kept as `act` normalised them, so that ratios start from exactly 1.
        self.rollout.add(
            normaliser.normalise(observations),
            self._draws,
            self._scaled(rewards, terminated | truncated),
            normaliser.normalise(next_observations),
            terminated,
            truncated,
        )

    def _scaled(self, rewards: Tensor, ended: Tensor) -> Tensor:
        if not self.settings.scale_rewards:
            return rewards
        self._returns = self.settings.discount * self._returns + rewards
        self._return_statistics.update(self._returns[:, None])
        self._returns[ended] = 0.0
        clip = self.settings.reward_clip
        scaled = rewards / (self._return_statistics.variance + 1e-8).sqrt()
        return scaled.clamp(-clip, clip)

    def _epochs(self) -> dict[str, float]:
        settings = self.settings
        observations = self.rollout.observations.flatten(0, 1)
        draws = self.rollout.actions.flatten(0, 1)
        with torch.no_grad():
            advantages, values = self._advantages()
            returns = advantages + values
            old_log_probs = gaussian_log_prob(
                draws, self.controller.network(observations), self.log_std
            )
        updates: list[dict[str, Tensor]] = []
        for rows in self._minibatches(len(draws)):
            metrics = self._step(
                observations[rows],
                draws[rows],
                old_log_probs[rows],
                advantages[rows],
                returns[rows],
            )
            updates.append(metrics)
            if settings.max_kl is not None and metrics["kl"].item() > settings.max_kl:
                break
        return averages(updates) | {
            "gradient_steps": float(len(updates)),
            "explained_variance": float(1.0 - advantages.var() / (returns.var() + 1e-8)),
            "action_std": self.log_std.detach().exp().mean().item(),
            "learning_rate": float(self._optimizer.param_groups[0]["lr"]),
        }

    def _minibatches(self, size: int) -> Iterator[Tensor]:
        """Yield the rows of each gradient step: every epoch takes all rows in a new order."""
        count = max(1, size // self.settings.minibatch_size)
        for _ in range(self.settings.epochs):
            order = torch.randperm(size, generator=self._generator, device=self._device)
            yield from order.tensor_split(count)

    def _advantages(self) -> tuple[Tensor, Tensor]:
        """Return advantages and values, ``(T * B,)`` each."""
        rollout = self.rollout
        values = self.critic(rollout.observations).squeeze(-1)
        next_values = torch.empty_like(values)
        next_values[:-1] = values[1:]
        # Elsewhere the value of the next step is used; here that step is of another episode, or not
        # in the rollout.
        apart = rollout.truncated.clone()
        apart[-1] = True
        next_values[apart] = self.critic(rollout.next_observations[apart]).squeeze(-1)
        advantages = compute_gae(
            rollout.rewards,
            values,
            next_values,
            rollout.terminated,
            rollout.truncated,
            self.settings.discount,
            self.settings.gae_lambda,
        )
        return advantages.flatten(), values.flatten()

    def _step(
        self,
        observations: Tensor,
        draws: Tensor,
        old_log_probs: Tensor,
        advantages: Tensor,
        returns: Tensor,
    ) -> dict[str, Tensor]:
        settings = self.settings
        means = self.controller.network(observations)
        log_ratios = gaussian_log_prob(draws, means, self.log_std) - old_log_probs
        advantages = (advantages - advantages.mean()) / (advantages.std() + 1e-8)
        loss_of_actor = clipped_loss(log_ratios, advantages, settings.clip_range)
        loss_of_critic = (self.critic(observations).squeeze(-1) - returns).square().mean()
        entropy = gaussian_entropy(self.log_std)
        kl = approximate_kl(log_ratios.detach())
        if settings.desired_kl is not None:
            group = self._optimizer.param_groups[0]
            group["lr"] = adapted_rate(group["lr"], kl.item(), settings.desired_kl)
        loss = (
            loss_of_actor
            + settings.value_coefficient * loss_of_critic
            - settings.entropy_coefficient * entropy
        )
        descend(loss, self._optimizer, settings.max_gradient_norm)
        outside = log_ratios.detach().exp().sub(1.0).abs() > settings.clip_range
        return {
            "actor_loss": loss_of_actor.detach(),
            "critic_loss": loss_of_critic.detach(),
            "entropy": entropy.detach(),
            "kl": kl,
            "clip_fraction": outside.float().mean(),
        }

    def begin_with(self, controller: Controller) -> None:
        """Start learning from a policy instead of from random weights."""
        self.controller.take_over(controller)

    def state_dict(self, replay: bool = True) -> dict[str, Any]:
        """Return all that a resumed run needs, as tensors, numbers, strings, lists and dicts.

        Without the replay, which is the rollout so far, a resumed run begins a new rollout.
        """
        state = {
            "policy": self.controller.state_dict(),
            "critic": dict(self.critic.state_dict()),
            "log_std": self.log_std.detach(),
            "optimizer": self._optimizer.state_dict(),
            "generator": self._generator.get_state(),
            "draws": self._draws,
            "returns": self._returns,
            "return_statistics": self._return_statistics.state_dict(),
        }
        return state | ({"replay": self.rollout.state_dict()} if replay else {})

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from a saved state; the results are bitwise the same if it holds the replay."""
        self.controller.load_state_dict(state["policy"])
        self.critic.load_state_dict(state["critic"])
        self.log_std.data.copy_(state["log_std"])
        restore_optimizer(self._optimizer, state["optimizer"])
        self._generator.set_state(state["generator"].cpu())
        self._draws.copy_(state["draws"])
        self._returns.copy_(state["returns"])
        self._return_statistics.load_state_dict(state["return_statistics"])
        if "replay" in state:
            self.rollout.load_state_dict(state["replay"])
        else:
            self.rollout.clear()
