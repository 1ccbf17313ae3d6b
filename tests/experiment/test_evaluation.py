import errno
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import SMALL_SAC, Command
from rich.console import Console
from toy import ToyEnvironment

from osimexp import files
from osimexp.cli.evaluate import main as evaluate_main
from osimexp.controllers.scripted import Constant
from osimexp.experiment.evaluation import Evaluation, evaluate

STILL = Constant(1, 0.0)


class Counting(ToyEnvironment):
    """Keeps the lengths of the episodes as they begin, by the seed they were begun with."""

    def lengths(self, seeds: range) -> list[int]:
        lengths = []
        for seed in seeds:
            generator = np.random.default_rng(seed)
            generator.uniform(-0.5, 0.5)
            lengths.append(int(generator.integers(7, 13)))
        return lengths


@pytest.mark.parametrize("size", [1, 2, 3, 8])
def test_the_episodes_are_the_same_whatever_the_batch(size: int) -> None:
    environment = Counting(size)
    evaluation = evaluate(environment, STILL, episodes=6, seed=40)
    assert evaluation.episodes == 6
    # Pushed nowhere, each lasts as long as its own seed draws: none is left out for being long.
    assert evaluation.metrics["length"].tolist() == environment.lengths(range(40, 46))


def test_controllers_hear_which_episodes_ended() -> None:
    class Hearing(Constant):
        heard: list[int]

        def reset(self, which: np.ndarray) -> None:
            self.heard.append(int(which.sum()))

    controller = Hearing(1, 0.0)
    controller.heard = []
    evaluate(ToyEnvironment(2), controller, 2, 0)
    assert controller.heard[0] == 2
    assert sum(controller.heard[1:]) >= 2


def test_what_the_check_raises_ends_the_evaluation() -> None:
    def check() -> None:
        raise KeyError("stop")

    with pytest.raises(KeyError):
        evaluate(ToyEnvironment(2), STILL, 2, 0, check)


def test_the_spread_leaves_out_episodes_without_the_figure() -> None:
    evaluation = Evaluation(
        {"return": np.array([1.0, 3.0]), "distance": np.array([np.nan, 2.0])}, seed=0
    )
    assert evaluation.spread()["return"] == {"mean": 2.0, "std": 1.0, "min": 1.0, "max": 3.0}
    assert evaluation.means()["distance"] == 2.0
    assert evaluation.as_json()["each"]["distance"] == [None, 2.0]
    console = Console(width=80)
    with console.capture() as shown:
        console.print(evaluation.table("Title"))
    assert all(word in shown.get() for word in ("Title", "return", "distance", "mean", "std"))


def test_a_run_is_evaluated_again_with_the_same_result(command: Command, place: Path) -> None:
    command(*SMALL_SAC, "run.steps=100")
    again = ("run=run", "episodes=5", "checkpoint=best", "workers=one")
    answer = command(*again, main=evaluate_main)
    assert answer.code == 0, answer.err
    final = json.loads((place / "run/evaluations/final.json").read_text())
    files = list((place / "run/evaluations").glob("best_5_s*.json"))
    assert [json.loads(f.read_text())["figures"] for f in files] == [final["figures"]]
    assert "fallen" in answer.out


@pytest.mark.parametrize("controller", ["random", "constant"])
def test_controllers_to_compare_with(command: Command, place: Path, controller: str) -> None:
    command(*SMALL_SAC, "run.steps=100")
    arguments = ("run=run", "episodes=3", f"controller={controller}", "seed=4")
    first = command(*arguments, main=evaluate_main)
    assert first.code == 0, first.err
    written = json.loads((place / f"run/evaluations/{controller}_3_s4.json").read_text())
    assert len(written["each"]["return"]) == 3
    if controller == "constant":
        expected = evaluate(ToyEnvironment(2), STILL, 3, 4).means()["return"]
        assert written["figures"]["return"]["mean"] == expected


def refused(*arguments: str) -> Any:
    return pytest.param(arguments[:-1], arguments[-1], id=arguments[-1])


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        refused("Give a run"),
        refused("run=none", "none is not a folder"),
        refused("run=.", "is not a run folder"),
        refused("run=run", "episodes=0", "evaluate.episodes"),
        refused("run=run", "controller=foo", "controller=foo is not known; known are"),
        refused("run=run", "checkpoint=first", "evaluate.checkpoint"),
        refused("run=run", "episode=3", "episode is not a known key; did you mean episodes"),
        refused("run=run", "checkpoint=best", "best.pt does not exist"),
    ],
)
def test_what_cannot_be_evaluated_is_named(
    command: Command, place: Path, arguments: tuple[str, ...], word: str
) -> None:
    command(*SMALL_SAC, "run.steps=60")
    assert command(*arguments, main=evaluate_main).refuses(word)


def test_a_folder_that_cannot_be_written_is_evaluated_and_said_first(
    command: Command, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command(*SMALL_SAC, "run.steps=100")
    before = {file: file.stat().st_mtime_ns for file in (place / "run").rglob("*")}

    def refused(**_: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(files.tempfile, "TemporaryFile", refused)
    answer = command("run=run", "episodes=2", main=evaluate_main)
    assert answer.code == 0, answer.err
    said, *rest = answer.out.splitlines()
    assert "run cannot be written (Read-only file system), so the metrics are printed alone" in said
    assert any("return" in line for line in rest)
    assert {file: file.stat().st_mtime_ns for file in (place / "run").rglob("*")} == before
