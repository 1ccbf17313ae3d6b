"""All that commands print: lines, tables and log lines, in which texts of others are only text."""

import logging
import sys
from typing import Any

from rich import console
from rich.text import Text

from osimexp.visible import visible


def say(*lines: str, error: bool = False, end: str = "\n") -> None:
    """Print lines at once.

    Args:
        lines: lines without their ends; a break within one is shown and breaks nothing.
        error: whether to print to stderr.
        end: text after the last line.
    """
    stream = sys.stderr if error else sys.stdout
    encoding = getattr(stream, "encoding", None) or "utf-8"
    print("\n".join(visible(line, encoding) for line in lines), end=end, file=stream, flush=True)


def is_terminal() -> bool:
    """Return whether lines are printed to a terminal, and not to a file, a pipe or nowhere."""
    stream: Any = sys.stdout
    return stream is not None and bool(stream.isatty())


def styled(text: str, style: str) -> Text:
    """Return a cell of a table in a style of ``rich``, such as ``red``."""
    return Text(visible(text), style)


class Console(console.Console):
    """A console for tables whose strings, cells and titles are text and never markup.

    Args:
        options: options of ``rich``'s console.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(markup=False, emoji=False, highlight=False, **options)

    def render_str(self, text: str, **options: Any) -> Text:
        """Return a string as it is shown, with every character of it seen."""
        return super().render_str(visible(text, self.encoding), **options)


class LogFormatter(logging.Formatter):
    """A formatter that writes the message of a record in one line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record, and below it those of an exception's traceback."""
        message = {"msg": visible(record.getMessage()), "args": None}
        text = super().format(logging.makeLogRecord(record.__dict__ | message))
        return "\n".join(map(visible, text.split("\n")))
