"""A speed to walk at, which changes during an episode, and the terms that belong to it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from osimexp.arrays import Floats
from osimexp.errors import ConfigError
from osimexp.physics.simulation import Simulation, Start
from osimexp.tasks.columns import Column
from osimexp.tasks.scene import Frame, Scene


@dataclass(frozen=True)
class Speeds:
    """Speeds as a target: a row for each episode, whose speeds are asked for one after the other.

    Attributes:
        low: lowest speed, m/s.
        high: highest speed, m/s.
        every: time for which each speed is asked, s; the last one is asked until the episode ends.
        count: number of speeds in an episode.
        within: duration of an episode, s; null keeps the task's duration.
    """

    low: float
    high: float
    every: float
    count: int
    within: float | None

    def __post_init__(self) -> None:
        if not self.low <= self.high:
            raise ValueError("low must not be above high")
        if not (self.every > 0.0 and self.count >= 1):
            raise ValueError("every must be above 0 s and count at least 1")

    @property
    def size(self) -> int:
        """Length of a target."""
        return self.count

    @property
    def point(self) -> str | None:
        """None, because no point is to reach a target."""
        return None

    def __call__(
        self,
        scene: Scene,
        simulation: Simulation,
        generators: Sequence[np.random.Generator],
        start: Start,
    ) -> Floats:
        """Return speeds ``(R, count)`` in m/s, uniform between ``low`` and ``high``."""
        return np.array([g.uniform(self.low, self.high, self.count) for g in generators])

    def mirrored(self, targets: Floats) -> Floats:
        """Return the same speeds, because forward is forward in a mirror, too."""
        return targets

    def columns(self, scene: Scene) -> tuple[Column, ...]:
        """Return a column for each speed, in their turn."""
        return tuple(Column(f"speed_{turn}", "m/s") for turn in range(self.count))


def wanted_speed(frame: Frame) -> Floats:
    """Return the speed that is asked for at this moment, ``(B,)`` m/s.

    Raises:
        ConfigError: the task asks for no speeds.
    """
    target = frame.scene.target
    if not isinstance(target, Speeds):
        raise ConfigError("A term of the task follows a speed, and there is none; add target.")
    turn = np.minimum(frame.state.time / target.every, target.count - 1).astype(int)
    return np.asarray(frame.targets[np.arange(len(turn)), turn])


@dataclass(frozen=True)
class WantedSpeed:
    """Observation of the speed that is asked for, m/s."""

    READS: ClassVar[frozenset[str]] = frozenset()

    def __call__(self, frame: Frame) -> Floats:
        """Return ``(B, 1)``."""
        return wanted_speed(frame)[:, None]

    def columns(self, scene: Scene) -> tuple[Column, ...]:
        """Return the one speed."""
        return (Column("speed", "m/s"),)


@dataclass(frozen=True)
class VelocityAsked:
    """Reward for the velocity forward that is asked for.

    Attributes:
        weight: factor of the term.
        width: difference from the speed at which the reward is ``exp(-1)``, m/s.
    """

    READS: ClassVar[frozenset[str]] = frozenset({"centre_of_mass_velocity"})
    TRAVELS: ClassVar[bool] = True
    weight: float
    width: float

    def __post_init__(self) -> None:
        if not self.width > 0.0:
            raise ValueError("width must be above 0 m/s")

    def __call__(self, frame: Frame) -> Floats:
        """Return ``exp(-((v - wanted) / width)^2)``."""
        away = frame.velocity[:, 0] - wanted_speed(frame)
        return np.asarray(np.exp(-np.square(away / self.width)))
