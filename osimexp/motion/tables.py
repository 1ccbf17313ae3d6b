"""OpenSim's text files of columns over time: ``.sto`` and ``.mot``."""

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from osimexp.arrays import Floats
from osimexp.errors import MovementError
from osimexp.files import LARGE, read_bytes, write_text
from osimexp.motion.headers import in_degrees, value_of
from osimexp.motion.separators import check_separators, decimal_comma

log = logging.getLogger("osimexp")

_LISTED = 8
"""Most names that a note lists."""

_HOLE_STEPS, _HOLE = 5.0, 0.05
"""Median steps, and seconds, above both of which a step in time leaves out moments."""

_NOT_A_NUMBER = re.compile(r"[-+]?(nan(\(\w*\))?|1\.#(qnan|snan|ind)\d*)", re.IGNORECASE)
_INFINITE = re.compile(r"([-+]?)(inf|infinity|1\.#inf\d*)", re.IGNORECASE)


@dataclass(frozen=True)
class Table:
    """A table of columns over time.

    Attributes:
        name: first line of the file.
        columns: labels of the columns without ``time``.
        time: ``(T,)`` s, rising.
        values: ``(T, columns)``; NaN where the file has no number.
        degrees: whether angles are in degrees and not in radians.
        path: file that the table was read from, for messages.
        lines: number of the line of each row in that file, for messages.
    """

    name: str
    columns: tuple[str, ...]
    time: Floats
    values: Floats
    degrees: bool = False
    path: Path | None = None
    lines: tuple[int, ...] = ()

    @property
    def file(self) -> str:
        """Path of the file, or the table's name, for messages."""
        return self.name if self.path is None else str(self.path)

    def place(self, *labels: str) -> int | None:
        """Return the number of the one column that has one of some labels; None without any.

        Raises:
            MovementError: several columns have these labels.
        """
        places = [number for number, label in enumerate(self.columns) if label in labels]
        if len(places) > 1:
            first, second = (self.columns[number] for number in places[:2])
            called = (
                f"are called {first}"
                if first == second
                else f"give one coordinate ({first}, {second})"
            )
            raise MovementError(
                f"{self.file} has {len(places)} columns that {called}, numbers "
                f"{' and '.join(str(number + 2) for number in places)}; one of them must go."
            )
        return places[0] if places else None

    def column(self, *labels: str) -> Floats | None:
        """Return the values ``(T,)`` of the one column with one of some labels; None without any.

        Raises:
            MovementError: several columns have these labels, or a value is not finite.
        """
        place = self.place(*labels)
        return None if place is None else self.finite(place)

    def finite(self, place: int) -> Floats:
        """Return the values ``(T,)`` of a column by its number.

        Raises:
            MovementError: a value is not finite.
        """
        values = self.values[:, place]
        if not np.isfinite(values).all():
            raise self.not_finite(place, int(np.argmin(np.isfinite(values))))
        return np.asarray(values)

    def check_no_hole(self) -> None:
        """Refuse a table that leaves out moments.

        Raises:
            MovementError: a step in time is far longer than the others.
        """
        for row in holes(self.time)[:1]:
            where = f", line {self.lines[row + 1]}" if self.lines else ""
            raise MovementError(
                f"{self.file}{where}: no moment is between {self.time[row]:g} and "
                f"{self.time[row + 1]:g} s; fill the gap, or leave out what is on one side of it."
            )

    def not_finite(self, place: int, row: int) -> MovementError:
        """Return the error that names a value that is not finite, by its column and row."""
        where = f", line {self.lines[row]}" if self.lines else ""
        return MovementError(
            f"{self.file}{where}: {self.columns[place]} (column {place + 2}) is "
            f"{self.values[row, place]:g} at {self.time[row]:g} s and not finite; fill the gap, or "
            "leave the column out."
        )


def holes(time: Floats) -> list[int]:
    """Return the numbers of the moments after which others are missing.

    Args:
        time: ``(T,)`` s, rising.
    """
    steps = np.diff(time)
    most = max(_HOLE_STEPS * float(np.median(steps)), _HOLE)
    return [int(row) for row in np.flatnonzero(steps > most)]


def write_table(path: Path, table: Table) -> None:
    """Write a table, with enough digits to read exactly the same numbers back."""
    head = [
        table.name,
        "version=1",
        f"nRows={len(table.time)}",
        f"nColumns={len(table.columns) + 1}",
        f"inDegrees={'yes' if table.degrees else 'no'}",
        "endheader",
        "\t".join(("time", *table.columns)),
    ]
    rows = np.column_stack([table.time, table.values])
    lines = ["\t".join(map(repr, row)) for row in rows.tolist()]
    write_text(path, "\n".join([*head, *lines, ""]))


