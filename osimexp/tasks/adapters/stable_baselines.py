"""Our batches of environments for Stable-Baselines3, which must be installed for it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from stable_baselines3.common.vec_env import VecEnv

from osimexp.tasks.environment import Environment


class StableBaselinesEnv(VecEnv):
    """A batch as Stable-Baselines3's ``VecEnv``.

    Args:
        environment: begins the next episode in the step in which one ends.
        seed: of the first episodes; environment ``i`` draws from ``seed + i``.
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
        """Begin an episode everywhere; only the first time by the seed."""
        observations, _ = self._environment.reset(seed=self._seed)
        self._seed = None
        return observations

    def step_async(self, actions: NDArray[np.float32]) -> None:
        """Take the actions of the next step."""
        self._actions = actions

    def step_wait(self) -> Any:
        """Return observations, rewards, which episodes ended, and a dict for each environment."""
        observations, rewards, terminated, truncated, infos = self._environment.step(self._actions)
        ended = terminated | truncated
        each: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        for b in np.flatnonzero(ended):
            each[b]["terminal_observation"] = infos["final_obs"][b]
            each[b]["TimeLimit.truncated"] = bool(truncated[b] and not terminated[b])
            figures = infos["episode"]
            each[b]["episode"] = {
                "r": float(figures["return"][b]),
                "l": int(figures["length"][b]),
                "t": 0.0,
            }
        return observations, rewards.astype(np.float32), ended, each

    def close(self) -> None:
        """Close the batch."""
        self._environment.close()

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """Return an attribute of the batch, once for each environment asked of."""
        found = None if attr_name == "render_mode" else getattr(self._environment, attr_name)
        return [found for _ in self._get_indices(indices)]

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        """Refuse: one batch has no attributes for each environment.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError("The environments of one batch have no attributes of their own.")

    def env_method(
        self, method_name: str, *method_args: Any, indices: Any = None, **method_kwargs: Any
    ) -> list[Any]:
        """Refuse: one batch has no methods for each environment.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError("The environments of one batch have no methods of their own.")

    def env_is_wrapped(self, wrapper_class: type, indices: Any = None) -> list[bool]:
        """Return False for each environment: nothing wraps one of a batch."""
        return [False for _ in self._get_indices(indices)]

    def seed(self, seed: int | None = None) -> Sequence[int | None]:
        """Take the seed of the next reset."""
        if seed is not None:
            self._seed = seed
        return [None if seed is None else seed + b for b in range(self.num_envs)]
