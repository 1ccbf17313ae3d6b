"""Force plates: forces of the ground and the points where they act, from a file."""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from osimexp.arrays import Floats, Mask
from osimexp.errors import MovementError
from osimexp.models.sides import side_of
from osimexp.motion.plate_offsets import without_offsets
from osimexp.motion.plate_signals import check_signals, usual_load
from osimexp.motion.tables import Table, holes, read_table

LOADED = 20.0
"""Vertical force above which a plate is taken to bear a foot, N."""

_DROPOUT = 0.1
"""Longest gap in the force of a foot that stands, s; a foot that swings is off for longer."""

_BORNE = 0.2
"""Share of a plate's greatest load beside a gap, above which a foot stands in it."""

_CUT = 0.5
"""Share of a plate's greatest load beside a longer gap, from which no foot lifts in one moment."""

_AXES = "xyz"

_FORCE = re.compile(r"force|reaction|grf|plate|fp_?\d", re.IGNORECASE)
"""Words that tell forces from other columns that end in ``vx``, such as velocities."""


@dataclass(frozen=True)
class Plates:
    """Forces of force plates, or of the ground on feet, over ``N`` moments.

    Attributes:
        file: file that they were read from, for messages.
        time: ``(N,)`` s.
        labels: words before ``vx`` in the columns of each plate.
        names: name of the foot in these words, such as ``right``; empty for ``1_ground_force``.
        forces: ``(N, plates, 3)`` N; 0 where a plate without a load has no number.
        points: ``(N, plates, 3)`` where they act, m; between known ones where there is none.
        unknown: first and last time of each gap in which a foot stands or moments are missing, s;
            forces within it count for nothing.
    """

    file: str
    time: Floats
    labels: tuple[str, ...]
    names: tuple[str, ...]
    forces: Floats
    points: Floats
    unknown: tuple[tuple[float, float], ...] = ()

    @property
    def sides(self) -> tuple[str | None, ...]:
        """Side that the name of each plate tells; None without one."""
        return tuple(side_of(name) for name in self.names)

    @property
    def loads(self) -> Floats:
        """Vertical forces ``(N, plates)``, N."""
        return np.asarray(self.forces[:, :, 1])


def read_plates(path: Path, weight: float = 0.0) -> Plates:
    """Return the force plates of a file.

    A plate has three columns that end in ``vx``, ``vy`` and ``vz`` and three that end in ``px``,
    ``py`` and ``pz`` (or ``x``, ``y`` and ``z``) after the same words: ``ground_force_vx``,
    ``1_ground_force_vx``, ``ground_force1_vx``, ``R_ground_force_vx``, ``right_foot_force_vx``,
    ``FP1_vx`` and the like. Forces that are no numbers while a plate bears nothing are 0; those of
    a longer gap that begins or ends under load are unknown, and so are those of missing moments.
    Forces that a plate gives while it bears nothing are taken off as its offset.

    Args:
        path: path of the file.
        weight: weight of the model that is on the plates, N; 0 if it is not known.

    Raises:
        MovementError: the file is malformed, has no force, lacks the point of a force, has two
            columns of one name, has a short gap while a foot stands, or forces that point down
            under a foot or are too large to be one's.
    """
    table = read_table(path, angles=False)
    lowered = [label.lower() for label in table.columns]
    stems = [
        label[:-2] for label, low in zip(table.columns, lowered, strict=True) if low.endswith("vx")
    ]
    stems = list(dict.fromkeys(stems))
    stems = [stem for stem in stems if _FORCE.search(stem)] or stems
    if not stems:
        raise MovementError(
            f"{path} has no column such as ground_force_vx, ground_force1_vx, R_ground_force_vx or "
            "FP1_vx, so it has no force."
        )
    columns = [_columns(table, f"{stem}v") for stem in stems]
    usual = weight or usual_load(table.values[:, [force[1] for force in columns]])
    check_signals(table, columns, usual)
    table = without_offsets(table, columns, usual)
    forces, points, loads = [], [], []
    for stem, force in zip(stems, columns, strict=True):
        loads.append(
            np.where(
                np.isfinite(table.values[:, force]).all(axis=1), table.values[:, force[1]], np.nan
            )
        )
        where = f"{stem}p" if f"{stem}px".lower() in lowered else stem
        forces.append(_forces(table, force))
        points.append(_points(table, _columns(table, where, f"{stem}p"), forces[-1]))
    time, unknown = table.time, _unknown(table.time, np.stack(loads, axis=1))
    # A moment without load parts the contacts on both sides of missing ones.
    after = np.array(holes(time), dtype=int) + 1
    acting = np.stack(points, axis=1)
    return Plates(
        str(path),
        np.insert(time, after, (time[after - 1] + time[after]) / 2.0),
        tuple(stem.strip("_") for stem in stems),
        tuple(map(_foot, stems)),
        np.insert(np.stack(forces, axis=1), after, 0.0, axis=0),
        np.insert(acting, after, acting[after], axis=0),
        unknown,
    )


