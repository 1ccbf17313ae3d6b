"""What a run shows while it goes: a live line on a terminal, a line now and then elsewhere."""

import sys
import time
from types import TracebackType
from typing import Any, Self

from rich import progress as rich_progress
from rich.console import Console

_SECONDS_BETWEEN_LINES = 10.0
_SECONDS_BETWEEN_DRAWINGS = 0.1


class Progress:
    """Shows steps, steps per second, time left and the last return.

    Args:
        total: steps of the whole budget.
        done: steps made before this process.

    """

    def __init__(self, total: int, done: int = 0) -> None:
        self._total = total
        self._done = done
        self._begin = time.monotonic()
        self._shown = self._begin
        self._bar: rich_progress.Progress | None = None
        if sys.stdout.isatty():
            self._bar = rich_progress.Progress(
                rich_progress.TextColumn("{task.completed:,.0f} of {task.total:,.0f} steps"),
                rich_progress.BarColumn(),
                rich_progress.TextColumn("{task.fields[rate]} steps/s"),
                rich_progress.TextColumn("{task.fields[left]} left"),
                rich_progress.TextColumn("return {task.fields[last]}"),
                console=Console(),
            )
            self._task = self._bar.add_task(
                "", total=total, completed=done, rate="-", left="-", last="-"
            )

    def __enter__(self) -> Self:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def update(self, steps: int, last_return: float | None) -> None:
        """Show how far the run is, unless that was done a moment ago."""
        now = time.monotonic()
        pause = _SECONDS_BETWEEN_LINES if self._bar is None else _SECONDS_BETWEEN_DRAWINGS
        if now - self._shown < pause and steps < self._total:
            return
        self._shown = now
        rate = (steps - self._done) / max(now - self._begin, 1e-9)
        shown: dict[str, Any] = {
            "rate": f"{rate:,.0f}",
            "left": _duration((self._total - steps) / rate) if rate else "-",
            "last": "-" if last_return is None else f"{last_return:.4g}",
        }
        if self._bar is not None:
            self._bar.update(self._task, completed=steps, **shown)
        else:
            self.say(
                f"{steps:,} of {self._total:,} steps, {shown['rate']} steps/s, "
                f"{shown['left']} left, return {shown['last']}"
            )

    def say(self, text: str) -> None:
        """Print a line without breaking the live one."""
        if self._bar is not None:
            self._bar.console.print(text, soft_wrap=True, markup=False, highlight=False)
        else:
            print(text, flush=True)


def _duration(seconds: float) -> str:
    minutes, seconds = divmod(round(max(seconds, 0.0)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}"
