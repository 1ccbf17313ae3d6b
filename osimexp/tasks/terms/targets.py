"""Target terms, drawn for each episode."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from osimexp.arrays import Floats
from osimexp.models.names import AXES
from osimexp.physics.simulation import Simulation, Start
from osimexp.tasks.columns import Column
from osimexp.tasks.scene import Scene
from osimexp.tasks.terms.starts import drawn_angles


@dataclass(frozen=True)
class ReachablePoint:
    """A random position in ground that a named point can reach, m.

    It is the position of the point in a random pose, which is uniform in a middle part of the
    model's workspace, so that every target can be reached.

    Attributes:
        point: name of the point.
        share: middle part of each joint's workspace that poses are drawn from, in (0, 1].
        within: time to reach the target, s; null keeps the task's duration.
    """

    point: str
    share: float
    within: float | None

    def __post_init__(self) -> None:
        if not 0.0 < self.share <= 1.0:
            raise ValueError("share must be in (0, 1]")
        if self.within is not None and not self.within > 0.0:
            raise ValueError("within must be above 0 s")

    @property
    def size(self) -> int:
        """Length of a target."""
        return 3

    def __call__(
        self,
        scene: Scene,
        simulation: Simulation,
        generators: Sequence[np.random.Generator],
        start: Start,
    ) -> Floats:
        """Return points ``(R, 3)``, one drawn from each generator."""
        row = scene.point(self.point)
        poses = drawn_angles(scene, generators, self.share)
        return simulation.kinematics(poses).point_positions[:, row]

    def mirrored(self, targets: Floats) -> Floats:
        """Return points ``(R, 3)`` with the opposite sideways component."""
        return targets * [1.0, 1.0, -1.0]

    def columns(self, scene: Scene) -> tuple[Column, ...]:
        """Return a column for each axis of ground."""
        return tuple(Column(axis, "m") for axis in AXES)
