"""Evaluation of a controller: metrics of whole episodes, and their spread."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.table import Table

from osimexp.controllers.controller import Agent
from osimexp.tasks.environment import Environment
from osimexp.tasks.finite import require_finite_step

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Evaluation:
    """The metrics of some episodes.

    Attributes:
        metrics: ``(episodes,)`` values of each metric, by name; NaN if an episode does not have the
            metric.
        seed: seed of the first episode; episode ``i`` drew from ``seed + i``.
    """

    metrics: Mapping[str, Values]
    seed: int

    @property
    def episodes(self) -> int:
        """Number of episodes."""
        return len(self.metrics["return"])

    def means(self) -> dict[str, float]:
        """Return the mean of each metric over the episodes."""
        return {name: _over(np.mean, values) for name, values in self.metrics.items()}

    def spread(self) -> dict[str, dict[str, float]]:
        """Return mean, standard deviation (of the population), least and most of each metric."""
        kinds: dict[str, Callable[[Values], Any]] = {
            "mean": np.mean,
            "std": np.std,
            "min": np.min,
            "max": np.max,
        }
        return {
            name: {kind: _over(function, values) for kind, function in kinds.items()}
            for name, values in self.metrics.items()
        }

    def as_json(self) -> dict[str, Any]:
        """Return the seed, the spread and each episode's metrics as plain data."""
        spread = {
            name: {kind: _finite(value) for kind, value in kinds.items()}
            for name, kinds in self.spread().items()
        }
        each = {name: [_finite(x) for x in values] for name, values in self.metrics.items()}
        return {"episodes": self.episodes, "seed": self.seed, "figures": spread, "each": each}

    def table(self, title: str) -> Table:
        """Return a table for ``rich`` to print, with the spread of each metric."""
        table = Table(title=title, title_justify="left")
        table.add_column("metric")
        for column in ("mean", "std", "min", "max"):
            table.add_column(column, justify="right")
        for name, spread in self.spread().items():
            table.add_row(name, *(f"{value:.4g}" for value in spread.values()))
        return table


def evaluate(
    environment: Environment,
    controller: Agent,
    episodes: int,
    seed: int,
    check: Callable[[], None] | None = None,
) -> Evaluation:
    """Run a fixed set of episodes to their ends, and return their metrics.

    Episode ``i`` draws from ``seed + i`` in any environment. The batch runs as many episodes at a
    time as it has environments and waits for the longest of them, so that short episodes do not
    count more often than long ones.

    Args:
        environment: batch of environments; its running episodes are broken off.
        controller: controller to evaluate.
        episodes: number of episodes, at least 1.
        seed: seed of the first episode.
        check: function called before each step; an error that it raises ends the evaluation.
    """
    size = environment.num_envs
    rounds = [
        _round(environment, controller, seed + first, min(size, episodes - first), check)
        for first in range(0, episodes, size)
    ]
    # A metric that an episode does not have, but others do, is NaN.
    names = dict.fromkeys(name for metrics in rounds for name in metrics)
    counts = [len(metrics["return"]) for metrics in rounds]
    return Evaluation(
        {
            name: np.concatenate(
                [
                    metrics.get(name, np.full(count, np.nan))
                    for metrics, count in zip(rounds, counts, strict=True)
                ]
            )
            for name in names
        },
        seed,
    )


def _round(
    environment: Environment,
    controller: Agent,
    seed: int,
    wanted: int,
    check: Callable[[], None] | None,
) -> dict[str, Values]:
    """Run one episode in each environment, and return the metrics of the first ``wanted``."""
    size = environment.num_envs
    observations, _ = environment.reset(seed=[seed + row for row in range(size)])
    controller.reset(np.ones(size, dtype=bool))
    open_rows = np.arange(size) < wanted
    metrics: dict[str, Values] = {}
    for step in count(1):
        if not open_rows.any():
            break
        if check is not None:
            check()
        observations, rewards, terminated, truncated, infos = environment.step(
            controller.act(observations)
        )
        require_finite_step(observations, rewards, step)
        ended = terminated | truncated
        if not ended.any():
            continue
        controller.reset(ended)
        first = ended & open_rows
        for name, values in infos["episode"].items():
            if not name.startswith("_"):
                kept = metrics.setdefault(name, np.full(size, np.nan))
                kept[first] = np.asarray(values, dtype=np.float64)[first]
        open_rows &= ~ended
    return {name: values[:wanted] for name, values in metrics.items()}


def _over(function: Callable[[Values], Any], values: Values) -> float:
    sound = values[~np.isnan(values)]
    return float(function(sound)) if len(sound) else math.nan


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
