"""Whole commands as a benchmark: each in a process of its own, and what it came to."""

import math
from pathlib import Path

import pytest
from commands import Command

from osimexp.bench.commands import Trained, read, write
from osimexp.cli.bench import main as bench

WORDS = ",".join(
    f"'{word}'"
    for word in (
        *("task=gym", "task.id=Pendulum-v1", "run.steps=96", "run.threads=1"),
        *("algo.environments=2", "algo.hidden_sizes=[8]", "algo.batch_size=16"),
        *("algo.learning_starts=50", "run.evaluation.every=48", "run.evaluation.episodes=1"),
        *("run.evaluation.final_episodes=1", "run.log.every=16"),
    )
)
ASKED = (f"commands.sac=[{WORDS}]", "chosen=[sac]", "seeds=[0]", "output=out")
FILE = Path("out/commands.csv")


def test_a_command_is_timed_and_told_from_its_folder(command: Command) -> None:
    answer = command("commands", *ASKED, "threshold=-1e6", main=bench)
    assert answer.code == 0, answer.err
    (found,) = read(FILE)
    assert (found.command, found.seed, found.steps) == ("sac", 0, 96)
    assert found.words.startswith("task=gym task.id=Pendulum-v1 run.steps=96")
    assert found.seconds > 0.5
    assert found.threshold_steps == 48.0  # The first evaluation is good enough.
    assert 0.0 < found.threshold_seconds < found.seconds
    assert found.mean_return < 0.0
    assert math.isnan(found.distance)
    assert math.isnan(found.opensim_return)
    assert "sac seed 0: return" in answer.out
    # What is there is not trained again, and other words are another benchmark.
    again = command("commands", *ASKED, main=bench)
    assert again.code == 0
    assert "seed 0: return" not in again.out
    other = command("commands", "commands.sac=['algo=sac']", *ASKED[1:], main=bench)
    assert other.refuses("has sac by the words", "task.id=Pendulum-v1", "give another output")
    # A training that was cut left a folder and no row, and is made from its beginning.
    FILE.unlink()
    assert command("commands", *ASKED, main=bench).code == 0
    (anew,) = read(FILE)
    assert anew.mean_return == found.mean_return


def test_what_cannot_be_trained_is_said(command: Command) -> None:
    asked = command("commands", "chosen=[sca]", "output=out", main=bench)
    assert asked.refuses("chosen: sca is not one of commands; did you mean sac?")
    failing = command("commands", "commands.sac=['algo=foo']", *ASKED[1:], main=bench)
    assert failing.refuses("algo=foo", "ended with", "sac_s0.log says why")
    assert "foo" in Path("out/runs/sac_s0.log").read_text()


def test_a_row_is_read_as_it_was_written(command: Command) -> None:
    one = Trained("a", "x='y z'", 3, 1.5, 64, math.inf, 0.25, -1.0, 2.0, 0.5, 3.0, 4.0, 1.0)
    write(FILE, [one])
    assert read(FILE) == [one]


@pytest.mark.parametrize("words", ["commands={}", "seeds=[-1]"])
def test_settings_are_checked(words: str, command: Command) -> None:
    answer = command("commands", words, "chosen=[nothing]", "output=out", main=bench)
    assert answer.code == 2
