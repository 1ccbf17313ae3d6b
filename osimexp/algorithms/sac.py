"""Soft actor-critic with two critics and a learned temperature.

Haarnoja et al. (2018), Soft Actor-Critic Algorithms and Applications, arXiv:1812.05905.
"""

import copy
import math
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from osimexp.algorithms.algorithm import Transition
from osimexp.algorithms.bounds import LARGEST, layer_widths, positive, within
from osimexp.algorithms.networks import Critics, averages, descend, follow, restore_optimizer
from osimexp.algorithms.replay import Replay
from osimexp.controllers.controller import Actions, Controller, Observations
from osimexp.controllers.networks import MLP, Activation
from osimexp.controllers.normaliser import Normaliser
from osimexp.controllers.policy import Policy, array, tensor


@dataclass(frozen=True)
class Settings:
    """Hyperparameters of SAC.

    Attributes:
        environments: number of environments in the batch.
        hidden_sizes: widths of the hidden layers of the actor and of each critic.
        layer_norm: whether each hidden layer of the critics is normalised before its activation.
        activation: activation function between layers.
        learning_rate: learning rate of actor, critics and temperature (Adam).
        batch_size: transitions in one update.
        discount: discount of rewards, per step.
        horizon: number of steps whose rewards enter a target before the critics' value does.
        target_rate: fraction by which the target critics follow the critics in each update.
        learning_starts: transitions with uniformly random actions before the first update.
        updates_per_step: gradient updates for each transition; fractions add up.
        replay_capacity: number of transitions that the replay keeps.
        reward_scale: factor on rewards in the critics' targets.
        normalise_observations: whether observations are normalised by their running mean and
            variance.
        observation_clip: bound of normalised observations.
        initial_temperature: weight of entropy against reward at the start.
        learn_temperature: whether the temperature is adapted until the policy's entropy is
            ``target_entropy``.
        target_entropy: target of the policy's entropy, nats; None is minus the number of actions.
        max_gradient_norm: bound of the gradient's norm; None does not clip.
    """

    environments: int
    hidden_sizes: tuple[int, ...]
    layer_norm: bool
    activation: Activation
    learning_rate: float
    batch_size: int
    discount: float
    horizon: int
    target_rate: float
    learning_starts: int
    updates_per_step: float
    replay_capacity: int
    reward_scale: float
    normalise_observations: bool
    observation_clip: float
    initial_temperature: float
    learn_temperature: bool
    target_entropy: float | None
    max_gradient_norm: float | None

    def __post_init__(self) -> None:
        """Raise ValueError if a value cannot be used."""
        layer_widths(self)
        positive(self, "environments", "learning_rate", "batch_size", "learning_starts")
        positive(self, "updates_per_step", "horizon", "replay_capacity", "reward_scale")
        positive(self, "observation_clip", "initial_temperature", "max_gradient_norm")
        within(self, 0.0, 1.0, "discount", "target_rate")
        if self.target_entropy is not None:
            within(self, -LARGEST, LARGEST, "target_entropy")
        within(self, 1, self.replay_capacity, "environments", "learning_starts")

    def gradient_steps(self, steps: int) -> int:
        """Return the number of gradient steps that ``steps`` environment steps make due."""
        return int(max(steps - self.learning_starts, 0) * self.updates_per_step)

    def create(self, observation_size: int, action_size: int, seed: int, device: str) -> "SAC":
        """Return the algorithm, with weights drawn from ``seed``."""
        return SAC(self, observation_size, action_size, seed, device)


# Bounds of the actor's log standard deviation before squashing, as in the authors' code.
LOG_STD_LOW, LOG_STD_HIGH = -20.0, 2.0


