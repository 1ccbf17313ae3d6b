"""Estimators over runs, against values worked by hand and the coverage they promise."""

import numpy as np
import pytest
from rliable import library, metrics
from scipy import stats

from osimexp.analysis.statistics import (
    Scores,
    bootstrap_interval,
    interquartile_mean,
    interval,
    performance_profile,
    probability_of_improvement,
    resampled,
)
from osimexp.bench.learning import Result, Row, read_rows, summarise, verdict, write_rows


def test_the_middle_half_is_the_mean_without_a_quarter_at_each_end() -> None:
    assert interquartile_mean(np.array([9.0, 1.0, 2.0, 3.0])) == pytest.approx(2.5)
    assert interquartile_mean(np.array([100.0, 1.0, 2.0, 4.0, -50.0])) == pytest.approx(7.0 / 3.0)
    assert interquartile_mean(np.array([7.0])) == pytest.approx(7.0)
    both = interquartile_mean(np.array([[1.0, 2.0, 3.0, 4.0], [5.0, 5.0, 5.0, 5.0]]))
    np.testing.assert_allclose(both, [2.5, 5.0])


@pytest.mark.parametrize("runs", [1, 3, 4, 5, 7, 10, 15])
def test_estimators_are_those_of_scipy(runs: int) -> None:
    generator = np.random.default_rng(runs)
    ours, theirs = generator.normal(size=runs), generator.normal(size=6)
    theirs[: min(runs, 2)] = ours[: min(runs, 2)]
    assert interquartile_mean(ours) == pytest.approx(stats.trim_mean(ours, 0.25))
    wins = stats.mannwhitneyu(ours, theirs).statistic
    assert probability_of_improvement(ours, theirs) == pytest.approx(wins / (runs * 6))


def test_intervals_are_those_of_scipy() -> None:
    scores = np.random.default_rng(3).normal(size=12)
    low, high = bootstrap_interval([scores], interquartile_mean, np.random.default_rng(0), 100_000)
    theirs = stats.bootstrap(
        (scores,), lambda s, axis: stats.trim_mean(s, 0.25, axis=axis), n_resamples=100_000,
        method="percentile", rng=np.random.default_rng(1),
    ).confidence_interval  # fmt: skip
    # Both draw 100,000 resamples of their own.
    assert (low, high) == pytest.approx((theirs.low, theirs.high), abs=0.02)


@pytest.fixture
def two_tasks() -> tuple[Scores, Scores]:
    """Scores ``(tasks, runs)`` of two algorithms in two tasks, in seven and in nine runs."""
    generator = np.random.default_rng(4)
    return generator.normal(0.4, 1.0, (2, 7)), generator.normal(0.0, 1.0, (2, 9))


def test_estimators_are_those_of_rliable(two_tasks: tuple[Scores, Scores]) -> None:
    ours, theirs = two_tasks
    assert interquartile_mean(ours.ravel()) == pytest.approx(metrics.aggregate_iqm(ours.T))
    assert ours.mean() == pytest.approx(metrics.aggregate_mean(ours.T))
    improvement = probability_of_improvement(ours, theirs).mean()
    assert improvement == pytest.approx(metrics.probability_of_improvement(ours.T, theirs.T))
    levels = np.linspace(-2.0, 2.0, 9)
    profiles, _ = library.create_performance_profile({"ours": ours.T}, levels, reps=10)
    np.testing.assert_allclose(performance_profile(ours.ravel(), levels), profiles["ours"])


def test_intervals_are_those_of_rliable(two_tasks: tuple[Scores, Scores]) -> None:
    ours, theirs = two_tasks
    np.random.seed(0)  # noqa: NPY002 rliable draws from the global generator, whatever it is given.
    _, intervals = library.get_interval_estimates(
        {"iqm": ours.T}, lambda s: np.array([metrics.aggregate_iqm(s)]), reps=10_000
    )
    found = bootstrap_interval(list(ours), interquartile_mean, np.random.default_rng(0))
    np.testing.assert_allclose(found, intervals["iqm"].ravel(), atol=0.03)

    _, intervals = library.get_interval_estimates(
        {"pair": [ours[:1].T, theirs[:1].T]},
        lambda *pair: np.array([metrics.probability_of_improvement(*pair)]),
        reps=10_000,
    )
    generator = np.random.default_rng(0)
    drawn = probability_of_improvement(
        resampled(ours[0], generator), resampled(theirs[0], generator)
    )
    np.testing.assert_allclose(interval(drawn), intervals["pair"].ravel(), atol=0.03)


def test_a_profile_is_the_share_of_runs_above_each_level() -> None:
    scores = np.array([[1.0, 2.0, 3.0, 4.0], [0.0, 0.0, 0.0, 9.0]])
    found = performance_profile(scores, np.array([-1.0, 2.0, 3.5, 9.0]))
    np.testing.assert_allclose(found, [[1.0, 0.5, 0.25, 0.0], [1.0, 0.25, 0.25, 0.0]])


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    generator = np.random.default_rng(0)
    held = 0
    for _ in range(200):
        low, high = bootstrap_interval(
            [generator.normal(3.0, 1.0, 20)], interquartile_mean, generator, 400
        )
        held += low <= 3.0 <= high
    # Percentile intervals of 20 runs are a little narrow.
    assert 0.85 <= held / 200 <= 0.99


def test_strata_are_drawn_from_on_their_own() -> None:
    groups = [np.zeros(5), np.full(5, 10.0)]
    low, high = bootstrap_interval(groups, lambda s: s.mean(-1), np.random.default_rng(1), 100)
    assert (low, high) == (5.0, 5.0)


def test_pairs_are_judged_by_intervals_and_means() -> None:
    theirs = Result(100.0, 90.0, 110.0, 5, 1.0)
    assert verdict(Result(120.0, 112.0, 130.0, 5, 1.0), theirs) == "above"
    assert verdict(Result(96.0, 85.0, 105.0, 5, 1.0), theirs) == "level"
    assert verdict(Result(94.0, 85.0, 105.0, 5, 1.0), theirs) == "behind"
    assert verdict(Result(80.0, 70.0, 89.0, 5, 1.0), theirs) == "behind"
    below_zero = Result(-100.0, -110.0, -90.0, 5, 1.0)
    assert verdict(Result(-104.0, -120.0, -95.0, 5, 1.0), below_zero) == "level"
    assert verdict(Result(-106.0, -120.0, -95.0, 5, 1.0), below_zero) == "behind"


def test_results_are_of_the_last_evaluations_of_each_seed(tmp_path) -> None:  # type: ignore[no-untyped-def]
    rows = [
        Row("arm", "sac", "osimexp", seed, step, 10.0 * seed + step, 2.0 * step)
        for seed in range(4)
        for step in range(1, 6)
    ]
    write_rows(tmp_path / "curves.csv", rows)
    assert read_rows(tmp_path / "curves.csv") == rows
    (result,) = summarise(rows).values()
    # The last three are of steps 3, 4 and 5; the middle two of the four seeds are 1 and 2.
    assert result.mean == pytest.approx(19.0)
    assert result.seconds == 10.0
    assert result.low >= 4.0
    assert result.high <= 34.0
