"""Checkpoints that a stranger made with a right digest: refused in a sentence."""

import hashlib
import io
import os
import shutil
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from commands import SMALL_PPO, TESTS, Command

from osimexp.cli.compare import main as compare
from osimexp.cli.evaluate import main as evaluate
from osimexp.cli.gait import main as gait
from osimexp.cli.keep import main as keep
from osimexp.cli.render import main as render
from osimexp.cli.train import main as train
from osimexp.cli.view import main as view
from osimexp.errors import RunFolderError
from osimexp.experiment import checkpoint
from osimexp.experiment.checkpoint import Checkpoint, load, save
from osimexp.files import MODEST

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


@pytest.mark.parametrize("marked", [True, False], ids=["ours", "of 0.1"])
@pytest.mark.parametrize("kind", ["hole", "list", "pickle"])
def test_a_file_of_more_than_its_list_tells_is_refused_before_it_is_read(
    place: Path, monkeypatch: pytest.MonkeyPatch, kind: str, marked: bool
) -> None:
    size = 400_000_000
    file = place / "c.pt"
    save(file, Checkpoint(1, "a", {"x": torch.zeros(10)}))
    whole = file.read_bytes() if marked else file.read_bytes()[: -len(MARK) - 64]
    after = len(MARK) + 64 if marked else 0
    if kind == "hole":  # Nothing in it is told of.
        with file.open("r+b") as stream:
            stream.truncate(size)
            stream.seek(-len(whole), os.SEEK_END)
            stream.write(whole)
    elif kind == "list":  # The list of the parts is all of it.
        end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, size - 22 - after, 0, 0)
        with file.open("wb") as stream:
            stream.write(b"PK\1\2")
            stream.truncate(size - 22 - after)
            stream.seek(0, os.SEEK_END)
            stream.write(end + whole[len(whole) - after :])
    else:  # All of it is what the unpickler would go through.
        with zipfile.ZipFile(file, "w") as parts, parts.open("c/data.pkl", "w") as part:
            for _ in range(size // 10**7):
                part.write(bytes(10**7))
        with file.open("ab") as stream:
            stream.write(whole[len(whole) - after :])
    monkeypatch.setattr(checkpoint, "read_bytes", None)
    with pytest.raises(RunFolderError, match=r"c.pt was cut short or damaged, or is not"):
        load(file)


def test_a_large_checkpoint_is_read(place: Path) -> None:
    state = {f"{number}": torch.full((10**number,), 1.0) for number in (0, 3, 5)}
    state["large"] = torch.full((MODEST // 4,), 2.0)
    save(place / "c.pt", Checkpoint(1, "a", state))
    assert (place / "c.pt").stat().st_size > MODEST
    loaded = load(place / "c.pt")
    assert {name: float(part.sum()) for name, part in loaded.state.items()} == {
        name: float(part.sum()) for name, part in state.items()
    }


def test_a_list_in_two_places_is_no_bomb(place: Path) -> None:
    shared = [1.0, 2.0]
    save(place / "c.pt", Checkpoint(1, "a", {"x": shared, "y": shared, "z": [shared] * 5}))
    assert load(place / "c.pt").state["z"] == [[1.0, 2.0]] * 5


def poisoned(part: Any, key: Any, value: float) -> None:
    """Set the first number of an array within a state."""
    part[key] = part[key].clone()
    part[key].view(-1)[0] = value


Poison = Callable[[dict[str, Any], float], None]

ARRAYS: dict[str, Poison] = {
    "controller.state.network.weights.0": lambda state, value: poisoned(
        state["controller"]["state"]["network"], "weights.0", value
    ),
    "controller.state.normaliser.mean": lambda state, value: poisoned(
        state["controller"]["state"]["normaliser"], "mean", value
    ),
    "algorithm.critic.weights.0": lambda state, value: poisoned(
        state["algorithm"]["critic"], "weights.0", value
    ),
    "algorithm.optimizer.state.0.exp_avg": lambda state, value: poisoned(
        state["algorithm"]["optimizer"]["state"][0], "exp_avg", value
    ),
}


WRONG = [(name, value) for name in ARRAYS for value in (float("nan"), float("inf"), -float("inf"))]


# The statistics are in float64, and the numbers that they give for networks in float32.
@pytest.mark.parametrize(("name", "value"), [*WRONG, (list(ARRAYS)[1], 1e300)])
def test_numbers_that_are_not_finite_are_refused(place: Path, name: str, value: float) -> None:
    source = load(TESTS / "written_by_0_1/arm_ppo/checkpoints/latest.pt")
    controller = {"kind": "policy", "state": source.state["algorithm"]["policy"]}
    state = {**source.state, "controller": controller}
    save(place / "c.pt", Checkpoint(1, "a", state))
    load(place / "c.pt")
    ARRAYS[name](state, value)
    save(place / "c.pt", Checkpoint(1, "a", state))
    with pytest.raises(RunFolderError, match=rf"c.pt holds a number in {name} that is not finite"):
        load(place / "c.pt")


WORDS: dict[str, tuple[Callable[[], None], tuple[str, ...]]] = {
    "evaluate": (evaluate, ("run=given", "episodes=1")),
    "resume": (train, ("resume=given", "run.steps=1280")),
    "render": (render, ("run=given", "-o", "a.png")),
    "view": (view, ("run=given", "--export", "a.html")),
    "gait": (gait, ("run=given",)),
    "keep": (keep, ("run=given", "to=kept")),
    "init_from": (
        train,
        ("model=arm", "reward=reach", "algo=ppo", "init_from=given", "workers=none"),
    ),
    "compare": (compare, ("given", "movement.walks=1", "resamples=100")),
}


@pytest.mark.parametrize("name", WORDS)
def test_every_command_names_the_array_that_is_not_finite(
    command: Command, place: Path, name: str
) -> None:
    shutil.copytree(TESTS / "written_by_0_1/arm_ppo", place / "given")
    for file in (place / "given/checkpoints").iterdir():
        saved = load(file)
        poisoned(saved.state["policy"]["network"], "weights.1", float("nan"))
        save(file, saved)
    main, words = WORDS[name]
    answer = command(*words, main=main)
    assert answer.refuses("given/checkpoints/", "policy.network.weights.1", "not finite"), answer


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
