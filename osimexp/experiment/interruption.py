"""Reasons to end a run early: signals, delayed until it is saved, and a judge."""

import os
import signal
import threading
from collections.abc import Callable, Iterable, Mapping
from types import FrameType, TracebackType
from typing import Self

# Takes the steps and the mean metrics of an evaluation; a reason that it returns ends the run.
Judge = Callable[[int, Mapping[str, float]], str | None]


class Pruned(Exception):  # noqa: N818
    """The run was ended early, because it is not promising; the message says why."""


class Interrupted(BaseException):
    """The user or the system asked the run to end.

    Attributes:
        signal: signal that was received.
    """

    def __init__(self, number: int) -> None:
        self.signal = signal.Signals(number)
        super().__init__(self.signal.name)


_HANGUP: int | None = getattr(signal, "SIGHUP", None)  # Windows has no such signal.


class Interruption:
    """A context in which the first Ctrl-C, SIGTERM or SIGHUP is only noted; ``check`` raises it.

    A second one ends the process at once, but for SIGHUP, which one who closes a terminal can send
    twice. Signals reach the main thread of a process alone, so in other threads the context does
    nothing.
    """

    def __init__(self) -> None:
        self._noted: int | None = None
        self._before: dict[int, object] = {}
        self._terminals = [number for number in (1, 2) if os.isatty(number)]

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            numbers: list[int] = [signal.SIGINT, signal.SIGTERM]
            # A run that nohup started goes on without its terminal.
            if _HANGUP is not None and signal.getsignal(_HANGUP) != signal.SIG_IGN:
                numbers.append(_HANGUP)
            for number in numbers:
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
        """Raise the noted signal, if there is one.

        Raises:
            Interrupted: a signal came since the context was entered.
        """
        if self._noted is not None:
            raise Interrupted(self._noted)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if number == _HANGUP:
            # What is printed to a terminal that is closed would be an error.
            silence(number for number in self._terminals if not os.isatty(number))
        elif self._noted is not None:
            raise KeyboardInterrupt
        self._noted = self._noted or number


def silence(descriptors: Iterable[int]) -> None:
    """Send what is written to descriptors nowhere, so that writing raises no error."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for descriptor in descriptors:
        os.dup2(nowhere, descriptor)
    os.close(nowhere)
