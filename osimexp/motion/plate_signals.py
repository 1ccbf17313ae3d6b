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


def check_signals(
    table: Table, vertical: list[int], forces: list[list[int]], weight: float
) -> None:
    """Refuse forces that point down under a foot, and those that are too large to be true.

    Args:
        table: table of the forces.
        vertical: number of the column of each plate's vertical force.
        forces: numbers of the three columns of each plate's force.
        weight: weight of the model, N; 0 if it is not known, and loads are compared with others.

    Raises:
        MovementError: a force cannot be that of a foot on a plate.
    """
    usual = weight or _usual(table.values[:, vertical])
    for column in vertical:
        _check_up(table, column, usual)
    for column in (one for plate in forces for one in plate):
        _check_size(table, column, usual)


def _usual(loads: Floats) -> float:
    """Return an ordinary load of plates, whatever its sign and a few wrong moments, N."""
    sizes = np.abs(loads[np.isfinite(loads)])
    borne = sizes[sizes > _LEAST / 5.0]
    return max(_LEAST, float(np.percentile(borne, 75.0))) if len(borne) else _LEAST


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
        "as most of its forces are, so they are likely to be in another unit than N"
        if many
        else f"as {_moments(int(wrong.sum()))} of it, so it is likely to be a spike of the "
        "measurement; put a value between those beside it in its place"
    )
    raise MovementError(
        f"{_at(table, column, row)}, {force[row] / usual:.0f} times an ordinary load of "
        f"{usual:.0f} N, {cause}."
    )


def _moments(count: int) -> str:
    return "one moment" if count == 1 else f"{count} moments"


def _at(table: Table, column: int, row: int) -> str:
    where = f", line {table.lines[row]}" if table.lines else ""
    return (
        f"{table.file}{where}: {table.columns[column]} (column {column + 2}) is "
        f"{table.values[row, column]:g} N at {table.time[row]:g} s"
    )
