"""A model's coordinates from the columns of a file, in rad and m."""

import logging

import numpy as np

from osimexp.arrays import Floats
from osimexp.errors import MovementError
from osimexp.models.names import Names
from osimexp.motion.tables import Table, coordinate_columns

log = logging.getLogger("osimexp")

_TURN = 2.0 * np.pi
"""Angle by which a coordinate may be beyond its range, rad; no joint can turn so far."""

_TURNS = 10.0 * _TURN
"""Angle by which the turn of a whole model, which may walk in circles, may be beyond it, rad."""

_WIDEST = 4.0 * _TURN
"""Greatest width of a range that says how far a joint can turn, rad."""


def coordinates_of(table: Table, names: Names) -> dict[str, Floats]:
    """Return the coordinates ``(T,)`` of a model that a table has, by name, in rad or m.

    Columns are named by coordinates or by their state paths, whatever the joint in the path.

    Raises:
        MovementError: a coordinate has two columns, is not finite, or is beyond what its joint can
            turn, as degrees are that are taken for radians.
    """
    labels = coordinate_columns(table)
    found: dict[str, Floats] = {}
    for number, name in enumerate(names.coordinates):
        if name not in labels:
            continue
        values = table.column(*labels[name])
        if values is None:
            continue
        if names.rotational[number]:
            values = np.deg2rad(values) if table.degrees else values
            _check_possible(table, name, values, names, number)
        found[name] = values
    return found


def _check_possible(table: Table, name: str, values: Floats, names: Names, number: int) -> None:
    low, high = names.ranges[number]
    if not high - low <= _WIDEST:
        return
    beyond = np.maximum(low - values, values - high)
    if beyond.max() <= (_TURNS if name in names.rooted else _TURN):
        return
    row = int(beyond.argmax())
    where = f", line {table.lines[row]}" if table.lines else ""
    unit, other = ("degrees", "no") if table.degrees else ("radians", "yes")
    raise MovementError(
        f"{table.file}{where}: {name} would be {np.rad2deg(values[row]):.0f} degrees, which no "
        f"joint can turn; its angles were read in {unit}, and the header would be right with "
        f"inDegrees={other}."
    )
