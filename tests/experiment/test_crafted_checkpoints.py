"""Checkpoints that a stranger made with a right digest: refused in a sentence."""

import hashlib
import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

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
