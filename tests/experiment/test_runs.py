"""The list of runs, against run folders made for it."""

import shutil
import sys
from datetime import UTC, datetime, timedelta
from io import StringIO
from json import dumps, loads
from pathlib import Path

import pytest
from commands import SMALL_SAC, Command

from osimexp.cli.runs import as_settings
from osimexp.cli.runs import main as runs
from osimexp.composition import value_of
from osimexp.errors import RunFolderError
from osimexp.experiment.finding import find_runs
from osimexp.experiment.run_folder import RunFolder
from osimexp.experiment.summary import age, remove, summarise


@pytest.fixture
def two_runs(command: Command, place: Path) -> Path:
    """A finished run of seed 0, and beside it one that was killed, of seed 1."""
    assert command(*SMALL_SAC, "run.folder=all/a").code == 0
    shutil.copytree("all/a", "all/b")
    config = Path("all/b/config.yaml")
    config.write_text(config.read_text().replace("seed: 0", "seed: 1"))
    RunFolder(Path("all/b")).mark("running")
    return place / "all"


def test_runs_are_found_by_folder_pattern_and_sweep(place: Path, two_runs: Path) -> None:
    a, b = Path("all/a"), Path("all/b")
    assert [run.path for run in find_runs(["all"])] == [a, b]
    assert [run.path for run in find_runs(["all/b", "all/*"])] == [b, a]
    assert [run.path for run in find_runs(["all/a"])] == [a]
    with pytest.raises(RunFolderError, match="is not there"):
        find_runs(["nowhere"])
    (place / "empty").mkdir()
    with pytest.raises(RunFolderError, match="holds no run"):
        find_runs(["all", "empty"])


def test_a_summary_says_what_the_run_wrote(two_runs: Path) -> None:
    summary = summarise(RunFolder.open(two_runs / "a"))
    assert (summary.state, summary.steps, summary.budget) == ("finished", 400, 400)
    assert list(summary.returns) == [100, 200, 300, 400]
    evaluation = loads((two_runs / "a" / "evaluations" / "400.json").read_text())
    assert summary.last == evaluation["figures"]["return"]["mean"]
    assert summary.best == max(summary.returns.values())
    assert summary.choices["algo"] == "sac"

    def says(key: str, text: str) -> bool:
        return summary.says(key, text, value_of(key, text))

    assert says("algo", "sac")
    assert not says("algo", "ppo")
    assert says("run.table", "false")
    assert says("run.threads", "1")
    assert not says("run.threads", "true")
    assert says("algo.updates_per_step", ".5")
    assert says("algo.hidden_sizes", "[ 8 ]")
    assert says("algo.hidden_sizes.0", "8")
    assert says("experiment", "null")
    assert says("algo.learning_rate", f"{summary.config['algo']['learning_rate']:e}")
    with pytest.raises(KeyError):
        says("algo.nothing", "1")


def test_a_run_is_running_while_its_process_holds_it_and_cut_after(two_runs: Path) -> None:
    folder = RunFolder.open(two_runs / "b")
    with folder.claimed():
        assert summarise(folder).state == "running"
        with pytest.raises(RunFolderError, match="another process"):
            remove(folder)
    assert summarise(folder).state == "cut"
    folder.mark("interrupted", "signal 15")
    assert summarise(folder).state == "cut"
    folder.mark("failed", "ValueError: no")
    assert summarise(folder).reason == "ValueError: no"


def test_the_list_is_filtered_by_state_and_by_what_runs_were_composed_of(
    command: Command, two_runs: Path
) -> None:
    answer = command("all", main=runs)
    assert answer.code == 0
    assert "all/a" in answer.out
    assert "all/b" in answer.out
    assert "all/b" not in command("all", "state=finished", main=runs).out
    assert "all/a" not in command("all", "seed=1", "algo=sac", main=runs).out
    assert "None of the 2 runs" in command("all", "algo=ppo", main=runs).out
    assert command("all", "sede=1", main=runs).refuses("sede")
    assert command("all", "state=lost", main=runs).refuses("state")
    assert command("none", main=runs).refuses("none is not there")


def test_a_run_that_failed_says_why(command: Command, two_runs: Path) -> None:
    RunFolder.open(two_runs / "b").mark("failed", "ValueError: the toy broke")
    assert "all/b failed: ValueError: the toy broke" in command("all", main=runs).out


@pytest.mark.parametrize(("word", "left"), [("y\n", ["a"]), ("\n", ["a", "b"]), ("", ["a", "b"])])
def test_pruning_removes_what_was_listed_and_confirmed(
    command: Command, two_runs: Path, monkeypatch: pytest.MonkeyPatch, word: str, left: list[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", StringIO(word))
    answer = command("all", "state=cut", "--prune", main=runs)
    assert "Remove 1 of these" in answer.out
    assert sorted(path.name for path in two_runs.iterdir()) == left


def test_damaged_runs_are_named(command: Command, two_runs: Path) -> None:
    (two_runs / "a" / "evaluations" / "400.json").write_text(dumps({"episodes": 1}))
    (two_runs / "c").mkdir()
    (two_runs / "c" / "run.json").write_text("")
    answer = command("all", main=runs)
    assert answer.code == 0
    damaged = [line for line in answer.out.splitlines() if line.startswith("Damaged: ")]
    assert [file in line for file, line in zip(("400.json", "all/c"), damaged, strict=True)]
    assert "all/b" in answer.out.replace(damaged[0], "")


@pytest.mark.parametrize(
    ("file", "before", "after"),
    [
        ("config.yaml", "steps: 400", "steps: many"),
        ("config.yaml", "steps: 400", "steps: [1]"),
        ("evaluations/400.json", '"mean": ', '"mean": "x", "was": '),
        ("evaluations/400.json", '"mean": ', '"mean": ' + 400 * "9" + ', "was": '),
        ("metrics.csv", "steps,", "stages,"),
        ("metrics.csv", "\n100,", "\nx,"),
        ("run.json", '"started": "', '"started": "x'),
        ("run.json", '"state": "', '"state": "x'),
    ],
)
def test_a_damaged_file_is_named_beside_the_other_runs(
    command: Command, two_runs: Path, file: str, before: str, after: str
) -> None:
    damaged = two_runs / "a" / file
    text = damaged.read_text()
    assert before in text
    damaged.write_text(text.replace(before, after))
    answer = command("all", main=runs)
    assert answer.code == 0, answer.err
    (line,) = [line for line in answer.out.splitlines() if line.startswith("Damaged: ")]
    assert file in line
    assert "all/b" in answer.out


def test_a_time_without_its_zone_has_an_age(command: Command, two_runs: Path) -> None:
    folder = RunFolder.open(two_runs / "a")
    started = str(folder.record()["started"])
    record = folder.record_file.read_text()
    folder.record_file.write_text(record.replace(started, started[:19]))
    assert "all/a" in command("all", main=runs).out


def test_keys_of_runs_become_the_filter() -> None:
    given = ["algo=sac", "x/y", "--prune", "model.path=it's.osim", "--cfg", "job", "state=cut"]
    assert as_settings(given) == [
        "state=cut", "prune=true", "folders=['x/y']",
        "where=[['algo','sac'],['model.path','it\\'s.osim']]", "--cfg", "job",
    ]  # fmt: skip


def test_ages_are_in_their_largest_unit() -> None:
    now = datetime(2026, 1, 10, tzinfo=UTC)
    spans = {"3 d": 3.1 * 86400, "5 h": 5 * 3600, "2 min": 120, "59 s": 59, "0 s": -5}
    for said, seconds in spans.items():
        assert age(now - timedelta(seconds=seconds), now) == said
