"""Offsets of force plates: forces that they give while nothing stands on them, taken off."""

import logging
from dataclasses import replace

import numpy as np

from osimexp.arrays import Floats, Mask
from osimexp.motion.tables import Table

log = logging.getLogger("osimexp")

_LEAST = 5.0
"""Offset that is taken off, and change of an offset that is followed, N."""

_MOST = 0.25
"""Offset in ordinary loads beyond which a foot may stand on the plate."""

_FLAT = 5.0
"""Greatest standard deviation of the force of a plate that bears nothing, N; that is noise."""

_WINDOW = 0.1
"""Time in which the force of a plate that bears nothing stays flat, s; no foot stands so."""

_CHUNK = 0.25
"""Time over which one offset holds while it drifts, s."""

_BESIDE = 15.0
"""Force by which a flat one lies above those before and after it if a foot bears it, N."""

_ZEROS = 0.05
"""Share of moments of exactly no force, from which a plate was set to 0 while it bore nothing."""


def without_offsets(table: Table, plates: list[list[int]], usual: float) -> Table:
    """Return a table of forces without the offsets of its plates, which are logged.

    The offset of a plate is the force that it gives in the spans in which its vertical force is
    small and flat. Plates that were set to 0 there have none, and neither have those that always
    bear a foot.

    Args:
        table: table of the forces.
        plates: numbers of the three columns of each plate's force.
        usual: ordinary load of a plate that bears a foot, N.
    """
    values = table.values.copy()
    for columns in plates:
        load = values[:, columns[1]]
        idle = _idle(table.time, load, usual)
        moments, levels = _levels(table.time, values[:, columns], idle)
        if not len(moments) or (load == 0.0).mean() > _ZEROS:
            continue
        for axis, column in enumerate(columns):
            found = levels[:, axis]
            if np.ptp(found) < _LEAST:
                found = np.full(len(found), np.median(found))
            if np.abs(found).max() < _LEAST:
                continue
            values[:, column] -= np.interp(table.time, moments, found)
            log.warning(
                "%s: %s is %s N while nothing stands on the plate, and this offset is taken off.",
                table.file,
                table.columns[column],
                _said(found),
            )
    return replace(table, values=values)


def _said(levels: Floats) -> str:
    low, high = (float(one) for one in (levels.min(), levels.max()))
    return f"{low:.0f}" if high - low < _LEAST else f"{low:.0f} to {high:.0f}"


def _idle(time: Floats, load: Floats, usual: float) -> Mask:
    """Return the moments in which a plate bears nothing: its force is small and flat."""
    idle = np.zeros(len(load), dtype=bool)
    count = max(3, round(_WINDOW / float(np.median(np.diff(time)))))
    if count > len(load):
        return idle
    known = np.isfinite(load)
    force = np.where(known, load, 0.0)
    mean, square, whole = (_means(one, count) for one in (force, force**2, known.astype(float)))
    flat = np.sqrt(np.maximum(square - mean**2, 0.0)) < _FLAT
    small = np.abs(mean) < _MOST * usual
    starts = np.flatnonzero(flat & small & (whole > 1.0 - 0.5 / count))
    edges = np.zeros(len(load) + 1)
    np.add.at(edges, starts, 1.0)
    np.add.at(edges, starts + count, -1.0)
    idle[:] = np.cumsum(edges[:-1]) > 0.0
    # A plate that nothing loads may bear a foot lightly, unless its force never changes.
    loaded = (np.abs(force) > _MOST * usual).any()
    return idle if loaded or float(np.std(force[known])) < _FLAT else np.zeros_like(idle)


def _means(values: Floats, count: int) -> Floats:
    """Return the means of each ``count`` values that follow each other."""
    sums = np.cumsum(np.append(0.0, values))
    return np.asarray((sums[count:] - sums[:-count]) / count)


def _levels(time: Floats, forces: Floats, idle: Mask) -> tuple[Floats, Floats]:
    """Return times ``(K,)`` and forces ``(K, 3)`` of the parts of the time that are idle."""
    parts = np.floor((time - time[0]) / _CHUNK)
    begins = np.flatnonzero(np.diff(parts, prepend=-1.0) > 0.0)
    moments, levels = [], []
    for rows in np.split(np.arange(len(time)), begins[1:]):
        rows = rows[idle[rows] & np.isfinite(forces[rows]).all(axis=1)]
        if len(rows):
            moments.append(float(time[rows].mean()))
            levels.append(np.median(forces[rows], axis=0))
    found = np.array(levels).reshape(-1, 3)
    if len(found) > 2:
        beside = np.maximum(found[2:, 1], found[:-2, 1])
        kept = np.concatenate([[True], found[1:-1, 1] - beside < _BESIDE, [True]])
        return np.array(moments)[kept], found[kept]
    return np.array(moments), found
