"""The parent's side of a worker: start, commands, answers, and the watch over its life."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import osimexp
from osimexp.errors import ModelError, SimulationError
from osimexp.physics.running_clock import RunningClock


class WorkerGone(Exception):  # noqa: N818
    """A worker died, or hung and was killed; the message says which."""


class Watchdog:
    """A thread that kills a process that does not answer in time, so that a blocking read ends.

    Attributes:
        timeout: time that a process has to answer, s, of a clock that stands still while this
            process does.
        killed: numbers of the processes that were killed.
    """

    def __init__(self, timeout: float) -> None:
        self.timeout = timeout
        self.killed: set[int] = set()
        self._clock = RunningClock(min(0.5, timeout / 4))
        self._watched: tuple[subprocess.Popen[bytes], float] | None = None
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="osimexp-watchdog", daemon=True)
        self._thread.start()

    @property
    def seconds(self) -> float:
        """Time at which a wait begins, to be given to ``watching``."""
        return self._clock.seconds

    @contextlib.contextmanager
    def watching(
        self, process: subprocess.Popen[bytes], since: float, patience: float = 0.0
    ) -> Iterator[None]:
        """Kill a process if the block ends later than the timeout after ``since``.

        Args:
            process: process that has to answer.
            since: ``seconds`` when it was asked.
            patience: least time that it has, s.
        """
        # Others may have been waited for until now, and this one may have answered long ago.
        soonest = self._clock.seconds + 2.0 * self._clock.slice
        self._watched = process, max(since + max(self.timeout, patience), soonest)
        try:
            yield
        finally:
            with self._lock:
                self._watched = None

    def close(self) -> None:
        """End the thread."""
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(self._clock.slice):
            now = self._clock.tick()
            with self._lock:
                if self._watched is not None and now > self._watched[1]:
                    self.killed.add(self._watched[0].pid)
                    self._watched[0].kill()


class WorkerProcess:
    """A worker process and the rows that it simulates.

    Args:
        folder: folder with the job, the model and the shared file.
        rows: numbers of the rows in the batch.

    Raises:
        SimulationError: the system starts no more processes.
    """

    def __init__(self, folder: Path, rows: Sequence[int]) -> None:
        self.folder = folder
        self.rows = list(rows)
        package = str(Path(osimexp.__file__).parents[1])
        paths = [package, *filter(None, [os.environ.get("PYTHONPATH")])]
        self._log = folder / f"worker-{self.rows[0]}.log"
        # -P: files of the working folder, which may be of a stranger, must not shadow modules.
        command = [sys.executable, "-P", "-m", "osimexp.physics.reference.worker", str(folder)]
        try:
            with self._log.open("wb") as log:
                self.process = subprocess.Popen(
                    [*command, *map(str, rows)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    env={
                        **os.environ,
                        "PYTHONPATH": os.pathsep.join(paths),
                        "OMP_NUM_THREADS": "1",
                    },
                    start_new_session=True,
                )
        except OSError as error:
            raise SimulationError(
                f"A simulation worker cannot be started: {error.strerror}; take fewer of them, "
                "such as workers=one."
            ) from error

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
        if code < 0:
            ended = f"it was ended by {signal.Signals(-code).name}"
            if -code == signal.SIGKILL:
                ended += ", as by a system whose memory runs out"
            return ended + said
        return f"it ended with exit code {code}{said}"
