"""The single environment, a batch of one, for libraries that need a ``gymnasium.Env``."""

from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Box
from gymnasium.utils import EzPickle
from numpy.typing import NDArray

from osimexp.tasks.musculoskeletal import Image, MusculoskeletalVectorEnv, known_mode
from osimexp.tasks.specification import Specification
from osimexp.visual.window import Window

Observation = NDArray[np.float32]

MODES = ("rgb_array", "human")


class MusculoskeletalEnv(gymnasium.Env[Observation, NDArray[np.float32]], EzPickle):
    """One environment of a musculoskeletal model, simulated in this process.

    The metrics of an episode are in the infos of its last step, as ``infos["figures"]``, because
    Gymnasium's ``RecordEpisodeStatistics`` uses ``episode``.

    Args:
        specification: task to simulate.
        render_mode: ``rgb_array`` for pictures from ``render``, ``human`` for a window that shows
            each step.

    Raises:
        ConfigError: a term does not fit the model, or there is no screen for a window.
        ModelError: the model cannot be built, read or simulated.
    """

    observation_space: Box  # type: ignore[assignment]
    action_space: Box  # type: ignore[assignment]

    def __init__(self, specification: Specification, render_mode: str | None = None) -> None:
        EzPickle.__init__(self, specification, render_mode)
        self.render_mode = known_mode(render_mode, MODES)
        pictures = None if render_mode is None else "rgb_array"
        specification = specification.with_workers(0)
        self._batch = MusculoskeletalVectorEnv(specification, 1, False, pictures)
        self.metadata = {
            "render_modes": list(MODES),
            "render_fps": self._batch.metadata["render_fps"],
        }
        self._window = Window("osimexp") if render_mode == "human" else None
        self.observation_space = self._batch.single_observation_space
        self.action_space = self._batch.single_action_space
        self.observation_names = self._batch.observation_names
        self.action_names = self._batch.action_names

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Begin an episode."""
        super().reset(seed=seed)
        observations, _ = self._batch.reset(seed=seed)
        self._show()
        return observations[0], {}

    def step(
        self, action: NDArray[np.float32]
    ) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Step one control period; return observation, reward, terminated, truncated, infos."""
        batch = self._batch.step(np.asarray(action)[None])
        observations, rewards, terminated, truncated, infos = batch
        self._show()
        metrics = infos.get("episode", {})
        single = {"figures": {k: float(v[0]) for k, v in metrics.items()}} if metrics else {}
        return observations[0], float(rewards[0]), bool(terminated[0]), bool(truncated[0]), single

    def render(self) -> Image | None:
        """Return a picture ``(height, width, 3)``; None if a window shows it or without a mode."""
        pictures = self._batch.render()
        return pictures[0] if pictures and self._window is None else None

    def close(self) -> None:
        """Free the simulation."""
        self._batch.close()
        if self._window is not None:
            self._window.close()

    def _show(self) -> None:
        if self._window is not None and (pictures := self._batch.render()):
            self._window.show(pictures[0])
