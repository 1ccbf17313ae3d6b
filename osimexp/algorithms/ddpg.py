"""Deep deterministic policy gradient, with TD3's target noise, delay and second critic as options.

Lillicrap et al. (2016), Continuous control with deep reinforcement learning, arXiv:1509.02971;
Fujimoto et al. (2018), Addressing function approximation error, arXiv:1802.09477 (TD3).
"""

import copy
import math
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from osimexp.algorithms.algorithm import Transition
from osimexp.algorithms.bounds import layer_widths, positive, within
from osimexp.algorithms.networks import Critics, averages, descend, follow, restore_optimizer
from osimexp.algorithms.replay import Replay
from osimexp.controllers.controller import Actions, Controller, Observations
from osimexp.controllers.networks import MLP, Activation
from osimexp.controllers.normaliser import Normaliser
from osimexp.controllers.policy import Policy, array, tensor


@dataclass(frozen=True)
class Settings:
    """Hyperparameters of DDPG.

    ``algo=td3`` has the values of TD3.

    Attributes:
        environments: number of environments in the batch.
        hidden_sizes: widths of the hidden layers of the actor and of each critic.
        layer_norm: whether each hidden layer of the critics is normalised before its activation.
        activation: activation function between layers.
        actor_learning_rate: learning rate of the actor (Adam).
        critic_learning_rate: learning rate of the critics (Adam).
        batch_size: transitions in one update.
        discount: discount of rewards, per step.
        horizon: number of steps whose rewards enter a target before the critics' value does.
        target_rate: fraction by which the target networks follow in each update.
        learning_starts: transitions with uniformly random actions before the first update.
        updates_per_step: gradient updates for each transition; fractions add up.
        replay_capacity: number of transitions that the replay keeps.
        reward_scale: factor on rewards in the critics' targets.
        normalise_observations: whether observations are normalised by their running mean and
            variance.
        observation_clip: bound of normalised observations.
        exploration_noise: standard deviation of the noise on actions while training.
        noise_correlation: correlation of the noise from one step to the next; 0 is white Gaussian
            noise, exp(-theta * dt) is an Ornstein-Uhlenbeck process of rate theta.
        critics: number of critics, 1 or 2; the target takes the smaller value.
        target_noise: standard deviation of the noise on the target's actions; 0 is no noise.
        target_noise_clip: bound of the noise on the target's actions.
        policy_delay: critic updates for each update of the actor and the targets.
        max_gradient_norm: bound of the gradient's norm; None does not clip.
    """

    environments: int
    hidden_sizes: tuple[int, ...]
    layer_norm: bool
    activation: Activation
    actor_learning_rate: float
    critic_learning_rate: float
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
    exploration_noise: float
    noise_correlation: float
    critics: int
    target_noise: float
    target_noise_clip: float
    policy_delay: int
    max_gradient_norm: float | None

    def __post_init__(self) -> None:
        """Raise ValueError if a value cannot be used."""
        layer_widths(self)
        positive(self, "environments", "actor_learning_rate", "critic_learning_rate")
        positive(self, "batch_size", "learning_starts", "updates_per_step", "replay_capacity")
        positive(self, "reward_scale", "observation_clip", "target_noise_clip", "policy_delay")
        positive(self, "max_gradient_norm", "horizon")
        within(self, 0.0, 1.0, "discount", "target_rate")
        within(self, 0.0, 10.0, "exploration_noise", "target_noise")
        within(self, 0.0, 0.9999, "noise_correlation")
        within(self, 1, 2, "critics")
        within(self, 1, self.replay_capacity, "environments", "learning_starts")

    def gradient_steps(self, steps: int) -> int:
        """Return the number of gradient steps that ``steps`` environment steps make due."""
        return int(max(steps - self.learning_starts, 0) * self.updates_per_step)

    def create(self, observation_size: int, action_size: int, seed: int, device: str) -> "DDPG":
        """Return the algorithm, with weights drawn from ``seed``."""
        return DDPG(self, observation_size, action_size, seed, device)


def next_noise(noise: Tensor, white: Tensor, deviation: float, correlation: float) -> Tensor:
    """Return the exploration noise that follows ``noise``, of the same shape.

    It is an exactly discretised Ornstein-Uhlenbeck process, whose standard deviation converges to
    ``deviation`` for any correlation (Uhlenbeck and Ornstein 1930).
    """
    return correlation * noise + deviation * math.sqrt(1.0 - correlation**2) * white


def smoothed_action(actions: Tensor, white: Tensor, deviation: float, clip: float) -> Tensor:
    """Return target actions with clipped noise, limited to [-1, 1] (TD3's eq. 14 and 15)."""
    return (actions + (deviation * white).clamp(-clip, clip)).clamp(-1.0, 1.0)


def critic_target(
    rewards: Tensor, continues: Tensor, next_values: Tensor, discount: float | Tensor
) -> Tensor:
    """Return the target of the critics ``(B,)``: reward plus the discounted next value.

    Args:
        rewards: ``(B,)``.
        continues: ``(B,)`` 0 if the episode terminated, else 1.
        next_values: ``(critics, B)`` from the target critics; the smallest counts.
        discount: discount per step.
    """
    return rewards + discount * continues * next_values.amin(0)


def critic_loss(values: Tensor, targets: Tensor) -> Tensor:
    """Return the mean squared error of values ``(critics, B)``, summed over the critics."""
    return (values - targets).square().mean(-1).sum()


def actor_loss(values: Tensor) -> Tensor:
    """Return the negative mean of the first critic's values ``(critics, B)``."""
    return -values[0].mean()


