"""What the training loop and the evaluation ask of a batch of environments."""

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
    the first observation of the next one and hands the last one over in its infos:

    * ``infos["final_obs"]``: ``(B, observations)``, sound in the rows of ``infos["_final_obs"]``;
    * ``infos["episode"]``: figures of the episodes that ended, by name, each ``(B,)`` and sound in
      the rows of ``infos["_episode"]``: at least ``return`` and ``length`` (steps), and for our
      own tasks also ``time`` (s), ``fallen``, ``failed``, ``distance`` (m), ``speed`` (m/s),
      ``effort`` and each reward term's sum as ``reward/<term>``.

    Both are present only in steps in which an episode ended.

    Attributes:
        num_envs: environments in the batch, ``B``.
        single_observation_space: of one environment.
        single_action_space: of one environment, [-1, 1] in each dimension.
        observation_names: of the columns of an observation, each its own.
        action_names: of the columns of an action, each its own.
        backend: what simulates the batch; None where no musculoskeletal model is simulated.
    """

    num_envs: int
    single_observation_space: Box
    single_action_space: Box
    observation_names: tuple[str, ...]
    action_names: tuple[str, ...]

    @property
    def backend(self) -> Backend | None:
        """What simulates the batch."""
        ...

    def reset(
        self,
        *,
        seed: int | Sequence[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[Observations, dict[str, Any]]:
        """Begin an episode everywhere; environment ``i`` draws from ``seed + i``."""
        ...

    def step(
        self, actions: NDArray[np.float32]
    ) -> tuple[Observations, Rewards, Mask, Mask, dict[str, Any]]:
        """Step the batch: observations, rewards, terminated, truncated, infos."""
        ...

    def snapshot(self) -> dict[str, Any] | None:
        """Return all it takes to go on from here, as plain data, or None where that cannot be.

        Environments that cannot (those of other Gymnasium packages) begin new episodes when a run
        is resumed.
        """
        ...

    def restore(self, snapshot: dict[str, Any]) -> Observations:
        """Go on from ``snapshot``, to the last digit, and return the current observations."""
        ...

    def counts(self) -> dict[str, int]:
        """Return counts since the start that the metrics show: failed steps, replaced workers."""
        ...

    def close(self) -> None:
        """Free processes and memory; may be called twice."""
        ...
