"""The campaign of faults: each outcome is told apart, and a fault that is put in is found."""

import csv
import faulthandler
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from commands import Command

from osimexp.bench.faults import flips, kills, overrides, repeats
from osimexp.bench.faults.cases import OUTCOMES, Case, counts, outcome_of, said_by
from osimexp.bench.faults.commands import EVERY, Setting
from osimexp.bench.faults.mutations import mutate, mutate_folder
from osimexp.bench.faults.processes import Job, run, run_all
from osimexp.cli.bench import main
from osimexp.errors import ConfigError, RunFolderError
from osimexp.experiment import checkpoint
from osimexp.experiment.checkpoint import Checkpoint
from osimexp.files import write_text


@pytest.fixture
def setting(tmp_path: Path) -> Setting:
    return Setting(tmp_path / "piece", seed=0, count=12, processes=2, limit=20.0)


def refuse() -> None:
    sys.stderr.write("Error: The file is not a run.\n")
    sys.exit(2)


def refuse_at_length() -> None:
    sys.stderr.write("Error: The file is not a run.\nand more\n")
    sys.exit(2)


def crash() -> None:
    faulthandler.disable()  # It is pytest's.
    signal.raise_signal(signal.SIGSEGV)


ENDS: dict[str, tuple[Callable[[], object], str, str]] = {
    "well": (lambda: print("done"), "fine", "done"),
    "refused": (refuse, "refused", "Error: The file is not a run."),
    "raised": (lambda: 1 / 0, "traceback", "ZeroDivisionError: division by zero"),
    "crashed": (crash, "signal", "ended by SIGSEGV"),
    "hung": (lambda: time.sleep(60.0), "hang", "exit code -9"),
    "at length": (refuse_at_length, "unclear", "and more"),
    "silent": (lambda: sys.exit(3), "unclear", "exit code 3"),
}


@pytest.mark.parametrize("way", ENDS)
def test_every_end_is_told_apart(tmp_path: Path, way: str) -> None:
    work, outcome, said = ENDS[way]
    ended = run(Job(work, tmp_path / "fork", limit=0.5 if way == "hung" else 20.0))
    assert (outcome_of(ended), said_by(ended)) == (outcome, said)
    assert outcome in OUTCOMES


def test_jobs_run_side_by_side_in_places_of_their_own(tmp_path: Path) -> None:
    def work() -> None:
        time.sleep(0.3)
        Path("here").write_text(os.environ["WHO"])

    jobs = [Job(work, tmp_path / str(n), 20.0, environment={"WHO": str(n)}) for n in range(4)]
    begun = time.monotonic()
    ends = dict(run_all(iter(jobs), 4))
    assert time.monotonic() - begun < 1.1
    assert [ends[n].code for n in range(4)] == [0, 0, 0, 0]
    assert [(tmp_path / str(n) / "here").read_text() for n in range(4)] == list("0123")
    assert "WHO" not in os.environ


def test_a_kill_on_purpose_ends_what_the_fork_has_started(tmp_path: Path) -> None:
    def work() -> None:
        child = os.fork()
        if child:
            Path("child").write_text(str(child))
        time.sleep(60.0)

    ended = run(Job(work, tmp_path, limit=20.0, kill_after=0.5))
    assert (ended.code, ended.hung) == (-signal.SIGKILL, False)
    child = Path("/proc") / (tmp_path / "child").read_text() / "stat"
    assert not child.exists() or child.read_text().split()[2] == "Z"


def made(place: Path) -> Path:
    file = place / "run" / "checkpoints" / "latest.pt"
    file.parent.mkdir(parents=True)
    state = {"weights": torch.arange(500.0), "rows": np.arange(7), "nan": float("nan")}
    checkpoint.save(file, Checkpoint(128, "hash", state))
    return place / "run"


def test_flipped_checkpoints_are_noticed(setting: Setting, tmp_path: Path) -> None:
    setting = replace(setting, count=40)
    cases = list(flips.in_checkpoints(setting, made(tmp_path), checkpoint.load))
    assert len(cases) == 40
    assert not [case for case in cases if case.fault]


