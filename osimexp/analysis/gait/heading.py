"""The direction in which a walk goes, and the walk turned until that is x."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from osimexp.analysis.gait.cycles import interpolated
from osimexp.analysis.gait.feet import foot_paths, toe_paths
from osimexp.analysis.gait.settings import GaitSettings
from osimexp.analysis.gait.strides import Stride
from osimexp.analysis.shown import Shown
from osimexp.arrays import Floats
from osimexp.motion.ground import LEVEL, facing
from osimexp.physics.posing.figure import Poses

FLAT = (0.1, 0.5)
"""Shares of the stance between which the foot is flat on the ground and moves with it."""

FLAT_BACKWARDS = (0.5, 0.9)
"""Shares of the stance between which a foot that steps backwards, toes first, is flat."""

PUSHING = (0.2, 0.8)
"""Shares of the stance of a runner between which the toes are on the ground and move with it."""

_OPPOSITE = -0.5
"""Greatest cosine of the angle between the ways of who walks backwards and of the face."""

_ALONG = 10.0
"""Angle from the x axis within which a walk is along it, degrees."""


@dataclass(frozen=True)
class Heading:
    """The direction in which a walk goes over the ground.

    Attributes:
        direction: level unit vector ``(2,)``, x and z.
        belt: speed at which the ground moves against it, m/s; 0 without a treadmill.
        backwards: whether the model faces the other way.
    """

    direction: Floats
    belt: float
    backwards: bool

    def beside_x(self) -> str:
        """Return in words how the way lies to the x axis; "" if it is about along it."""
        x, z = (float(one) for one in self.direction)
        angle = abs(float(np.rad2deg(np.arctan2(z, x))))
        if angle < _ALONG:
            return ""
        if angle > 180.0 - _ALONG:
            return "against the x axis"
        return f"{angle:.0f} degrees to the {'right' if z > 0.0 else 'left'} of the x axis"


def heading(
    shown: Shown, settings: GaitSettings, strides: Sequence[Stride], running: bool
) -> Heading:
    """Return the direction in which a walk goes over the ground.

    It is that of the way of the feet from the strikes at which strides begin to those at which
    they end or, of a model that walks on the spot, that in which the model faces.

    Args:
        shown: walk.
        settings: settings of the measurement.
        strides: strides of both sides.
        running: whether they are strides of a run.

    Raises:
        ModelError: the model has none of the foot bodies that the settings name.
    """
    time, least, ahead = shown.movement.time, settings.treadmill, facing(shown.poses.bodies)
    feet = foot_paths(shown, settings)
    on_ground, standing = (toe_paths(shown, settings), PUSHING) if running else (feet, FLAT)
    ground = ground_velocity(time, on_ground, strides, least, standing)
    travel = _travel(time, feet, strides) - ground
    backwards = float(travel @ ahead) < _OPPOSITE * max(float(np.linalg.norm(travel)), least)
    if backwards and not running:
        ground = ground_velocity(time, on_ground, strides, least, FLAT_BACKWARDS)
        travel = _travel(time, feet, strides) - ground
    speed = float(np.linalg.norm(travel))
    direction = travel / speed if speed > least else ahead
    belt = -float(ground @ direction)
    return Heading(np.asarray(direction), belt if abs(belt) > least else 0.0, backwards)


def ground_velocity(
    time: Floats,
    feet: Mapping[str, Floats],
    strides: Sequence[Stride],
    least: float,
    standing: tuple[float, float] = FLAT,
) -> Floats:
    """Return the level velocity ``(2,)`` of the ground under feet that bear weight, m/s.

    Args:
        time: ``(T,)`` s.
        feet: path ``(T, 3)`` of each side's foot body or, of a runner, whose heels rise early, of
            its toes, m.
        strides: strides of both sides.
        least: speed below which feet slip and the ground is taken to be still, m/s.
        standing: shares of the stance between which that path moves with the ground.
    """
    velocities = []
    for stride in strides:
        moments = stride.start + np.array(standing) * (stride.toe_off - stride.start)
        ends = interpolated(time, feet[stride.side][:, LEVEL], moments)
        velocities.append((ends[1] - ends[0]) / (moments[1] - moments[0]))
    found = np.asarray(np.median(velocities, axis=0))
    return found if np.linalg.norm(found) > least else np.zeros(2)


def turned(shown: Shown, direction: Floats) -> Shown:
    """Return a movement turned about the vertical as a whole, so that a direction becomes x.

    Poses, forces and points are turned; values of coordinates stay.

    Args:
        shown: movement.
        direction: level unit vector ``(2,)`` in ground, x and z.
    """
    if np.array_equal(direction, [1.0, 0.0]):
        return shown
    x, z = direction
    turn = np.array([[x, 0.0, z], [0.0, 1.0, 0.0], [-z, 0.0, x]])
    poses, movement = shown.poses, shown.movement
    bodies = poses.bodies.copy()
    bodies[:, :, :3] = turn @ poses.bodies[:, :, :3]
    posed = Poses(bodies, tuple(p @ turn.T for p in poses.paths), poses.centre_of_mass @ turn.T)
    forced = replace(
        movement,
        ground_reaction=movement.ground_reaction @ turn.T,
        foot_positions=movement.foot_positions @ turn.T,
        targets={name: points @ turn.T for name, points in movement.targets.items()},
    )
    found = replace(shown, movement=forced, posed=posed)
    if "figure" in vars(shown):
        vars(found)["figure"] = shown.figure
    return found


def _travel(time: Floats, feet: Mapping[str, Floats], strides: Sequence[Stride]) -> Floats:
    """Return the mean level velocity ``(2,)`` of feet over their strides, m/s."""
    ways = [
        np.diff(interpolated(time, feet[s.side][:, LEVEL], np.array([s.start, s.end])), axis=0)[0]
        for s in strides
    ]
    return np.asarray(np.sum(ways, axis=0) / sum(stride.duration for stride in strides))