class DDPG:
    """An ``Algorithm`` that learns a deterministic policy off-policy from a replay.

    Attributes:
        controller: deterministic policy, the tanh of the actor's output.
    """

    off_policy: ClassVar[bool] = True

    def __init__(
        self, settings: Settings, observation_size: int, action_size: int, seed: int, device: str
    ) -> None:
        self.settings = settings
        self._device = torch.device(device)
        self._generator = torch.Generator(self._device).manual_seed(seed)
        self._action_size = action_size

        widths = [observation_size, *settings.hidden_sizes, action_size]
        actor = MLP(widths, settings.activation, self._generator)
        normaliser = Normaliser(observation_size, settings.observation_clip, self._device)
        self.controller = Policy(actor, normaliser, action_size, squash="tanh")
        self.target_actor = copy.deepcopy(actor).requires_grad_(False)
        self.critics = Critics(
            settings.critics,
            observation_size,
            action_size,
            settings.hidden_sizes,
            settings.activation,
            self._generator,
            settings.layer_norm,
        )
        self.target_critics = copy.deepcopy(self.critics).requires_grad_(False)

        self._actor_optimizer = torch.optim.Adam(
            actor.parameters(), settings.actor_learning_rate, fused=True
        )
        self._critic_optimizer = torch.optim.Adam(
            self.critics.parameters(), settings.critic_learning_rate, fused=True
        )

        self.replay = Replay(settings.replay_capacity, observation_size, action_size, device)
        self._noise = torch.zeros(settings.environments, action_size, device=self._device)
        self._seen = 0
        self._due = 0.0
        self._updates = 0

    def act(self, observations: Observations) -> Actions:
        """Return the policy's actions plus noise; uniformly random before ``learning_starts``."""
        settings = self.settings
        with torch.inference_mode():
            if self._seen < settings.learning_starts:
                drawn = torch.rand(
                    self._noise.shape, generator=self._generator, device=self._device
                )
                return array(2.0 * drawn - 1.0)
            means = self.controller.outputs(tensor(observations, self._device)).tanh()
            self._noise.copy_(
                next_noise(
                    self._noise,
                    self._normal(self._noise),
                    settings.exploration_noise,
                    settings.noise_correlation,
                )
            )
            return array((means + self._noise).clamp(-1.0, 1.0))

    def take(self, transition: Transition) -> None:
        """Store the transitions."""
        self.replay.add(transition)
        self._seen += len(transition.rewards)
        ended = torch.as_tensor(transition.terminated | transition.truncated)
        self._noise[ended.to(self._device)] = 0.0
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

        with torch.no_grad():
            next_actions = self.target_actor(next_observations).tanh()
            if settings.target_noise > 0.0:
                white = self._normal(next_actions)
                next_actions = smoothed_action(
                    next_actions, white, settings.target_noise, settings.target_noise_clip
                )
            goals = critic_target(
                batch.rewards * settings.reward_scale,
                batch.continues,
                self.target_critics(next_observations, next_actions),
                settings.discount**batch.steps,
            )
        values = self.critics(observations, batch.actions)
        loss_of_critics = critic_loss(values, goals)
        descend(loss_of_critics, self._critic_optimizer, settings.max_gradient_norm)
        metrics = {"critic_loss": loss_of_critics.detach(), "value": values.detach().mean()}

        self._updates += 1
        if self._updates % settings.policy_delay == 0:
            loss_of_actor = actor_loss(self.critics(observations, actor(observations).tanh()))
            descend(loss_of_actor, self._actor_optimizer, settings.max_gradient_norm)
            follow(self.target_actor, actor, settings.target_rate)
            follow(self.target_critics, self.critics, settings.target_rate)
            metrics["actor_loss"] = loss_of_actor.detach()
        return metrics

    def _normal(self, like: Tensor) -> Tensor:
        return torch.randn(like.shape, generator=self._generator, device=self._device)

    def begin_with(self, controller: Controller) -> None:
        """Start learning from a policy, which then acts from the first step on."""
        self.controller.take_over(controller)
        self.target_actor.load_state_dict(self.controller.network.state_dict())
        self._seen = self.settings.learning_starts

    def state_dict(self, replay: bool = True) -> dict[str, Any]:
        """Return all that a resumed run needs, as tensors, numbers, strings, lists and dicts."""
        state = {
            "policy": self.controller.state_dict(),
            "target_actor": dict(self.target_actor.state_dict()),
            "critics": dict(self.critics.state_dict()),
            "target_critics": dict(self.target_critics.state_dict()),
            "actor_optimizer": self._actor_optimizer.state_dict(),
            "critic_optimizer": self._critic_optimizer.state_dict(),
            "generator": self._generator.get_state(),
            "noise": self._noise,
            "seen": self._seen,
            "due": self._due,
            "updates": self._updates,
        }
        return state | ({"replay": self.replay.state_dict()} if replay else {})

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from a saved state; the results are bitwise the same if it holds the replay."""
        self.controller.load_state_dict(state["policy"])
        self.target_actor.load_state_dict(state["target_actor"])
        self.critics.load_state_dict(state["critics"])
        self.target_critics.load_state_dict(state["target_critics"])
        restore_optimizer(self._actor_optimizer, state["actor_optimizer"])
        restore_optimizer(self._critic_optimizer, state["critic_optimizer"])
        self._generator.set_state(state["generator"].cpu())
        self._noise.copy_(state["noise"])
        self._seen = int(state["seen"])
        self._due = float(state["due"])
        self._updates = int(state["updates"])
        if "replay" in state:
            self.replay.load_state_dict(state["replay"])
