"""A clock for the time that others had to answer."""

import time


class RunningClock:
    """A clock that stands still while this process does, stopped by a signal or with its machine.

    It is read slice by slice; a slice that took far longer is one in which the process was stopped.

    Attributes:
        slice: time between two calls of ``tick``, s.
        seconds: time counted so far, s.
    """

    def __init__(self, slice: float) -> None:
        self.slice = slice
        self.seconds = 0.0
        self._last = time.monotonic()

    def tick(self) -> float:
        """Count the time since the last call, at most twice a slice, and return all time so far."""
        now = time.monotonic()
        self.seconds += min(now - self._last, 2.0 * self.slice)
        self._last = now
        return self.seconds
