"""A toy task, its training loop and a save through a file: what the algorithms' tests share."""

import io
from typing import Any

import numpy as np
import torch

from osimexp.algorithms.algorithm import Algorithm, Transition, learn


class OneStepTask:
    """Episodes of one step: the reward is -|a - f(o)|^2, so the best return is 0."""

    observation_size = 2
    action_size = 2

    def __init__(self, environments: int, seed: int) -> None:
        self._generator = np.random.default_rng(seed)
        self._environments = environments

    def observe(self) -> np.ndarray:
        drawn = self._generator.uniform(-1.0, 1.0, (self._environments, 2))
        return drawn.astype(np.float32)

    @staticmethod
    def reward(observations: np.ndarray, actions: np.ndarray) -> np.ndarray:
        best = np.stack([0.6 * observations[:, 0], -0.5 * observations[:, 1]], axis=1)
        return -np.square(actions - best).sum(1).astype(np.float64)

    def step(self, observations: np.ndarray, actions: np.ndarray) -> Transition:
        ended = np.ones(len(observations), dtype=bool)
        return Transition(
            observations,
            actions,
            self.reward(observations, actions),
            self.observe(),
            ended,
            ~ended,
        )


def solve(algorithm: Algorithm, environments: int, steps: int) -> float:
    """Train on the one-step task and return the deterministic policy's mean return."""
    task = OneStepTask(environments, seed=11)
    for _ in range(steps):
        observations = task.observe()
        learn(algorithm, task.step(observations, algorithm.act(observations)))
    test = OneStepTask(512, seed=12).observe()
    return float(OneStepTask.reward(test, algorithm.controller.act(test)).mean())


class Stream:
    """Reproducible transitions of a walk whose episodes end both ways, whatever is done."""

    def __init__(self, environments: int, seed: int = 5) -> None:
        self._generator = np.random.default_rng(seed)
        self._shape = (environments, 3)
        self.observations = self._draw()

    def _draw(self) -> np.ndarray:
        return self._generator.normal(1.0, 2.0, self._shape).astype(np.float32)

    def step(self, algorithm: Algorithm) -> tuple[np.ndarray, dict[str, float]]:
        actions = algorithm.act(self.observations)
        following = self._draw()
        chance = self._generator.random(self._shape[0])
        transition = Transition(
            self.observations,
            actions,
            self.observations[:, 0] * actions[:, 0].astype(np.float64),
            following,
            chance < 0.1,
            chance > 0.9,
        )
        self.observations = following
        return actions, learn(algorithm, transition)


def run(algorithm: Algorithm, stream: Stream, steps: int) -> list[Any]:
    """Return every action and metric of some steps, for comparison to the last digit."""
    record = []
    for _ in range(steps):
        actions, metrics = stream.step(algorithm)
        record.append((actions.tolist(), metrics))
    return record


def through_file(state: dict[str, Any]) -> dict[str, Any]:
    """Save and load a state as a checkpoint does, without running code."""
    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    loaded: dict[str, Any] = torch.load(file, weights_only=True)
    return loaded
