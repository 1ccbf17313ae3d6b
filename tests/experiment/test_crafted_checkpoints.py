"""Checkpoints that a stranger made with a right digest: refused in a sentence."""

import hashlib
import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from commands import SMALL_PPO, Command

from osimexp.errors import RunFolderError
from osimexp.experiment.checkpoint import Checkpoint, load, save

MARK = b"\nosimexp sha256 "
"""Bytes before the digest at the end of a checkpoint."""

GOOD: dict[str, Any] = {"format": 2, "config_hash": "a", "steps": 7}


def write(file: Path, content: Any, compression: int = zipfile.ZIP_STORED) -> None:
    """Write what a stranger has made, with the digest of a whole file at its end."""
    made, stored = io.BytesIO(), io.BytesIO()
    torch.save(content, made)
    if compression == zipfile.ZIP_STORED:
        stored = made
    else:
        with zipfile.ZipFile(made) as old, zipfile.ZipFile(stored, "w", compression) as new:
            for entry in old.infolist():
                new.writestr(entry.filename, old.read(entry))
    digest = hashlib.sha256(stored.getvalue()).hexdigest().encode()
    file.write_bytes(stored.getvalue() + MARK + digest)


def recursive() -> dict[str, Any]:
    state: dict[str, Any] = {}
    state["x"] = state
    return state


def deep() -> dict[str, Any]:
    value: Any = 1
    for _ in range(400):
        value = [value]
    return {"x": value}


def doubled() -> dict[str, Any]:
    value: Any = [1]
    for _ in range(60):
        value = [value, value]
    return {"x": value}


STATES: dict[str, Callable[[], dict[str, Any]]] = {
    "number": lambda: {"x": {"__numpy__": 5}},
    "recursive": recursive,
    "deep": deep,
    "doubled": doubled,
    "meta": lambda: {"x": {"__numpy__": torch.zeros(3, device="meta")}},
    "meta_tensor": lambda: {"x": torch.zeros(3, device="meta")},
    "sparse": lambda: {"x": torch.zeros(3).to_sparse()},
    "gradient": lambda: {"x": {"__numpy__": torch.zeros(3, requires_grad=True)}},
    "bfloat16": lambda: {"x": {"__numpy__": torch.zeros(3, dtype=torch.bfloat16)}},
    "expanded": lambda: {"x": torch.zeros(1).expand(2**20, 2**20)},
    "key": lambda: {"x": {None: 1}},
}


@pytest.mark.parametrize("kind", STATES)
def test_a_state_that_is_no_data_is_refused(place: Path, kind: str) -> None:
    write(place / "c.pt", {"manifest": GOOD, "state": STATES[kind]()})
    with pytest.raises(RunFolderError, match=r"c.pt was cut short or damaged, or is not"):
        load(place / "c.pt")


@pytest.mark.parametrize(
    "wrong",
    [
        {"format": torch.zeros(2)},
        {"format": 10**500},
        {"format": "2"},
        {"format": [2]},
        {"steps": -5},
        {"steps": 10**500},
        {"steps": True},
    ],
)
def test_a_manifest_of_other_kinds_is_refused(place: Path, wrong: dict[str, Any]) -> None:
    write(place / "c.pt", {"manifest": {**GOOD, **wrong}, "state": {}})
    with pytest.raises(RunFolderError, match=r"c.pt is (of checkpoint format|not a checkpoint)"):
        load(place / "c.pt")


def test_what_is_compressed_is_not_unpacked(place: Path) -> None:
    content = {"manifest": GOOD, "state": {"x": torch.zeros(10**6)}}
    write(place / "c.pt", content)
    assert load(place / "c.pt").steps == 7
    write(place / "c.pt", content, zipfile.ZIP_DEFLATED)
    with pytest.raises(RunFolderError, match=r"c.pt was cut short or damaged, or is not"):
        load(place / "c.pt")


def test_a_list_in_two_places_is_no_bomb(place: Path) -> None:
    shared = [1.0, 2.0]
    save(place / "c.pt", Checkpoint(1, "a", {"x": shared, "y": shared, "z": [shared] * 5}))
    assert load(place / "c.pt").state["z"] == [[1.0, 2.0]] * 5


PARTS: dict[str, Callable[[dict[str, Any]], object]] = {
    "progress": lambda state: state.update(progress=5),
    "progress_word": lambda state: state["progress"].update(evaluated="x"),
    "progress_none": lambda state: state["progress"].update(episodes=None),
    "progress_seconds": lambda state: state["progress"].update(seconds="1"),
    "progress_later": lambda state: state["progress"].update(steps=10**9),
    "progress_more": lambda state: state["progress"].update(unknown=1),
    "algorithm": lambda state: state.update(algorithm={}),
    "window": lambda state: state.update(window=5),
    "window_word": lambda state: state.update(window={"sums": {"a": "b"}, "counts": {"a": 1}}),
    "window_other": lambda state: state.update(window={"sums": {"a": 1.0}, "counts": {}}),
    "counts": lambda state: state.update(counts=7),
    "counts_word": lambda state: state.update(counts={"failures": "x"}),
    "logger": lambda state: state.update(logger={"columns": 5}),
    "logger_columns": lambda state: state["logger"].update(columns=["steps", 5, None]),
    "logger_steps": lambda state: state["logger"].update(last_steps="z"),
    "environment": lambda state: state.update(environment=[1]),
    "controller": lambda state: state.update(controller=5),
    "generator": lambda state: state["algorithm"].update(generator=torch.zeros(3)),
    "optimizer": lambda state: state["algorithm"]["optimizer"].update(state={0: {}}),
    "rollout": lambda state: state["algorithm"]["replay"].update(rewards=torch.zeros(7, 7)),
    "rollout_other": lambda state: state["algorithm"].update(replay={"a": 1}),
    "normaliser": lambda state: state["algorithm"]["policy"]["normaliser"].update(count="abc"),
}


@pytest.mark.slow
def test_a_run_goes_on_from_its_own_state_alone_and_is_left_as_it_is(
    command: Command, place: Path
) -> None:
    words = (SMALL_PPO[0], "resume=run", "run.steps=328", "trust=toy")
    assert command(*SMALL_PPO, "run.steps=200", "run.checkpoint.replay=true").code == 0
    file = place / "run/checkpoints/latest.pt"
    sound = file.read_bytes()
    for kind, change in PARTS.items():
        file.write_bytes(sound)
        saved = load(file)
        change(saved.state)
        save(file, saved)
        before = contents(place / "run")
        answer = command(*words)
        assert answer.refuses("run/checkpoints/latest.pt"), (kind, answer.err)
        assert contents(place / "run") == before, kind
    file.write_bytes(sound)
    assert command(*words).code == 0


def contents(folder: Path) -> dict[Path, bytes]:
    """Return the content of every file in a folder."""
    return {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}
