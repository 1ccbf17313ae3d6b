"""Files that are read and written beside those of strangers: links, pipes and devices."""

import json
import os
from pathlib import Path

import pytest

from osimexp.files import write_text
from osimexp.sweeps.jobs import mark_lost, outcome

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
