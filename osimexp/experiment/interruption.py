"""Reasons for a run to end early: Ctrl-C and SIGTERM, held back until it is saved, and a judge."""

import signal
import threading
from collections.abc import Callable, Mapping
from types import FrameType, TracebackType
from typing import Self

# Told the steps and the mean figures of each evaluation; the reason it gives ends the run.
Judge = Callable[[int, Mapping[str, float]], str | None]


class Pruned(Exception):  # noqa: N818
    """The run is not worth going on with; its message says why."""


class Interrupted(BaseException):
    """The user or the system asked the run to end.

    Attributes:
        signal: which signal it was.

    """

    def __init__(self, number: int) -> None:
        self.signal = signal.Signals(number)
        super().__init__(self.signal.name)


class Interruption:
    """While entered, the first Ctrl-C or SIGTERM is only noted; ``check`` raises it.

    A second one ends the process at once. Signals reach only a process's main thread, so that
    elsewhere this does nothing.
    """

    def __init__(self) -> None:
        self._noted: int | None = None
        self._before: dict[int, object] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]
        self._before.clear()

    def check(self) -> None:
        """Raise what was noted.

        Raises:
            Interrupted: a signal came since this was entered.

        """
        if self._noted is not None:
            raise Interrupted(self._noted)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self._noted is not None:
            raise KeyboardInterrupt
        self._noted = number
