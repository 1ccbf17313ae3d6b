"""Files that are read and written beside those of strangers: links, pipes and devices."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from osimexp.errors import OsimexpError, RunFolderError
from osimexp.experiment.checkpoint import load
from osimexp.experiment.inputs import read_inputs
from osimexp.experiment.run_folder import RunFolder
from osimexp.experiment.summary import curve, metrics_of, summarise
from osimexp.files import write_text
from osimexp.models.file_text import read_text
from osimexp.motion.tables import read_table
from osimexp.plain_yaml import read_plain
from osimexp.sweeps.jobs import mark_lost, outcome
from osimexp.visual.meshes import read_mesh

pytestmark = pytest.mark.skipif(os.name != "posix", reason="Windows has no such files")


def test_a_planted_link_is_not_written_through(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.write_text("kept")
    (tmp_path / ".new.json.part").symlink_to(mine)
    write_text(tmp_path / "new.json", "new")
    assert mine.read_text() == "kept"
    assert (tmp_path / "new.json").read_text() == "new"
    assert not (tmp_path / "new.json").is_symlink()
    assert not (tmp_path / ".new.json.part").exists()


def test_a_planted_pipe_does_not_wait_for_a_reader(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / ".new.json.part")
    # A reader lets an open that would hang fail instead: what is written is then in the pipe.
    reader = os.open(tmp_path / ".new.json.part", os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_text(tmp_path / "new.json", "new")
        assert (tmp_path / "new.json").is_file()
        assert (tmp_path / "new.json").read_text() == "new"
    finally:
        os.close(reader)


def test_nothing_is_written_to_a_job_with_links_out_of_it(tmp_path: Path) -> None:
    job = tmp_path / "sweep/0"
    job.mkdir(parents=True)
    (job / "evaluations").symlink_to(tmp_path)
    mark_lost(job, "it ended")
    assert [file.name for file in job.iterdir()] == ["evaluations"]
    _, failed = outcome(tmp_path / "sweep")
    assert f"{job}/evaluations would be read and written elsewhere" in failed[job]
    (job / "evaluations").unlink()
    mark_lost(job, "it ended")
    assert [json.loads(file.read_text()) for file in job.iterdir()] == [{"reason": "it ended"}]


def read_kept(path: Path) -> object:
    return read_inputs({"model": {"path": str(path)}})


@pytest.mark.parametrize("read", [read_table, read_mesh, read_text, read_plain, load, read_kept])
def test_a_file_without_an_end_or_of_gigabytes_is_not_read(
    tmp_path: Path, read: Callable[[Path], object]
) -> None:
    endless = tmp_path / "zero.stl"
    endless.symlink_to("/dev/zero")
    if read is read_kept:
        assert read(endless) == {}  # What reads the model itself refuses it.
    else:
        _refused(read, endless)
    vast = tmp_path / "vast.stl"
    with vast.open("wb") as stream:
        stream.truncate(10**13)
    _refused(read, vast)


def test_a_folder_with_a_pipe_is_refused(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "run", {"seed": 1}, [], {})
    folder.check_links()
    for name in (".lock", "a.mp4", "evaluations/.X.json.part", "inputs/model.osim"):
        file = folder.path / name
        file.unlink(missing_ok=True)
        file.parent.mkdir(exist_ok=True)
        os.mkfifo(file)
        with pytest.raises(RunFolderError, match=f"{name} is neither a file nor a folder"):
            RunFolder.open(folder.path)
        file.unlink()


@pytest.mark.parametrize("name", ["run.json", "metrics.csv", "evaluations/640.json"])
def test_vast_files_of_a_run_are_refused_by_their_size(tmp_path: Path, name: str) -> None:
    folder = RunFolder.create(tmp_path / "run", {"seed": 1}, [], {})
    with (folder.path / name).open("wb") as stream:
        stream.truncate(10**13)
    with pytest.raises(RunFolderError, match=f"{name} cannot be read"):
        _all_read(folder)


def _all_read(folder: RunFolder) -> None:
    summarise(folder)
    metrics_of(folder, "640")


def _refused(read: Callable[[Path], object], path: Path) -> None:
    with pytest.raises(OsimexpError, match=path.name):
        read(path)


@pytest.mark.parametrize("wrong", [{"versions": [1]}, {"git": "x"}, {"steps": 10**4000}])
def test_facts_of_other_kinds_are_no_record(tmp_path: Path, wrong: dict[str, object]) -> None:
    folder = RunFolder.create(tmp_path / "run", {"seed": 1}, [], {})
    record = folder.record()
    folder.record_file.write_text(json.dumps({**record, **wrong}))
    with pytest.raises(RunFolderError, match=r"run.json (is not the record|has steps)"):
        folder.record()


def test_steps_of_thousands_of_digits_are_no_steps(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "run", {"seed": 1}, [], {})
    folder.metrics_file.write_text("steps\n" + "9" * 4000 + "\n")
    with pytest.raises(RunFolderError, match=r"metrics.csv cannot be read as metrics"):
        summarise(folder)
    folder.evaluation_file("9" * 200).write_text("{}")
    assert curve(folder, "return") == {}
