"""The use of actuators other than muscles: driven by actions, held, or tracking a reference."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import numpy as np

from osimexp.arrays import Floats, Indices
from osimexp.errors import ConfigError, MovementError
from osimexp.models.muscle_sets import matching
from osimexp.models.names import Actuator
from osimexp.motion.coordinates import coordinates_of
from osimexp.motion.tables import read_table
from osimexp.tasks.scene import Scene

log = logging.getLogger("osimexp")

Value = TypeVar("Value")

_SAME = 1e-6
"""Difference of controls, relative above 1, that files with few digits may have."""


@dataclass(frozen=True)
class Tracking:
    """A spring and a damper that pull a coordinate to its value in a pose or a recording.

    They are worked out once in a control period, so a stiffness or a damping that is large for the
    inertia and the period makes the coordinate vibrate.

    Attributes:
        stiffness: N m/rad or N/m.
        damping: N m s/rad or N s/m.
        pose: name of the model's pose with the reference; ``default`` is the model's default pose.
        movement: file of coordinates over time (``.mot`` or ``.sto``) with the reference, in place
            of a pose; its last values are held.
    """

    stiffness: float
    damping: float
    pose: str = "default"
    movement: str | None = None

    def __post_init__(self) -> None:
        if not (self.stiffness >= 0.0 and self.damping >= 0.0):
            raise ValueError("stiffness and damping must not be below 0")

    def reference(self, scene: Scene, coordinate: str) -> "Reference":
        """Return the reference of a coordinate.

        Raises:
            ConfigError: the model has no such pose, or the file lacks the coordinate.
        """
        if self.movement is None:
            pose = scene.poses((self.pose,))[0, scene.coordinate(coordinate)]
            return Reference(np.zeros(1), np.array([pose]))
        try:
            table = read_table(Path(self.movement).expanduser())
            table.check_no_hole()
            columns = coordinates_of(table, scene.names)
        except MovementError as error:
            raise ConfigError(f"actuators.tracked: {error}") from error
        if coordinate not in columns:
            raise ConfigError(f"actuators.tracked: {self.movement} has no coordinate {coordinate}.")
        return Reference(table.time - table.time[0], columns[coordinate])


@dataclass(frozen=True)
class Reference:
    """The reference of a coordinate over an episode.

    Attributes:
        time: ``(T,)`` s, rising.
        values: ``(T,)`` rad or m.
    """

    time: Floats
    values: Floats

    @cached_property
    def _speeds(self) -> Floats:
        if len(self.time) < 2:
            return np.zeros_like(self.values)
        speeds = np.gradient(self.values, self.time)
        speeds[-1] = 0.0  # The last value is held.
        return speeds

    def at(self, time: Floats) -> tuple[Floats, Floats]:
        """Return values (rad or m) and speeds (rad/s or m/s) ``(B,)`` at times ``(B,)`` s."""
        return np.interp(time, self.time, self.values), np.interp(time, self.time, self._speeds)


@dataclass(frozen=True)
class ActuatorSet:
    """The use of actuators, as in ``conf/actuators``, by patterns of their names.

    Attributes:
        driven: control at an action of 1 by pattern; at -1 it is the negative; null takes the
            model's bounds, or 1 without bounds.
        held: constant control by pattern; actuators without any pattern are held at 0.
        tracked: spring and damper by pattern, for actuators of a coordinate.
    """

    driven: dict[str, float | None] = field(default_factory=dict)
    held: dict[str, float] = field(default_factory=dict)
    tracked: dict[str, Tracking] = field(default_factory=dict)


class ActuatorMap:
    """The map from actions to controls of the actuators other than muscles.

    Attributes:
        driven: numbers of the actuators that actions drive, in the order of the actions.
        bounds: ``(driven, 2)`` controls at actions of -1 and 1.

    Raises:
        ConfigError: a pattern matches no actuator, patterns of two parts match the same one, or an
            actuator that is to track acts on no coordinate.
    """

    def __init__(self, settings: ActuatorSet, scene: Scene) -> None:
        actuators = scene.names.actuators
        names = [one.name for one in actuators]
        chosen: dict[int, str] = {}
        for part in ("driven", "held", "tracked"):
            for pattern in getattr(settings, part):
                for name in sorted(matching([pattern], names, f"actuators.{part}")):
                    if chosen.setdefault(names.index(name), part) != part:
                        raise ConfigError(
                            f"actuators.{part}: {pattern} names {name}, which "
                            f"actuators.{chosen[names.index(name)]} names as well."
                        )
        self.driven: Indices = np.array(
            [number for number, part in sorted(chosen.items()) if part == "driven"], dtype=np.intp
        )
        bounds = [
            _bounds(actuators[number], _last(settings.driven, names[number]))
            for number in self.driven
        ]
        self.bounds = np.array(bounds, dtype=float).reshape(-1, 2)
        self._names = [names[number] for number in self.driven]
        self._rest = np.zeros(len(names))
        for number, part in chosen.items():
            if part == "held":
                self._rest[number] = _last(settings.held, names[number])
        if idle := [name for number, name in enumerate(names) if number not in chosen]:
            log.warning(
                "These actuators are held at 0, because nothing in actuators names them: %s.",
                ", ".join(idle),
            )
        self._tracked = [
            _Tracked(actuators[number], number, _last(settings.tracked, names[number]), scene)
            for number, part in sorted(chosen.items())
            if part == "tracked"
        ]

    def __call__(
        self, actions: Floats, coordinates: Floats, speeds: Floats, time: Floats
    ) -> Floats:
        """Return controls ``(B, actuators)``.

        Args:
            actions: ``(B, driven)`` in [-1, 1].
            coordinates: ``(B, coordinates)`` coordinates at the beginning of the step, rad or m.
            speeds: ``(B, coordinates)`` speeds at the beginning of the step, rad/s or m/s.
            time: ``(B,)`` time since the beginning of the episode, s.
        """
        controls = np.tile(self._rest, (len(actions), 1))
        low, high = self.bounds.T
        controls[:, self.driven] = low + 0.5 * (actions + 1.0) * (high - low)
        for tracked in self._tracked:
            column = tracked.column
            at, moves = coordinates[:, column], speeds[:, column]
            controls[:, tracked.number] = tracked.control(at, moves, time)
        return controls

    def inverse(self, controls: Floats) -> Floats:
        """Return the actions ``(B, driven)`` that give driven actuators some controls.

        Raises:
            ConfigError: a control is beyond those at actions of -1 and 1.
        """
        low, high = self.bounds.T
        actions = np.zeros_like(controls)
        moved = high != low
        actions[:, moved] = 2.0 * ((controls - low) / np.where(moved, high - low, 1.0))[:, moved]
        actions[:, moved] -= 1.0
        actions = np.clip(actions, -1.0, 1.0)
        away = np.abs(low + 0.5 * (actions + 1.0) * (high - low) - controls)
        if not (away <= _SAME * np.maximum(1.0, np.abs(controls))).all():
            row, number = np.unravel_index(np.nanargmax(away), away.shape)
            raise ConfigError(
                f"No action gives {self._names[number]} the control {controls[row, number]:.4g}: "
                f"its actions reach from {low[number]:g} to {high[number]:g}; see actuators.driven."
            )
        return actions


class _Tracked:
    """An actuator that acts as a spring and a damper."""

    def __init__(self, actuator: Actuator, number: int, tracking: Tracking, scene: Scene) -> None:
        if actuator.coordinate is None or actuator.optimal_force == 0.0:
            raise ConfigError(
                f"actuators.tracked: {actuator.name} acts on no coordinate, and cannot track one."
            )
        self.number = number
        self.column = scene.coordinate(actuator.coordinate)
        self._actuator, self._tracking = actuator, tracking
        self._reference = tracking.reference(scene, actuator.coordinate)

    def control(self, positions: Floats, speeds: Floats, time: Floats) -> Floats:
        """Return the control ``(B,)``, within the actuator's bounds."""
        to, towards = self._reference.at(time)
        wanted = self._tracking.stiffness * (to - positions)
        wanted += self._tracking.damping * (towards - speeds)
        return np.clip(wanted / self._actuator.optimal_force, *self._actuator.bounds)


def _bounds(actuator: Actuator, limit: float | None) -> tuple[float, float]:
    if limit is not None:
        return -limit, limit
    low, high = actuator.bounds
    return (low if np.isfinite(low) else -1.0), (high if np.isfinite(high) else 1.0)


def _last(values: Mapping[str, Value], name: str) -> Value:
    """Return the value of the last pattern that matches a name."""
    return [value for pattern, value in values.items() if fnmatchcase(name, pattern)][-1]
