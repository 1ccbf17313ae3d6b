"""Forks of this process, each of which runs one function and may end in any way.

A fork has paid for the imports of its parent, so that a case takes a fraction of a second.
"""

import os
import resource
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

PAUSE = 0.005  # time between looks at a fork, s
ALONE = {"OMP_NUM_THREADS": "1", "HYDRA_FULL_ERROR": "0", "OSIMEXP_TRACEBACK": "0"}
"""Environment of every fork: one thread, and errors as users see them."""

MEMORY = 16 * 2**30  # address space of a fork, bytes


@dataclass(frozen=True)
class Ended:
    """A fork that has ended.

    Attributes:
        code: exit code; negative is the number of the signal that ended it.
        hung: whether it was killed because its time was over.
        output: text on stdout.
        errors: text on stderr.
        seconds: wall time, s.
    """

    code: int
    hung: bool
    output: str
    errors: str
    seconds: float


@dataclass(frozen=True)
class Job:
    """A function for a fork.

    Attributes:
        run: function without arguments; its exceptions are printed as Python prints them.
        folder: working folder, where ``stdout.txt`` and ``stderr.txt`` are written.
        limit: wall time after which the fork is killed, s.
        kill_after: wall time after which the fork is killed on purpose, s; None lets it end.
        environment: changes of the environment's variables.
    """

    run: Callable[[], object]
    folder: Path
    limit: float
    kill_after: float | None = None
    environment: dict[str, str] = field(default_factory=dict)


class Fork:
    """A running fork.

    Args:
        job: function and limits.
    """

    def __init__(self, job: Job) -> None:
        self._job = job
        job.folder.mkdir(parents=True, exist_ok=True)
        self._begun = time.monotonic()
        sys.stdout.flush()
        sys.stderr.flush()
        self.number = os.fork()
        if self.number == 0:
            _become(job)

    def ended(self) -> Ended | None:
        """Return how the fork ended, or None while it runs; one whose time is over is killed."""
        spent = time.monotonic() - self._begun
        number, status = os.waitpid(self.number, os.WNOHANG)
        hung = on_purpose = False
        if number == 0:
            killing = self._job.kill_after
            on_purpose = killing is not None and spent >= killing
            hung = not on_purpose and spent >= self._job.limit
            if not (hung or on_purpose):
                return None
            self._kill()
            _, status = os.waitpid(self.number, 0)
        else:
            _end_group(self.number)
        return Ended(
            os.waitstatus_to_exitcode(status),
            hung,
            _text(self._job.folder / "stdout.txt"),
            _text(self._job.folder / "stderr.txt"),
            spent,
        )

    def end(self) -> None:
        """Kill the fork, if it runs, and all that it has started."""
        if self.ended() is None:
            self._kill()
            os.waitpid(self.number, 0)

    def _kill(self) -> None:
        os.kill(self.number, signal.SIGKILL)
        _end_group(self.number)  # It has a group from a moment after its beginning on.


def run(job: Job) -> Ended:
    """Run one job and return how it ended."""
    ((_, ended),) = run_all([job], 1)
    return ended


def run_all(jobs: Iterable[Job], processes: int) -> Iterator[tuple[int, Ended]]:
    """Run jobs side by side, and yield the number of each and how it ended, as they end."""
    waiting = enumerate(jobs)
    running: dict[int, Fork] = {}
    more = True
    while running or more:
        while more and len(running) < processes:
            number, job = next(waiting, (-1, None))
            if job is None:
                more = False
            else:
                running[number] = Fork(job)
        for number, fork in list(running.items()):
            if (ended := fork.ended()) is not None:
                del running[number]
                yield number, ended
        time.sleep(PAUSE)


def _become(job: Job) -> None:
    """Run the job in the fork and end it; nothing of the parent's is touched."""
    code = 1
    try:
        os.setpgid(0, 0)
        os.chdir(job.folder)
        os.environ.update(ALONE | job.environment)
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        for descriptor, name in ((0, os.devnull), (1, "stdout.txt"), (2, "stderr.txt")):
            flags = os.O_RDONLY if descriptor == 0 else os.O_WRONLY | os.O_CREAT | os.O_TRUNC
            os.dup2(os.open(name, flags, 0o600), descriptor)
        sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
        sys.stderr = os.fdopen(2, "w", encoding="utf-8", closefd=False)
        job.run()
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        # The parent's exit handlers are not this fork's.
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(code & 255)


def _end_group(leader: int) -> None:
    """End what a fork that has ended left running."""
    try:
        os.killpg(leader, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""
