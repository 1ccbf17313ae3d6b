"""Comparisons of runs whose scores were made up, so that the answer is known."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import Command
from made_runs import make_run

from osimexp.cli.compare import as_settings
from osimexp.cli.compare import main as compare_main
from osimexp.errors import ConfigError
from osimexp.experiment.differences import check_comparable, facts_of, grouped, identity
from osimexp.experiment.finding import find_runs
from osimexp.experiment.summary import summarise
from osimexp.results.choosing import compared
from osimexp.results.comparison import compare


def two_groups(place: Path, seeds: int = 5) -> None:
    for seed in range(seeds):
        make_run(place / f"all/sac{seed}", [1.0 + seed, 10.0 + seed], seed=seed)
        ppo = {"algo___target_": "osimexp.algorithms.ppo.Settings", "algo__clip": 0.2}
        make_run(place / f"all/ppo{seed}", [0.0, 2.0 * seed], {"algo": "ppo"}, seed=seed, **ppo)


def found(*places: str) -> list[Any]:
    return [summarise(run) for run in find_runs(places)]


def test_a_damaged_run_is_left_out_with_its_reason(place: Path) -> None:
    two_groups(place, 2)
    (place / "all/sac1/evaluations/final.json").write_text('{"figures": {"return": 3}}')
    (place / "all/ppo1/run.json").write_text("[" * 9999)
    comparison, left_out = compared(["all"], "return", [], 100)
    assert sorted(len(s.scores) for s in comparison.standings) == [1, 1]
    assert [word in said for word, said in zip(("run.json", "final.json"), left_out, strict=True)]
    assert all("damaged: " in said for said in left_out)


def rows(file: Path) -> list[dict[str, str]]:
    with file.open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_groups_are_runs_that_differ_in_their_seeds_alone(place: Path) -> None:
    two_groups(place, 2)
    make_run(place / "all/small", [1.0, 1.0], algo__batch_size=64, workers__processes=9)
    groups = {group.label: len(group.members) for group in grouped(found("all"))}
    sac, ppo = "algo=sac, algo.batch_size=256", "algo=ppo, algo.batch_size=256"
    assert groups == {sac: 2, ppo: 2, "algo=sac, algo.batch_size=64": 1}
    assert [group.label for group in grouped(found("all/sac0", "all/ppo1"))] == [
        "algo=sac", "algo=ppo",
    ]  # fmt: skip
    (alone,) = grouped(found("all/sac*"))
    assert alone.label == "a_velocity_sac"


def test_runs_of_another_budget_are_others_and_another_group(place: Path) -> None:
    for seed in (0, 1):
        make_run(place / f"all/{seed}", [1.0, 2.0], seed=seed)
        make_run(place / f"all/long{seed}", [1.0, 3.0], seed=seed, run__steps=600)
    with pytest.raises(ConfigError, match=r"run\.steps is 300 and 600"):
        compared(["all"], "return", [], 100)
    comparison, left_out = compared(["all"], "return", ["run.steps"], 100)
    assert not left_out
    labels = [(s.group.label, len(s.scores)) for s in comparison.standings]
    assert labels == [("run.steps=600", 2), ("run.steps=300", 2)]


def test_few_seeds_tell_no_groups_apart(place: Path) -> None:
    two_groups(place, 4)
    (pair,) = compare(grouped(found("all"))).pairs
    assert pair.probability.low == 1.0
    assert pair.verdict == "too few seeds"


def test_an_experiment_tells_all_that_it_composes(place: Path) -> None:
    make_run(place / "a", [1.0], {"experiment": "walk"}, algo__batch_size=1)
    make_run(place / "b", [1.0], {"experiment": "run"}, algo__batch_size=2)
    assert [g.label for g in grouped(found("a", "b"))] == ["experiment=walk", "experiment=run"]


def test_scores_and_what_they_tell_are_those_worked_by_hand(place: Path) -> None:
    two_groups(place)
    comparison = compare(grouped(found("all")), resamples=2000)
    sac, ppo = comparison.standings
    assert (sac.group.label, ppo.group.label) == ("algo=sac", "algo=ppo")
    assert sac.interquartile_mean.value == pytest.approx(12.0)
    assert ppo.median.value == pytest.approx(4.0)
    # Resampled means of 10 to 14: 12 and 1.96 standard errors of sqrt(2 / 5) to either side.
    assert sac.mean.low == pytest.approx(12.0 - 1.24, abs=0.25)
    assert sac.mean.high == pytest.approx(12.0 + 1.24, abs=0.25)
    (pair,) = comparison.pairs
    assert pair.probability.value == 1.0
    assert pair.verdict == "above"
    # The levels are 0, 2, 4, 6, 8, 10, ..., 14; ppo has 4, 3, 2, 1 and 0 of five runs above.
    assert list(comparison.levels) == [0, 2, 4, 6, 8, 10, 11, 12, 13, 14]
    np.testing.assert_allclose(ppo.profile[0][:5], [0.8, 0.6, 0.4, 0.2, 0.0])
    np.testing.assert_allclose(sac.profile[0][:5], 1.0)
    assert list(sac.steps) == [100]
    np.testing.assert_allclose(sac.curve[0], [3.0])
    assert sac.curve[1, 0] < 3.0 < sac.curve[2, 0]


def test_equals_are_not_told_apart(place: Path) -> None:
    for seed, score in enumerate([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]):
        make_run(place / f"all/a{seed}", [score], seed=seed)
        make_run(place / f"all/b{seed}", [score], seed=seed, algo__batch_size=8)
    (pair,) = compare(grouped(found("all"))).pairs
    assert pair.probability.value == 0.5
    assert pair.verdict == "not told apart"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"model__path": "b.osim"},
            ["do not have the same task", "model.path is a.osim and b.osim"],
        ),
        (
            {"reward__velocity__weight": 2.0},
            ["do not have the same reward", "reward.velocity.weight"],
        ),
        ({"run__steps": 600}, ["not have the same budget", "run.steps is 300 and 600"]),
        ({"run__evaluation__final_episodes": 5}, ["final_episodes"]),
        ({"push__impulse": 5.0}, ["push.impulse is None and 5.0"]),
    ],
)
def test_what_cannot_be_compared_is_refused_by_name(
    place: Path, changes: dict[str, Any], words: list[str]
) -> None:
    make_run(place / "a", [1.0])
    make_run(place / "b", [1.0], **changes)
    summaries = found("a", "b")
    with pytest.raises(ConfigError) as refused:
        check_comparable(summaries, "return", [])
    assert all(word in str(refused.value) for word in words)
    key = next(iter(changes)).replace("__", ".")
    check_comparable(summaries, "return", [key if key.startswith("run") else key.split(".")[0]])


def test_other_rewards_are_compared_by_what_is_no_sum_of_them(place: Path) -> None:
    make_run(place / "a", [1.0], {"reward": "velocity"})
    make_run(place / "b", [3.0], {"reward": "walk"}, reward__velocity__weight=2.0)
    check_comparable(found("a", "b"), "distance", [])
    best, _ = compare(grouped(found("a", "b")), "distance").standings
    assert (best.group.label, best.mean.value) == ("reward=walk", 6.0)
    with pytest.raises(ConfigError, match="has no metric height; known are distance, return"):
        compare(grouped(found("a", "b")), "height")


def test_the_command_shows_and_writes_tables_and_figures(command: Command, place: Path) -> None:
    two_groups(place)
    answer = command("all", "-o", "out", "resamples=500", main=compare_main)
    assert answer.code == 0, answer.err
    assert "12 (10" in answer.out
    assert "above" in answer.out
    assert "Note" not in answer.out
    kinds = ["curves.csv", "curves.png", "groups.csv", "pairs.csv", "profiles.csv", "profiles.png",
             "scores.csv", "scores.png"]  # fmt: skip
    assert sorted(path.name for path in Path("out").iterdir()) == kinds
    scores = rows(Path("out/scores.csv"))
    assert [float(row["return"]) for row in scores if row["group"] == "algo=sac"] == [
        10.0, 11.0, 12.0, 13.0, 14.0,
    ]  # fmt: skip
    assert rows(Path("out/pairs.csv"))[0]["probability"] == "1.0"
    first = rows(Path("out/groups.csv"))[0]
    assert (first["group"], first["estimator"], float(first["value"])) == (
        "algo=sac", "interquartile_mean", 12.0,
    )  # fmt: skip


def test_what_is_left_out_is_said(command: Command, place: Path) -> None:
    two_groups(place, 2)
    make_run(place / "all/cut", [1.0, 1.0], state="interrupted", seed=7)
    make_run(place / "all/twin", [1.0, 10.0], run__name="other")
    answer = command("all", "-o", "out", main=compare_main)
    assert answer.code == 0, answer.err
    assert "Left out: all/cut (cut at 100 % of its steps)" in answer.out
    assert "Left out: all/twin (the same as all/sac0, seed and all)" in answer.out
    assert "algo=sac has 2 seeds; with fewer than 5" in answer.out
    assert len(rows(Path("out/scores.csv"))) == 4


def test_what_is_asked_wrongly_is_said(command: Command, place: Path) -> None:
    assert command(main=compare_main).refuses("Give the folders of the runs")
    assert command("nowhere", main=compare_main).refuses("nowhere is not there")
    make_run(place / "cut", [1.0], state="failed")
    assert command("cut", main=compare_main).refuses("No run here is finished")
    make_run(place / "a", [1.0])
    assert command("a", "figure=height", main=compare_main).refuses("height", "distance, return")
    assert command("a", "resamples=3", main=compare_main).refuses("resamples")
    assert command("a", "-o", main=compare_main).refuses("output")
    (place / "a/evaluations/final.json").write_text(json.dumps([]))
    assert command("a", main=compare_main).refuses("a/evaluations/final.json")


def test_words_without_a_key_are_folders() -> None:
    given = ["outputs/a b", "figure=speed", "x*", "-o", "out", "--cfg", "job"]
    assert as_settings(given) == [
        "figure=speed", "output='out'", "runs=['outputs/a b','x*']", "--cfg", "job",
    ]  # fmt: skip
    assert as_settings(["--help"]) == ["--help"]


def test_a_dollar_sign_in_a_label_is_drawn(command: Command, place: Path) -> None:
    for seed, name in enumerate(("knee_$", "hip_${x")):
        make_run(place / f"all/{seed}", [1.0, 2.0], {"experiment": name}, algo__batch_size=seed)
    answer = command("all", "-o", "out", main=compare_main)
    assert answer.code == 0, answer.err


def test_groups_that_differ_in_very_much_are_called_by_their_runs(place: Path) -> None:
    for place_number, seed in enumerate((0, 0)):
        keys = {f"algo__a_long_name_of_a_key_{i}": place_number for i in range(12)}
        make_run(place / f"all/{place_number}", [1.0], seed=seed, **keys)
    make_run(place / "all/b", [1.0], run__name="b_velocity_sac_s0")
    labels = [group.label for group in grouped(found("all"))]
    assert labels == ["a_velocity_sac (1)", "a_velocity_sac (2)", "b_velocity_sac"]


def test_a_run_of_an_earlier_version_is_the_same_as_one_with_the_keys_that_are_newer() -> None:
    old = {"seed": 0, "start": {"_target_": "osimexp.tasks.starts.Poses", "poses": ["default"]}}
    term = {"_target_": "osimexp.tasks.terms.starts.Poses", "poses": ["default"], "standing": 0.0}
    assert facts_of(old) == facts_of({"seed": 0, "start": term})
    assert identity(old) == identity({"seed": 0, "start": term})
    assert identity(old) != identity({"seed": 0, "start": {**term, "standing": 0.5}})
