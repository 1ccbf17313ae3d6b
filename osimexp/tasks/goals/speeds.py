"""A speed to walk at, which changes while an episode goes on, and the terms that hold to it."""

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
    """Speeds as a target: a row of them for each episode, each asked for in its turn.

    Attributes:
        low: m/s, of the slowest.
        high: m/s, of the fastest.
        every: s that each is asked for; the last until the episode ends.
        count: speeds in an episode.
        within: s of an episode; null leaves the task's own duration.
    """

    low: float
    high: float
    every: float = 2.5
    count: int = 4
    within: float | None = None

    def __post_init__(self) -> None:
        if not self.low <= self.high:
            raise ValueError("low must not be above high")
        if not (self.every > 0.0 and self.count >= 1):
            raise ValueError("every must be above 0 s and count at least 1")

    @property
    def size(self) -> int:
        """Numbers in a target."""
        return self.count

    @property
    def point(self) -> str | None:
        """No point is to come anywhere."""
        return None

    def __call__(
        self,
        scene: Scene,
        simulation: Simulation,
        generators: Sequence[np.random.Generator],
        start: Start,
    ) -> Floats:
        """Return speeds ``(R, count)`` in m/s, drawn evenly."""
        return np.array([g.uniform(self.low, self.high, self.count) for g in generators])

    def mirrored(self, targets: Floats) -> Floats:
        """Return the same speeds: forward is forward in a mirror, too."""
        return targets

    def columns(self, scene: Scene) -> tuple[Column, ...]:
        """Return a column for each speed, in their turn."""
        return tuple(Column(f"speed_{turn}", "m/s") for turn in range(self.count))


def wanted_speed(frame: Frame) -> Floats:
    """Return the speed asked for at this moment, ``(B,)`` m/s.

    Raises:
        ConfigError: the task asks for no speeds.
    """
    target = frame.scene.target
    if not isinstance(target, Speeds):
        raise ConfigError("A term of the task holds to a speed, and none is asked for; add target.")
    turn = np.minimum(frame.state.time / target.every, target.count - 1).astype(int)
    return np.asarray(frame.targets[np.arange(len(turn)), turn])


@dataclass(frozen=True)
class WantedSpeed:
    """An observation of the speed asked for, m/s."""

    READS: ClassVar[frozenset[str]] = frozenset()

    def __call__(self, frame: Frame) -> Floats:
        """Return ``(B, 1)``."""
        return wanted_speed(frame)[:, None]

    def columns(self, scene: Scene) -> tuple[Column, ...]:
        """Return the one speed."""
        return (Column("speed", "m/s"),)


@dataclass(frozen=True)
class VelocityAsked:
    """Reward the velocity forward that is asked for.

    Attributes:
        weight: per step.
        width: m/s from it at which the reward has fallen to ``exp(-1)``.
    """

    READS: ClassVar[frozenset[str]] = frozenset({"centre_of_mass_velocity"})
    weight: float = 1.0
    width: float = 0.5

    def __post_init__(self) -> None:
        if not self.width > 0.0:
            raise ValueError("width must be above 0 m/s")

    def __call__(self, frame: Frame) -> Floats:
        """Return ``exp(-((v - wanted) / width)^2)``."""
        away = frame.velocity[:, 0] - wanted_speed(frame)
        return np.asarray(np.exp(-np.square(away / self.width)))
