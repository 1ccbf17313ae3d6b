"""Start terms: poses in which episodes begin.

Every pose is checked to be clear of the ground, because feet inside the floor make one step take
minutes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from osimexp.arrays import Floats
from osimexp.errors import BeginningError
from osimexp.physics.simulation import Simulation, Start
from osimexp.tasks.scene import Scene

# m that a contact sphere may be in the floor where an episode begins: standing presses it in by
# a few millimetres.
PENETRATION = 0.01


class StartTerm(Protocol):
    """A term that draws the starts of episodes."""

    def __call__(self, scene: Scene, generators: Sequence[np.random.Generator]) -> Start:
        """Return starts, a row for each generator, drawn from that generator alone."""
        ...

    def for_judging(self) -> "StartTerm":
        """Return the same term without its aids to learning, for evaluations."""
        ...


@dataclass(frozen=True)
class Poses:
    """A random choice of the model's named poses, with noise.

    Attributes:
        poses: names from ``model.poses``, with equal probability; ``default`` is the model's
            default pose. None takes all that the model names; if it names none, every episode
            begins standing.
        standing: share of the episodes that begin in the default pose, at rest but for noise on
            the angles.
        angle_noise: standard deviation of every joint angle, rad; angles stay inside their ranges.
        speed_noise: standard deviation of every speed, rad/s and m/s.
        forward: speed of the base body forward, m/s.
        activation: activation of every muscle, in [0, 1].
        judged_still: whether evaluations begin without the noise.
    """

    poses: tuple[str, ...] | None
    standing: float
    angle_noise: float
    speed_noise: float
    forward: float
    activation: float
    judged_still: bool

    def __post_init__(self) -> None:
        if self.poses is not None and not self.poses:
            raise ValueError("poses must name at least one pose")
        if not 0.0 <= self.standing <= 1.0:
            raise ValueError("standing must be in [0, 1]")
        if min(self.angle_noise, self.speed_noise) < 0.0:
            raise ValueError("angle_noise and speed_noise must not be negative")
        if not 0.0 <= self.activation <= 1.0:
            raise ValueError("activation must lie in [0, 1]")

    def for_judging(self) -> "Poses":
        """Return the same poses, without noise if ``judged_still`` is true."""
        return replace(self, angle_noise=0.0, speed_noise=0.0) if self.judged_still else self

    def __call__(self, scene: Scene, generators: Sequence[np.random.Generator]) -> Start:
        """Return starts, a row for each generator, drawn from that generator alone."""
        names = scene.names
        named = tuple(scene.model.poses) if self.poses is None else self.poses
        poses = scene.poses(named or ("default",))
        count, width = len(generators), len(names.coordinates)
        chosen = poses[[generator.integers(len(poses)) for generator in generators]]
        noise = np.empty((count, 2, width))
        for row, generator in zip(noise, generators, strict=True):
            generator.standard_normal(out=row)
        standing = np.full(count, not named)
        if named and self.standing:
            standing = np.array([generator.random() for generator in generators]) < self.standing
        chosen[standing] = names.default_pose
        coordinates = chosen + self.angle_noise * noise[:, 0] * names.rotational
        speeds = self.speed_noise * noise[:, 1]
        if self.angle_noise:
            coordinates = np.clip(coordinates, *scene.bounds)
        way = scene.base("forward")
        if way is not None:
            speeds[:, way] += self.forward
        speeds[standing] = 0.0
        return Start(coordinates, speeds, np.full((count, len(names.muscles)), self.activation))


@dataclass(frozen=True)
class Anywhere:
    """Uniformly random joint angles in the model's workspace, at rest.

    Attributes:
        share: middle part of each joint's workspace that angles are drawn from, in (0, 1].
        activation: activation of every muscle, in [0, 1].
    """

    share: float
    activation: float

    def __post_init__(self) -> None:
        if not 0.0 < self.share <= 1.0:
            raise ValueError("share must be in (0, 1]")
        if not 0.0 <= self.activation <= 1.0:
            raise ValueError("activation must lie in [0, 1]")

    def for_judging(self) -> "Anywhere":
        """Return the same term, because it has no aids to learning."""
        return self

    def __call__(self, scene: Scene, generators: Sequence[np.random.Generator]) -> Start:
        """Return starts, a row for each generator, drawn from that generator alone."""
        coordinates = drawn_angles(scene, generators, self.share)
        activations = np.full((len(generators), len(scene.names.muscles)), self.activation)
        return Start(coordinates, np.zeros_like(coordinates), activations)


def drawn_angles(scene: Scene, generators: Sequence[np.random.Generator], share: float) -> Floats:
    """Return random poses ``(R, coordinates)``, one from each generator.

    Every joint angle is uniform in the middle part ``share`` of its workspace; the coordinates of
    the base body and translations keep the model's default.
    """
    lowest, highest = scene.workspace.T
    middle, half = (lowest + highest) / 2, (highest - lowest) / 2
    poses = np.empty((len(generators), len(middle)))
    for row, generator in zip(poses, generators, strict=True):
        generator.random(out=row)
    poses = middle + share * half * (2.0 * poses - 1.0)
    return np.where(scene.free, poses, scene.names.default_pose)


def clear_of_ground(scene: Scene, simulation: Simulation, start: Start) -> Start:
    """Return a start with every pose out of the floor; poses in the floor are lifted.

    Raises:
        BeginningError: a pose is in the floor and the model has no height coordinate to lift it by.
    """
    clearance = simulation.kinematics(start.coordinates).clearance
    sunk = clearance < -PENETRATION
    if not sunk.any():
        return start
    height = scene.base("height")
    if height is None:
        raise BeginningError(
            f"An episode would begin with a foot {-clearance.min():.3f} m in the floor; name the "
            "base body as model.base.body, so that it can be lifted."
        )
    coordinates = start.coordinates.copy()
    coordinates[sunk, height] -= clearance[sunk]
    if (simulation.kinematics(coordinates[sunk]).clearance < -PENETRATION).any():
        raise BeginningError(
            "An episode would begin with a foot in the floor, and "
            f"{scene.names.coordinates[height]} does not lift it; model.base.height must be the "
            "coordinate that does."
        )
    return Start(coordinates, start.speeds, start.activations)
