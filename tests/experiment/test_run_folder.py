import errno
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from commands import SMALL_SAC, Command

from osimexp import files
from osimexp.errors import RunFolderError
from osimexp.experiment import checkpoint
from osimexp.experiment.checkpoint import Checkpoint
from osimexp.experiment.logger import Logger
from osimexp.experiment.run_folder import RunFolder
from osimexp.experiment.trained import keep, trained

STATE = {
    "array": np.arange(6, dtype=np.float64).reshape(2, 3)[:, 1:],
    "scalar_array": np.array(3, dtype=np.int32),
    "flags": np.array([True, False]),
    "number": np.float32(1.5),
    "tensor": torch.arange(10)[2:4],
    "large": 2**127 + 1,
    "nested": [{"a": None, 3: (1, 2.5, "x")}],
}


def full_disk(*arguments: Any) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def create(path: Path) -> RunFolder:
    return RunFolder.create(path, {"seed": 0}, ["seed=0"], {"git": None}, "<x/>")


def test_a_created_folder_opens(place: Path) -> None:
    create(place / "run")
    folder = RunFolder.open(place / "run")
    assert folder.config() == {"seed": 0}
    assert folder.record() == {"state": "running", "reason": None, "git": None}
    folder.mark("failed", "why")
    assert folder.record()["reason"] == "why"


def test_folders_in_use_are_not_taken(place: Path) -> None:
    create(place / "run")
    with pytest.raises(RunFolderError, match="is not empty"):
        create(place / "run")
    (place / "file").touch()
    with pytest.raises(RunFolderError, match="cannot be made"):
        create(place / "file")


def test_what_is_no_run_folder_is_refused(place: Path) -> None:
    with pytest.raises(RunFolderError, match="not a folder"):
        RunFolder.open(place / "none")
    with pytest.raises(RunFolderError, match=r"no config.yaml and no run.json"):
        RunFolder.open(place)
    folder = create(place / "run")
    folder.record_file.write_text("{")
    with pytest.raises(RunFolderError, match="cannot be read"):
        folder.record()
    folder.config_file.write_text("a: [")
    with pytest.raises(RunFolderError, match="cannot be read"):
        folder.config()


def test_checkpoints_come_back_as_they_were(place: Path) -> None:
    checkpoint.save(place / "c.pt", Checkpoint(7, "hash", STATE))
    loaded = checkpoint.load(place / "c.pt")
    assert (loaded.steps, loaded.config_hash) == (7, "hash")
    for name in ("array", "scalar_array", "flags"):
        assert loaded.state[name].dtype == STATE[name].dtype
        np.testing.assert_array_equal(loaded.state[name], STATE[name])
    assert loaded.state["number"] == 1.5
    assert loaded.state["tensor"].tolist() == [2, 3]
    assert loaded.state["large"] == 2**127 + 1
    assert loaded.state["nested"] == STATE["nested"]


def test_a_view_is_saved_without_the_rest_of_its_storage(place: Path) -> None:
    checkpoint.save(place / "c.pt", Checkpoint(0, "", {"view": torch.zeros(10**6)[:10]}))
    assert (place / "c.pt").stat().st_size < 10_000


def test_only_data_is_saved(place: Path) -> None:
    with pytest.raises(TypeError, match=r"state.a\[0\] is a Path|state.a\[0\] is a PosixPath"):
        checkpoint.save(place / "c.pt", Checkpoint(0, "", {"a": [place]}))
    assert not list(place.iterdir())


@pytest.mark.parametrize("kept", [0.0, 0.3, 0.99])
def test_a_checkpoint_cut_short_is_named(place: Path, kept: float) -> None:
    file = place / "c.pt"
    checkpoint.save(file, Checkpoint(7, "hash", STATE))
    content = file.read_bytes()
    file.write_bytes(content[: int(kept * len(content))])
    with pytest.raises(RunFolderError, match=r"c.pt was cut short"):
        checkpoint.load(file)


def of_an_earlier_version(file: Path) -> bytes:
    content = {"manifest": {"format": 2, "config_hash": "a", "steps": 7}, "state": {"x": [0.5]}}
    torch.save(content, file)
    return file.read_bytes()


def of_this_version(file: Path) -> bytes:
    checkpoint.save(file, Checkpoint(7, "a", {"x": [0.5], "weights": np.arange(9.0)}))
    return file.read_bytes()


@pytest.mark.parametrize("written", [of_this_version, of_an_earlier_version])
def test_a_flipped_bit_of_a_checkpoint_is_noticed_or_makes_no_difference(
    place: Path, written: Callable[[Path], bytes]
) -> None:
    file = place / "c.pt"
    content = written(file)
    sound, noticed = checkpoint.load(file), 0
    # Each byte once, of the zip file's headers and padding, too.
    for number in range(len(content)):
        flipped = bytearray(content)
        flipped[number] ^= 1 << number % 8
        file.write_bytes(flipped)
        try:
            found = checkpoint.load(file)
        except RunFolderError:
            noticed += 1
        else:
            assert (found.steps, found.config_hash) == (sound.steps, sound.config_hash)
            assert repr(found.state) == repr(sound.state)
    assert noticed > len(content) / 3