def test_a_loader_that_does_not_verify_is_found(setting: Setting, tmp_path: Path) -> None:
    def careless(file: Path) -> Checkpoint:
        content = np.frombuffer(file.read_bytes()[:1000], np.uint8)
        return Checkpoint(1, "", {"weights": content.copy()})

    folder = made(tmp_path)
    whole = (folder / "checkpoints" / "latest.pt").read_bytes()

    def clumsy(file: Path) -> Checkpoint:
        content = file.read_bytes()
        if content[1000:] != whole[1000:]:
            raise KeyError("weights")
        if content[:1000] != whole[:1000]:
            raise RunFolderError(f"{file} is damaged.")
        return Checkpoint(1, "", {})

    setting = replace(setting, count=30)
    silent = counts(flips.in_checkpoints(setting, folder, careless))["flips"]
    assert silent["silent"] > 0
    assert silent["silent"] + silent["fine"] == 30
    raising = counts(flips.in_checkpoints(setting, folder, clumsy))["flips"]
    assert raising["traceback"] > 0
    assert raising["refused"] > 0
    assert raising["traceback"] + raising["refused"] == 30


def test_equal_states_are_equal_to_the_last_bit() -> None:
    state = {"a": [1, 2.0, None], "t": torch.zeros(2), "n": np.array([np.nan]), "x": float("nan")}
    assert flips.equal(state, {**state, "t": torch.zeros(2), "n": np.array([np.nan])})
    for key, other in (("a", [1, 2, None]), ("t", -torch.zeros(2)), ("n", np.zeros(1)), ("x", 0.0)):
        assert not flips.equal(state, {**state, key: other})


