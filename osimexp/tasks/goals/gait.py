"""A gait to follow: joint angles over the gait cycle, and the terms that hold a walker to them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar

import numpy as np

from osimexp.arrays import Floats, Indices, Mask
from osimexp.errors import ConfigError
from osimexp.physics.simulation import Simulation, Start
from osimexp.tasks.columns import Column
from osimexp.tasks.scene import Frame, Scene

_SUNK = 0.3
"""m that poses are drawn into the floor, out of which they are lifted until they touch it."""


@dataclass(frozen=True)
class Gait:
    """A periodic gait as a target: each episode is given the phase in which it begins.

    A leg's curves are those of the right one; the left one follows half a cycle later.

    Attributes:
        period: s of a stride.
        speed: m/s forward.
        curves: coordinate to its values in degrees, at even shares of the cycle from heel strike
            on; ``$`` in its name stands for ``r`` and ``l``.
        within: s of an episode; null leaves the task's own duration.
    """

    period: float
    speed: float
    curves: dict[str, tuple[float, ...]]
    within: float | None = None

    def __post_init__(self) -> None:
        if not self.period > 0.0:
            raise ValueError("period must be above 0 s")
        if not self.curves or min(len(values) for values in self.curves.values()) < 3:
            raise ValueError("curves must give coordinates three values or more each")

    @property
    def size(self) -> int:
        """Numbers in a target: the phase at which the episode began."""
        return 1

    @property
    def point(self) -> str | None:
        """No point is to come anywhere."""
        return None

    @property
    def coordinates(self) -> tuple[str, ...]:
        """Names of the coordinates that the gait tells."""
        names = [
            name.replace("$", side)
            for name in self.curves
            for side in ("rl" if "$" in name else "-")
        ]
        return tuple(names)

    def __call__(
        self,
        scene: Scene,
        simulation: Simulation,
        generators: Sequence[np.random.Generator],
        start: Start,
    ) -> Floats:
        """Return for each start the phase ``(R, 1)`` whose pose is nearest to it."""
        columns = self.places(scene)
        phases = np.arange(200) / 200.0
        away = start.coordinates[:, None, columns] - self.angles(phases)
        return np.asarray(phases[np.square(away).sum(axis=2).argmin(axis=1)][:, None])

    def mirrored(self, targets: Floats) -> Floats:
        """Return the phases of the other leg, half a cycle apart."""
        return targets + 0.5

    def columns(self, scene: Scene) -> tuple[Column, ...]:
        """Return the one column of a target."""
        return (Column("phase", "cycles"),)

    def places(self, scene: Scene) -> Indices:
        """Return the columns of the gait's coordinates among those of a model."""
        return np.array([scene.coordinate(name) for name in self.coordinates], dtype=np.intp)

    def angles(self, phases: Floats) -> Floats:
        """Return the angles at phases ``(N,)``, ``(N, coordinates)`` rad."""
        return self._series(phases, 0)

    def speeds(self, phases: Floats) -> Floats:
        """Return the angles' rates at phases ``(N,)``, ``(N, coordinates)`` rad/s."""
        return self._series(phases, 1) / self.period

    def _series(self, phases: Floats, derivative: int) -> Floats:
        cosines, sines = self._harmonics
        turns = 2.0 * np.pi * np.arange(len(cosines))
        angle = phases[:, None] * turns
        c, s = np.cos(angle), np.sin(angle)
        if derivative:
            c, s = -turns * s, turns * c
        return np.asarray(c @ cosines + s @ sines)

    @cached_property
    def _harmonics(self) -> tuple[Floats, Floats]:
        """Cosine and sine parts (rad) of each curve, ``(harmonics, coordinates)``."""
        columns = []
        most = max(len(values) for values in self.curves.values()) // 2
        for name, values in self.curves.items():
            spectrum = np.fft.rfft(np.deg2rad(values)) / len(values)
            spectrum[1:] *= 2.0
            if len(values) % 2 == 0:
                spectrum[-1] /= 2.0
            padded = np.zeros(most + 1, dtype=complex)
            padded[: len(spectrum)] = spectrum
            for shift in (0.0, 0.5) if "$" in name else (0.0,):
                columns.append(padded * np.exp(2j * np.pi * shift * np.arange(most + 1)))
        table = np.array(columns).T
        return table.real.copy(), -table.imag


def phase(frame: Frame) -> Floats:
    """Return where in the gait cycle each episode should be, ``(B,)`` in [0, 1).

    Raises:
        ConfigError: the task follows no gait.
    """
    gait = followed(frame.scene)
    return np.asarray((frame.targets[:, 0] + frame.state.time / gait.period) % 1.0)


def followed(scene: Scene) -> Gait:
    """Return the gait that the task follows.

    Raises:
        ConfigError: it follows none.
    """
    if not isinstance(scene.target, Gait):
        raise ConfigError("A term of the task follows a gait, and there is none; add target=gait.")
    return scene.target


