"""A worker process that simulates rows of a batch, started with its folder and rows.

OpenSim holds the interpreter's lock while it integrates, so only processes scale. A worker reads
commands as lines from its standard input and answers each with one line; numbers go through a
mapped file. It is started as a module and not by ``multiprocessing``, which would run the user's
main script again in every worker and needs a guard there.
"""

import dataclasses
import json
import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from osimexp.config import check
from osimexp.errors import OsimexpError
from osimexp.models.actuators import ExternalForce
from osimexp.models.prepare import PreparedModel
from osimexp.models.settings import ModelSettings
from osimexp.physics.arrays import block, open_shared
from osimexp.physics.reference.engine import Engine
from osimexp.physics.reference.rows import Rows
from osimexp.physics.settings import OpenSimSettings


@dataclasses.dataclass(frozen=True)
class Job:
    """The job of every worker of a batch, which it reads when it starts.

    Attributes:
        model: settings that ``model.osim`` beside the job was prepared from.
        forces: external forces of the model.
        physics: settings of the integrator.
        control_period: simulated time of one step, s.
        fields: names of the costly arrays to read.
        size: number of rows in the batch.
    """

    model: ModelSettings
    forces: tuple[ExternalForce, ...]
    physics: OpenSimSettings
    control_period: float
    fields: tuple[str, ...]
    size: int

    def write(self, folder: Path, xml: str) -> None:
        """Write the job and its model into a folder."""
        (folder / "model.osim").write_text(xml, encoding="utf-8")
        (folder / "job.json").write_text(json.dumps(dataclasses.asdict(self)))


def serve(folder: Path, numbers: list[int], commands: BinaryIO, answers: BinaryIO) -> None:
    """Simulate the rows ``numbers`` as commanded, until the other side ends or sends ``quit``.

    Commands: ``step``; ``reset ROW...``; ``replay ROW STEPS`` followed by that many rows of
    controls as bytes; ``quit``. Answers: ``ready``, ``done`` or ``error SENTENCE``.
    """
    rows, controls = _open(folder, numbers)
    _answer(answers, "ready")
    while line := commands.readline().decode():
        command, *arguments = line.split()
        try:
            if command == "step":
                rows.step()
            elif command == "reset":
                rows.reset([int(a) for a in arguments])
            elif command == "replay":
                row, steps = (int(a) for a in arguments)
                data = commands.read(steps * controls * 8)
                rows.replay(row, np.frombuffer(data).reshape(steps, controls))
            elif command == "quit":
                return
            else:
                raise OsimexpError(f"A simulation worker was given the command {command!r}.")
            _answer(answers, "done")
        except OsimexpError as error:
            _answer(answers, f"error {error}")
    # The other side ended without a command, so nobody else removes the folder.
    shutil.rmtree(folder, ignore_errors=True)


def _open(folder: Path, numbers: list[int]) -> tuple[Rows, int]:
    values: dict[str, Any] = json.loads((folder / "job.json").read_text())
    job = check(Job, values, "job")
    xml = (folder / "model.osim").read_text(encoding="utf-8")
    model = PreparedModel(xml, job.model, job.forces)
    fields = frozenset(job.fields)
    engines = [Engine(model, job.physics, job.control_period, fields) for _ in numbers]
    names = engines[0].names
    shared = block(open_shared(folder / "state"), names, job.size, fields)
    return Rows(engines, numbers, shared), len(names.controls)


def _answer(answers: BinaryIO, line: str) -> None:
    answers.write(" ".join(line.split()).encode() + b"\n")
    answers.flush()


def main() -> None:
    """Serve on standard input and output, from which OpenSim's own prints are kept away."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent process.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    folder, *numbers = sys.argv[1:]
    try:
        serve(Path(folder), [int(n) for n in numbers], sys.stdin.buffer, answers)
    except OsimexpError as error:
        _answer(answers, f"error {error}")
    except BrokenPipeError:
        shutil.rmtree(folder, ignore_errors=True)  # As if the other side ended between commands.


if __name__ == "__main__":
    main()
