"""A gait to follow: joint angles over the gait cycle, and the terms that belong to it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar

import numpy as np

from osimexp.arrays import Floats, Indices, Mask
from osimexp.errors import ConfigError
from osimexp.models.names import Names
from osimexp.models.prepare import PreparedModel
from osimexp.physics.simulation import Simulation, Start
from osimexp.tasks.columns import Column
from osimexp.tasks.scene import Frame, Scene
from osimexp.tasks.terms.starts import Poses

_BEYOND = 0.1
"""Angle by which a gait may exceed the range of a model's coordinate, rad."""

_SUNK = 0.3
"""Depth at which poses are put into the floor, m; they are then lifted until they touch it."""


@dataclass(frozen=True)
class Gait:
    """A periodic gait as a target; the target is the phase in which an episode begins.

    Curves are those of the right leg; the left leg follows half a cycle later.

    Attributes:
        period: duration of a stride, s.
        speed: speed forward, m/s.
        curves: values of each coordinate in degrees (of a length in m times 180 / pi), at equal
            shares of the cycle from heel strike on; ``$`` in a name stands for ``r`` and ``l``.
        within: duration of an episode, s; null keeps the task's duration.
    """

    period: float
    speed: float
    curves: dict[str, tuple[float, ...]]
    within: float | None

    def __post_init__(self) -> None:
        if not self.period > 0.0:
            raise ValueError("period must be above 0 s")
        if not self.curves or min(len(values) for values in self.curves.values()) < 3:
            raise ValueError("curves must give coordinates three values or more each")

    @property
    def size(self) -> int:
        """Length of a target, which is the phase at the beginning of the episode."""
        return 1

    @property
    def point(self) -> str | None:
        """None, because no point is to reach a target."""
        return None

    @property
    def coordinates(self) -> tuple[str, ...]:
        """Names of the coordinates that the gait gives."""
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
        """Return, for each start, the phase ``(R, 1)`` whose pose is nearest to it."""
        columns = self.places(scene)
        phases = np.arange(200) / 200.0
        away = start.coordinates[:, None, columns] - self.angles(phases)
        return np.asarray(phases[np.square(away).sum(axis=2).argmin(axis=1)][:, None])

    def on_model(self, model: PreparedModel, names: Names) -> "Gait":
        """Return the gait as a model moves in it; here the same, as it depends on no model."""
        return self

    def mirrored(self, targets: Floats) -> Floats:
        """Return the phases of the other leg, half a cycle later."""
        return targets + 0.5

    def columns(self, scene: Scene) -> tuple[Column, ...]:
        """Return the one column of a target."""
        return (Column("phase", "cycles"),)

    def lacking(self, names: Names) -> str | None:
        """Return why a model cannot move in the gait, in words; None if it can."""
        if names.base is None or not {"forward", "height"} <= names.base.roles.keys():
            return "the model has no base body that travels"
        missing = [name for name in self.coordinates if name not in names.coordinates]
        if missing:
            return f"the model has no coordinate {missing[0]}"
        columns = [names.coordinates.index(name) for name in self.coordinates]
        angles = self.angles(np.arange(100) / 100.0)
        lowest, highest = names.ranges[columns].T
        beyond = ((angles < lowest - _BEYOND) | (angles > highest + _BEYOND)).any(axis=0)
        if beyond.any():
            name = self.coordinates[int(beyond.argmax())]
            return f"the gait's {name} is beyond the range of the model's"
        return None

    def places(self, scene: Scene) -> Indices:
        """Return the columns of the gait's coordinates in a model."""
        return np.array([scene.coordinate(name) for name in self.coordinates], dtype=np.intp)

    def angles(self, phases: Floats) -> Floats:
        """Return the angles ``(N, coordinates)`` (rad) at phases ``(N,)``."""
        return self._series(phases, 0)

    def speeds(self, phases: Floats) -> Floats:
        """Return the rates of the angles ``(N, coordinates)`` (rad/s) at phases ``(N,)``."""
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
        """Cosine and sine coefficients (rad) of each curve, ``(harmonics, coordinates)``."""
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
    """Return the phase of each episode in the gait cycle, ``(B,)`` in [0, 1).

    Raises:
        ConfigError: the task follows no gait.
    """
    gait = followed(frame.scene)
    return np.asarray((frame.targets[:, 0] + frame.state.time / gait.period) % 1.0)