def test_flipped_bits_of_packaged_and_kept_controllers_are_noticed(place: Path) -> None:
    walk = trained("walk")
    kept = keep(walk, place / "kept")
    generator = np.random.default_rng(0)

    def state(file: Path) -> bytes:
        checkpoint.save(place / "again.pt", checkpoint.load(file))
        return (place / "again.pt").read_bytes()

    for file in (walk.checkpoint_file("best"), kept.checkpoint_file("best")):
        content, sound, noticed = file.read_bytes(), state(file), 0
        for bit in generator.integers(8 * len(content), size=40):
            flipped = bytearray(content)
            flipped[bit // 8] ^= 1 << bit % 8
            (place / "c.pt").write_bytes(flipped)
            try:
                assert state(place / "c.pt") == sound
            except RunFolderError:
                noticed += 1
        assert noticed > 30


def test_a_checkpoint_without_its_parts_is_named(place: Path) -> None:
    for content in ({"format": 2}, {"format": 2, "steps": 1, "config_hash": "a"}):
        torch.save({"manifest": content}, place / "c.pt")
        with pytest.raises(RunFolderError, match=r"c.pt is not a checkpoint of osimexp: it lacks"):
            checkpoint.load(place / "c.pt")


def test_what_is_no_checkpoint_is_named(place: Path) -> None:
    with pytest.raises(RunFolderError, match="has not written this checkpoint yet"):
        checkpoint.load(place / "c.pt")
    torch.save({"a": 1}, place / "c.pt")
    with pytest.raises(RunFolderError, match="no manifest"):
        checkpoint.load(place / "c.pt")
    torch.save({"manifest": {"format": 99}}, place / "c.pt")
    with pytest.raises(RunFolderError, match="of checkpoint format 99"):
        checkpoint.load(place / "c.pt")


def test_loading_a_checkpoint_runs_no_code(place: Path) -> None:
    class Harmful:
        def __reduce__(self) -> Any:
            return os.mkdir, (str(place / "made"),)

    torch.save({"manifest": {"format": 1}, "state": Harmful()}, place / "c.pt")
    with pytest.raises(RunFolderError):
        checkpoint.load(place / "c.pt")
    assert not (place / "made").exists()


def test_a_failed_write_leaves_the_file_before_it(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = place / "c.pt"
    checkpoint.save(file, Checkpoint(1, "", {}))
    with monkeypatch.context() as patched:
        patched.setattr(files.os, "fsync", full_disk)
        with pytest.raises(OSError, match="No space"):
            checkpoint.save(file, Checkpoint(2, "", {}))
    assert checkpoint.load(file).steps == 1
    assert list(place.iterdir()) == [file]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, which Linux has")
def test_pytorchs_words_for_a_full_disk_are_understood(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = Path("/dev/full").open("wb", buffering=0)  # noqa: SIM115 - save closes it
    monkeypatch.setattr(checkpoint, "replacing", lambda path: full)
    with pytest.raises(OSError, match="No space") as caught:
        checkpoint.save(place / "c.pt", Checkpoint(0, "", {"a": torch.zeros(10**5)}))
    assert caught.value.errno == errno.ENOSPC


def test_a_disk_that_fills_up_is_one_sentence(
    command: Command, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = torch.save

    def save_until_full(content: dict[str, Any], stream: Any) -> None:
        save(content, stream)
        if content["manifest"]["steps"] >= 200:
            full_disk()

    with monkeypatch.context() as patched:
        patched.setattr(torch, "save", save_until_full)
        answer = command(*SMALL_SAC)
    assert answer.refuses("The disk is full", "resume=run")
    folder = RunFolder.open(place / "run")
    assert folder.record()["state"] == "failed"
    assert checkpoint.load(folder.checkpoint_file("latest")).steps == 100
    assert command("resume=run").code == 0


@pytest.mark.parametrize("file", ["config.yaml", "model.osim", "run.json"])
def test_a_folder_that_is_half_made_is_made_anew(
    place: Path, monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    replacing = files.replacing

    def ended(path: Path, *arguments: Any) -> Any:
        if path.name == file:
            full_disk()
        return replacing(path, *arguments)

    with monkeypatch.context() as patched:
        patched.setattr(files, "replacing", ended)
        with pytest.raises(OSError, match="No space"):
            create(place / "run")
    with pytest.raises(RunFolderError, match=r"half a run folder.* with run.folder="):
        RunFolder.open(place / "run")
    assert create(place / "run").config() == {"seed": 0}
    assert RunFolder.open(place / "run").record()["state"] == "running"
    with pytest.raises(RunFolderError, match="is not empty"):
        create(place / "run")


def test_a_disk_that_is_full_from_the_beginning_is_one_sentence_that_can_be_followed(
    command: Command, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(files.os, "fsync", full_disk)
        answer = command(*SMALL_SAC)
    assert answer.refuses("The disk is full", "begin the run again with run.folder=run")
    save = torch.save

    def full_at_the_latest(content: dict[str, Any], stream: Any) -> None:
        if "progress" in content["state"]:
            full_disk()
        save(content, stream)

    with monkeypatch.context() as patched:
        patched.setattr(torch, "save", full_at_the_latest)
        answer = command(*SMALL_SAC)
    assert answer.refuses("The disk is full", "go on by resume=run")
    assert not (place / "run/checkpoints/latest.pt").exists()
    assert command("resume=run").code == 0
    assert RunFolder.open(place / "run").record()["state"] == "finished"


def test_those_who_look_keep_nobody_from_writing(place: Path) -> None:
    folder = create(place / "run")
    over = threading.Event()

    def look() -> None:
        while not over.is_set():
            folder.in_use()

    lookers = [threading.Thread(target=look) for _ in range(2)]
    for looker in lookers:
        looker.start()
    try:
        for _ in range(20):
            with folder.claimed():
                assert folder.in_use()
        # Two that look do not take each other for one who writes.
        assert not any(folder.in_use() for _ in range(200))
    finally:
        over.set()
        for looker in lookers:
            looker.join()


def test_a_look_writes_nothing(place: Path) -> None:
    folder = create(place / "run")
    (place / "run/.lock").unlink()
    assert not folder.in_use()
    assert not (place / "run/.lock").exists()


@pytest.mark.parametrize(
    "record",
    [
        "[]",
        "{}",
        '{"state": "done"}',
        '{"state": ["running"]}',
        '{"state": "finished", "reason": 3}',
        '{"state": "finished", "choices": []}',
        '{"state": "finished", "resumed": {}}',
        '{"state": "finished", "steps": "x"}',
        "[" * 100_000,
        "9" * 5000,
        "\udcff",
    ],
)
def test_a_record_that_is_none_is_named(place: Path, record: str) -> None:
    folder = create(place / "run")
    folder.record_file.write_text(record, errors="surrogateescape")
    with pytest.raises(RunFolderError, match=r"run.json (cannot be read as|is not) (a|the) "):
        folder.record()


def test_columns_that_appear_later_are_put_into_the_header(place: Path) -> None:
    with Logger(place / "m.csv", place) as logger:
        logger.write(1, {"a": 0.1})
        logger.write(2, {"b": 1 / 3, "a": 2.0})
        logger.write(3, {"b": float("nan")})
    assert (place / "m.csv").read_text() == (
        "steps,a,b\n1,0.1,\n2,2.0,0.3333333333333333\n3,,nan\n"
    )


def test_a_logger_that_goes_on_cuts_back_and_needs_its_rows(place: Path) -> None:
    with Logger(place / "m.csv", place) as logger:
        logger.write(1, {"a": 0.1})
        state = logger.state_dict()
        logger.write(2, {"b": 0.2})
    with Logger(place / "m.csv", place, state) as logger:
        assert (place / "m.csv").read_text() == "steps,a\n1,0.1\n"
    (place / "m.csv").write_text("steps,a\n")
    with pytest.raises(RunFolderError, match="ends before step 1"):
        Logger(place / "m.csv", place, state)


@pytest.mark.parametrize("kept", [0, 1, 100, 5000, -1])
def test_a_checkpoint_cut_anywhere_is_named(place: Path, kept: int) -> None:
    file = place / "latest.pt"
    weights = {"weights": torch.arange(20_000, dtype=torch.float32)}
    checkpoint.save(file, Checkpoint(steps=1, config_hash="a", state=weights))
    file.write_bytes(file.read_bytes()[:kept])
    with pytest.raises(RunFolderError, match="cut short"):
        checkpoint.load(file)


def test_one_process_at_a_time_writes_a_folder(place: Path) -> None:
    folder = create(place / "run")
    refused = pytest.raises(RunFolderError, match="another process")
    with folder.claimed(), refused, folder.claimed():
        pass
    with folder.claimed():
        assert folder.record()["state"] == "running"


def test_the_best_checkpoint_is_judged_where_there_is_one(place: Path) -> None:
    folder = create(place / "run")
    assert folder.judged_checkpoint() == "latest"
    folder.checkpoint_file("best").write_bytes(b"")
    assert folder.judged_checkpoint() == "best"


@pytest.mark.parametrize(("mirrored", "played"), [(True, False), (False, None)])
def test_a_policy_is_shown_mirror_images_only_if_it_learned_from_them(
    mirrored: bool, played: bool | None, place: Path
) -> None:
    term = {"_target_": "osimexp.tasks.terms.symmetry.LeadingLeg", "where_possible": True}
    config = {"seed": 0, "symmetry": term}
    folder = RunFolder.create(place / "run", config, [], {"mirrored": mirrored})
    symmetry = folder.config()["symmetry"]
    assert (symmetry and symmetry["where_possible"]) == played
    assert folder.values() == config
