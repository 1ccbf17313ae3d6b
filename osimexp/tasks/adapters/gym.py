"""Gymnasium environments with Box spaces, to check the algorithms on standard problems."""

import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import gymnasium
import numpy as np
from gymnasium.spaces import Box
from gymnasium.vector import AutoresetMode, VectorEnv
from numpy.typing import NDArray

from osimexp.arrays import Mask
from osimexp.errors import ConfigError, near_matches
from osimexp.tasks.environment import Observations, Rewards
from osimexp.tasks.finite import require_finite


@dataclass(frozen=True)
class GymTask:
    """Settings of a Gymnasium environment, as in ``conf/task/gym.yaml``.

    Attributes:
        id: id of the environment in Gymnasium's registry.
        mode: ``sync`` steps the batch in this process, ``async`` in one process for each
            environment.
        arguments: keyword arguments of the environment.
    """

    id: str
    mode: Literal["sync", "async"]
    arguments: dict[str, Any]

    def create(self, environments: int) -> "GymEnvironment":
        """Return a batch of ``environments``.

        Raises:
            ConfigError: the id is unknown, its package is not installed, or a space is not a Box.
        """
        with _interrupt_left_to_parent():
            return GymEnvironment(self._make(environments))

    def _make(self, environments: int) -> VectorEnv[Any, Any, Any]:
        # One environment is made first, because errors in worker processes say little.
        try:
            single = gymnasium.make(self.id, **self.arguments)
            single.action_space.seed(0)
            single.reset(seed=0)
            single.step(single.action_space.sample())
        except gymnasium.error.UnregisteredEnv as error:
            known = near_matches(self.id, gymnasium.registry)
            raise ConfigError(
                f"task.id: Gymnasium has no environment {self.id}; {known}"
            ) from error
        except Exception as error:  # The environment's own code can raise any error.
            reason = (
                str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
            )
            raise ConfigError(f"task.id: {self.id} cannot be made: {reason}") from error
        spaces = {"observation": single.observation_space, "action": single.action_space}
        single.close()
        for kind, space in spaces.items():
            if not isinstance(space, Box):
                raise ConfigError(
                    f"task.id: the {kind} space of {self.id} is {space}, and only Box spaces can "
                    f"be used."
                )
        actions = spaces["action"]
        if not (isinstance(actions, Box) and actions.is_bounded()):
            raise ConfigError(
                f"task.id: the actions of {self.id} are unbounded, and must be bounded."
            )
        return gymnasium.make_vec(
            self.id,
            num_envs=environments,
            vectorization_mode=self.mode,
            vector_kwargs={"autoreset_mode": AutoresetMode.SAME_STEP},
            **self.arguments,
        )


