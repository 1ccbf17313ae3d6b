"""The parent's side of a worker: start, commands, answers, and the watch over its life."""

import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import osimexp
from osimexp.errors import ModelError, SimulationError


class WorkerGone(Exception):  # noqa: N818
    """A worker died, or hung and was killed; the message says which."""


class Watchdog:
    """A thread that kills processes that do not answer in time, so that a blocking read ends."""

    def __init__(self, timeout: float) -> None:
        self.timeout = timeout
        self.killed: set[int] = set()
        self._deadline: float | None = None
        self._watched: Sequence[subprocess.Popen[bytes]] = ()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="osimexp-watchdog", daemon=True)
        self._thread.start()

    @contextlib.contextmanager
    def watching(
        self, processes: Sequence[subprocess.Popen[bytes]], patience: float = 0.0
    ) -> Iterator[None]:
        """Kill ``processes`` if the block outlasts the timeout and ``patience``, both s."""
        allowed = max(self.timeout, patience)
        self._watched, self._deadline = processes, time.monotonic() + allowed
        try:
            yield
        finally:
            self._deadline = None

    def close(self) -> None:
        """End the thread."""
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(min(0.5, self.timeout / 4)):
            deadline = self._deadline
            if deadline is not None and time.monotonic() > deadline:
                for process in self._watched:
                    self.killed.add(process.pid)
                    process.kill()


class WorkerProcess:
    """A worker process and the rows that it simulates.

    Args:
        folder: folder with the job, the model and the shared file.
        rows: numbers of the rows in the batch.
    """

    def __init__(self, folder: Path, rows: Sequence[int]) -> None:
        self.folder = folder
        self.rows = list(rows)
        package = str(Path(osimexp.__file__).parents[1])
        paths = [package, *filter(None, [os.environ.get("PYTHONPATH")])]
        self._log = folder / f"worker-{self.rows[0]}.log"
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "osimexp.physics.reference.worker", folder, *map(str, rows)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1"},
                start_new_session=True,
            )

    def send(self, command: str, data: bytes = b"") -> None:
        """Send a command; if the worker is gone, ``receive`` reports it."""
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(command.encode() + b"\n" + data)
            self.process.stdin.flush()

    def receive(self) -> None:
        """Wait for the answer to a command.

        Raises:
            ModelError: the worker answers that the model cannot do it.
            WorkerGone: the worker died or was killed.
        """
        assert self.process.stdout is not None
        answer = self.process.stdout.readline().decode().strip()
        if answer.startswith("error "):
            raise ModelError(answer.removeprefix("error "))
        if answer not in ("done", "ready"):
            raise WorkerGone(self._epitaph())

    def require_start(self) -> None:
        """Wait until the worker is ready.

        Raises:
            SimulationError: the worker ended before that.
        """
        try:
            self.receive()
        except WorkerGone as gone:
            raise SimulationError(f"A simulation worker did not start: {gone}.") from gone

    def close(self) -> None:
        """End the process, by a command first."""
        self.send("quit")
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            with contextlib.suppress(BrokenPipeError):
                pipe.close()
        try:
            self.process.wait(timeout=2.0)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _epitaph(self) -> str:
        code = self.process.wait()
        lines = self._log.read_text(errors="replace").strip().splitlines()
        said = f", and its last line of output is {lines[-1]!r}" if lines else ""
        return f"it ended with exit code {code}{said}"
