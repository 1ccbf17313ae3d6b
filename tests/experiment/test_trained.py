"""Trained controllers: how they are kept, and that those of the package do what is said of them."""

import csv
import json
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from commands import SMALL_SAC, Command

from osimexp.analysis.gait.norms import norms
from osimexp.analysis.gait.strides import Contacts
from osimexp.bench.walking import alternating
from osimexp.cli.bench import main as bench
from osimexp.cli.evaluate import main as evaluate
from osimexp.cli.keep import main as keep
from osimexp.experiment import checkpoint
from osimexp.experiment.checkpoint import config_hash
from osimexp.experiment.differences import facts_of, unlike
from osimexp.experiment.playing import Chosen
from osimexp.experiment.run_folder import RunFolder
from osimexp.experiment.trained import trained, trained_names
from osimexp.tasks.compose import composed
from osimexp.tasks.musculoskeletal import MusculoskeletalVectorEnv
from osimexp.tasks.specification import Specification

UPRIGHT = {"fallen": (0.0, 0.0), "time": (10.0, 10.0)}
FIGURES = {
    "run": UPRIGHT,
    "stand": {"mean fallen": (0.0, 0.1), "distance": (-1.5, 2.0)},
    "walk": UPRIGHT | {"speed": (1.05, 1.45)},
    "walk_free": UPRIGHT | {"speed": (1.05, 1.45)},
    "walk_speeds": UPRIGHT,
}
"""Least and most of each figure in all episodes, or of its mean, for all of the package."""


def test_every_controller_of_the_package_is_held_to_figures() -> None:
    assert set(trained_names()) == set(FIGURES)


@pytest.mark.parametrize("name", sorted(FIGURES))
def test_a_controller_of_the_package_was_made_by_its_recipe(name: str) -> None:
    recipe = facts_of(composed(f"experiment={name}", "run.name=any", "run.folder=any"))
    kept = facts_of(trained(name).config())
    assert [key for key in unlike(recipe, kept) if not key.startswith("run.")] == []
    assert recipe["run.steps"] == kept["run.steps"]


@pytest.mark.parametrize("name", sorted(FIGURES))
def test_a_controller_of_the_package_does_what_is_said_of_it(name: str, command: Command) -> None:
    answer = command(f"controller={name}", "episodes=20", "workers=one", "threads=1", main=evaluate)
    assert answer.code == 0, answer.err
    (file,) = (Path("outputs") / "trained" / name / "evaluations").glob("best_20_*.json")
    each = json.loads(file.read_text())["each"]
    for figure, (low, high) in FIGURES[name].items():
        values = np.array(each[figure.removeprefix("mean ")])
        if figure.startswith("mean "):
            values = values.mean(keepdims=True)
        assert values.min() >= low - 1e-9, figure
        assert values.max() <= high + 1e-9, figure


def test_walks_are_gaits_as_is_said(command: Command) -> None:
    words = ("walking", "runs=[walk,walk_free]", "episodes=2", "output=walks.csv")
    answer = command(*words, "engines=[compiled]", main=bench)
    assert answer.code == 0, answer.err
    rows = list(csv.DictReader(Path("walks.csv").read_text().splitlines()))
    assert [(r["run"], r["start"]) for r in rows[::2]] == [
        ("walk", "standing"), ("walk", "mid-gait"),
        ("walk_free", "standing"), ("walk_free", "mid-gait"),
    ]  # fmt: skip
    normal = norms().parameters
    for row in rows:
        assert (row["seconds"], row["held_up"]) == ("10.0000", "1.0000")
        assert (row["alternating"], row["flight"]) == ("1.0000", "0.0000")
        assert 1.05 < float(row["speed"]) < 1.45
        assert float(row["asymmetry"]) < (10.0 if row["run"] == "walk" else 20.0)
        if row["run"] == "walk_free":
            for key in ("cadence", "stride_length", "double_support"):
                assert normal[key].holds(float(row[key])), key


def test_steps_alternate_where_each_strike_is_of_the_other_foot() -> None:
    nan = float("nan")

    def contacts(right: list[float], left: list[float]) -> dict[str, Contacts]:
        sides = {"right": np.array(right), "left": np.array(left)}
        return {side: Contacts(own, own + 0.6) for side, own in sides.items()}

    assert alternating(contacts([nan, 1.0, 2.0], [0.5, 1.5, 2.5]))
    assert not alternating(contacts([0.0, 1.0, 1.3, 2.0], [0.5, 1.7]))
    assert not alternating(contacts([0.0], []))


def test_the_walk_is_the_same_on_opensim_itself(command: Command) -> None:
    words = ("walking", "runs=[walk]", "episodes=1", "output=walks.csv")
    assert command(*words, main=bench).code == 0
    rows = list(csv.DictReader(Path("walks.csv").read_text().splitlines()))
    assert [row["engine"] for row in rows] == ["compiled"] * 2 + ["opensim"] * 2
    for ours, theirs in zip(rows[:2], rows[2:], strict=True):
        assert ours["seconds"] == theirs["seconds"] == "10.0000"
        assert float(ours["speed"]) == pytest.approx(float(theirs["speed"]), abs=0.03)
        assert float(ours["cadence"]) == pytest.approx(float(theirs["cadence"]), abs=2.0)


