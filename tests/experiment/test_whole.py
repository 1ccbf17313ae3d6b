"""A run from typed settings: built from a config, or in Python without Hydra."""

import os
import re
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import SMALL_PPO, TESTS, Command, metrics
from options import made
from toy import ToyTask

from osimexp.cli.evaluate import main as evaluate
from osimexp.composition import compose
from osimexp.config import config_groups, read_config
from osimexp.errors import ConfigError
from osimexp.experiment.run import go_on, run
from osimexp.experiment.run_folder import RunFolder
from osimexp.experiment.settings import (
    CheckpointSettings,
    EvaluationSettings,
    LogSettings,
    RunSettings,
)
from osimexp.experiment.whole import ExperimentSettings
from osimexp.models import prepare as preparing
from osimexp.plain_yaml import plain_text

RECIPES = [
    ["task=gym"],
    ["push=random"],
    *([f"experiment={e}"] for e in config_groups()["experiment"]),
]

# The settings of SMALL_PPO.
SMALL = ExperimentSettings(
    seed=0,
    run=RunSettings(
        steps=400,
        folder="mine",
        checkpoint=CheckpointSettings(every=100, replay=True),
        evaluation=EvaluationSettings(every=100, episodes=3, final_episodes=5, images=False),
        log=LogSettings(every=50),
        threads=1,
        table=False,
        name=None,
    ),
    algo=made(
        "algo/ppo", environments=4, hidden_sizes=(8,), rollout_steps=16, minibatch_size=16, epochs=2
    ),
    task=ToyTask(),
)


@pytest.mark.parametrize("words", RECIPES)
def test_settings_say_the_config_that_they_were_built_from(
    words: list[str], tmp_path: Path
) -> None:
    composed = compose("config", words).values
    settings = ExperimentSettings.from_config(composed)
    said = settings.as_config()
    assert ExperimentSettings.from_config(said) == settings
    for key in ("seed", "device", "init_from", "run", "algo", "task"):
        assert said[key] == composed[key]
    file = tmp_path / "config.yaml"
    file.write_text(plain_text(said))
    assert read_config(file) == said


def test_a_run_from_python_is_that_of_the_command_line(command: Command, place: Path) -> None:
    assert command(*SMALL_PPO).code == 0
    outcome = run(SMALL)
    assert outcome.folder == Path("mine")
    assert metrics(place / "mine") == metrics(place / "run")
    for name in ("300", "final"):
        one, other = (RunFolder(place / f).evaluation_file(name) for f in ("mine", "run"))
        assert one.read_text() == other.read_text()
    assert ExperimentSettings.from_config(RunFolder.open(place / "mine").config()) == SMALL
    answer = command("run=mine", "episodes=2", main=evaluate)
    assert answer.code == 0, answer.err


def test_a_run_from_python_goes_on_from_there_and_from_the_command_line(
    command: Command, place: Path
) -> None:
    run(SMALL)
    run(replace(SMALL, run=replace(SMALL.run, steps=150)), Path("halves"))
    halves = RunFolder.open(place / "halves")
    with pytest.raises(ConfigError, match="has finished its 152 steps"):
        go_on(halves)
    longer = halves.config()
    longer["run"]["steps"] = 250
    go_on(halves, longer)
    assert command("resume=halves", "run.steps=400").code == 0
    assert metrics(place / "halves") == metrics(place / "mine")


def test_what_is_no_plain_data_cannot_be_written(place: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be written as a config"):
        run(replace(SMALL, task=ToyTask(fail_after=np.zeros(1))))  # type: ignore[arg-type]
    assert not list(place.iterdir())


@pytest.mark.parametrize("seed", [-1, True, "3"])
def test_a_seed_that_is_none_is_refused(seed: Any) -> None:
    with pytest.raises(ConfigError, match="seed must be a whole number from 0 on"):
        replace(SMALL, seed=seed)


@pytest.mark.parametrize("key", ["seed", "run", "algo", "task", "model", "reward", "start"])
def test_a_part_that_is_missing_is_named(key: str) -> None:
    composed = compose("config").values
    del composed[key]
    with pytest.raises(ConfigError, match=f"The config has no {key}"):
        ExperimentSettings.from_config(composed)


def test_the_program_of_the_docs_trains_without_hydra(place: Path) -> None:
    blocks = re.findall(r"```python\n(.*?)```", (TESTS.parent / "docs/python.md").read_text(), re.S)
    (program,) = (block for block in blocks if "run(settings)" in block)
    shorter = re.sub(r"\d+_000", "64", program)
    for value, small in (
        ("episodes=20", "episodes=1"),
        ('"environments": 16', '"environments": 2'),
        ('"rollout_steps": 128', '"rollout_steps": 32'),
        ('"minibatch_size": 256', '"minibatch_size": 64'),
    ):
        assert value in shorter
        shorter = shorter.replace(value, small)
    said = "\nimport sys\nprint(sorted({name.partition('.')[0] for name in sys.modules}))\n"
    (place / "program.py").write_text(shorter + said)
    answer = subprocess.run(
        [sys.executable, "program.py"],
        env=os.environ | {"PYTHONPATH": str(TESTS.parent)},
        capture_output=True,
        text=True,
    )
    assert answer.returncode == 0, answer.stderr
    packages = answer.stdout.splitlines()[-1]
    assert "'osimexp'" in packages
    assert "'hydra'" not in packages
    assert RunFolder.open(place / "outputs/my_reach").record()["state"] == "finished"


def test_a_run_prepares_its_model_once(
    command: Command, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts: Counter[str] = Counter()
    prepare = preparing.prepare

    def counted(settings: Any, *others: Any) -> Any:
        counts[settings.paths] += 1
        return prepare(settings, *others)

    for module in [*sys.modules.values()]:
        if getattr(module, "prepare", None) is prepare:
            monkeypatch.setattr(module, "prepare", counted)
    small = ("algo=ppo", "algo.environments=2", "algo.rollout_steps=8", "algo.minibatch_size=8")
    every = (
        "run.evaluation.every=16",
        "run.evaluation.episodes=1",
        "run.evaluation.final_episodes=1",
    )
    words = ("model=arm", "reward=reach", "target.within=0.1", "run.steps=48", "workers=none")
    assert command(*words, *small, *every, "run.folder=run", "run.threads=1").code == 0
    # Trained, evaluated, shown three times and verified: one model; and its looks, with paths as
    # they are, once for its figure's poses.
    assert counts == {"fitted": 1, "geometry": 1}
    assert (place / "run/evaluations/final_opensim.json").is_file()
    counts.clear()
    answer = command("run=run", "episodes=1", "movements=2", "workers=none", main=evaluate)
    assert answer.code == 0, answer.err
    assert counts == {"fitted": 1}


@pytest.mark.parametrize("threads", [0, 200_000, 10**13])
def test_threads_that_no_machine_has_are_refused(command: Command, threads: int) -> None:
    assert command(*SMALL_PPO, f"run.threads={threads}").refuses("run.threads")
