"""Estimators over runs, against values worked by hand and the coverage they promise."""

import numpy as np
import pytest

from osimexp.analysis.statistics import bootstrap_interval, interquartile_mean
from osimexp.bench.learning import Result, Row, read_rows, summarise, verdict, write_rows


def test_the_middle_half_is_a_half_whatever_the_number_of_runs() -> None:
    assert interquartile_mean(np.array([9.0, 1.0, 2.0, 3.0])) == pytest.approx(2.5)
    # Of five, the second and fourth count for three quarters each.
    five = np.array([100.0, 1.0, 2.0, 4.0, -50.0])
    assert interquartile_mean(five) == pytest.approx((0.75 * 1.0 + 2.0 + 0.75 * 4.0) / 2.5)
    assert interquartile_mean(np.array([7.0])) == pytest.approx(7.0)
    both = interquartile_mean(np.array([[1.0, 2.0, 3.0, 4.0], [5.0, 5.0, 5.0, 5.0]]))
    np.testing.assert_allclose(both, [2.5, 5.0])


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
