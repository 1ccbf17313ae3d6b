"""Separators of columns that are not those of OpenSim's text files."""

import re
from collections.abc import Sequence
from pathlib import Path

from osimexp.errors import MovementError

_NAMES = {",": "commas", ";": "semicolons", "|": "bars"}

_DECIMAL = re.compile(r"[-+]?\d*,\d+(e[-+]?\d+)?", re.IGNORECASE)


def check_separators(path: Path, lines: Sequence[str], first: int) -> None:
    """Refuse a file whose columns are parted by commas or semicolons, as in CSV.

    Args:
        path: path of the file, for messages.
        lines: line of labels and the rows after it, or all lines of a file without a header.
        first: number of the line of labels; 0 if it is not known.

    Raises:
        MovementError: neither tabs nor blanks part the labels or the numbers.
    """
    for number, line in enumerate(lines):
        for mark, name in _NAMES.items():
            if not _parts(line, mark):
                continue
            where = f", line {first + number}" if first else ""
            raise MovementError(
                f"{path}{where}: {name} part its columns, and tabs or blanks would be right, after "
                "a line 'endheader'; save it with tabs, or as .sto or .mot in OpenSim."
            )


def decimal_comma(cell: str) -> str:
    """Return the end of a sentence on a number with a comma for its decimal point; else nothing."""
    return ", with a comma where a point would be right" if _DECIMAL.fullmatch(cell) else ""


def _parts(line: str, mark: str) -> bool:
    """Return whether a mark parts a line of labels that begins with time, or of numbers."""
    cells = [cell.strip().strip("'\"") for cell in line.strip().split(mark)]
    if len(cells) < 2 or "\t" in line.strip():
        return False
    if cells[0].lower() in ("time", "endheader"):
        return True
    numbers = [_is_number(cell) for cell in cells if cell]
    # "0,5 0,7" are two numbers with decimal commas, and "0,5" may be one.
    return bool(numbers) and all(numbers) and (mark != "," or len(cells) > 2)


def _is_number(cell: str) -> bool:
    try:
        float(cell.replace(",", "."))
    except ValueError:
        return False
    return True
