"""Display of a run's progress: a live line on a terminal, a line now and then elsewhere."""

import errno
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Any, Self

from rich import progress as rich_progress
from rich.console import Group
from rich.live import Live
from rich.table import Table

from osimexp.experiment.interruption import Interrupted, silence
from osimexp.terminal import Console, is_terminal, say

_SECONDS_BETWEEN_LINES = 10.0
_SECONDS_BETWEEN_DRAWINGS = 0.1


class Progress:
    """A display of steps, steps per second, time left and what the last episodes came to.

    Args:
        total: steps of the whole budget.
        done: steps made before this process.
        table: whether to show a table of the metrics, too; it is live on a terminal.
    """

    def __init__(self, total: int, done: int = 0, table: bool = False) -> None:
        self._total = total
        self._done = done
        self._begin = time.monotonic()
        self._shown = self._begin
        self._bar: rich_progress.Progress | None = None
        self._live: Live | None = None
        self._with_table = table
        self._metrics: dict[str, tuple[float, float | None]] = {}
        if is_terminal():
            self._bar = rich_progress.Progress(
                rich_progress.TextColumn("{task.completed:,.0f} of {task.total:,.0f} steps"),
                rich_progress.BarColumn(),
                rich_progress.TextColumn("{task.fields[rate]} steps/s"),
                rich_progress.TextColumn("{task.fields[left]} left"),
                rich_progress.TextColumn("{task.fields[last]}"),
                console=Console(),
            )
            self._task = self._bar.add_task(
                "", total=total, completed=done, rate="-", left="-", last=in_words({})
            )
            if table:
                self._live = Live(self._bar, console=self._bar.console, refresh_per_second=4)

    def __enter__(self) -> Self:
        if shown := self._live or self._bar:
            shown.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if shown := self._live or self._bar:
            with suppress(OSError):  # The terminal may be closed.
                shown.stop()

    def update(self, steps: int, last: Mapping[str, float]) -> None:
        """Show the steps so far, unless they were shown a moment ago.

        Args:
            steps: environment steps made so far.
            last: means of the last episodes that ended, as ``in_words`` takes them.
        """
        now = time.monotonic()
        pause = _SECONDS_BETWEEN_LINES if self._bar is None else _SECONDS_BETWEEN_DRAWINGS
        if now - self._shown < pause and steps < self._total:
            return
        self._shown = now
        rate = (steps - self._done) / max(now - self._begin, 1e-9)
        shown: dict[str, Any] = {
            "rate": f"{rate:,.0f}",
            "left": _duration((self._total - steps) / rate) if rate else "-",
            "last": in_words(last),
        }
        if self._bar is not None:
            self._bar.update(self._task, completed=steps, **shown)
        else:
            self.say(
                f"{steps:,} of {self._total:,} steps, {shown['rate']} steps/s, "
                f"{shown['left']} left, {shown['last']}"
            )

    def show(self, row: Mapping[str, float]) -> None:
        """Show a row of metrics in the table, each beside its previous value."""
        if not self._with_table:
            return
        for name, value in row.items():
            known = self._metrics.get(name)
            self._metrics[name] = (value, None if known is None else known[0])
        if self._live is not None and self._bar is not None:
            self._live.update(Group(self._table(), self._bar))
        else:
            with _reader_needed():
                Console().print(self._table())

    def _table(self) -> Table:
        table = Table("metric", box=None, pad_edge=False)
        table.add_column("now", justify="right")
        table.add_column("before", justify="right", style="dim")
        for name, (now, before) in self._metrics.items():
            table.add_row(name, f"{now:.4g}", "-" if before is None else f"{before:.4g}")
        return table

    def say(self, text: str) -> None:
        """Print a line without breaking the live line."""
        with _reader_needed():
            if self._bar is not None:
                self._bar.console.print(text, soft_wrap=True)
            else:
                say(text)


def in_words(metrics: Mapping[str, float]) -> str:
    """Return what episodes came to: the return, and how far the model went and for how long.

    Args:
        metrics: means over the episodes: ``return``; ``distance`` (m) and ``time`` (s) of a model
            that can travel; ``final_target_distance`` (m) of a task with a target to reach. Others
            are not told, and what is missing is left out.
    """
    if "return" not in metrics:
        return "no episode ended yet"
    words = f"return {metrics['return']:.4g}"
    if "final_target_distance" in metrics:
        return f"{words}, {metrics['final_target_distance']:.2g} m from the target"
    if "distance" in metrics:
        return f"{words}, {metrics['distance']:.1f} m in {metrics['time']:.1f} s"
    return words


@contextmanager
def _reader_needed() -> Iterator[None]:
    """Let a run end, saved, if nobody can read its output any more, as after ``| head``.

    Raises:
        Interrupted: the other end of the output is closed.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.EPIPE, errno.EIO):
            raise
        silence((sys.stdout.fileno(),))
        raise Interrupted(
            signal.SIGPIPE if error.errno == errno.EPIPE else signal.SIGHUP
        ) from error


def _duration(seconds: float) -> str:
    minutes, seconds = divmod(round(max(seconds, 0.0)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}"
