"""What a few runs tell of all the runs there could be.

Agarwal et al. (2021), Deep reinforcement learning at the edge of the statistical precipice,
arXiv:2108.13264, recommend both estimators.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float64]
Statistic = Callable[[Scores], Scores]


def interquartile_mean(scores: Scores) -> Scores:
    """Return the mean of the middle half of scores ``(..., runs)``, ``(...)``.

    Where a quarter of the runs is no whole number, the runs at its edge count in part, so that the
    middle half is a half whatever the number of runs is.
    """
    runs = scores.shape[-1]
    places = np.arange(runs)
    weights = np.clip(np.minimum(places + 1, 0.75 * runs) - np.maximum(places, 0.25 * runs), 0, 1)
    return np.asarray((np.sort(scores, axis=-1) * weights).sum(axis=-1) / weights.sum())


def bootstrap_interval(
    groups: Sequence[Scores],
    statistic: Statistic,
    generator: np.random.Generator,
    resamples: int = 10_000,
    confidence: float = 0.95,
) -> tuple[float, float]:
    """Return the percentile bootstrap interval of a statistic over runs.

    Args:
        groups: scores ``(runs,)`` of each stratum (each task, say); runs are drawn anew within
            every one of them, and the statistic is of all of them together.
        statistic: from ``(..., runs)`` to ``(...)``.
        generator: what the resamples are drawn from.
        resamples: how many.
        confidence: of the interval.
    """
    drawn = [
        group[generator.integers(len(group), size=(resamples, len(group)))] for group in groups
    ]
    found = statistic(np.concatenate(drawn, axis=1))
    edge = 50.0 * (1.0 - confidence)
    low, high = np.percentile(found, [edge, 100.0 - edge])
    return float(low), float(high)
