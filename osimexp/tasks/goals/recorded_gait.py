"""A measured gait to follow: one stride from a movement's file."""

import copy
import logging
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np

from osimexp.arrays import Floats
from osimexp.errors import ConfigError, MovementError
from osimexp.models.muscle_sets import matching
from osimexp.models.names import Names
from osimexp.models.prepare import PreparedModel
from osimexp.models.sides import other_side
from osimexp.motion.coordinates import coordinates_of
from osimexp.motion.ground import BELT, facing, velocity_under
from osimexp.motion.tables import Table, coordinate_columns, read_table, some
from osimexp.physics.posing.poses import Posing
from osimexp.tasks.goals.gait import Gait

log = logging.getLogger("osimexp")

_POINTS = 50
_SHORTEST, _LONGEST = 0.5, 2.5
"""Shortest and longest stride to look for, s."""

_TRANSLATION = re.compile(r"(.*_)?t[xyz]")
"""Names of OpenSim's coordinates that are lengths, until the model itself is asked."""


@dataclass(frozen=True, kw_only=True)
class RecordedGait(Gait):
    """A stride of a ``.mot`` or ``.sto`` file of coordinates, made periodic and symmetric.

    The curves of both legs are averaged, the left ones half a stride earlier, because both legs
    follow the same gait. The file is read as by ``osimexp gait``: the model tells angles from
    lengths, and on a treadmill the speed is that over the belt. The speed is that in the direction
    in which the model faces, and so below 0 backwards.

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
        object.__setattr__(self, "period", end - start)
        object.__setattr__(self, "speed", float(self._velocity(start, end)[0]))
        lengths = {name for name in self._names if _TRANSLATION.fullmatch(name)}
        object.__setattr__(self, "curves", self._curves(start, end, lengths))
        super().__post_init__()

    def on_model(self, model: PreparedModel, names: Names) -> "RecordedGait":
        """Return the gait as the model moves in it, with the speed over the ground it stands on.

        Coordinates of the file that the model does not have are left out, and logged.

        Raises:
            ConfigError: the model cannot move so.
        """
        start, end = self.stride or self._found_stride
        try:
            known = coordinates_of(self._table, names)
        except MovementError as error:
            raise ConfigError(f"target.movement: {error}") from error
        followed = [name for name in self._names if name in known]
        if unknown := [name for name in self._names if name not in known]:
            log.info(
                "%s has coordinates that the model does not know, which are not followed: %s.",
                self.movement,
                some(unknown),
            )
        if not followed:
            raise ConfigError(
                f"target.movement: the model has none of the coordinates {some(self._names)} of "
                f"{self.movement}."
            )
        lengths = {
            name
            for name, turns in zip(names.coordinates, names.rotational, strict=True)
            if not turns
        }
        found = copy.copy(self)
        vars(found).pop("_harmonics", None)
        object.__setattr__(found, "speed", self._speed(model, names, known, start, end))
        object.__setattr__(found, "_names", followed)
        object.__setattr__(found, "curves", self._curves(start, end, lengths, followed))
        return found

    def _speed(
        self,
        model: PreparedModel,
        names: Names,
        known: Mapping[str, Floats],
        start: float,
        end: float,
    ) -> float:
        """Return the speed over the ground in the direction in which the model faces, m/s."""
        poses = np.tile(names.default_pose, (len(self._table.time), 1))
        for column, name in enumerate(names.coordinates):
            if name in known:
                poses[:, column] = known[name]
        posing = Posing(model, muscles=False)
        bodies = posing(poses).bodies
        ahead = facing(bodies)
        ground = velocity_under(self._table.time, posing.soles(bodies))
        speed = float((self._velocity(start, end) - ground) @ ahead)
        way = " backwards" if speed < 0.0 else ""
        if ground.any():
            log.info(
                "The feet of %s move with the ground at %.2f m/s, so it is taken for a walk%s on a "
                "treadmill at %.2f m/s.",
                self.movement,
                float(np.linalg.norm(ground)),
                way,
                abs(speed),
            )
        elif speed < -BELT:
            log.info("%s is a walk backwards at %.2f m/s.", self.movement, -speed)
        return speed

    def _velocity(self, start: float, end: float) -> Floats:
        """Return the level velocity ``(2,)`` of the body over a stride, x and z, m/s."""
        ahead = self._columns[self.forward]
        labels = coordinate_columns(self._table)
        sideways = labels.get(f"{self.forward[:-1]}z") if self.forward.endswith("x") else None
        aside = self._table.column(*sideways) if sideways else None
        paths = (ahead, np.zeros_like(ahead) if aside is None else aside)
        ways = [np.diff(np.interp([start, end], self._table.time, path))[0] for path in paths]
        return np.array(ways) / (end - start)

    @property
    def _table(self) -> Table:
        file = Path(self.movement).expanduser()
        try:
            state = file.stat()
        except OSError as error:
            raise MovementError(f"{file} cannot be read: {error.strerror}.") from error
        return _read(file, state.st_mtime_ns, state.st_size)

    @cached_property
    def _columns(self) -> Mapping[str, Floats]:
        """Columns of the coordinates to follow and of the one forward, by name, as in the file."""
        labels = coordinate_columns(self._table)
        if self.forward not in labels:
            raise MovementError(f"{self.movement} has no coordinate {self.forward}.")
        names = [name for name in labels if name != self.forward]
        chosen = matching(self.coordinates_followed, names, "target.coordinates_followed")
        columns = {
            name: self._table.column(*labels[name])
            for name in labels
            if name in chosen or name == self.forward
        }
        return {name: values for name, values in columns.items() if values is not None}

    @cached_property
    def _names(self) -> list[str]:
        return [name for name in self._columns if name != self.forward]

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

    def _curves(
        self, start: float, end: float, lengths: Collection[str], names: Sequence[str] = ()
    ) -> dict[str, tuple[float, ...]]:
        """Return the curves of coordinates; a length is in m times 180 / pi, as angles in degrees.

        Args:
            start: beginning of the stride, s.
            end: end of the stride, s.
            lengths: names of the coordinates that are lengths.
            names: names of the coordinates; all that are to be followed without any.
        """
        moments = np.linspace(start, end, _POINTS + 1)
        whole: dict[str, Floats] = {}
        for name in names or self._names:
            values = np.interp(moments, self._table.time, self._columns[name])
            # The difference between the ends is spread over the stride.
            values -= np.linspace(0.0, 1.0, _POINTS + 1) * (values[-1] - values[0])
            turned = self._table.degrees and name not in lengths
            whole[name] = values[:-1] if turned else np.rad2deg(values[:-1])
        curves: dict[str, tuple[float, ...]] = {}
        for name, values in whole.items():
            other = other_side(name)
            if not (other in whole and other != name):
                curves[name] = tuple(values.tolist())
            elif name.endswith("_r"):
                mean = (values + np.roll(whole[other], -_POINTS // 2)) / 2.0
                curves[name.removesuffix("r") + "$"] = tuple(mean.tolist())
        return curves


@lru_cache(maxsize=4)
def _read(file: Path, changed: int, size: int) -> Table:
    """Return the table of a file, read once until it changes, and so noted once."""
    table = read_table(file)
    table.check_no_hole()
    return table
