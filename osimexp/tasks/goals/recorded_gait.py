"""A measured gait to follow: one stride from a movement's file."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from osimexp.arrays import Floats
from osimexp.errors import MovementError
from osimexp.models.muscle_sets import matching
from osimexp.models.sides import other_side
from osimexp.motion.tables import Table, coordinate_columns, read_table
from osimexp.tasks.goals.gait import Gait

_POINTS = 50
_SHORTEST, _LONGEST = 0.5, 2.5
"""Shortest and longest stride to look for, s."""


@dataclass(frozen=True, kw_only=True)
class RecordedGait(Gait):
    """A stride of a ``.mot`` or ``.sto`` file of coordinates, made periodic and symmetric.

    The curves of both legs are averaged, the left ones half a stride earlier, because both legs
    follow the same gait.

    Attributes:
        movement: path of the file; its coordinates have the model's names.
        stride: times at which a stride begins and ends in the file, s; null takes the beginning of
            the file and the time at which the coordinates are again nearest to those at the
            beginning.
        coordinates_followed: patterns of the coordinates to follow.
        forward: name of the coordinate whose distance over the stride gives the speed.
    """

    movement: str
    stride: tuple[float, float] | None
    coordinates_followed: tuple[str, ...]
    forward: str
    period: float = field(init=False)
    speed: float = field(init=False)
    curves: dict[str, tuple[float, ...]] = field(init=False)

    def __post_init__(self) -> None:
        try:
            start, end = self.stride or self._found_stride
            self._check_within(start, end)
        except MovementError as error:
            raise ValueError(str(error)) from error
        way = np.interp([start, end], self._table.time, self._columns[self.forward])
        object.__setattr__(self, "period", end - start)
        object.__setattr__(self, "speed", float(way[1] - way[0]) / (end - start))
        object.__setattr__(self, "curves", self._curves(start, end))
        super().__post_init__()

    @cached_property
    def _table(self) -> Table:
        return read_table(Path(self.movement).expanduser())

    @cached_property
    def _columns(self) -> Mapping[str, Floats]:
        """Columns of the file by the name of their coordinate."""
        columns = coordinate_columns(self._table)
        if self.forward not in columns:
            raise MovementError(f"{self.movement} has no coordinate {self.forward}.")
        return columns

    @cached_property
    def _names(self) -> list[str]:
        names = [name for name in self._columns if name != self.forward]
        chosen = matching(self.coordinates_followed, names, "target.coordinates_followed")
        return [name for name in names if name in chosen]

    @cached_property
    def _found_stride(self) -> tuple[float, float]:
        """Beginning of the file, and the time at which the curves are nearest to those there."""
        time = self._table.time
        moments = np.arange(time[0], time[-1], 0.005)
        curves = np.array([np.interp(moments, time, self._columns[name]) for name in self._names])
        curves -= curves.mean(axis=1, keepdims=True)
        compared = round(0.3 / 0.005)  # Curves are compared, as each value comes twice in a stride.
        lags = np.arange(round(_SHORTEST / 0.005), round(_LONGEST / 0.005))
        lags = lags[lags + compared <= len(moments)]
        if not len(lags):
            raise MovementError(
                f"{self.movement} is too short to find a stride in it; give target.stride=[start, "
                "end], in s."
            )
        first = curves[:, :compared]
        away = [np.square(curves[:, k : k + compared] - first).mean() for k in lags]
        return float(time[0]), float(time[0] + 0.005 * lags[int(np.argmin(away))])

    def _check_within(self, start: float, end: float) -> None:
        time = self._table.time
        if not time[0] <= start < end <= time[-1]:
            raise MovementError(
                f"target.stride must be within {self.movement}, from {time[0]:g} to {time[-1]:g} s"
            )

    def _curves(self, start: float, end: float) -> dict[str, tuple[float, ...]]:
        moments = np.linspace(start, end, _POINTS + 1)
        whole: dict[str, Floats] = {}
        for name in self._names:
            values = np.interp(moments, self._table.time, self._columns[name])
            # The difference between the ends is spread over the stride.
            values -= np.linspace(0.0, 1.0, _POINTS + 1) * (values[-1] - values[0])
            whole[name] = values[:-1] if self._table.degrees else np.rad2deg(values[:-1])
        curves: dict[str, tuple[float, ...]] = {}
        for name, values in whole.items():
            other = other_side(name)
            if not (other in whole and other != name):
                curves[name] = tuple(values.tolist())
            elif name.endswith("_r"):
                mean = (values + np.roll(whole[other], -_POINTS // 2)) / 2.0
                curves[name.removesuffix("r") + "$"] = tuple(mean.tolist())
        return curves