def astray(frame: Frame) -> Floats:
    """Return the sum of the squared differences from the gait's angles, ``(B,)`` rad^2."""

    def find() -> Floats:
        gait = followed(frame.scene)
        away = frame.state.coordinates[:, gait.places(frame.scene)] - gait.angles(phase(frame))
        return np.asarray(np.square(away).sum(axis=1))

    return frame.remembered("astray", find)


@dataclass(frozen=True)
class Phase:
    """An observation of the phase: cosine and sine of the gait cycle."""

    READS: ClassVar[frozenset[str]] = frozenset()

    def __call__(self, frame: Frame) -> Floats:
        """Return ``(B, 2)``."""
        angle = 2.0 * np.pi * phase(frame)
        return np.stack([np.cos(angle), np.sin(angle)], axis=1)

    def columns(self, scene: Scene) -> tuple[Column, ...]:
        """Return cosine and sine."""
        return Column("cosine", "1"), Column("sine", "1")


@dataclass(frozen=True)
class Imitation:
    """Reward being in the gait's pose.

    Attributes:
        weight: per step.
        scale: 1/rad^2 of the exponent.
    """

    READS: ClassVar[frozenset[str]] = frozenset()
    weight: float = 1.0
    scale: float = 3.0

    def __call__(self, frame: Frame) -> Floats:
        """Return ``exp(-scale * sum of squared differences)``."""
        return np.asarray(np.exp(-self.scale * astray(frame)))


@dataclass(frozen=True)
class Strayed:
    """The pose is too far from the gait's: ends episodes in training, where they teach little.

    Attributes:
        limit: rad^2, the sum of the squared differences that is still allowed.
    """

    READS: ClassVar[frozenset[str]] = frozenset()
    TRAINING_ONLY: ClassVar[bool] = True
    limit: float = 2.0

    def __call__(self, frame: Frame) -> Mask:
        """Return which models ``(B,)`` have strayed."""
        return np.asarray(astray(frame) > self.limit)


@dataclass(frozen=True)
class MidGait:
    """Episodes begin anywhere in the gait cycle, moving, or standing in the default pose.

    Attributes:
        gait: the same as the target's.
        standing: share of the episodes that begin standing, at rest.
        angle_noise: rad, standard deviation on every joint angle.
        speed_noise: rad/s and m/s, standard deviation on every speed of those that move.
        activation: of every muscle, in [0, 1].
        fastest: times the gait's speeds; each that moves is between 1 and so much faster, where
            it is not judged.
    """

    gait: Gait
    standing: float = 0.5
    angle_noise: float = 0.02
    speed_noise: float = 0.1
    activation: float = 0.05
    fastest: float = 1.0

    def __post_init__(self) -> None:
        if not 0.0 <= self.standing <= 1.0:
            raise ValueError("standing must lie in [0, 1]")
        if not self.fastest >= 1.0:
            raise ValueError("fastest is times the gait's speeds and must be 1 or more")

    def for_judging(self) -> "MidGait":
        """Return the same without faster beginnings, which only help to learn."""
        return replace(self, fastest=1.0)

    def __call__(self, scene: Scene, generators: Sequence[np.random.Generator]) -> Start:
        """Return a row for each generator, drawn from it alone."""
        names, count = scene.names, len(generators)
        width = len(names.coordinates)
        draws, noise = np.empty((count, 2)), np.empty((count, 2, width))
        paces = np.ones(count)
        for row, generator in enumerate(generators):
            generator.random(out=draws[row])
            generator.standard_normal(out=noise[row])
            if self.fastest > 1.0:
                paces[row] = generator.uniform(1.0, self.fastest)
        coordinates = np.tile(names.default_pose, (count, 1))
        speeds = np.zeros((count, width))
        walking = np.flatnonzero(draws[:, 0] >= self.standing)
        columns = self.gait.places(scene)
        coordinates[np.ix_(walking, columns)] = self.gait.angles(draws[walking, 1])
        speeds[np.ix_(walking, columns)] = self.gait.speeds(draws[walking, 1])
        for role, values, amount in (
            ("forward", speeds, self.gait.speed),
            ("height", coordinates, -_SUNK),
        ):
            column = scene.base(role)
            if column is None:
                raise ConfigError(
                    f"A walk needs the {role} of a base body; name it as model.base.body."
                )
            values[walking, column] += amount
        speeds *= paces[:, None]
        coordinates += self.angle_noise * noise[:, 0] * scene.free
        speeds[walking] += self.speed_noise * noise[walking, 1]
        return Start(coordinates, speeds, np.full((count, len(names.muscles)), self.activation))


@dataclass(frozen=True)
class HalfCycle:
    """Mirrored is the second half of the gait cycle that the task follows.

    Attributes:
        reversed: patterns of the coordinates whose sign turns in the mirror, as they lead out of
            the plane; null finds them by moving the model.
    """

    reversed: tuple[str, ...] | None = None

    def __call__(self, frame: Frame) -> Mask:
        """Return where the phase is 0.5 or more."""
        return phase(frame) >= 0.5
