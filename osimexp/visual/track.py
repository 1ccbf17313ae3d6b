"""A movement prepared for drawing at any time of it."""

import numpy as np
from numpy.typing import NDArray

from osimexp.arrays import Floats
from osimexp.motion.movement import Movement
from osimexp.physics.posing.figure import Poses
from osimexp.visual.camera import followed
from osimexp.visual.drawing import Moment, stands
from osimexp.visual.shapes import Look
from osimexp.visual.tubes import muscle_stations

Singles = NDArray[np.float32]

GRAVITY = 9.80665
USUAL_MASS = 75.0  # mass of a model whose movement gives none, kg
POSES = 20  # poses of a movement from which the size of its picture is found
MARGIN = 1.14  # size of the picture over that of the scene in it


class Track:
    """The moments of a movement, and moments between them.

    Args:
        look: appearance of the model.
        movement: movement of the model.
        poses: poses of the bodies in the movement.
        follow: whether the camera moves along with the model.

    Attributes:
        extent: height of the scene that a picture must show, m.
    """

    def __init__(self, look: Look, movement: Movement, poses: Poses, follow: bool = True) -> None:
        figure = look.figure
        moments = len(movement)
        self._time = movement.time
        weight = (movement.mass or USUAL_MASS) * GRAVITY
        activations = np.zeros((moments, len(figure.muscles)), dtype=np.float32)
        if movement.activations.shape[1]:
            for m, name in enumerate(figure.muscles):
                if name in movement.muscles:
                    activations[:, m] = movement.activations[:, movement.muscles.index(name)]
        known = len(movement.feet) if len(movement.ground_reaction) else 0
        targets = list(movement.targets.values())
        none = np.zeros((moments, 0, 3))
        self._arrays = {
            "bodies": poses.bodies.astype(np.float32),
            "muscles": muscle_stations(poses.paths, moments),
            "activations": activations,
            # Forces that are not known are not drawn.
            "forces": np.nan_to_num(movement.ground_reaction / weight if known else none).astype(
                np.float32
            ),
            "points": np.nan_to_num(movement.foot_positions if known else none).astype(np.float32),
            "targets": (np.stack(targets, axis=1) if targets else none).astype(np.float32),
        }
        targets_reached = self._arrays["targets"].reshape(-1, 3)
        aim, self.extent = framed(look, movement.time, poses, targets_reached, follow)
        self._arrays["aim"] = aim.astype(np.float32)

    @property
    def forces(self) -> int:
        """Number of forces in each moment."""
        return int(self._arrays["forces"].shape[1])

    @property
    def targets(self) -> int:
        """Number of targets in each moment."""
        return int(self._arrays["targets"].shape[1])

    def moment(self, number: int) -> Moment:
        """Return a moment of the movement by its number."""
        return Moment(**{name: array[number] for name, array in self._arrays.items()})

    def at(self, time: float) -> Moment:
        """Return the moment at a time in s, between the two nearest ones of the movement."""
        last = len(self._time) - 1
        after = int(np.clip(np.searchsorted(self._time, time), 1, max(last, 1)))
        if last == 0:
            return self.moment(0)
        begin, end = self._time[after - 1], self._time[after]
        part = float(np.clip((time - begin) / (end - begin), 0.0, 1.0))
        return self.moment(after - 1).towards(self.moment(after), part)


def framed(
    look: Look,
    time: Floats,
    poses: Poses,
    points: Floats | Singles | None = None,
    follow: bool = True,
) -> tuple[Floats, float]:
    """Return the points ``(T, 3)`` (m) that the camera looks at, and the height (m) to show.

    Args:
        look: appearance of the model.
        time: ``(T,)`` s.
        poses: poses of the bodies at these times.
        points: ``(n, 3)`` points to show beside a model that stays in its place, m.
        follow: whether the camera moves along with a model that travels.
    """
    centre = poses.centre_of_mass
    some = np.linspace(0, len(time) - 1, min(len(time), POSES)).astype(int)
    bounds = np.array([look.bounds(poses.bodies[t]) for t in some])
    if stands(look.figure):
        top = max(float(bounds[:, 1, 1].max()), 0.5)
        aim = followed(time, centre)
        if not follow:
            aim[:] = centre.mean(axis=0)
        aim[:, 1] = 0.48 * top
        return aim, MARGIN * top
    # A model that stays in its place is shown with all the space that it moves in.
    shown = [bounds.reshape(-1, 3)] if points is None else [bounds.reshape(-1, 3), points]
    shown += [path[:, [0, -1]].reshape(-1, 3) for path in poses.paths if path.shape[1] > 1]
    everything = np.concatenate(shown)
    low, high = everything.min(axis=0), everything.max(axis=0)
    return np.tile(0.5 * (low + high), (len(time), 1)), MARGIN * float((high - low).max())
