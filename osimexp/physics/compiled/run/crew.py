"""Threads that share the work on a batch."""

from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread
from typing import Any

Job = tuple[Callable[..., None], tuple[Any, ...]]


class Crew:
    """A group of threads that run one function together with the thread that calls them.

    A pool of ``concurrent.futures`` takes as long to start and end a job as a step of a few hundred
    rows takes.

    Args:
        size: number of threads beside the calling one.
    """

    def __init__(self, size: int) -> None:
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._done: SimpleQueue[None] = SimpleQueue()
        self._threads = [Thread(target=self._work, daemon=True) for _ in range(size)]
        for thread in self._threads:
            thread.start()

    def run(self, function: Callable[..., None], arguments: tuple[Any, ...]) -> None:
        """Call a function, which must not raise, in every thread, and wait for all calls."""
        for _ in self._threads:
            self._jobs.put((function, arguments))
        function(*arguments)
        for _ in self._threads:
            self._done.get()

    def close(self) -> None:
        """End the threads."""
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads:
            thread.join()
        self._threads = []

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            function, arguments = job
            function(*arguments)
            self._done.put(None)
