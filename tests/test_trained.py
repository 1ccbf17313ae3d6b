"""Trained controllers: how they are kept, and that those of the package do what is said of them."""

import json
from pathlib import Path

import numpy as np
import pytest
from conftest import SMALL_SAC, Command

from osimexp.evaluate import main as evaluate
from osimexp.experiment import checkpoint
from osimexp.experiment.run_folder import RunFolder
from osimexp.experiment.trained import trained, trained_names
from osimexp.keep import main as keep

FIGURES = {"walk": {"fallen": (0.0, 0.0), "time": (10.0, 10.0), "speed": (1.05, 1.45)}}
"""Least and most of each figure over all episodes, for every controller of the package."""


def test_every_controller_of_the_package_is_held_to_figures() -> None:
    assert set(trained_names()) == set(FIGURES)


@pytest.mark.parametrize("name", sorted(FIGURES))
def test_a_controller_of_the_package_does_what_is_said_of_it(name: str, command: Command) -> None:
    answer = command(f"controller={name}", "episodes=20", "workers=one", "threads=1", main=evaluate)
    assert answer.code == 0, answer.err
    (file,) = (Path("outputs") / "trained" / name / "evaluations").glob("best_20_*.json")
    each = json.loads(file.read_text())["each"]
    for figure, (low, high) in FIGURES[name].items():
        values = np.array(each[figure])
        assert values.min() >= low - 1e-9, figure
        assert values.max() <= high + 1e-9, figure


def test_controllers_of_the_package_are_small_and_name_no_machine() -> None:
    for name in trained_names():
        folder = trained(name)
        files = [file for file in folder.path.rglob("*") if file.is_file()]
        assert sum(file.stat().st_size for file in files) < 500_000
        state = checkpoint.load(folder.checkpoint_file("best")).state
        assert set(state) == {"policy"}
        assert "machine" not in folder.record()
        assert str(folder.config().run.folder) == f"outputs/{name}"


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
    assert command("run=run", "to=kept", main=keep).refuses("kept is there already")


def test_what_cannot_be_played_is_said(command: Command) -> None:
    assert command("controller=wolk", main=evaluate).refuses("wolk", "did you mean walk?")
    assert command(main=evaluate).refuses("run=outputs/...", "controller=walk")
    both = command("controller=walk", "run=outputs", main=evaluate)
    assert both.refuses("controller=walk brings its own task")
