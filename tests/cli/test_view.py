import base64
import os
import re
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from commands import TESTS, Command
from pages import unpack

from osimexp.cli.view import main
from osimexp.errors import OsimexpError
from osimexp.experiment import checkpoint, following
from osimexp.experiment.run_folder import RunFolder
from osimexp.visual.page.html import Packed
from osimexp.visual.page.server import PageServer

ARM = ("movement=arm.mot", "model=arm", "model.paths=geometry")


@pytest.fixture
def arm(place: Path) -> Path:
    """A second of an elbow that flexes from 0 to 90 degrees."""
    file = place / "arm.mot"
    times = np.arange(101) / 100
    rows = [f"{t:.2f}\t0.0\t{90 * t:.4f}" for t in times]
    head = ["Coordinates", "version=1", f"nRows={len(rows)}", "nColumns=3", "inDegrees=yes"]
    names = "time\tshoulder_flexion\telbow_flexion"
    file.write_text("\n".join([*head, "endheader", names, *rows]) + "\n")
    return file


def test_a_movement_becomes_one_file(command: Command, arm: Path) -> None:
    answer = command(*ARM, "against=arm.mot", "--export", "to send/arm's walk.html", main=main)
    assert answer.code == 0, answer.err
    file = arm.parent / "to send" / "arm's walk.html"
    assert f"{file.relative_to(arm.parent)}" in answer.out
    blocks = re.findall(r"data:application/gzip;base64,([\w+/=]+)", file.read_text())
    assert len(blocks) == 4  # figure and movement of each
    figure, _ = unpack(base64.b64decode(blocks[0]))
    header, arrays = unpack(base64.b64decode(blocks[1]))
    assert len(figure["muscles"]) == len(header["pathPoints"]) == 6
    elbow = arrays["curves 0"][:, header["curves"][0]["names"].index("elbow_flexion")]
    np.testing.assert_allclose(elbow, 90 * np.arange(51) / 50, atol=0.01)
    # The forearm turns by the elbow's angle, about z.
    turned = 2 * np.degrees(np.arctan2(arrays["rotations"][..., 2], arrays["rotations"][..., 3]))
    assert np.ptp(turned, axis=0).max() == pytest.approx(90.0, abs=0.05)


MISTAKES = [
    ((), "give a run"),
    (("movement=arm.mot",), "model=file model.path=my.osim"),
    (("run=nowhere",), "nowhere is not a folder"),
    ((*ARM, "against=nothing.mot", "export=a.html"), "nothing.mot"),
    ((*ARM, "--export", "walk.mp4"), "must end in .html"),
    ((*ARM, "live=true"), "cannot be followed"),
    ((*ARM, "port=70000"), "view.port"),
]


@pytest.mark.parametrize(("arguments", "says"), MISTAKES)
def test_mistakes_end_in_one_sentence(
    command: Command, arm: Path, arguments: tuple[str, ...], says: str
) -> None:
    assert command(*arguments, main=main).refuses(says)
    assert list(arm.parent.iterdir()) == [arm]


def test_the_server_says_where_it_is_and_ends_by_an_interruption(arm: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "osimexp.view", *ARM, "port=0", "open=false"],
        cwd=arm.parent,
        env=os.environ | {"PYTHONPATH": str(TESTS.parent), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell's background jobs, as these tests may be, pass on that Ctrl-C is ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        assert process.stdout is not None
        assert re.search(r"http://127\.0\.0\.1:\d+/[\w-]{22}/\s", process.stdout.readline())
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
        assert (process.returncode, errors) == (0, "")
    finally:
        process.kill()
        process.communicate()


class Heard(PageServer):
    """A server that is not started, and keeps what it was told."""

    def __init__(self) -> None:
        super().__init__("heard", 0, live=True)
        self.notes: list[tuple[int, str]] = []

    def show(self, shown: Sequence[Packed], note: str = "") -> None:
        super().show(shown, note)
        self.notes.append((len(shown), note))


def test_each_newer_policy_is_played_and_what_goes_wrong_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = RunFolder.create(tmp_path / "run", {"seed": 0}, [], {})
    file = folder.checkpoint_file("latest")

    def trained(steps: int) -> None:
        checkpoint.save(file, checkpoint.Checkpoint(steps, "", {}))
        os.utime(file, (steps, steps))

    played = 0

    def play() -> list[Packed]:
        nonlocal played
        played += 1
        if played == 1:
            trained(2000)
        elif played == 2:
            trained(3000)
            raise OsimexpError("The model broke.")
        elif played == 3:
            folder.mark("finished")
        return [Packed("walk", b"", str(played).encode())]

    server, looks = Heard(), iter(range(6))

    def pause(seconds: float) -> None:
        if next(looks, None) is None:
            raise KeyboardInterrupt

    trained(1000)
    monkeypatch.setattr(following.time, "sleep", pause)
    with pytest.raises(KeyboardInterrupt):
        following.follow(folder, server, play)
    monkeypatch.undo()
    server.close()
    assert server.notes == [
        (1, "policy after 1,000 steps; the run is running"),
        (1, "The model broke."),  # beneath the policy before
        (1, "policy after 3,000 steps; the run is running"),
        (1, "policy after 3,000 steps; the run is finished"),
    ]


def test_a_first_policy_that_cannot_be_played_ends_the_command(place: Path) -> None:
    folder = RunFolder.create(place / "run", {"seed": 0}, [], {})
    checkpoint.save(folder.checkpoint_file("latest"), checkpoint.Checkpoint(1, "", {}))

    def play() -> list[Packed]:
        raise OsimexpError("The task moves no model.")

    server = Heard()
    with pytest.raises(OsimexpError, match="moves no model"):
        following.follow(folder, server, play)
    server.close()
