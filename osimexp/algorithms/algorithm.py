"""The interface between the training loop and an algorithm."""

from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from osimexp.controllers.controller import Actions, Controller, Observations

Rewards = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Transition:
    """One step of a batch of environments; row ``b`` belongs to environment ``b``.

    Attributes:
        observations: ``(B, observations)`` before the step.
        actions: ``(B, actions)`` in [-1, 1].
        rewards: ``(B,)``.
        next_observations: ``(B, observations)`` after the step; at the end of an episode, its last
            observation and not the first one of the next episode.
        terminated: ``(B,)`` whether the task ended the episode, so that no value is bootstrapped.
        truncated: ``(B,)`` whether the time limit ended the episode, so that its value is
            bootstrapped.
    """

    observations: Observations
    actions: Actions
    rewards: Rewards
    next_observations: Observations
    terminated: Mask
    truncated: Mask


class Algorithm(Protocol):
    """A reinforcement learning algorithm; each file of this folder holds one.

    Attributes:
        controller: controller that has been learned so far, without exploration, a policy as a
            rule; it changes as learning goes on.
        off_policy: whether the updates that a step makes due may be made while the next step, with
            actions of the policy before them, is simulated.
    """

    off_policy: ClassVar[bool]

    @property
    def controller(self) -> Controller:
        """Controller that has been learned so far."""
        ...

    def act(self, observations: Observations) -> Actions:
        """Return actions ``(B, actions)`` in [-1, 1], with exploration."""
        ...

    def take(self, transition: Transition) -> None:
        """Take in one step of the batch, whose actions the last ``act`` returned."""
        ...

    def update(self) -> dict[str, float]:
        """Update the weights if the steps taken in so far make an update due.

        Returns:
            The metrics of the updates made, by name; empty if none was due.
        """
        ...

    def begin_with(self, controller: Controller) -> None:
        """Start learning from a controller instead of from random weights.

        Raises:
            ValueError: the controller is of another kind or other sizes than the one learned here.
        """
        ...

    def state_dict(self, replay: bool = True) -> dict[str, Any]:
        """Return all that a resumed run needs, as tensors, numbers, strings, lists and dicts.

        Args:
            replay: whether to include the replay or the rollout.
        """
        ...

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from a saved state; the results are bitwise the same if it holds the replay."""
        ...


def learn(algorithm: Algorithm, transition: Transition) -> dict[str, float]:
    """Take in one step of the batch, make the updates that are due, and return their metrics."""
    algorithm.take(transition)
    return algorithm.update()


class Settings(Protocol):
    """The hyperparameters of an algorithm, made from its YAML file.

    Attributes:
        environments: number of environments in the batch.
    """

    @property
    def environments(self) -> int:
        """Number of environments in the batch."""
        ...

    def gradient_steps(self, steps: int) -> int:
        """Return the number of gradient steps that ``steps`` environment steps make due."""
        ...

    def create(self, observation_size: int, action_size: int, seed: int, device: str) -> Algorithm:
        """Return the algorithm, with weights drawn from ``seed``."""
        ...
