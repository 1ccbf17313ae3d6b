"""Reward terms; a reward is the sum of named terms, each times its weight.

A term is a dataclass with a ``weight``. It is called with a ``Frame`` and returns ``(B,)`` for one
step. Costs are negative, so that every weight is positive. ``READS`` names the costly fields of the
state that the term needs.
"""

from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np

from osimexp.arrays import Floats
from osimexp.errors import ConfigError
from osimexp.tasks.scene import Frame


class RewardTerm(Protocol):
    """A term of a reward."""

    READS: ClassVar[frozenset[str]]

    @property
    def weight(self) -> float:
        """Factor of the term in the reward."""
        ...

    def __call__(self, frame: Frame) -> Floats:
        """Return the value ``(B,)`` of the term, without its weight."""
        ...


@dataclass(frozen=True)
class Velocity:
    """Reward for velocity forward, as fast as possible or near a target speed.

    Attributes:
        weight: factor of the term.
        target: target speed, m/s; null rewards the velocity itself.
        width: difference from the target at which the reward is ``exp(-1)``, m/s.
    """

    READS: ClassVar[frozenset[str]] = frozenset({"centre_of_mass_velocity"})
    TRAVELS: ClassVar[bool] = True
    weight: float
    target: float | None
    width: float

    def __post_init__(self) -> None:
        if not self.width > 0.0:
            raise ValueError("width must be above 0 m/s")

    def __call__(self, frame: Frame) -> Floats:
        """Return the velocity in m/s, or ``exp(-((v - target) / width)^2)``."""
        forward = frame.velocity[:, 0]
        if self.target is None:
            return forward
        return np.asarray(np.exp(-np.square((forward - self.target) / self.width)))


@dataclass(frozen=True)
class Effort:
    """Cost of effort: the mean over muscles of activation to a power.

    Attributes:
        weight: factor of the term.
        power: exponent; 2 is the usual choice; 3 is that of Crowninshield and Brand (1981), J
            Biomech 14:793-801, who relate it to endurance.
    """

    READS: ClassVar[frozenset[str]] = frozenset()
    weight: float
    power: float

    def __post_init__(self) -> None:
        if not self.power > 0.0:
            raise ValueError("power must be above 0")

    def __call__(self, frame: Frame) -> Floats:
        """Return ``-mean(activation^power)``."""
        if self.power == 2.0:
            return -frame.effort
        return np.asarray(-np.mean(np.power(frame.state.activations, self.power), axis=1))


@dataclass(frozen=True)
class Alive:
    """Reward of 1 for every step of the episode.

    Attributes:
        weight: factor of the term.
    """

    READS: ClassVar[frozenset[str]] = frozenset()
    weight: float

    def __call__(self, frame: Frame) -> Floats:
        """Return 1 for each environment, ``(B,)``."""
        return np.ones(len(frame.state.time))


@dataclass(frozen=True)
class JointLimits:
    """Cost of joint limits: the mean over coordinates of the squared torque of their limits.

    Attributes:
        weight: factor of the term.
        scale: torque (N m) of one limit at which the cost is 1 divided by the number of
            coordinates.
    """

    READS: ClassVar[frozenset[str]] = frozenset({"limit_torque"})
    weight: float
    scale: float

    def __call__(self, frame: Frame) -> Floats:
        """Return ``-mean(min(|torque| / scale, 10)^2)``; the 10 bounds the cost of an impact."""
        torque = np.minimum(np.abs(frame.state.limit_torque) / self.scale, 10.0)
        return np.asarray(-np.mean(np.square(torque), axis=1))


@dataclass(frozen=True)
class Impact:
    """Cost of impacts: the ground's force on each foot in excess of a normal step's.

    Schumacher et al. (2023), Natural and robust walking using reinforcement learning without
    demonstrations in high-dimensional musculoskeletal models, arXiv:2309.02976, allow 1.2 body
    weights.

    Attributes:
        weight: factor of the term.
        allowed: force on a foot that costs nothing, body weights.
    """

    READS: ClassVar[frozenset[str]] = frozenset({"ground_reaction"})
    weight: float
    allowed: float

    def __call__(self, frame: Frame) -> Floats:
        """Return minus the sum over feet of the excess in body weights, at most 10."""
        load = frame.state.ground_reaction[:, :, 1] / frame.scene.body_weight
        excess = np.maximum(load - self.allowed, 0.0).sum(axis=1)
        return np.asarray(-np.minimum(excess, 10.0))


