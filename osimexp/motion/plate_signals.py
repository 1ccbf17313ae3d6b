"""Signals that no force plate under a foot can give: upside down, or far beyond any weight."""

import numpy as np

from osimexp.arrays import Floats
from osimexp.errors import MovementError
from osimexp.motion.tables import Table

_DOWN = 0.3
"""Greatest force downwards in ordinary loads; a hand may pull at a rail, but no foot at a plate."""

_LEAST = 100.0
"""Ordinary load of plates of which none bears a foot, N."""

_MOST = 30.0
"""Force in ordinary loads that no foot bears; triple jumpers land with about half of it."""

_JUMP = 5.0
"""Force in ordinary loads by which a single moment may be above both moments beside it."""

_OTHER = 2.0
"""Times that forces along x or z are larger than those along y in files with another axis up."""


def check_signals(table: Table, plates: list[list[int]], usual: float) -> None:
    """Refuse forces along another axis than y, that point down, or that are too large to be true.

    Args:
        table: table of the forces.
        plates: numbers of the three columns of each plate's force.
        usual: ordinary load of a plate that bears a foot, N.

    Raises:
        MovementError: a force cannot be that of a foot on a plate.
    """
    for column in (one for columns in plates for one in columns):
        _check_size(table, column, usual)
    _check_axis(table, plates)
    for columns in plates:
        _check_up(table, columns[1], usual)


def usual_load(loads: Floats) -> float:
    """Return an ordinary load of plates, whatever its sign and a few wrong moments, N.

    Args:
        loads: ``(N, plates)`` vertical forces, N; NaN where they are unknown.
    """
    sizes = np.abs(loads[np.isfinite(loads)])
    borne = sizes[sizes > _LEAST / 5.0]
    return max(_LEAST, float(np.percentile(borne, 75.0))) if len(borne) else _LEAST


def _check_axis(table: Table, plates: list[list[int]]) -> None:
    forces = np.nan_to_num(table.values[:, plates], posinf=0.0, neginf=0.0)
    sizes = np.sqrt((forces**2).mean(axis=(0, 1)))
    most = int(sizes.argmax())
    if sizes[most] > max(_LEAST, _OTHER * sizes[1]):
        largest = int((forces[:, :, most] ** 2).mean(axis=0).argmax())
        raise MovementError(
            f"{table.file}: {table.columns[plates[largest][most]]} (column "
            f"{plates[largest][most] + 2}) holds the largest forces, and not vy, which OpenSim has "
            "upwards; turn the axes of forces and points until y is up and x forward."
        )


def _check_up(table: Table, column: int, usual: float) -> None:
    load = np.nan_to_num(table.values[:, column])
    down, up = load < -_DOWN * usual, load > _DOWN * usual
    # Wrong moments are spikes and no plate that stands on its head.
    stands = (down[:-2] & down[1:-1] & down[2:]).any()
    if not stands or down.sum() <= up.sum():
        return
    row = int(load.argmin())
    raise MovementError(
        f"{_at(table, column, row)}, below 0 while a foot stands: it is the force on the plate and "
        "not on the foot, or its axis points down; the force of the ground on a foot is above 0 in "
        "vy, so change the sign of the plate's forces or turn its axes."
    )


def _check_size(table: Table, column: int, usual: float) -> None:
    force = np.abs(np.nan_to_num(table.values[:, column]))
    beside = np.maximum(np.append(force[1:], 0.0), np.append(0.0, force[:-1]))
    wrong = (force > _MOST * usual) | (force - beside > _JUMP * usual)
    if not wrong.any():
        return
    row = int(np.where(wrong, force, -1.0).argmax())
    many = wrong.sum() > 0.05 * max((force > 0.1 * usual).sum(), 1) and wrong.sum() > 5
    cause = (
        "so are many of its values, which are likely to be in another unit than N"
        if many
        else "it is likely to be a spike of the measurement, and a value between those beside it "
        "would be right"
    )
    raise MovementError(
        f"{_at(table, column, row)}, {force[row] / usual:.0f} times an ordinary load of "
        f"{usual:.0f} N: {cause}."
    )


def _at(table: Table, column: int, row: int) -> str:
    where = f", line {table.lines[row]}" if table.lines else ""
    return (
        f"{table.file}{where}: {table.columns[column]} (column {column + 2}) is "
        f"{table.values[row, column]:g} N at {table.time[row]:g} s"
    )
