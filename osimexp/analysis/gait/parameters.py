"""Gait parameters, with their norms."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from osimexp.analysis.gait.cycles import Curve
from osimexp.analysis.gait.norms import Normal, norms
from osimexp.analysis.gait.settings import SIDES
from osimexp.analysis.gait.spatiotemporal import StrideMeasures, symmetry_index
from osimexp.analysis.gait.strides import Stride
from osimexp.arrays import Floats

BOTH = "both"

TIMES_AND_LENGTHS = (
    ("stride_time", "Stride time", "s"),
    ("step_time", "Step time", "s"),
    ("stride_length", "Stride length", "m"),
    ("step_length", "Step length", "m"),
    ("step_width", "Step width", "m"),
    ("stance_share", "Stance", "% stride"),
    ("double_support", "Double support", "% stride"),
)

SYMMETRIES = (
    ("step_length", "Symmetry of step length"),
    ("step_time", "Symmetry of step time"),
    ("stance_time", "Symmetry of stance time"),
)


@dataclass(frozen=True)
class Parameter:
    """A gait parameter: one number for each stride.

    Attributes:
        key: name in files and in ``norms.yaml``.
        label: name in tables and figures.
        unit: unit in tables and figures.
        values: value of each stride, for ``right`` and ``left`` or for ``both``.
        running: whether the norm is that of running.
    """

    key: str
    label: str
    unit: str
    values: Mapping[str, Floats]
    running: bool = False

    @property
    def normal(self) -> Normal | None:
        """Published norm; None if none is known."""
        known = norms().running if self.running else norms().parameters
        return known.get(self.key)

    def mean(self, column: str) -> float | None:
        """Return the mean over strides; None for a column without strides."""
        values = self.values.get(column, np.zeros(0))
        return float(values.mean()) if len(values) else None

    def deviation(self, column: str) -> float | None:
        """Return the standard deviation between strides; None with fewer than two."""
        values = self.values.get(column, np.zeros(0))
        return float(values.std(ddof=1)) if len(values) > 1 else None


def of_strides(
    strides: Sequence[Stride],
    measured: Sequence[StrideMeasures],
    flat: bool,
    running: bool = False,
) -> Iterator[Parameter]:
    """Yield times, lengths and symmetries of strides.

    Args:
        strides: strides of both sides.
        measured: measures of each stride.
        flat: whether the model is planar, so that its steps have no width.
        running: whether they are strides of a run, which have a flight and no double support.
    """
    sides = np.array([stride.side for stride in strides])

    def columns(key: str) -> dict[str, Floats]:
        values = np.array([getattr(one, key) for one in measured])
        chosen = {side: (sides == side) & np.isfinite(values) for side in SIDES}
        return {side: values[mine] for side, mine in chosen.items() if mine.any()}

    cadence = np.array([120.0 / one.stride_time for one in measured])
    yield Parameter("cadence", "Cadence", "steps/min", {BOTH: cadence})
    for key, label, unit in TIMES_AND_LENGTHS:
        left_out = {"step_width"} if flat else set()
        if key not in left_out | ({"double_support"} if running else set()) and columns(key):
            yield Parameter(key, label, unit, columns(key))
    for key, label in SYMMETRIES:
        found = Parameter(key, label, "%", columns(key))
        right, left = found.mean("right"), found.mean("left")
        if right is not None and left is not None:
            value = symmetry_index(right, left)
            if np.isfinite(value):
                yield Parameter(f"symmetry_{key}", label, "%", {BOTH: np.array([value])})


def of_angles(
    angles: Mapping[str, Mapping[str, Curve]], stance: Mapping[str, Floats]
) -> Iterator[Parameter]:
    """Yield extreme angles of each side.

    Args:
        angles: curves over the gait cycle, for each angle and side.
        stance: for each side, ``(strides,)`` percent of the stride at toe off.
    """

    def strike(values: Floats, _: int) -> float:
        return float(values[0])

    def stance_most(values: Floats, off: int) -> float:
        return float(values[: off + 1].max())

    def swing_most(values: Floats, off: int) -> float:
        return float(values[off:].max())

    def least(values: Floats, _: int) -> float:
        return float(values.min())

    def swing_least(values: Floats, off: int) -> float:
        return float(values[off:].min())

    chosen: tuple[tuple[str, str, str, Callable[[Floats, int], float]], ...] = (
        ("hip", "hip_at_strike", "Hip flexion, strike", strike),
        ("hip", "hip_least", "Hip flexion, least", least),
        ("knee", "knee_at_strike", "Knee flexion, strike", strike),
        ("knee", "knee_most_in_swing", "Knee flexion, swing most", swing_most),
        ("ankle", "ankle_at_strike", "Dorsiflexion, strike", strike),
        ("ankle", "ankle_most_in_stance", "Dorsiflexion, stance most", stance_most),
        ("ankle", "ankle_least_in_swing", "Dorsiflexion, swing least", swing_least),
    )
    for angle, key, label, pick in chosen:
        if angle in angles:
            yield Parameter(key, label, "deg", _picked(angles[angle], stance, pick))


def of_forces(
    forces: Mapping[str, Mapping[str, Curve]], stance: Mapping[str, Floats], running: bool = False
) -> Iterator[Parameter]:
    """Yield peaks of the ground reaction of each side, of which the vertical one of a run has one.

    Args:
        forces: curves over the gait cycle, for each force and side.
        stance: for each side, ``(strides,)`` percent of the stride at toe off.
        running: whether the forces are those of a run.
    """

    def first(values: Floats, off: int) -> float:
        return float(values[: off // 2 + 1].max())

    def second(values: Floats, off: int) -> float:
        return float(values[off // 2 : off + 1].max())

    def between(values: Floats, off: int) -> float:
        start = int(values[: off // 2 + 1].argmax())
        end = off // 2 + int(values[off // 2 : off + 1].argmax())
        return float(values[start : end + 1].min())

    def most(values: Floats, _: int) -> float:
        return float(values.max())

    def least(values: Floats, _: int) -> float:
        return float(values.min())

    walk: tuple[tuple[str, str, str, Callable[[Floats, int], float]], ...] = (
        ("vertical", "first_peak", "Vertical force, peak 1", first),
        ("vertical", "mid_stance_least", "Vertical force, between", between),
        ("vertical", "second_peak", "Vertical force, peak 2", second),
    )
    run = (("vertical", "vertical_peak", "Vertical force, peak", most),)
    chosen = (
        *(run if running else walk),
        ("fore_aft", "braking_peak", "Braking, peak", least),
        ("fore_aft", "propulsion_peak", "Propulsion, peak", most),
    )
    for force, key, label, pick in chosen:
        if force in forces:
            yield Parameter(key, label, "BW", _picked(forces[force], stance, pick))


def _picked(
    curves: Mapping[str, Curve],
    stance: Mapping[str, Floats],
    pick: Callable[[Floats, int], float],
) -> dict[str, Floats]:
    """Return the values that ``pick`` finds in each side's strides and their percent at toe off."""
    return {
        side: np.array(
            [
                pick(values, round(off))
                for values, off in zip(curve.strides, stance[side], strict=True)
            ]
        )
        for side, curve in curves.items()
    }
