"""Statistics of few runs: robust means, probabilities of improvement, bootstrap intervals.

Agarwal et al. (2021), Deep reinforcement learning at the edge of the statistical precipice,
arXiv:2108.13264, recommend these estimators.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float64]
Statistic = Callable[[Scores], Scores]


def interquartile_mean(scores: Scores) -> Scores:
    """Return the mean of scores ``(..., runs)`` without their lowest and highest quarter.

    If a quarter is not a whole number of runs, it is rounded down.
    """
    runs = scores.shape[-1]
    cut = runs // 4
    return np.asarray(np.sort(scores, axis=-1)[..., cut : runs - cut].mean(axis=-1))


def probability_of_improvement(scores: Scores, others: Scores) -> Scores:
    """Return the probability that a run of ``scores`` is above one of ``others``; ties count half.

    Args:
        scores: ``(..., runs)``.
        others: ``(..., other runs)``.
    """
    ours, theirs = scores[..., :, None], others[..., None, :]
    return np.asarray(((ours > theirs) + 0.5 * (ours == theirs)).mean(axis=(-1, -2)))


def performance_profile(scores: Scores, levels: Scores) -> Scores:
    """Return the share of runs ``(..., runs)`` above each of some levels, ``(..., levels)``."""
    return np.stack([(scores > level).mean(axis=-1) for level in levels], axis=-1)


def resampled(scores: Scores, generator: np.random.Generator, resamples: int = 10_000) -> Scores:
    """Return bootstrap samples ``(resamples, runs)`` of runs, drawn with replacement."""
    return scores[generator.integers(len(scores), size=(resamples, len(scores)))]


def interval(found: Scores, confidence: float = 0.95) -> tuple[Scores, Scores]:
    """Return the ends of the percentile interval of a statistic ``(resamples, ...)``."""
    edge = 50.0 * (1.0 - confidence)
    low, high = np.percentile(found, [edge, 100.0 - edge], axis=0)
    return low, high


def bootstrap_interval(
    groups: Sequence[Scores],
    statistic: Statistic,
    generator: np.random.Generator,
    resamples: int = 10_000,
    confidence: float = 0.95,
) -> tuple[float, float]:
    """Return the percentile bootstrap interval of a statistic over runs.

    Args:
        groups: scores ``(runs,)`` of each stratum, such as a task; runs are resampled within each
            stratum, and the statistic is of all strata together.
        statistic: function from ``(..., runs)`` to ``(...)``.
        generator: random generator of the resamples.
        resamples: number of resamples.
        confidence: confidence of the interval, 0 to 1.
    """
    drawn = [resampled(group, generator, resamples) for group in groups]
    low, high = interval(statistic(np.concatenate(drawn, axis=1)), confidence)
    return float(low), float(high)
