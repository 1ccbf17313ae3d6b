"""The single environment: a batch of one, for libraries that want a ``gymnasium.Env``."""

from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Box
from gymnasium.utils import EzPickle
from numpy.typing import NDArray

from osimexp.tasks.musculoskeletal import MusculoskeletalVectorEnv
from osimexp.tasks.specification import Specification

Observation = NDArray[np.float32]


class MusculoskeletalEnv(gymnasium.Env[Observation, NDArray[np.float32]], EzPickle):
    """One musculoskeletal model, simulated in this process.

    The figures of an episode are in the infos of its last step, as ``infos["figures"]``, since
    Gymnasium's ``RecordEpisodeStatistics`` claims ``episode``.

    Args:
        specification: the task.

    Raises:
        ConfigError: a term does not fit the model.
        ModelError: the model cannot be built, read or simulated.
    """

    observation_space: Box  # type: ignore[assignment]
    action_space: Box  # type: ignore[assignment]

    def __init__(self, specification: Specification) -> None:
        EzPickle.__init__(self, specification)
        self.metadata = {"render_modes": []}
        self._batch = MusculoskeletalVectorEnv(specification.with_workers(0), 1, autoreset=False)
        self.observation_space = self._batch.single_observation_space
        self.action_space = self._batch.single_action_space

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Begin an episode."""
        super().reset(seed=seed)
        observations, _ = self._batch.reset(seed=seed)
        return observations[0], {}

    def step(
        self, action: NDArray[np.float32]
    ) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Act for one control period: observation, reward, terminated, truncated, infos."""
        batch = self._batch.step(np.asarray(action)[None])
        observations, rewards, terminated, truncated, infos = batch
        figures = infos.get("episode", {})
        single = {"figures": {k: float(v[0]) for k, v in figures.items()}} if figures else {}
        return observations[0], float(rewards[0]), bool(terminated[0]), bool(truncated[0]), single

    def close(self) -> None:
        """Free the simulation."""
        self._batch.close()
