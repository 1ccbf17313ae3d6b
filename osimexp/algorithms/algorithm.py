"""What the training loop asks of an algorithm, and what it hands to it."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from osimexp.controllers.controller import Actions, Controller, Observations

Rewards = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Transition:
    """One step of a batch of environments; row ``b`` belongs to environment ``b``.

    Attributes:
        observations: ``(B, observations)`` what was acted on.
        actions: ``(B, actions)`` in [-1, 1].
        rewards: ``(B,)``.
        next_observations: ``(B, observations)`` where the step led; where an episode ended this is
            its last observation, not the first of the next episode.
        terminated: ``(B,)`` the task's own end: nothing follows, so nothing is bootstrapped.
        truncated: ``(B,)`` the time limit: the episode would have gone on, so it is bootstrapped.
    """

    observations: Observations
    actions: Actions
    rewards: Rewards
    next_observations: Observations
    terminated: Mask
    truncated: Mask


class Algorithm(Protocol):
    """Learns from transitions. One of these lives in each file of this folder.

    Attributes:
        controller: what has been learned so far, without exploration: the policy, as a rule. It
            changes as learning goes on.
    """

    @property
    def controller(self) -> Controller:
        """What has been learned so far."""
        ...

    def act(self, observations: Observations) -> Actions:
        """Return exploring actions ``(B, actions)`` in [-1, 1]."""
        ...

    def learn(self, transition: Transition) -> dict[str, float]:
        """Take in one step of the batch and, when it is due, update the weights.

        Returns the metrics of the updates made, by name; empty when none was due.
        """
        ...

    def begin_with(self, controller: Controller) -> None:
        """Begin to learn from a controller and not from nothing.

        Raises:
            ValueError: it is of another kind or shape than the one that is learned here.
        """
        ...

    def state_dict(self, replay: bool = True) -> dict[str, Any]:
        """Return all that a resumed run needs, as tensors, numbers, strings, lists and dicts."""
        ...

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from ``state``, to the last digit where it holds the replay."""
        ...


class Settings(Protocol):
    """The hyperparameters of an algorithm, made from its YAML file.

    Attributes:
        environments: how many environments feed it.
    """

    @property
    def environments(self) -> int:
        """How many environments feed it."""
        ...

    def create(self, observation_size: int, action_size: int, seed: int, device: str) -> Algorithm:
        """Return the algorithm, its weights drawn from ``seed``."""
        ...
