"""Run folders of version 0.1.0, written by commit 359fc00, are evaluated and gone on with."""

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from commands import TESTS, Command

from osimexp.cli.evaluate import main as evaluate
from osimexp.controllers.saved import restored
from osimexp.experiment import checkpoint
from osimexp.experiment.run_folder import RunFolder
from osimexp.moved import RENAMED
from osimexp.sweeps.command import continued

OLD = TESTS / "written_by_0_1"


@pytest.mark.parametrize("name", ["arm_ppo", "walk_ppo"])
def test_an_old_run_is_evaluated_as_then(command: Command, place: Path, name: str) -> None:
    shutil.copytree(OLD / name, place / name)
    answer = command(f"run={name}", "episodes=2", main=evaluate)
    assert answer.code == 0, answer.err
    (file,) = (place / name / "evaluations").glob("best_*.json")
    now, then = (json.loads(f.read_text())["each"] for f in (file, file.with_name("final.json")))
    for metric, values in then.items():
        np.testing.assert_allclose(now[metric], values, rtol=1e-6, err_msg=metric)


@pytest.mark.parametrize(("name", "steps"), [("arm_ppo", 1280), ("walk_ppo", 128)])
def test_an_old_run_goes_on_as_then(command: Command, place: Path, name: str, steps: int) -> None:
    shutil.copytree(OLD / name, place / name)
    answer = command(f"resume={name}", f"run.steps={steps}", "workers=one")
    assert answer.code == 0, answer.err
    saved = checkpoint.load(place / name / "checkpoints" / "latest.pt")
    labels = restored(saved.controller, name).labels
    assert labels is not None  # What goes on is saved with names.
    assert labels.actions[0] == {"arm_ppo": "TRIlong", "walk_ppo": "hamstrings_r"}[name]
    now, then = (rows(place / name / file) for file in ("metrics.csv", "metrics_resumed.csv"))
    assert now.keys() == then.keys()
    for metric, values in then.items():
        if not metric.startswith("time/"):
            np.testing.assert_allclose(now[metric], values, rtol=1e-4, atol=1e-6, err_msg=metric)


def test_renamed_keys_mean_the_same_and_leave_a_checkpoint_its_own() -> None:
    assert len(set(RENAMED.values())) == len(RENAMED)
    folder = RunFolder.open(OLD / "walk_ppo")
    config = folder.config()
    assert config["algo"]["desired_kl"] == 0.01
    assert "kl_target" not in config["algo"]
    saved = checkpoint.load(folder.checkpoint_file("latest"))
    assert checkpoint.config_hash(config) == saved.config_hash
    config["algo"]["desired_kl"] = 0.02
    assert checkpoint.config_hash(config) != saved.config_hash


def test_an_old_sweep_goes_on_by_the_new_names(place: Path) -> None:
    (place / "sweep").mkdir()
    (place / "sweep/multirun.yaml").write_text(
        'hydra: {overrides: {hydra: [], task: [algo=ppo, algo.kl_stop=1, "+algo.kl_target=1,2"]}, '
        "runtime: {config_sources: []}}"
    )
    words = continued(["resume=sweep"])
    assert words[:4] == ["-m", "algo=ppo", "algo.max_kl=1", "+algo.desired_kl=1,2"]


def rows(file: Path) -> dict[str, list[float]]:
    """Read a run's metrics, by name."""
    with file.open(newline="") as stream:
        read = list(csv.DictReader(stream))
    return {name: [float(row[name] or "nan") for row in read] for name in read[0]}
