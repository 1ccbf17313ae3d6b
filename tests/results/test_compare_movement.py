"""Controllers compared by how they move."""

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest
from commands import Command

from osimexp.analysis.gait.measure import measure
from osimexp.analysis.gait.parameters import BOTH
from osimexp.analysis.gait.settings import default_settings
from osimexp.cli.compare import main as compare
from osimexp.cli.report import main as report
from osimexp.experiment.run_folder import RunFolder
from osimexp.experiment.seeding import Seeds
from osimexp.experiment.showing import ShownSettings, from_run
from osimexp.experiment.trained import trained
from osimexp.files import write_json
from osimexp.results.movement import METRICS, MovementSettings, movement_of


def walker(path: Path, seed: int, speed: float) -> RunFolder:
    """The walking controller of the package as a run whose final evaluation was made up."""
    shutil.copytree(trained("walk").path, path)
    run = RunFolder(path)
    run.write_config({**run.config(), "seed": seed})
    figures = {"return": 1.0 + seed, "speed": speed, "effort": 0.1, "fallen": 0.0}
    run.evaluation_file("final").parent.mkdir()
    write_json(
        run.evaluation_file("final"), {"figures": {k: {"mean": v} for k, v in figures.items()}}
    )
    return run


def test_figures_are_those_of_the_gait_and_of_pushed_episodes(place: Path) -> None:
    run = walker(place / "a", 3, 1.2)
    found = movement_of(run, MovementSettings(walks=1, pushed=3, impulse=1e-6))
    assert set(found) == set(METRICS)
    assert (found["speed"], found["effort"], found["fallen"]) == (1.2, 0.1, 0.0)
    seed = Seeds.of(3).final_evaluation
    gait = measure(from_run(run, ShownSettings(run=str(run.path), seed=seed)), default_settings())
    cost, symmetry = gait.parameter("cost_of_transport"), gait.parameter("symmetry_step_length")
    assert cost is not None
    assert symmetry is not None
    assert found["cost_of_transport"] == cost.mean(BOTH)
    assert found["asymmetry"] == abs(symmetry.mean(BOTH) or 0.0)
    # Pushed by nothing it walks on, by what would throw a grown man down it does not.
    assert found["fallen_pushed"] == 0.0
    assert movement_of(run, MovementSettings(pushed=3, impulse=2000.0))["fallen_pushed"] == 1.0


def test_what_was_not_played_is_not_known(place: Path) -> None:
    found = movement_of(walker(place / "a", 0, 1.0), MovementSettings())
    assert np.isnan([found[k] for k in ("cost_of_transport", "asymmetry", "fallen_pushed")]).all()


@pytest.mark.parametrize("played", [True, False])
def test_groups_are_compared_by_movement(command: Command, place: Path, played: bool) -> None:
    for seed, speed in enumerate((1.0, 1.2)):
        walker(place / f"all/{seed}", seed, speed)
    words = ("movement.walks=1", "movement.pushed=2") if played else ()
    answer = command("all", "-o", "out", *words, main=compare)
    assert answer.code == 0, answer.err
    assert ("cost of transport, J/kg/m" in answer.out) == played
    assert (place / "out/movement.csv").is_file() == played
    if played:
        with (place / "out/movement.csv").open() as stream:
            rows = list(csv.DictReader(stream))
        assert [float(row["speed"]) for row in rows] == [1.0, 1.2]
        assert all(2.0 < float(row["cost_of_transport"]) < 20.0 for row in rows)
        assert "speed, m/s" in answer.out
        assert "1.1 (1 to 1.2)" in answer.out


@pytest.mark.parametrize("played", [True, False])
def test_a_report_shows_movement(command: Command, place: Path, played: bool) -> None:
    for seed, speed in enumerate((1.0, 1.2)):
        walker(place / f"all/{seed}", seed, speed)
    words = ("movement.walks=1", "movement.impulse=5") if played else ()
    answer = command("all", "-o", "page.html", *words, main=report)
    assert answer.code == 0, answer.err
    text = (place / "page.html").read_text()
    assert ("<h2>Movement</h2>" in text) == played
    assert ("<td>speed, m/s</td><td>1.1 (1 to 1.2)</td>" in text) == played
    assert ("cost of transport, J/kg/m" in text) == played
    assert "when pushed" not in text
    again = "movement.walks=1 movement.pushed=0 movement.impulse=5.0 -o page.html"
    assert (again in text) == played