def squashed_sample(outputs: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
    """Return samples of a Gaussian squashed by tanh, differentiable (the paper's appendix C).

    Args:
        outputs: ``(B, 2 * actions)`` mean, then log standard deviation.
        noise: ``(B, actions)`` standard normal.

    Returns:
        Actions ``(B, actions)`` in [-1, 1] and their log-probabilities ``(B,)``.
    """
    mean, log_std = outputs.chunk(2, dim=-1)
    log_std = log_std.clamp(LOG_STD_LOW, LOG_STD_HIGH)
    raw = mean + log_std.exp() * noise
    # log(1 - tanh(raw)^2), in a form that does not underflow when tanh saturates.
    log_slope = 2.0 * (math.log(2.0) - raw - functional.softplus(-2.0 * raw))
    log_gaussian = -0.5 * noise.square() - log_std - 0.5 * math.log(2.0 * math.pi)
    return raw.tanh(), (log_gaussian - log_slope).sum(-1)


def critic_target(
    rewards: Tensor,
    continues: Tensor,
    next_values: Tensor,
    next_log_probs: Tensor,
    temperature: Tensor,
    discount: float | Tensor,
) -> Tensor:
    """Return the target of the critics ``(B,)``: reward plus the discounted soft value.

    Args:
        rewards: ``(B,)``.
        continues: ``(B,)`` 0 if the episode terminated, else 1.
        next_values: ``(2, B)`` from the target critics; the smaller counts.
        next_log_probs: ``(B,)`` log-probabilities of the next actions.
        temperature: weight of entropy, a scalar.
        discount: discount per step.
    """
    soft = torch.minimum(next_values[0], next_values[1]) - temperature * next_log_probs
    return rewards + discount * continues * soft


def critic_loss(values: Tensor, targets: Tensor) -> Tensor:
    """Return half the mean squared error of values ``(2, B)``, summed over the critics."""
    return 0.5 * (values - targets).square().mean(-1).sum()


def actor_loss(values: Tensor, log_probs: Tensor, temperature: Tensor) -> Tensor:
    """Return the negative soft value of the actor's actions, from values ``(2, B)``."""
    return (temperature * log_probs - torch.minimum(values[0], values[1])).mean()


def temperature_loss(log_temperature: Tensor, log_probs: Tensor, target_entropy: float) -> Tensor:
    """Return the loss that raises the temperature while the entropy is below its target."""
    return -log_temperature * (log_probs + target_entropy).mean()


class SAC:
    """An ``Algorithm`` that learns a stochastic policy off-policy from a replay.

    Attributes:
        controller: deterministic policy, the tanh of the actor's mean.
    """

    off_policy: ClassVar[bool] = True

    def __init__(
        self, settings: Settings, observation_size: int, action_size: int, seed: int, device: str
    ) -> None:
        self.settings = settings
        self._device = torch.device(device)
        self._generator = torch.Generator(self._device).manual_seed(seed)
        self._action_size = action_size
        self._target_entropy = (
            -float(action_size) if settings.target_entropy is None else settings.target_entropy
        )

        widths = [observation_size, *settings.hidden_sizes, 2 * action_size]
        actor = MLP(widths, settings.activation, self._generator)
        normaliser = Normaliser(observation_size, settings.observation_clip, self._device)
        self.controller = Policy(actor, normaliser, action_size, squash="tanh")
        self.critics = Critics(
            2,
            observation_size,
            action_size,
            settings.hidden_sizes,
            settings.activation,
            self._generator,
            settings.layer_norm,
        )
        self.targets = copy.deepcopy(self.critics).requires_grad_(False)
        self.log_temperature = torch.tensor(
            math.log(settings.initial_temperature), device=self._device, requires_grad=True
        )

        rate = settings.learning_rate
        self._actor_optimizer = torch.optim.Adam(actor.parameters(), rate, fused=True)
        self._critic_optimizer = torch.optim.Adam(self.critics.parameters(), rate, fused=True)
        self._temperature_optimizer = torch.optim.Adam([self.log_temperature], rate, fused=True)

        self.replay = Replay(settings.replay_capacity, observation_size, action_size, device)
        self._seen = 0
        self._due = 0.0

    def act(self, observations: Observations) -> Actions:
        """Return samples of the policy; uniformly random actions before ``learning_starts``."""
        with torch.inference_mode():
            if self._seen < self.settings.learning_starts:
                shape = (len(observations), self._action_size)
                drawn = torch.rand(shape, generator=self._generator, device=self._device)
                return array(2.0 * drawn - 1.0)
            actions, _ = self._sample_actions(
                self.controller.outputs(tensor(observations, self._device))
            )
            return array(actions)

    def take(self, transition: Transition) -> None:
        """Store the transitions."""
        self.replay.add(transition)
        self._seen += len(transition.rewards)
        if self.settings.normalise_observations:
            self.controller.normaliser.update(tensor(transition.observations, self._device))
        if len(self.replay) >= self.settings.learning_starts:
            self._due += self.settings.updates_per_step * len(transition.rewards)

    def update(self) -> dict[str, float]:
        """Make ``updates_per_step`` updates for each transition since the last call.

        Updates begin when the replay holds ``learning_starts`` transitions. A run that is resumed
        without its replay fills it again first, with actions of the policy that it has already
        learned.
        """
        if len(self.replay) < self.settings.learning_starts:
            return {}
        updates = int(self._due)
        self._due -= updates
        return averages([self._descend() for _ in range(updates)])

    def _descend(self) -> dict[str, Tensor]:
        settings = self.settings
        batch = self.replay.sample(
            settings.batch_size, self._generator, settings.horizon, settings.discount
        )
        normalise = self.controller.normaliser.normalise
        actor = self.controller.network
        observations = normalise(batch.observations)
        next_observations = normalise(batch.next_observations)
        temperature = self.log_temperature.detach().exp()

        with torch.no_grad():
            next_actions, next_log_probs = self._sample_actions(actor(next_observations))
            goals = critic_target(
                batch.rewards * settings.reward_scale,
                batch.continues,
                self.targets(next_observations, next_actions),
                next_log_probs,
                temperature,
                settings.discount**batch.steps,
            )
        values = self.critics(observations, batch.actions)
        loss_of_critics = critic_loss(values, goals)
        descend(loss_of_critics, self._critic_optimizer, settings.max_gradient_norm)

        actions, log_probs = self._sample_actions(actor(observations))
        loss_of_actor = actor_loss(self.critics(observations, actions), log_probs, temperature)
        descend(loss_of_actor, self._actor_optimizer, settings.max_gradient_norm)

        if settings.learn_temperature:
            loss = temperature_loss(self.log_temperature, log_probs.detach(), self._target_entropy)
            descend(loss, self._temperature_optimizer)

        follow(self.targets, self.critics, settings.target_rate)
        return {
            "critic_loss": loss_of_critics.detach(),
            "actor_loss": loss_of_actor.detach(),
            "value": values.detach().mean(),
            "entropy": -log_probs.detach().mean(),
            "temperature": temperature,
        }

    def _sample_actions(self, outputs: Tensor) -> tuple[Tensor, Tensor]:
        shape = (len(outputs), self._action_size)
        noise = torch.randn(shape, generator=self._generator, device=self._device)
        return squashed_sample(outputs, noise)

    def begin_with(self, controller: Controller) -> None:
        """Start learning from a policy, which then acts from the first step on."""
        self.controller.take_over(controller)
        self._seen = self.settings.learning_starts

    def state_dict(self, replay: bool = True) -> dict[str, Any]:
        """Return all that a resumed run needs, as tensors, numbers, strings, lists and dicts."""
        state = {
            "policy": self.controller.state_dict(),
            "critics": dict(self.critics.state_dict()),
            "targets": dict(self.targets.state_dict()),
            "log_temperature": self.log_temperature.detach(),
            "actor_optimizer": self._actor_optimizer.state_dict(),
            "critic_optimizer": self._critic_optimizer.state_dict(),
            "temperature_optimizer": self._temperature_optimizer.state_dict(),
            "generator": self._generator.get_state(),
            "seen": self._seen,
            "due": self._due,
        }
        return state | ({"replay": self.replay.state_dict()} if replay else {})

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from a saved state; the results are bitwise the same if it holds the replay."""
        self.controller.load_state_dict(state["policy"])
        self.critics.load_state_dict(state["critics"])
        self.targets.load_state_dict(state["targets"])
        self.log_temperature.data.copy_(state["log_temperature"])
        restore_optimizer(self._actor_optimizer, state["actor_optimizer"])
        restore_optimizer(self._critic_optimizer, state["critic_optimizer"])
        restore_optimizer(self._temperature_optimizer, state["temperature_optimizer"])
        self._generator.set_state(state["generator"].cpu())
        self._seen = int(state["seen"])
        self._due = float(state["due"])
        if "replay" in state:
            self.replay.load_state_dict(state["replay"])
