"""The interface of a batch of environments, for the training loop and evaluations."""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from gymnasium.spaces import Box
from numpy.typing import NDArray

from osimexp.arrays import Mask
from osimexp.physics.simulation import Backend

Observations = NDArray[np.float32]
Rewards = NDArray[np.float64]


class Environment(Protocol):
    """A ``gymnasium.vector.VectorEnv`` with Box spaces that ends and begins episodes by itself.

    Autoreset is Gymnasium's ``SAME_STEP``: in the step in which an episode ends, ``step`` returns
    the first observation of the next one, and the last observation is in its infos:

    * ``infos["final_obs"]``: ``(B, observations)``, valid in the rows of ``infos["_final_obs"]``;

    * ``infos["episode"]``: metrics of the episodes that ended, by name, each ``(B,)`` and valid in
    the rows of ``infos["_episode"]``: at least ``return`` and ``length`` (steps), and for our own
    tasks also ``time`` (s), ``fallen``, ``failed``, ``distance`` (m), ``speed`` (m/s), ``effort``
    and each reward term's sum as ``reward/<term>``.

    Both are present only in steps in which an episode ended.

    Attributes:
        num_envs: number of environments in the batch, ``B``.
        single_observation_space: observation space of one environment.
        single_action_space: action space of one environment, [-1, 1] in each dimension.
        observation_names: name of each column of an observation; no two are equal.
        action_names: name of each column of an action; no two are equal.
        backend: physics back end; None if no musculoskeletal model is simulated.
    """

    num_envs: int
    single_observation_space: Box
    single_action_space: Box
    observation_names: tuple[str, ...]
    action_names: tuple[str, ...]

    @property
    def backend(self) -> Backend | None:
        """Physics back end of the batch; None if no musculoskeletal model is simulated."""
        ...

    def reset(
        self,
        *,
        seed: int | Sequence[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[Observations, dict[str, Any]]:
        """Begin an episode in every environment; environment ``i`` draws from ``seed + i``."""
        ...

    def step(
        self, actions: NDArray[np.float32]
    ) -> tuple[Observations, Rewards, Mask, Mask, dict[str, Any]]:
        """Step the batch, and return observations, rewards, terminated, truncated and infos."""
        ...

    def snapshot(self) -> dict[str, Any] | None:
        """Return all that it takes to continue from here, as plain data, or None.

        Environments of other Gymnasium packages cannot be restored; they begin new episodes when a
        run is resumed.
        """
        ...

    def restore(self, snapshot: dict[str, Any]) -> Observations:
        """Restore a snapshot exactly, and return the current observations."""
        ...

    def counts(self) -> dict[str, int]:
        """Return counts since the start, for the metrics: failed steps, replaced workers."""
        ...

    def close(self) -> None:
        """Free processes and memory; may be called twice."""
        ...
