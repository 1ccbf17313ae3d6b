"""Where episodes begin: poses drawn for the environments that are reset.

Every pose is checked to be clear of the ground: feet inside the floor make one step take minutes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from osimexp.errors import ConfigError, ModelError, near_matches
from osimexp.physics.simulation import Floats, Simulation, Start
from osimexp.tasks.scene import Scene

# m that a contact sphere may be in the floor where an episode begins: standing presses it in by
# a few millimetres.
PENETRATION = 0.01


class StartTerm(Protocol):
    """Draws where episodes begin."""

    def __call__(self, scene: Scene, generators: Sequence[np.random.Generator]) -> Start:
        """Return a row for each generator, drawn from it alone."""
        ...


@dataclass(frozen=True)
class Poses:
    """One of the model's named poses, drawn with equal chance, with noise about it.

    Attributes:
        poses: names from ``model.poses``; ``default`` is the model's own default pose.
        angle_noise: rad, standard deviation on every joint angle, kept inside the joint's range.
        speed_noise: rad/s and m/s, standard deviation on every speed.
        forward: m/s of the pelvis's way forward.
        activation: of every muscle, in [0, 1].
    """

    poses: tuple[str, ...] = ("default",)
    angle_noise: float = 0.0
    speed_noise: float = 0.0
    forward: float = 0.0
    activation: float = 0.05

    def __post_init__(self) -> None:
        if not self.poses:
            raise ValueError("poses must name at least one pose")
        if min(self.angle_noise, self.speed_noise) < 0.0:
            raise ValueError("angle_noise and speed_noise must not be negative")
        if not 0.0 <= self.activation <= 1.0:
            raise ValueError("activation must lie in [0, 1]")

    def __call__(self, scene: Scene, generators: Sequence[np.random.Generator]) -> Start:
        """Return a row for each generator, drawn from it alone."""
        names = scene.names
        poses = np.stack([pose(scene, name) for name in self.poses])
        count, width = len(generators), len(names.coordinates)
        coordinates, speeds = np.empty((count, width)), np.empty((count, width))
        for row, generator in enumerate(generators):
            coordinates[row] = poses[generator.integers(len(poses))]
            coordinates[row] += self.angle_noise * generator.normal(size=width) * names.rotational
            speeds[row] = self.speed_noise * generator.normal(size=width)
        if self.angle_noise:
            lowest, highest = names.ranges[:, 0], names.ranges[:, 1]
            inside = np.clip(coordinates, lowest, highest)
            coordinates = np.where(names.rotational, inside, coordinates)
        way = scene.base("forward")
        if way is not None:
            speeds[:, way] += self.forward
        return Start(coordinates, speeds, np.full((count, len(names.muscles)), self.activation))


@dataclass(frozen=True)
class Anywhere:
    """Joint angles drawn evenly from the model's workspace, at rest.

    Attributes:
        share: of each joint's part, about its middle, that is drawn from, in (0, 1].
        activation: of every muscle, in [0, 1].
    """

    share: float = 1.0
    activation: float = 0.05

    def __post_init__(self) -> None:
        if not 0.0 < self.share <= 1.0:
            raise ValueError("share must lie in (0, 1]")
        if not 0.0 <= self.activation <= 1.0:
            raise ValueError("activation must lie in [0, 1]")

    def __call__(self, scene: Scene, generators: Sequence[np.random.Generator]) -> Start:
        """Return a row for each generator, drawn from it alone."""
        coordinates = np.stack([drawn_angles(scene, g, self.share) for g in generators])
        activations = np.full((len(generators), len(scene.names.muscles)), self.activation)
        return Start(coordinates, np.zeros_like(coordinates), activations)


def drawn_angles(scene: Scene, generator: np.random.Generator, share: float) -> Floats:
    """Return a pose ``(coordinates,)`` with every joint drawn evenly from a share of its workspace.

    The pelvis and the ways (m) keep the model's default.
    """
    names = scene.names
    ranges = names.ranges.copy()
    for name, part in scene.model.workspace.items():
        ranges[scene.coordinate(name)] = part
    middle, half = ranges.mean(axis=1), np.ptp(ranges, axis=1) / 2
    drawn = middle + share * half * generator.uniform(-1.0, 1.0, size=len(middle))
    bases = [scene.base(role) for role in ("forward", "height", "tilt")]
    free = names.rotational & ~np.isin(np.arange(len(middle)), [b for b in bases if b is not None])
    return np.where(free, drawn, names.default_pose)


def pose(scene: Scene, name: str) -> Floats:
    """Return a named pose ``(coordinates,)``.

    Raises:
        ConfigError: the model has no such pose, or the pose names an unknown coordinate.
    """
    values = scene.names.default_pose.copy()
    if name == "default":
        return values
    if name not in scene.model.poses:
        known = ["default", *scene.model.poses]
        raise ConfigError(
            f"start.poses: the model has no pose {name!r}; {near_matches(name, known)}"
        )
    for coordinate, value in scene.model.poses[name].items():
        values[scene.coordinate(coordinate)] = value
    return values


def clear_of_ground(scene: Scene, simulation: Simulation, start: Start) -> Start:
    """Return a start with every pose out of the floor, lifted by its pelvis where it was in it.

    Raises:
        ModelError: a pose is in the floor and the model has no pelvis height to lift it by.
    """
    clearance = simulation.kinematics(start.coordinates).clearance
    sunk = clearance < -PENETRATION
    if not sunk.any():
        return start
    height = scene.base("height")
    if height is None:
        raise ModelError(
            f"An episode would begin with a foot {-clearance.min():.3f} m in the floor; name the "
            "coordinate of the pelvis's height as model.base.height, so that it can be lifted."
        )
    coordinates = start.coordinates.copy()
    coordinates[sunk, height] -= clearance[sunk]
    if (simulation.kinematics(coordinates[sunk]).clearance < -PENETRATION).any():
        raise ModelError(
            f"An episode would begin with a foot in the floor, and {scene.model.base.height} does "
            "not lift it; model.base.height must be the coordinate of the pelvis's height."
        )
    return Start(coordinates, start.speeds, start.activations)