class GymEnvironment:
    """A Gymnasium vector environment as an ``Environment``.

    Observations are flattened to float32 and, like rewards, must be finite; actions in
    [-1, 1] are scaled to the environment's box, and the return and length of each episode are
    counted here. Columns have numbers for names.

    Attributes:
        observation_bounds: lowest and highest value of each column of an observation, before it
            becomes float32.
        action_bounds: lowest and highest value of each column of an action, before it is scaled to
            [-1, 1].
        facts: id of the environment and length of its episodes, as text.
    """

    def __init__(self, vector: VectorEnv[Any, Any, Any]) -> None:
        """Store a vector environment with Box spaces and autoreset in the same step."""
        self.backend = None
        self._vector = vector
        self._closed = False
        box = vector.single_action_space
        assert isinstance(box, Box)
        self._low, self._high, self._action_type = box.low, box.high, box.dtype
        self.num_envs = vector.num_envs
        observed = vector.single_observation_space
        assert isinstance(observed, Box)
        size = int(np.prod(observed.shape))
        self.single_observation_space = Box(-np.inf, np.inf, (size,), np.float32)
        self.single_action_space = Box(-1.0, 1.0, (int(np.prod(box.shape)),), np.float32)
        self.observation_names = tuple(f"observation/{number}" for number in range(size))
        self.action_names = tuple(f"action/{number}" for number in range(int(np.prod(box.shape))))
        self.observation_bounds = observed.low.ravel(), observed.high.ravel()
        self.action_bounds = box.low.ravel(), box.high.ravel()
        spec = vector.spec
        self.facts: dict[str, str] = {} if spec is None else {"id": spec.id}
        if spec is not None and spec.max_episode_steps is not None:
            self.facts["truncated after"] = f"{spec.max_episode_steps} steps"
        self._returns = np.zeros(self.num_envs)
        self._lengths = np.zeros(self.num_envs, dtype=np.int64)

    def reset(
        self,
        *,
        seed: int | Sequence[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[Observations, dict[str, Any]]:
        """Begin an episode in every environment; environment ``i`` draws from ``seed + i``."""
        given: Any = seed if seed is None or isinstance(seed, int) else list(seed)
        observations, _ = self._vector.reset(seed=given, options=options)
        self._returns[:] = 0.0
        self._lengths[:] = 0
        flat = self._flat(observations)
        self._require_finite({"observation": flat})
        return flat, {}

    def step(
        self, actions: NDArray[np.float32]
    ) -> tuple[Observations, Rewards, Mask, Mask, dict[str, Any]]:
        """Step the batch, and return observations, rewards, terminated, truncated and infos."""
        if not np.isfinite(actions.sum()):
            require_finite({"The controller": actions}, self._lengths)
        shaped = actions.reshape(self.num_envs, *self._low.shape).astype(np.float64)
        scaled = self._low + 0.5 * (shaped + 1.0) * (self._high - self._low)
        observations, rewards, terminated, truncated, raw = self._vector.step(
            scaled.astype(self._action_type)
        )
        rewards = np.asarray(rewards, dtype=np.float64)
        self._returns += rewards
        self._lengths += 1
        flat = self._flat(observations)
        self._require_finite({"reward": rewards, "observation": flat})
        infos: dict[str, Any] = {}
        ended = terminated | truncated
        if ended.any():
            infos = self._ends(ended, flat, raw["final_obs"])
        return flat, rewards, terminated.copy(), truncated.copy(), infos

    def snapshot(self) -> None:
        """Return None, because Gymnasium's environments cannot be restored."""

    def restore(self, snapshot: dict[str, Any]) -> Observations:
        """Raise NotImplementedError, because there are no snapshots.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError("Gymnasium's environments cannot be restored.")

    def counts(self) -> dict[str, int]:
        """Return no counts."""
        return {}

    def close(self) -> None:
        """Close the environments; may be called twice."""
        if not self._closed:
            self._closed = True
            self._vector.close()

    def _ends(self, ended: Mask, observations: Observations, last: Any) -> dict[str, Any]:
        final = observations.copy()
        final[ended] = [np.asarray(row, dtype=np.float32).ravel() for row in last[ended]]
        self._require_finite({"last observation of an episode": final})
        metrics = {"return": self._returns.copy(), "length": self._lengths.copy()}
        self._returns[ended] = 0.0
        self._lengths[ended] = 0
        return {"final_obs": final, "_final_obs": ended, "episode": metrics, "_episode": ended}

    def _require_finite(self, given: dict[str, NDArray[Any]]) -> None:
        if not all(np.isfinite(values.sum()) for values in given.values()):
            name = self.facts.get("id", "the environment")
            parts = {f"The {kind} of {name}": values for kind, values in given.items()}
            require_finite(parts, self._lengths)

    def _flat(self, observations: Any) -> Observations:
        return np.array(observations, dtype=np.float32).reshape(self.num_envs, -1)


@contextmanager
def _interrupt_left_to_parent() -> Iterator[None]:
    """Let processes started inside ignore Ctrl-C, because the parent ends them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
