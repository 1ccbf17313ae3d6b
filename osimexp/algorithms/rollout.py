"""The buffer of steps that an on-policy algorithm collects between two updates."""

from typing import Any

import torch
from torch import Tensor

_FIELDS = ("observations", "actions", "rewards", "next_observations", "terminated", "truncated")


class Rollout:
    """A fixed number of steps of every environment, filled one step at a time.

    Attributes:
        filled: number of steps filled so far.
        observations: ``(T, B, observations)`` as the policy saw them.
        actions: ``(T, B, actions)`` as the policy sampled them.
        rewards: ``(T, B)``.
        next_observations: ``(T, B, observations)``; at the end of an episode, its last observation.
        terminated: ``(T, B)`` bool.
        truncated: ``(T, B)`` bool.
    """

    def __init__(
        self,
        steps: int,
        environments: int,
        observation_size: int,
        action_size: int,
        device: str | torch.device,
    ) -> None:
        shape = (steps, environments)
        self.filled = 0
        self.observations = torch.zeros(*shape, observation_size, device=device)
        self.actions = torch.zeros(*shape, action_size, device=device)
        self.rewards = torch.zeros(shape, device=device)
        self.next_observations = torch.zeros(*shape, observation_size, device=device)
        self.terminated = torch.zeros(shape, dtype=torch.bool, device=device)
        self.truncated = torch.zeros(shape, dtype=torch.bool, device=device)

    @property
    def full(self) -> bool:
        """True if every step is filled."""
        return self.filled == len(self.rewards)

    def add(
        self,
        observations: Tensor,
        actions: Tensor,
        rewards: Tensor,
        next_observations: Tensor,
        terminated: Tensor,
        truncated: Tensor,
    ) -> None:
        """Store the next step of every environment."""
        row = self.filled
        self.observations[row] = observations
        self.actions[row] = actions
        self.rewards[row] = rewards
        self.next_observations[row] = next_observations
        self.terminated[row] = terminated
        self.truncated[row] = truncated
        self.filled += 1

    def clear(self) -> None:
        """Empty the buffer."""
        self.filled = 0

    def state_dict(self) -> dict[str, Any]:
        """Return a copy of the steps that are filled."""
        return {name: getattr(self, name)[: self.filled].clone() for name in _FIELDS}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore saved steps.

        Raises:
            ValueError: they are of other sizes, or more than fit.
        """
        filled = len(state["rewards"])
        for name in _FIELDS:
            own, saved = getattr(self, name), state[name]
            if saved.shape[1:] != own.shape[1:] or filled > len(own):
                raise ValueError(
                    f"the saved rollout's {name} {tuple(saved.shape)} do not fit {tuple(own.shape)}"
                )
            own[:filled] = saved.to(own.device)
        self.filled = filled
