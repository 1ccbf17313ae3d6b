"""Our batches of environments for Stable-Baselines3, which must be installed."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from stable_baselines3.common.vec_env import VecEnv

from osimexp.tasks.environment import Environment


class StableBaselinesEnv(VecEnv):
    """A batch of environments as a ``VecEnv`` of Stable-Baselines3.

    Args:
        environment: batch of environments, which begins the next episode in the step in which one
            ends.
        seed: seed of the first episodes; environment ``i`` draws from ``seed + i``.
    """

    def __init__(self, environment: Environment, seed: int) -> None:
        self._environment = environment
        self._seed: int | None = seed
        self._actions: NDArray[np.float32] = np.zeros((0, 0), dtype=np.float32)
        super().__init__(
            environment.num_envs,
            environment.single_observation_space,
            environment.single_action_space,
        )

    def reset(self) -> Any:
        """Begin an episode in every environment; the seed is used the first time only."""
        observations, _ = self._environment.reset(seed=self._seed)
        self._seed = None
        return observations

    def step_async(self, actions: NDArray[np.float32]) -> None:
        """Store the actions of the next step."""
        self._actions = actions

    def step_wait(self) -> Any:
        """Return observations, rewards, ends of episodes, and a dict for each environment."""
        observations, rewards, terminated, truncated, infos = self._environment.step(self._actions)
        ended = terminated | truncated
        each: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        for b in np.flatnonzero(ended):
            each[b]["terminal_observation"] = infos["final_obs"][b]
            each[b]["TimeLimit.truncated"] = bool(truncated[b] and not terminated[b])
            metrics = infos["episode"]
            each[b]["episode"] = {
                "r": float(metrics["return"][b]),
                "l": int(metrics["length"][b]),
                "t": 0.0,
            }
        return observations, rewards.astype(np.float32), ended, each

    def close(self) -> None:
        """Close the batch."""
        self._environment.close()

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """Return an attribute of the batch, once for each environment in ``indices``."""
        found = None if attr_name == "render_mode" else getattr(self._environment, attr_name)
        return [found for _ in self._get_indices(indices)]

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        """Raise NotImplementedError, because the environments of a batch have no attributes.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError("The environments of one batch have no attributes of their own.")

    def env_method(
        self, method_name: str, *method_args: Any, indices: Any = None, **method_kwargs: Any
    ) -> list[Any]:
        """Raise NotImplementedError, because the environments of a batch have no methods.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError("The environments of one batch have no methods of their own.")

    def env_is_wrapped(self, wrapper_class: type, indices: Any = None) -> list[bool]:
        """Return False for each environment, because no wrapper is around one of a batch."""
        return [False for _ in self._get_indices(indices)]

    def seed(self, seed: int | None = None) -> Sequence[int | None]:
        """Store the seed of the next reset."""
        if seed is not None:
            self._seed = seed
        return [None if seed is None else seed + b for b in range(self.num_envs)]
