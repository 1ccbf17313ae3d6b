"""Comparison of groups of runs by a metric, with the uncertainty of few seeds."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np

from osimexp.analysis.statistics import (
    Scores,
    Statistic,
    interquartile_mean,
    interval,
    performance_profile,
    probability_of_improvement,
    resampled,
)
from osimexp.errors import ConfigError, near_matches
from osimexp.experiment.differences import Group
from osimexp.experiment.summary import Summary, curve, metrics_of

FEW_SEEDS = 5
"""Number of runs of a group below which an interval says little.

Of two groups of normal scores that are equal, bootstrap intervals put one above the other in a
third of all cases with two runs each, in 18 % with three, and in 9 % with five.
"""


@dataclass(frozen=True)
class Estimate:
    """A statistic of a group with its 95 % bootstrap interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Standing:
    """The results of a group of runs.

    Attributes:
        group: group of runs.
        scores: ``(runs,)`` mean of the metric over the episodes of each run's final evaluation.
        interquartile_mean: interquartile mean of the scores.
        median: median of the scores.
        mean: mean of the scores.
        steps: ``(N,)`` environment steps at which all runs were evaluated in training.
        curve: ``(3, N)`` interquartile mean at each, and the ends of its interval.
        profile: ``(3, levels)`` share of runs above each level of the comparison, and the ends of
            its interval.
    """

    group: Group
    scores: Scores
    interquartile_mean: Estimate
    median: Estimate
    mean: Estimate
    steps: Scores
    curve: Scores
    profile: Scores


@dataclass(frozen=True)
class Pair:
    """The probability that a run of one group is above a run of another.

    Attributes:
        above: label of the group with the higher interquartile mean.
        below: label of the other group.
        probability: probability that a run of the first group is above one of the second; a tie
            counts half.
        runs: number of runs of the smaller group.
    """

    above: str
    below: str
    probability: Estimate
    runs: int

    @property
    def verdict(self) -> Literal["above", "not told apart", "too few seeds"]:
        """Verdict on the pair: above, not told apart, or too few seeds."""
        if self.runs < FEW_SEEDS:
            return "too few seeds"
        return "above" if self.probability.low > 0.5 else "not told apart"


@dataclass(frozen=True)
class Comparison:
    """Groups in the order of their interquartile mean, the highest first.

    Attributes:
        figure: name of the metric.
        standings: results of the groups.
        pairs: comparison of every two groups.
        levels: ``(levels,)`` levels of the performance profiles.
    """

    figure: str
    standings: tuple[Standing, ...]
    pairs: tuple[Pair, ...]
    levels: Scores

    def warnings(self) -> list[str]:
        """Return sentences on the limits of the comparison."""
        few = [s for s in self.standings if len(s.scores) < FEW_SEEDS]
        return [
            f"{s.group.label} has {len(s.scores)} seed{'' if len(s.scores) == 1 else 's'}; with "
            f"fewer than {FEW_SEEDS} an interval says little."
            for s in few
        ]


def compare(groups: Sequence[Group], figure: str = "return", resamples: int = 10_000) -> Comparison:
    """Return a comparison of groups by a metric of their final evaluations.

    Args:
        groups: groups of runs; the runs of each differ in their seeds alone.
        figure: name of the metric, ``return`` or another one that evaluations have.
        resamples: number of resamples of each bootstrap.

    Raises:
        ConfigError: an evaluation does not have that metric.
    """
    generator = np.random.default_rng(0)
    scores = [np.array([_score(run, figure) for run in group.members]) for group in groups]
    levels = np.unique(np.concatenate(scores))
    found = [
        _standing(group, own, figure, levels, generator, resamples)
        for group, own in zip(groups, scores, strict=True)
    ]
    found.sort(key=lambda standing: -standing.interquartile_mean.value)
    pairs = [_pair(one, other, generator, resamples) for one, other in combinations(found, 2)]
    return Comparison(figure, tuple(found), tuple(pairs), levels)


def interquartile_estimate(scores: Scores, resamples: int) -> Estimate:
    """Return the interquartile mean of scores ``(runs,)`` with its interval."""
    drawn = resampled(scores, np.random.default_rng(0), resamples)
    return _estimate(interquartile_mean, scores, drawn)


def _score(summary: Summary, figure: str) -> float:
    metrics = metrics_of(summary.run, "final") or {}
    if metrics.get(figure) is None:
        raise ConfigError(
            f"The final evaluation of {summary.run.path} has no metric {figure}; "
            f"{near_matches(figure, metrics)}"
        )
    return float(metrics[figure])  # type: ignore[arg-type]


def _standing(
    group: Group,
    scores: Scores,
    figure: str,
    levels: Scores,
    generator: np.random.Generator,
    resamples: int,
) -> Standing:
    drawn = resampled(scores, generator, resamples)
    profiles = performance_profile(drawn, levels)
    curves = [curve(summary.run, figure) for summary in group.members]
    steps = sorted(set.intersection(*(set(own) for own in curves)))
    values = np.array([[own[step] for step in steps] for own in curves]).reshape(len(curves), -1)
    rows = generator.integers(len(values), size=(resamples, len(values)))
    means = interquartile_mean(values[rows].swapaxes(1, 2))
    smooth = np.array([interquartile_mean(values.T), *interval(means)])
    return Standing(
        group,
        scores,
        _estimate(interquartile_mean, scores, drawn),
        _estimate(_median, scores, drawn),
        _estimate(_mean, scores, drawn),
        np.array(steps),
        smooth,
        np.array([performance_profile(scores, levels), *interval(profiles)]),
    )


def _estimate(statistic: Statistic, scores: Scores, drawn: Scores) -> Estimate:
    low, high = interval(statistic(drawn))
    return Estimate(float(statistic(scores)), float(low), float(high))


def _pair(one: Standing, other: Standing, generator: np.random.Generator, resamples: int) -> Pair:
    low, high = interval(
        probability_of_improvement(
            resampled(one.scores, generator, resamples),
            resampled(other.scores, generator, resamples),
        )
    )
    value = probability_of_improvement(one.scores, other.scores)
    estimate = Estimate(float(value), float(low), float(high))
    runs = min(len(one.scores), len(other.scores))
    return Pair(one.group.label, other.group.label, estimate, runs)


def _median(scores: Scores) -> Scores:
    return np.asarray(np.median(scores, axis=-1))


def _mean(scores: Scores) -> Scores:
    return np.asarray(scores.mean(axis=-1))
