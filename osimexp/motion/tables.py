"""OpenSim's text files of columns over time: ``.sto`` and ``.mot``."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from osimexp.arrays import Floats
from osimexp.errors import MovementError
from osimexp.files import write_text


@dataclass(frozen=True)
class Table:
    """A table of columns over time.

    Attributes:
        name: first line of the file.
        columns: labels of the columns without ``time``.
        time: ``(T,)`` s.
        values: ``(T, columns)``.
        degrees: whether angles are in degrees and not in radians.
    """

    name: str
    columns: tuple[str, ...]
    time: Floats
    values: Floats
    degrees: bool = False


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


def read_table(path: Path) -> Table:
    """Return the table of a ``.sto`` or ``.mot`` file.

    Raises:
        MovementError: the file does not exist, or is not of that kind.
    """
    try:
        lines = path.read_text(encoding="utf-8", errors="strict").splitlines()
    except OSError as error:
        raise MovementError(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise MovementError(f"{path} is not a text file, so not a .sto or .mot file.") from error
    heads = [i for i, line in enumerate(lines) if line.strip().lower() == "endheader"]
    if not heads:
        raise MovementError(f"{path} has no line 'endheader', so it is not a .sto or .mot file.")
    header, body = lines[: heads[0]], list(enumerate(lines))[heads[0] + 1 :]
    body = [(number + 1, line) for number, line in body if line.strip()]
    if not body:
        raise MovementError(f"{path} ends with its header: it has no columns.")
    labels = body[0][1].split()
    if labels[0].lower() != "time":
        raise MovementError(f"{path}, line {body[0][0]}: the first column is not called time.")
    rows = [_row(path, number, line, len(labels)) for number, line in body[1:]]
    if len(rows) < 2:
        raise MovementError(f"{path} has fewer than two moments, so it is not a movement.")
    values = np.array(rows)
    if (np.diff(values[:, 0]) <= 0.0).any():
        late = int(np.argmax(np.diff(values[:, 0]) <= 0.0)) + 2
        raise MovementError(f"{path}, line {body[late][0]}: its time is not after the one before.")
    return Table(
        header[0].strip() if header else path.stem,
        tuple(labels[1:]),
        values[:, 0],
        values[:, 1:],
        "indegrees=yes" in {line.replace(" ", "").strip().lower() for line in header},
    )


def _row(path: Path, number: int, line: str, columns: int) -> list[float]:
    cells = line.split()
    if len(cells) != columns:
        raise MovementError(f"{path}, line {number}: {len(cells)} numbers, not {columns}.")
    try:
        return [float(cell) for cell in cells]
    except ValueError:
        raise MovementError(f"{path}, line {number} has a value that is not a number.") from None


def coordinate_columns(table: Table) -> dict[str, Floats]:
    """Return the columns ``(T,)`` of coordinates by name; labels are names or state paths."""
    columns: dict[str, Floats] = {}
    for label, values in zip(table.columns, table.values.T, strict=True):
        parts = label.split("/")
        if len(parts) == 1 or parts[-1] == "value":
            columns[parts[-2] if len(parts) > 1 else label] = values
    return columns
