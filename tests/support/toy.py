"""A small task whose environments can be put back where they were, for tests of a run."""

import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from gymnasium.spaces import Box


@dataclass(frozen=True)
class ToyTask:
    """How a toy misbehaves.

    Attributes:
        gate: a file without which later steps take 0.2 s, so that a test can kill a run in between.
        gate_after: steps of a batch before those.
        fail_after: steps after which it raises an error.
        interrupt_after: steps after which it is interrupted as by Ctrl-C.
        interruptions: number of times that Ctrl-C is pressed then.
        killed_after: steps after which its process is killed; 0 is while it is made.
        spoilt_after: steps after which its rewards are no numbers.
    """

    gate: str | None = None
    gate_after: int = 75  # past the checkpoint at 100 steps of two environments
    fail_after: int | None = None
    interrupt_after: int | None = None
    interruptions: int = 1
    killed_after: int | None = None
    spoilt_after: int | None = None

    def create(self, environments: int) -> "ToyEnvironment":
        if self.killed_after == 0:
            signal.raise_signal(signal.SIGKILL)
        return ToyEnvironment(environments, self)


class ToyEnvironment:
    """A point pushed along a line: it should stay near 0, and falls off beyond 1.

    Episodes that do not fall off are truncated after 7 to 12 steps, drawn anew each time.
    """

    model_xml = "<OpenSimDocument/>"
    observation_names = ("place", "age")
    action_names = ("push",)

    def __init__(self, size: int, task: ToyTask = ToyTask()) -> None:
        self.backend = None
        self.num_envs = size
        self.single_observation_space = Box(-np.inf, np.inf, (2,), np.float32)
        self.single_action_space = Box(-1.0, 1.0, (1,), np.float32)
        self.task = task
        self.steps = 0
        self.closed = False
        self.generators = [np.random.default_rng(0) for _ in range(size)]
        self.place = np.zeros(size)
        self.age = np.zeros(size, dtype=np.int64)
        self.limit = np.zeros(size, dtype=np.int64)
        self.sums = np.zeros(size)

    def reset(
        self, *, seed: int | Sequence[int] | None = None, options: Any = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        if seed is not None:
            seeds = range(seed, seed + self.num_envs) if isinstance(seed, int) else seed
            self.generators = [np.random.default_rng(s) for s in seeds]
        self._begin(np.ones(self.num_envs, dtype=bool))
        return self._observe(), {}

    def step(self, actions: np.ndarray) -> tuple[Any, ...]:
        self.steps += 1
        if self._at_the_gate():
            time.sleep(0.2)
        if self.steps == self.task.fail_after:
            raise ZeroDivisionError("the toy broke")
        if self.steps == self.task.interrupt_after:
            for _ in range(self.task.interruptions):
                signal.raise_signal(signal.SIGINT)
        if self.steps == self.task.killed_after:
            signal.raise_signal(signal.SIGKILL)
        self.place = self.place + 0.3 * actions[:, 0]
        self.age += 1
        rewards = -np.abs(self.place)
        if self.steps == self.task.spoilt_after:
            rewards[-1] = np.nan
        self.sums += rewards
        terminated = np.abs(self.place) > 1.0
        truncated = (self.age >= self.limit) & ~terminated
        ended = terminated | truncated
        infos: dict[str, Any] = {}
        if ended.any():
            figures = {
                "return": self.sums.copy(),
                "length": self.age.astype(float),
                "fallen": terminated.astype(float),
                "reward/near": self.sums.copy(),
            }
            infos = {"final_obs": self._observe(), "_final_obs": ended}
            infos |= {"episode": figures, "_episode": ended}
            self._begin(ended)
        return self._observe(), rewards, terminated, truncated, infos

    def snapshot(self) -> dict[str, Any]:
        return {
            "generators": [g.bit_generator.state for g in self.generators],
            **{name: getattr(self, name).copy() for name in ("place", "age", "limit", "sums")},
        }

    def restore(self, snapshot: dict[str, Any]) -> np.ndarray:
        for generator, state in zip(self.generators, snapshot["generators"], strict=True):
            generator.bit_generator.state = state
        for name in ("place", "age", "limit", "sums"):
            setattr(self, name, snapshot[name].copy())
        return self._observe()

    def counts(self) -> dict[str, int]:
        return {"stepped": self.steps}

    def close(self) -> None:
        self.closed = True

    def _at_the_gate(self) -> bool:
        gate, after = self.task.gate, self.task.gate_after
        return gate is not None and self.steps > after and not Path(gate).exists()

    def _begin(self, which: np.ndarray) -> None:
        for row in np.flatnonzero(which):
            self.place[row] = self.generators[row].uniform(-0.5, 0.5)
            self.limit[row] = self.generators[row].integers(7, 13)
        self.age[which] = 0
        self.sums[which] = 0.0

    def _observe(self) -> np.ndarray:
        return np.stack([self.place, self.age / 10.0], axis=1).astype(np.float32)