@dataclass(frozen=True)
class Smoothness:
    """Cost of changes of the actions: the mean of their squared differences.

    Attributes:
        weight: factor of the term.
    """

    READS: ClassVar[frozenset[str]] = frozenset()
    weight: float

    def __call__(self, frame: Frame) -> Floats:
        """Return ``-mean((action - previous action)^2)``."""
        return np.asarray(-np.mean(np.square(frame.actions - frame.previous_actions), axis=1))


@dataclass(frozen=True)
class Upright:
    """Reward for an upright trunk.

    Attributes:
        weight: factor of the term.
        width: lean at which the reward is ``exp(-1)``, rad.
    """

    READS: ClassVar[frozenset[str]] = frozenset()
    weight: float
    width: float

    def __call__(self, frame: Frame) -> Floats:
        """Return ``exp(-(lean / width)^2)``."""
        if frame.base is None:
            raise ConfigError(
                "The reward term upright needs a model with a base body; leave it out, or name "
                "model.base.body."
            )
        return np.asarray(np.exp(-np.square(frame.base.lean / self.width)))


@dataclass(frozen=True)
class Reach:
    """Reward for bringing a named point to the target point.

    It is the sum of a broad slope, which leads to the target from anywhere, and a narrow peak,
    which rewards the last centimetres.

    Attributes:
        weight: factor of the term.
        point: name of the point.
        broad: distance at which the slope is ``exp(-1)``, m.
        narrow: distance at which the peak is ``exp(-1)``, m.
    """

    READS: ClassVar[frozenset[str]] = frozenset({"point_positions"})
    weight: float
    point: str
    broad: float
    narrow: float

    def __call__(self, frame: Frame) -> Floats:
        """Return ``(exp(-d / broad) + exp(-(d / narrow)^2)) / 2`` at distance ``d``."""
        distance = distance_to_target(frame, self.point)
        return np.asarray(
            0.5 * (np.exp(-distance / self.broad) + np.exp(-np.square(distance / self.narrow)))
        )


@dataclass(frozen=True)
class StandStill:
    """Reward for standing still: the speed of the centre of mass is low.

    Attributes:
        weight: factor of the term.
        width: speed at which the reward is ``exp(-1)``, m/s.
    """

    READS: ClassVar[frozenset[str]] = frozenset({"centre_of_mass_velocity"})
    weight: float
    width: float

    def __call__(self, frame: Frame) -> Floats:
        """Return ``exp(-(|v| / width)^2)``."""
        squared = np.square(frame.state.centre_of_mass_velocity).sum(axis=1)
        return np.asarray(np.exp(-squared / self.width**2))


@dataclass(frozen=True)
class Posture:
    """Reward for joint angles near those of the model's default pose.

    Attributes:
        weight: factor of the term.
        width: root mean square difference over the joints at which the reward is ``exp(-1)``, rad.
    """

    READS: ClassVar[frozenset[str]] = frozenset()
    weight: float
    width: float

    def __call__(self, frame: Frame) -> Floats:
        """Return ``exp(-mean((angle - default)^2) / width^2)``."""
        names = frame.scene.names
        away = (frame.state.coordinates - names.default_pose)[:, names.rotational]
        return np.asarray(np.exp(-np.square(away).mean(axis=1) / self.width**2))


def distance_to_target(frame: Frame, point: str) -> Floats:
    """Return the distance ``(B,)`` in m from a named point to the target.

    Raises:
        ConfigError: the task has no target point.
    """
    if not frame.scene.has_target_point:
        raise ConfigError(
            "The reward term reach needs a task with a target point; add target=reach."
        )
    positions = frame.state.point_positions[:, frame.scene.point(point)]
    return np.asarray(np.linalg.norm(frame.targets - positions, axis=1))
