"""What is worth doing: a reward is the sum of named terms, each times its weight.

A term is a dataclass with a ``weight``, called with a ``Frame``; it returns ``(B,)`` for one step.
Costs are negative, so that every weight is positive. ``READS`` names the costly arrays of the state
that the term needs.
"""

from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np

from osimexp.arrays import Floats
from osimexp.errors import ConfigError
from osimexp.tasks.scene import Frame


class RewardTerm(Protocol):
    """Part of a reward."""

    READS: ClassVar[frozenset[str]]

    @property
    def weight(self) -> float:
        """What the term is multiplied by."""
        ...

    def __call__(self, frame: Frame) -> Floats:
        """Return ``(B,)``, not yet weighted."""
        ...


@dataclass(frozen=True)
class Velocity:
    """Reward the velocity forward, as fast as possible or near a target speed.

    Attributes:
        weight: per step.
        target: m/s; null rewards the velocity itself.
        width: m/s from the target at which the reward has fallen to ``exp(-1)``.
    """

    READS: ClassVar[frozenset[str]] = frozenset({"centre_of_mass_velocity"})
    weight: float = 1.0
    target: float | None = None
    width: float = 0.5

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
        weight: per step.
        power: 2 is the field's common choice; 3 follows Crowninshield and Brand (1981), J Biomech
            14:793-801, who relate it to endurance.
    """

    READS: ClassVar[frozenset[str]] = frozenset()
    weight: float = 1.0
    power: float = 2.0

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
    """A constant for every step that the episode goes on.

    Attributes:
        weight: per step.
    """

    READS: ClassVar[frozenset[str]] = frozenset()
    weight: float = 1.0

    def __call__(self, frame: Frame) -> Floats:
        """Return ones."""
        return np.ones(len(frame.state.time))


@dataclass(frozen=True)
class JointLimits:
    """Cost of leaning on the joints' limits: the mean over coordinates of their torque squared.

    Attributes:
        weight: per step.
        scale: N m at which one coordinate alone costs 1 over the number of coordinates.
    """

    READS: ClassVar[frozenset[str]] = frozenset({"limit_torque"})
    weight: float = 1.0
    scale: float = 10.0

    def __call__(self, frame: Frame) -> Floats:
        """Return ``-mean(min(|torque| / scale, 10)^2)``; the bound keeps one blow from ruling."""
        torque = np.minimum(np.abs(frame.state.limit_torque) / self.scale, 10.0)
        return np.asarray(-np.mean(np.square(torque), axis=1))


@dataclass(frozen=True)
class Impact:
    """Cost of coming down hard: the ground's force on each foot beyond what walking takes.

    Schumacher et al. (2023), Natural and robust walking using reinforcement learning without
    demonstrations in high-dimensional musculoskeletal models, arXiv:2309.02976, who allow 1.2 body
    weights.

    Attributes:
        weight: per step.
        allowed: body weights on a foot that cost nothing.
    """

    READS: ClassVar[frozenset[str]] = frozenset({"ground_reaction"})
    weight: float = 1.0
    allowed: float = 1.2

    def __call__(self, frame: Frame) -> Floats:
        """Return minus the sum over feet of the excess in body weights, at most 10."""
        load = frame.state.ground_reaction[:, :, 1] / frame.scene.body_weight
        excess = np.maximum(load - self.allowed, 0.0).sum(axis=1)
        return np.asarray(-np.minimum(excess, 10.0))


@dataclass(frozen=True)
class Smoothness:
    """Cost of changing the actions: the mean of their differences squared.

    Attributes:
        weight: per step.
    """

    READS: ClassVar[frozenset[str]] = frozenset()
    weight: float = 1.0

    def __call__(self, frame: Frame) -> Floats:
        """Return ``-mean((action - previous action)^2)``."""
        return np.asarray(-np.mean(np.square(frame.actions - frame.previous_actions), axis=1))


@dataclass(frozen=True)
class Upright:
    """Reward a trunk held upright.

    Attributes:
        weight: per step.
        width: rad of lean at which the reward has fallen to ``exp(-1)``.
    """

    READS: ClassVar[frozenset[str]] = frozenset()
    weight: float = 1.0
    width: float = 0.3

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
    """Reward bringing a named point to the target point.

    The sum of a broad slope and a narrow peak: the first leads to the target from anywhere, the
    second makes the last centimetres worth going.

    Attributes:
        weight: per step.
        point: name of the point.
        broad: m at which the slope has fallen to ``exp(-1)``.
        narrow: m at which the peak has fallen to ``exp(-1)``.
    """

    READS: ClassVar[frozenset[str]] = frozenset({"point_positions"})
    weight: float = 1.0
    point: str = "hand"
    broad: float = 0.3
    narrow: float = 0.05

    def __call__(self, frame: Frame) -> Floats:
        """Return ``(exp(-d / broad) + exp(-(d / narrow)^2)) / 2`` at distance ``d``."""
        distance = distance_to_target(frame, self.point)
        return np.asarray(
            0.5 * (np.exp(-distance / self.broad) + np.exp(-np.square(distance / self.narrow)))
        )


@dataclass(frozen=True)
class StandStill:
    """Reward not moving: the centre of mass at rest.

    Attributes:
        weight: per step.
        width: m/s at which the reward has fallen to ``exp(-1)``.
    """

    READS: ClassVar[frozenset[str]] = frozenset({"centre_of_mass_velocity"})
    weight: float = 1.0
    width: float = 0.2

    def __call__(self, frame: Frame) -> Floats:
        """Return ``exp(-(|v| / width)^2)``."""
        squared = np.square(frame.state.centre_of_mass_velocity).sum(axis=1)
        return np.asarray(np.exp(-squared / self.width**2))


@dataclass(frozen=True)
class Posture:
    """Reward joint angles near those of the model's default pose.

    Attributes:
        weight: per step.
        width: rad, root mean square over the joints, at which the reward has fallen to ``exp(-1)``.
    """

    READS: ClassVar[frozenset[str]] = frozenset()
    weight: float = 1.0
    width: float = 0.3

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