def read_table(path: Path, angles: bool = True) -> Table:
    """Return the table of a ``.sto`` or ``.mot`` file.

    It is read as by OpenSim: labels may hold blanks if tabs part them, and of rows of one time, as
    at the end of the results of OpenSim's RRA and CMC, the last one counts. What is left out is
    logged.

    Args:
        path: path of the file.
        angles: whether the unit of angles matters; without, a header is not asked for it.

    Raises:
        MovementError: the file does not exist, or is not of that kind.
    """
    lines = re.split(r"\r\n|\r|\n", _text(path))
    heads = [i for i, line in enumerate(lines) if line.strip().lower() == "endheader"]
    if not heads:
        check_separators(path, lines, 0)
        raise MovementError(f"{path} has no line 'endheader', so it is not a .sto or .mot file.")
    header = [line.strip() for line in lines[: heads[0]]]
    body = [(i + 1, line) for i, line in enumerate(lines) if i > heads[0] and line.strip()]
    if not body:
        raise MovementError(f"{path} ends with its header: it has no columns.")
    check_separators(path, [line for _, line in body[:2]], body[0][0])
    labels = _labels(body[0][1], body[1][1] if len(body) > 1 else "")
    if labels[0].lower() != "time":
        raise MovementError(f"{path}, line {body[0][0]}: the first column is not called time.")
    rows = [_row(path, number, line, labels) for number, line in body[1:]]
    if len(rows) < 2:
        raise MovementError(f"{path} has fewer than two moments, so it is not a movement.")
    values, numbers = _one_row_a_time(path, np.array(rows), [number for number, _ in body[1:]])
    stated = value_of(header, "nRows") or ""
    if stated.isdigit() and int(stated) not in (len(rows), len(values)):
        log.warning(
            "%s states %s rows and has %d; all that it has are read.", path, stated, len(rows)
        )
    return Table(
        header[0] if header else path.stem,
        tuple(labels[1:]),
        values[:, 0],
        values[:, 1:],
        angles and in_degrees(path, header),
        path,
        tuple(numbers),
    )


def some(names: Sequence[str]) -> str:
    """Return a list of names for a note, cut if it is long."""
    rest = len(names) - _LISTED
    return ", ".join(names[:_LISTED]) + (f" and {rest} more" if rest > 0 else "")


def coordinate_of(label: str) -> str | None:
    """Return the coordinate whose values a column holds by its label; None if it holds another.

    Labels are names of coordinates, or state paths such as ``/jointset/hip_r/hip_flexion_r/value``.
    """
    parts = label.split("/")
    if len(parts) == 1:
        return label
    return parts[-2] if parts[-1] == "value" else None


def coordinate_columns(table: Table) -> dict[str, tuple[str, ...]]:
    """Return the labels of each coordinate's columns by its name, in the order of the columns."""
    found: dict[str, tuple[str, ...]] = {}
    for label in table.columns:
        if (name := coordinate_of(label)) is not None:
            found[name] = tuple(dict.fromkeys((*found.get(name, ()), label)))
    return found


def _text(path: Path) -> str:
    try:
        content = read_bytes(path, LARGE)
    except OSError as error:
        raise MovementError(f"{path} cannot be read: {error.strerror}.") from error
    if b"\x00" in content:
        raise MovementError(f"{path} is not a text file, so not a .sto or .mot file.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        # Every byte is a character of Latin-1; numbers are the same in both.
        log.info("%s has bytes that are not UTF-8; they are read as Latin-1.", path)
        return content.decode("latin-1")


def _labels(line: str, row: str) -> list[str]:
    """Return the labels of columns; blanks part them only if they do so in the rows, too."""
    by_tab = [label.strip() for label in line.rstrip().split("\t")]
    by_blank = line.split()
    if "\t" not in line.strip() or len(by_blank) == len(row.split()) != len(_cells(row)):
        return by_blank
    return by_tab


def _cells(line: str) -> list[str]:
    """Return the cells of a row that tabs part, else blanks."""
    return [cell.strip() for cell in line.split("\t")] if "\t" in line.strip() else line.split()


def _row(path: Path, number: int, line: str, labels: Sequence[str]) -> list[float]:
    cells = _cells(line)
    while len(cells) > len(labels) and not cells[-1]:
        cells.pop()
    if len(cells) != len(labels) and len(line.split()) == len(labels):
        cells = line.split()
    if len(cells) != len(labels):
        raise MovementError(f"{path}, line {number}: {len(cells)} numbers, not {len(labels)}.")
    if "_" not in line:
        try:
            found = [float(cell) for cell in cells]
        except ValueError:
            pass  # Cells that are empty or spell NaN in another way are read one by one.
        else:
            if np.isfinite(found[0]):
                return found
    values = [_number(cell) for cell in cells]
    for label, cell, value in zip(labels, cells, values, strict=True):
        if value is None:
            raise MovementError(
                f"{path}, line {number} has a value that is not a number: {label} is "
                f"{cell!r}{decimal_comma(cell)}."
            )
    if not np.isfinite(values[0] or 0.0):
        raise MovementError(f"{path}, line {number}: its time is not a number.")
    return [float("nan") if value is None else value for value in values]


def _number(cell: str) -> float | None:
    """Return a number; NaN for an empty cell or NaN in any compiler's spelling; None for others."""
    if not cell or _NOT_A_NUMBER.fullmatch(cell):
        return float("nan")
    if (match := _INFINITE.fullmatch(cell)) is not None:
        return float(f"{match[1]}inf")
    try:
        return float(cell) if "_" not in cell else None
    except ValueError:
        return None


def _one_row_a_time(path: Path, rows: Floats, numbers: list[int]) -> tuple[Floats, list[int]]:
    """Return rows without those whose time the next one has as well, and their lines."""
    steps = np.diff(rows[:, 0])
    if (steps < 0.0).any():
        late = int(np.argmax(steps < 0.0)) + 1
        raise MovementError(f"{path}, line {numbers[late]}: its time is not after the one before.")
    kept = np.append(steps > 0.0, True)
    if not kept.all():
        again = np.flatnonzero(~kept)
        log.info(
            "%s has %d row%s of a time that the next row has as well, the first at %g s (line %d); "
            "the last row of a time is taken, as by OpenSim.",
            path, len(again), "s" * (len(again) != 1), rows[again[0], 0], numbers[again[0]],
        )  # fmt: skip
    if kept.sum() < 2:
        raise MovementError(
            f"{path}, line {numbers[-1]}: its time is not after the one before, so there are fewer "
            "than two moments."
        )
    return rows[kept], [number for number, keep in zip(numbers, kept, strict=True) if keep]