def followed(scene: Scene) -> Gait:
    """Return the gait that the task follows.

    Raises:
        ConfigError: the task follows no gait.
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
    """Observation of the phase in the gait cycle, as cosine and sine."""

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
    """Reward for joint angles near those of the gait.

    Attributes:
        weight: factor of the term.
        scale: factor in the exponent, 1/rad^2.
    """

    READS: ClassVar[frozenset[str]] = frozenset()
    weight: float
    scale: float

    def __call__(self, frame: Frame) -> Floats:
        """Return ``exp(-scale * sum of squared differences)``."""
        return np.asarray(np.exp(-self.scale * astray(frame)))


@dataclass(frozen=True)
class Strayed:
    """Termination if the pose is far from the gait's; in training alone, to save time.

    Attributes:
        limit: sum of the squared differences that is still allowed, rad^2.
    """

    READS: ClassVar[frozenset[str]] = frozenset()
    TRAINING_ONLY: ClassVar[bool] = True
    limit: float

    def __call__(self, frame: Frame) -> Mask:
        """Return which models are too far from the gait, as a mask ``(B,)``."""
        return np.asarray(astray(frame) > self.limit)


@dataclass(frozen=True)
class MidGait:
    """Starts anywhere in the gait cycle, moving, or standing in the default pose.

    Attributes:
        gait: gait of the target.
        standing: share of the episodes that begin standing, at rest.
        angle_noise: standard deviation of every joint angle, rad.
        speed_noise: standard deviation of every speed in moving starts, rad/s and m/s.
        activation: activation of every muscle, in [0, 1].
        fastest: greatest factor on the gait's speeds in training; each start has a random factor
            between 1 and this one.
        where_possible: whether episodes of a model that cannot move in the gait begin about its
            default pose, which is said, in place of being refused.
    """

    gait: Gait
    standing: float
    angle_noise: float
    speed_noise: float
    activation: float
    fastest: float
    where_possible: bool

    def __post_init__(self) -> None:
        if not 0.0 <= self.standing <= 1.0:
            raise ValueError("standing must be in [0, 1]")
        if not self.fastest >= 1.0:
            raise ValueError("fastest is a factor on the gait's speeds and must be 1 or more")

    def on_model(
        self, model: PreparedModel, names: Names, gait: Gait | None = None
    ) -> "MidGait | Poses":
        """Return the starts in the gait as a model moves in it, or about its default pose.

        Args:
            model: model of the task.
            names: names and constants of the model.
            gait: gait as the model moves in it, if it is known already.

        Raises:
            ConfigError: the model cannot move in the gait, and ``where_possible`` is false.
        """
        if not (self.where_possible and self.gait.lacking(names)):
            return replace(self, gait=gait or self.gait.on_model(model, names))
        noise = (self.angle_noise, self.speed_noise)
        return Poses(("default",), 0.0, *noise, 0.0, self.activation, judged_still=False)

    def for_judging(self) -> "MidGait":
        """Return the same starts with ``fastest`` at 1, for evaluations."""
        return replace(self, fastest=1.0)

    def __call__(self, scene: Scene, generators: Sequence[np.random.Generator]) -> Start:
        """Return starts, a row for each generator, drawn from that generator alone."""
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
    """Mirror the second half of the gait cycle that the task follows.

    Attributes:
        reversed: patterns of the coordinates that change their sign in the mirror, because they
            leave the plane; null finds them by moving the model.
    """

    reversed: tuple[str, ...] | None

    def __call__(self, frame: Frame) -> Mask:
        """Return which environments have a phase of 0.5 or more, as a mask ``(B,)``."""
        return phase(frame) >= 0.5