def _unknown(time: Floats, loads: Floats) -> tuple[tuple[float, float], ...]:
    """Return the times between which forces are unknown: missing moments, and cut-off loads.

    Args:
        time: ``(N,)`` s.
        loads: ``(N, plates)`` vertical forces, N; NaN where the file has no number.
    """
    missing = ~np.isfinite(loads)
    most = np.nanmax(np.where(missing, 0.0, loads), axis=0)
    gaps = [(time[row], time[row + 1]) for row in holes(time)]
    every = [(a, b, _BORNE) for a, b in spans(np.asarray(missing.all(axis=1)))]
    single = [(a, b, _CUT) for plate in range(loads.shape[1]) for a, b in spans(missing[:, plate])]
    for first, last, share in every + single:
        before, after = max(first - 1, 0), min(last + 1, len(time) - 1)
        if time[after] - time[before] < _DROPOUT:
            continue
        mine = missing[first : last + 1].all(axis=0)
        beside = np.nan_to_num(loads[[before, after]])
        if (mine & (beside > np.maximum(LOADED, share * most))).any():
            gaps.append((time[before], time[after]))
    return tuple((float(a), float(b)) for a, b in sorted(set(gaps)))


def _columns(table: Table, stem: str, missing: str = "") -> list[int]:
    """Return the numbers of the three columns that begin with a stem, in any case of letters."""
    found = []
    for axis in _AXES:
        labels = [label for label in table.columns if label.lower() == f"{stem}{axis}".lower()]
        place = table.place(*labels) if labels else None
        if place is None:
            raise MovementError(f"{table.file} has no column {missing or stem}{axis}.")
        found.append(place)
    return found


def _forces(table: Table, columns: list[int]) -> Floats:
    values = table.values[:, columns].copy()
    missing = np.asarray(~np.isfinite(values).all(axis=1))
    if missing.any():
        _check_gaps(table, columns, missing)
        values[missing] = 0.0
    return np.asarray(values)


def _check_gaps(table: Table, columns: list[int], missing: Mask) -> None:
    """Refuse gaps in which a foot stands: infinite or loaded values, or short ones under load."""
    load = table.values[:, columns[1]]
    known = np.isfinite(load)
    most = float(load[known].max(initial=0.0))
    for first, last in spans(missing):
        own = load[first : last + 1]
        borne = (
            np.isinf(table.values[first : last + 1][:, columns]).any()
            or (np.nan_to_num(own) > LOADED).any()
        )
        if first > 0 and last + 1 < len(load):
            beside = min(load[first - 1], load[last + 1])
            short = table.time[last + 1] - table.time[first - 1] < _DROPOUT
            borne = borne or (short and beside > max(LOADED, _BORNE * most))
        if borne:
            bad = ~np.isfinite(table.values[first : last + 1][:, columns])
            row, column = np.argwhere(bad)[0]
            raise table.not_finite(columns[column], first + int(row))


def _points(table: Table, columns: list[int], force: Floats) -> Floats:
    """Return points, in straight lines between those that are known."""
    values = table.values[:, columns].copy()
    known = np.asarray(np.isfinite(values).all(axis=1))
    if (lost := ~known & (force[:, 1] > LOADED)).any():
        row = int(np.argmax(lost))
        column = columns[int(np.argmin(np.isfinite(values[row])))]
        # The edges of a contact may have no point; the middle of one must.
        inside = [s for s in spans(force[:, 1] > LOADED) if s[0] <= row <= s[1]]
        if not known[inside[0][0] : inside[0][1] + 1].any():
            raise table.not_finite(column, row)
    if not known.any():
        return np.zeros_like(values)
    at = np.flatnonzero(known)
    for axis in range(3):
        values[~known, axis] = np.interp(np.flatnonzero(~known), at, values[at, axis])
    return np.asarray(values)


def spans(mask: Mask) -> list[tuple[int, int]]:
    """Return the first and the last number of each run of true values in a mask."""
    edges = np.diff(np.concatenate([[0], mask.astype(int), [0]]))
    begins, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1) - 1
    return [(int(a), int(b)) for a, b in zip(begins, ends, strict=True)]


def _foot(stem: str) -> str:
    """Return what is left of a stem without the words that force plates share; "" for numbers."""
    name = re.sub(r"(ground_?)?(reaction_?)?force|grf", "", stem, flags=re.IGNORECASE)
    name = re.sub(r"_+", "_", name).strip("_")
    return "" if re.fullmatch(r"(f?p(late)?)?_?\d*", name, re.IGNORECASE) else name