def test_the_run_goes_as_far_from_standing_as_is_said() -> None:
    folder = trained("run")
    config = folder.config()
    config["start"]["standing"] = 1.0
    task = Specification.from_config(config).for_judging().with_workers(0)
    with closing(MusculoskeletalVectorEnv(task, 16, autoreset=False)) as batch:
        policy = Chosen(folder, "policy", "best").controller(batch)
        observations, _ = batch.reset(seed=0)
        forward = batch.scene.base("forward")
        before = batch.frame.state.coordinates[:, forward].copy()
        over = np.zeros(16, dtype=bool)
        while not over.any():
            observations, _, terminated, over, _ = batch.step(policy.act(observations))
            assert not terminated.any()
        gone = batch.frame.state.coordinates[:, forward] - before
    assert gone.min() > 24.0
    assert gone.mean() < 25.0


def test_the_walk_survives_pushes(command: Command) -> None:
    pushed = ("controller=walk", "push=random", "push.impulse=10", "episodes=20")
    answer = command(*pushed, "workers=one", "threads=1", main=evaluate)
    assert answer.code == 0, answer.err
    (file,) = Path("outputs/trained/walk/evaluations").glob("best_20_*_push_*.json")
    assert json.loads(file.read_text())["figures"]["fallen"]["max"] == 0.0


def test_the_walk_at_speeds_that_are_asked_for_keeps_to_them() -> None:
    folder = trained("walk_speeds")
    task = Specification.from_config(folder.config()).for_judging().with_workers(0)
    with closing(MusculoskeletalVectorEnv(task, 16, autoreset=False)) as batch:
        policy = Chosen(folder, "policy", "best").controller(batch)
        observations, _ = batch.reset(seed=0)
        forward, ways = batch.scene.coordinate("pelvis_tx"), []
        for _ in range(500):
            observations, *_ = batch.step(policy.act(observations))
            ways.append(batch.frame.state.coordinates[:, forward].copy())
        asked = batch.frame.targets[:, 1:].copy()
    # A speed is asked for every 2.5 s; the model is given a second to take it up.
    walked = [(ways[125 * k + 124] - ways[125 * k + 50]) / (74 * 0.02) for k in (1, 2, 3)]
    assert np.ptp(asked) > 0.8
    assert np.sqrt(np.square(np.transpose(walked) - asked).mean()) < 0.1


def test_controllers_of_the_package_are_small_and_name_no_machine() -> None:
    for name in trained_names():
        folder = trained(name)
        files = [file for file in folder.path.rglob("*") if file.is_file()]
        assert sum(file.stat().st_size for file in files) < 500_000
        saved = checkpoint.load(folder.checkpoint_file("best"))
        assert set(saved.state) == {"controller"}
        assert saved.config_hash == config_hash(folder.config())
        assert "machine" not in folder.record()
        assert folder.config()["run"]["folder"] == f"outputs/{name}"


def test_a_kept_run_plays_as_the_run_does(command: Command) -> None:
    assert command(*SMALL_SAC, "run.folder=run").code == 0
    assert command("run=run", "to=kept", main=keep).code == 0
    kept = RunFolder.open(Path("kept"))
    assert not kept.checkpoint_file("latest").is_file()
    returns = []
    for folder in ("run", "kept"):
        answer = command(f"run={folder}", "episodes=2", "seed=7", "workers=none", main=evaluate)
        assert answer.code == 0, answer.err
        (file,) = (Path(folder) / "evaluations").glob("*_2_s7.json")
        returns.append(json.loads(file.read_text())["each"]["return"])
    assert returns[0] == returns[1]
    assert command("run=run", "to=kept", main=keep).refuses("kept exists already")


def test_what_cannot_be_played_is_said(command: Command) -> None:
    assert command("controller=wolk", main=evaluate).refuses("wolk", "did you mean walk?")
    assert command(main=evaluate).refuses("run=outputs/...", "controller=walk")
    both = command("controller=walk", "run=outputs", main=evaluate)
    assert both.refuses("controller=walk brings its own task")


@pytest.mark.parametrize("muscles", ["muscles=synergies", "muscles=mirrored"])
def test_a_body_that_takes_other_actions_is_refused(command: Command, muscles: str) -> None:
    answer = command("controller=walk", muscles, "workers=none", "episodes=1", main=evaluate)
    assert answer.refuses(
        "it gives the action hamstrings_r and 17 more, which the task does not take",
        "keep the muscles", "fill={hamstrings_r: null}",
    )  # fmt: skip


def test_episodes_begin_as_is_asked(command: Command) -> None:
    played = ("controller=run", "episodes=6", "workers=one", "threads=1", "seed=3")
    assert command(*played, "start={standing:1}", main=evaluate).code == 0
    (file,) = Path("outputs/trained/run/evaluations").glob("best_6_s3_start_*.json")
    gone = np.array(json.loads(file.read_text())["each"]["distance"])
    assert gone.min() > 24.0
    assert gone.max() < 25.0
    wrong = command(*played, "start={standin:1}", main=evaluate)
    assert wrong.refuses("start.standin", "did you mean standing?")
