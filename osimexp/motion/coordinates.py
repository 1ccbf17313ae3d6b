"""A model's coordinates from the columns of a file, in rad and m."""

import logging
from collections.abc import Collection, Mapping

import numpy as np

from osimexp.arrays import Floats
from osimexp.errors import MovementError
from osimexp.models.names import Names
from osimexp.motion.tables import Table, coordinate_columns, some

log = logging.getLogger("osimexp")

_TURN = 2.0 * np.pi
"""Angle by which a coordinate may be beyond its range, rad; no joint can turn so far."""

_TURNS = 10.0 * _TURN
"""Angle by which the turn of a whole model, which may walk in circles, may be beyond it, rad."""

_WIDEST = 4.0 * _TURN
"""Greatest width of a range that says how far a joint can turn, rad."""

_STILL = 3.0
"""Greatest way in numbers of every angle, below which degrees may be radians in truth."""

_MOVED = 0.35
"""Least way of the angle that moves most, in a movement whose angles are radians, rad."""

_FASTEST = 15.0
"""Speed of a model that is not in m/s but in the like of mm/s, m/s."""

_USUAL_HEIGHT = 1.0
"""Height of the base of a model that stands, without a better one by default, m."""

_HIGHEST = 10.0
"""Height in heights of a model that stands, beyond which lengths are not in m."""


def coordinates_of(table: Table, names: Names) -> dict[str, Floats]:
    """Return the coordinates ``(T,)`` of a model that a table has, by name, in rad or m.

    Columns are named by coordinates or by their state paths, whatever the joint in the path. Units
    that are likely to be others than those stated are logged.

    Raises:
        MovementError: a coordinate has two columns, is not finite, is beyond what its joint can
            turn, as degrees are that are taken for radians, or higher than a model can be, or its
            column differs from its name in capitals only.
    """
    labels = coordinate_columns(table)
    _check_capitals(table, labels, names)
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
    _check_height(table, found, names)
    _doubt_degrees(table, found, names)
    _doubt_metres(table, found, names)
    return found


def _check_capitals(table: Table, labels: Collection[str], names: Names) -> None:
    """Refuse columns that OpenSim, too, would pass over for their capitals alone."""
    lowered = {label.lower(): label for label in labels}
    near = {
        name: lowered[name.lower()]
        for name in names.coordinates
        if name not in labels and name.lower() in lowered
    }
    # A column that is another coordinate of the model is no misspelling.
    near = {name: label for name, label in near.items() if label not in names.coordinates}
    if near:
        raise MovementError(
            f"{table.file} has {some(list(near.values()))} where the model has "
            f"{some(list(near))}: names differ by their capitals, in OpenSim as well; write them "
            "as the model does."
        )


def _check_height(table: Table, found: Mapping[str, Floats], names: Names) -> None:
    """Refuse a whole model that is many times higher than it can stand."""
    for name in names.lifting:
        if name not in found:
            continue
        height = float(np.median(found[name]))
        usual = abs(float(names.default_pose[names.coordinates.index(name)]))
        if abs(height) > _HIGHEST * max(_USUAL_HEIGHT, usual):
            raise MovementError(
                f"{table.file}: {name} is {height:.4g}, which would be {height:.0f} m above the "
                "floor; lengths are read in m, and this is likely to be in mm or cm."
            )


def _doubt_degrees(table: Table, found: Mapping[str, Floats], names: Names) -> None:
    """Log that angles in degrees hardly move and would be ordinary in radians."""
    turning = {
        name: np.rad2deg(found[name])
        for name, turns in zip(names.coordinates, names.rotational, strict=True)
        if turns and name in found
    }
    widest = max((float(np.ptp(values)) for values in turning.values()), default=0.0)
    if not table.degrees or not _MOVED < widest < _STILL:
        return
    for name, values in turning.items():
        low, high = names.ranges[names.coordinates.index(name)]
        if values.min() < low - _MOVED or values.max() > high + _MOVED:
            return
    log.warning(
        "No angle of %s moves by more than %.2g degrees, and all would be ordinary in radians; if "
        "that is what they are, the header would be right with inDegrees=no.",
        table.file,
        widest,
    )


def _doubt_metres(table: Table, found: Mapping[str, Floats], names: Names) -> None:
    """Log the lengths of a whole model that change too fast to be in metres."""
    fast = {}
    for name, turns in zip(names.coordinates, names.rotational, strict=True):
        if name in found and not turns and name in names.rooted and len(table.time) > 1:
            rates = np.abs(np.diff(found[name]) / np.diff(table.time))
            fast[name] = float(np.percentile(rates, 90.0))
    if doubted := [name for name, speed in fast.items() if speed > _FASTEST]:
        log.warning(
            "%s: %s would move at %.0f m/s; lengths are read in m, and these are likely to be in "
            "mm or cm.",
            table.file,
            some(doubted),
            max(fast.values()),
        )


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