def training(*, lose: int = 0, wrong: float = 0.0, fails: bool = False) -> Callable[..., object]:
    """A training of a second, which may be unsound after it is resumed."""

    def command(verb: str, *words: str) -> Callable[[], None]:
        def train() -> None:
            folder = Path("run")
            metrics, record = folder / "metrics.csv", folder / "run.json"
            begin = 0
            if "resume=run" in words:
                if fails:
                    raise ZeroDivisionError
                lines = metrics.read_text().split("\n")[1:-1]
                steps = len(lines) * 128
                begin = max(steps - steps % EVERY - lose, 0)
                write_text(metrics, "\n".join(["steps,x", *lines[: begin // 128], ""]))
                record.write_text(json.dumps({"resumed": [{"steps": begin}]}))
            else:
                folder.mkdir(exist_ok=True)
                metrics.write_text("steps,x\n")
                record.write_text("{}")
            for steps in range(begin + 128, 4 * EVERY + 1, 128):
                time.sleep(0.02)
                with metrics.open("a") as stream:
                    stream.write(f"{steps},{steps + (wrong if begin else 0.0)}\n")

        return train

    return command


@pytest.mark.parametrize(
    ("unsound", "outcome"),
    [
        ({}, "fine"),
        ({"lose": EVERY}, "lost"),
        ({"wrong": 1e-9}, "silent"),
        ({"fails": True}, "traceback"),
    ],
)
def test_an_unsound_resumption_is_found(
    setting: Setting, monkeypatch: pytest.MonkeyPatch, unsound: dict[str, int], outcome: str
) -> None:
    monkeypatch.setattr(kills, "command", training(**unsound))  # type: ignore[arg-type]
    count = 4 if outcome == "fine" else 12  # Some kills come before there is anything to lose.
    cases = list(kills.killed(replace(setting, count=count)))
    assert [case.number for case in cases] == list(range(count))
    found = {case.outcome for case in cases}
    assert outcome in found
    assert found <= {"fine", outcome}


@pytest.mark.parametrize("equal", [True, False])
def test_trainings_that_differ_are_found(
    setting: Setting, monkeypatch: pytest.MonkeyPatch, equal: bool
) -> None:
    def command(verb: str, *words: str) -> Callable[[], None]:
        def train() -> None:
            Path("run").mkdir()
            value = 1.0 if equal or "algo=sac" not in words else time.monotonic()
            Path("run/metrics.csv").write_text(f"steps,x,time/s\n1,{value},{time.time()}\n")

        return train

    monkeypatch.setattr(repeats, "command", command)
    cases = list(repeats.repeated(replace(setting, count=2)))
    assert len(cases) == len(repeats.ALIKE)
    assert [case.subject for case in cases if case.fault] == ([] if equal else ["sac"])


@pytest.mark.parametrize("leaks", [False, True])
def test_a_leak_is_found(setting: Setting, monkeypatch: pytest.MonkeyPatch, leaks: bool) -> None:
    def command(verb: str, *words: str) -> Callable[[], None]:
        def train() -> None:
            held: list[object] = []
            for _ in range(40):
                if leaks:
                    held += [os.urandom(4_000_000), os.open(__file__, os.O_RDONLY)]
                time.sleep(0.05)

        return train

    monkeypatch.setattr(repeats, "command", command)
    monkeypatch.setattr(repeats, "PAUSE", 0.05)
    found = {case.subject: case.outcome for case in repeats.soaked(setting)}
    wrong = "silent" if leaks else "fine"
    assert found == {"memory": wrong, "threads": "fine", "descriptors": wrong}


def test_mutations_follow_from_their_seed(tmp_path: Path) -> None:
    text = "<Model name='m'><mass>1.5</mass>\n<a>1 2</a>\n<b>x y</b></Model>\n" * 5
    changes, contents = [], []
    for turn in (0, 1):
        for seed in range(60):
            file = tmp_path / f"{turn}" / f"{seed}" / "model.osim"
            file.parent.mkdir(parents=True)
            file.write_text(text)
            generator = np.random.default_rng(seed)
            change = mutate if seed % 2 else lambda file, g: mutate_folder(file.parent, g)
            changes.append(change(file, generator))
            contents.append(file.read_bytes() if file.is_file() else None)
    assert changes[:60] == changes[60:]
    assert contents[:60] == contents[60:]
    assert len(set(changes)) > 40
    assert sum(content == text.encode() for content in contents) < 12


def test_overrides_follow_from_their_seed() -> None:
    pytest.importorskip("hypothesis", reason="needs Hypothesis: pip install hypothesis")
    lines = overrides.drawn(3, 60)
    assert len(lines) == 60
    assert lines == overrides.drawn(3, 60)
    assert lines != overrides.drawn(4, 60)
    assert len(set(lines)) == 60


def test_overrides_say_what_they_need(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "hypothesis", None)
    with pytest.raises(ConfigError, match=r"osimexp\[test\]"):
        overrides.drawn(0, 1)


def test_the_command_writes_counts_and_cases(command: Command, place: Path) -> None:
    small = ("pieces=[page,mot]", "page=40", "mot=3", "output=out")
    answer = command("faults", *small, main=main)
    assert answer.code == 0, answer.err
    with Path("out/cases.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["piece"] for row in rows] == ["mot"] * 3 + ["page"] * 40
    written = json.loads(Path("out/counts.json").read_text())
    assert sum(written["counts"]["page"].values()) == 40
    assert written["counts"]["page"] == {"fine": 40}
    assert written["settings"]["seed"] == 0
    assert "faults in 43 cases" in answer.out
    assert command("faults", *small, main=main).refuses("out is not empty", "output")


def test_the_command_refuses_what_it_does_not_know(command: Command) -> None:
    assert command("faults", "pieces=[kill]", main=main).refuses("pieces", "kills")
    assert command("faults", "kills=0", main=main).refuses("kills")
    assert not Path("outputs").exists()


def test_counts_are_by_piece_and_outcome() -> None:
    cases = [Case("page", n, "view", "", "fine" if n else "hang", 0.0) for n in range(3)]
    assert counts([*cases, Case("mot", 0, "", "", "fine", 0.0)]) == {
        "page": {"fine": 2, "hang": 1},
        "mot": {"fine": 1},
    }


@pytest.mark.slow
def test_every_piece_finds_nothing_on_small_counts(command: Command) -> None:
    pytest.importorskip("hypothesis", reason="needs Hypothesis: pip install hypothesis")
    counts = ("kills=4", "flips=8", "folders=18", "osim=9", "mot=9", "overrides=20", "page=40")
    answer = command("faults", *counts, "soak=20000", "output=out", main=main)
    assert answer.code == 0, answer.err
    assert "\n0 faults in " in answer.out, answer.out
