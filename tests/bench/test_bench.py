"""The bench command on the smallest budget, beside a stand-in for osim-rl."""

import csv
import time
from pathlib import Path

import pytest
from commands import Command

from osimexp.bench import osim_rl
from osimexp.bench.physics import CANDIDATES, Candidate, Slice, table
from osimexp.bench.timing import Timing
from osimexp.cli.bench import main

SMALL = ("physics", "models=[arm]", "rounds=1", "seconds=0.02", "batch=4", "output=raw.csv")

# What osim-rl needs of gym and of an older OpenSim: Box, and controls prescribed by number.
OSIM = """
from types import SimpleNamespace

class Controller:
    def __init__(self):
        self.paths = []
    def addActuator(self, actuator):
        self.paths.append(actuator.path)
    def prescribeControlForActuator(self, path, function):
        assert path in self.paths, path

opensim = SimpleNamespace(
    PrescribedController=Controller, Logger=SimpleNamespace(setLevelString=print)
)
"""
ENVIRONMENTS = """
import gym
from .osim import opensim
from types import SimpleNamespace

class Arm2DEnv(gym.Env):
    def __init__(self, visualize):
        gym.spaces.Box([0.0], [1.0])
        brain = opensim.PrescribedController()
        brain.addActuator(SimpleNamespace(getAbsolutePathString=lambda: "/m", path="/m"))
        brain.prescribeControlForActuator(0, None)
    def get_action_space_size(self):
        return 2
    def reset(self):
        self.steps = 0
    def step(self, action):
        print("a target")
        self.steps += 1
        if self.steps == 7:
            raise RuntimeError("the integrator gave up")
        return [0.0], 0.0, self.steps > 7, {}
"""


@pytest.fixture
def release(place: Path) -> Path:
    """A folder with something that behaves like osim-rl."""
    package = place / "release" / "osim" / "env"
    package.mkdir(parents=True)
    (package / "osim.py").write_text(OSIM)
    (package / "__init__.py").write_text(ENVIRONMENTS)
    return place / "release"


def test_bench_measures_every_candidate_beside_osim_rl(command: Command, release: Path) -> None:
    answer = command(*SMALL, f"osim_rl={release}", main=main)
    assert answer.code == 0, answer.err
    with Path("raw.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    candidates = [*CANDIDATES, Candidate("environment", "osim-rl Arm2DEnv")]
    assert [(row["what"], row["by"]) for row in rows] == [(c.what, c.by) for c in candidates]
    assert all(int(row["steps"]) > 0 and float(row["seconds"]) >= 0.02 for row in rows)
    assert all(row["failed"] == "0" for row in rows[:-1])
    # Warm-up may leave the first episode anywhere in its seven steps.
    assert abs(int(rows[-1]["failed"]) - int(rows[-1]["steps"]) / 7) < 1
    assert "osim-rl Arm2DEnv" in answer.out
    assert "left out" not in answer.out


def test_bench_says_that_osim_rl_is_left_out(command: Command) -> None:
    answer = command(*SMALL, main=main)
    assert "osim-rl's tasks are left out" in answer.out
    assert "times osim-rl" not in answer.out


def test_ratios_are_medians_within_rounds() -> None:
    opensim, ours = CANDIDATES[0], CANDIDATES[1]
    theirs = Candidate("environment", "osim-rl")
    rates = {opensim: (100, 200, 50), ours: (1000, 1000, 1000), theirs: (10, 5, 1)}
    slices = [
        Slice("arm", number, candidate, 1, Timing(rate, 1.0))
        for candidate, row in rates.items()
        for number, rate in enumerate(row)
    ]
    columns = table(slices, True).columns
    cells = {str(column.header): list(column.cells) for column in columns}
    assert cells["steps/s"] == ["100", "1,000", "5"]
    assert cells["times OpenSim"] == ["1", "10", "0.025"]  # of 0.1, 0.025 and 0.02
    assert cells["times osim-rl"] == ["40", "200", "1"]  # of 10, 40, 50 and 100, 200, 1000


def test_a_stalled_step_is_counted_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    class Task:
        begun, steps = 0, 0

        def get_action_space_size(self) -> int:
            return 1

        def reset(self) -> None:
            self.begun += 1

        def step(self, action: object) -> tuple[None, float, bool, dict[str, float]]:
            self.steps += 1
            time.sleep(0.05 if self.steps % 3 == 0 else 0.001)
            return None, 0.0, False, {}

    monkeypatch.setattr(osim_rl, "STALL", 0.04)
    task = Task()
    timing = osim_rl.osim_rl_step(task)(0.02)
    assert timing.stalls == task.steps // 3 == task.begun - 1 > 0
    assert timing.steps == task.steps - timing.stalls
    assert 0.02 <= timing.seconds < timing.stalled


def test_bench_refuses_what_it_does_not_know(command: Command, place: Path) -> None:
    assert command("physic", main=main).refuses("physic")
    assert command("physics", "models=[armm]", main=main).refuses("armm", "arm")
    assert command("physics", f"osim_rl={place}", main=main).refuses("no osim-rl", str(place))
