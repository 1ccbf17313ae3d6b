"""Writing of files such that a crash, a signal or a full disk never leaves half of one.

Files are read whole, and only if they are files and not too large.
"""

import csv
import errno
import io
import json
import os
import stat
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, Literal

MODEST = 64_000_000
"""Size above which a file of numbers or of text is taken for none, bytes."""

LARGE = 512_000_000
"""Size above which a recording, a mesh or a table of metrics is taken for none, bytes."""


def read_bytes(path: Path, largest: int = MODEST) -> bytes:
    """Return the content of a regular file, or of one that a link leads to.

    Args:
        path: path of the file.
        largest: size above which it is refused, bytes.

    Raises:
        OSError: it is a pipe or a device, whose end might never come, is larger, or cannot be read.
    """
    _require_file(path.stat(), path, largest)
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    with open(path, "rb", opener=lambda p, _: os.open(p, flags)) as stream:
        _require_file(os.fstat(stream.fileno()), path, largest)
        return stream.read()


def read_text(path: Path, largest: int = MODEST) -> str:
    """Return the text of a regular file in UTF-8.

    Args:
        path: path of the file.
        largest: size above which it is refused, bytes.

    Raises:
        OSError: it is no regular file, is larger, or cannot be read.
        UnicodeDecodeError: it is not UTF-8.
    """
    return read_bytes(path, largest).decode("utf-8")


@contextmanager
def replacing(path: Path, private: bool = False) -> Iterator[BinaryIO]:
    """Open a file beside ``path`` that replaces it, whole, when the block ends without an error.

    The old file stays until then, and stays if the block raises.

    Args:
        path: path of the file.
        private: whether nobody else may read the file, and other processes may write it at the same
            time, so that each needs a file of its own beside it.

    Raises:
        OSError: the disk is full or the folder cannot be written.
    """
    beside = path.with_name(f".{path.name}.part")
    handle: Path | int = beside
    mode: Literal["wb", "xb"] = "xb"
    if private:
        handle, name = tempfile.mkstemp(".part", f".{path.name}.", path.parent)
        beside, mode = Path(name), "wb"
    else:
        # What is there may be a link to a file of the user, or a pipe, so it is not opened.
        beside.unlink(missing_ok=True)
    try:
        with open(handle, mode) as stream:  # noqa: PTH123 - a handle is no path
            if private:
                beside.chmod(0o600)  # Bits that the umask takes away are given back.
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        beside.replace(path)
    except BaseException:
        with suppress(OSError):  # The first error says what went wrong.
            beside.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def why_unwritable(folder: Path) -> str | None:
    """Return the reason why no file can be made in a folder, or None if one can.

    A folder that does not exist is made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return None
    except OSError as error:
        return error.strerror or str(error)


def write_text(path: Path, text: str) -> None:
    r"""Write ``text`` to ``path`` in UTF-8, whole or not at all.

    Bytes of a file's name that are no UTF-8 are written as ``\udcff``.
    """
    with replacing(path) as stream:
        stream.write(text.encode(errors="backslashreplace"))


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write ``content`` as readable JSON to ``path``, whole or not at all."""
    write_text(path, json.dumps(content, indent=2, allow_nan=False) + "\n")


def csv_text(rows: Iterable[Sequence[object]]) -> str:
    """Return rows, including the header, as CSV; no text is one that a spreadsheet takes to run."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(map(_cell, row) for row in rows)
    return text.getvalue()


def _cell(value: object) -> object:
    """Return a cell of CSV, with an apostrophe before a text that would be a formula."""
    if not isinstance(value, str) or not value.startswith(("=", "+", "-", "@", "\t", "\r")):
        return value
    try:
        float(value)
    except ValueError:
        return f"'{value}"
    return value


def _require_file(facts: os.stat_result, path: Path, largest: int) -> None:
    if stat.S_ISDIR(facts.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(facts.st_mode):
        raise OSError(errno.EINVAL, "it is a pipe or a device, not a file", str(path))
    if facts.st_size > largest:
        size = f"it is larger than {largest // 1_000_000} MB"
        raise OSError(errno.EINVAL, size, str(path))


def _sync_folder(folder: Path) -> None:
    # A rename is durable after its folder is synced; Windows cannot and need not do that.
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
