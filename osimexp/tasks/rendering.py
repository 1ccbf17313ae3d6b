"""Pictures of a batch of environments at one moment."""

import numpy as np
from numpy.typing import NDArray

from osimexp.models.prepare import PreparedModel
from osimexp.physics.posing.appearance import figure
from osimexp.physics.posing.figure import Poses
from osimexp.physics.posing.poses import Posing
from osimexp.physics.posing.state_paths import state_paths
from osimexp.tasks.scene import Frame, TargetTerm
from osimexp.visual.camera import ViewSettings
from osimexp.visual.drawing import Drawing, Moment, stands
from osimexp.visual.shapes import look
from osimexp.visual.track import framed
from osimexp.visual.tubes import muscle_stations

Image = NDArray[np.uint8]

WIDTH, HEIGHT = 640, 480
POSES = 40  # random poses from which the size of the picture is found


class Pictures:
    """A renderer of every environment of a batch.

    Args:
        model: model of the environments.
        target: target term of the task; its point is drawn if it has one.

    Raises:
        ModelError: the model cannot be posed, or one of its meshes cannot be read.
    """

    def __init__(self, model: PreparedModel, target: TargetTerm | None) -> None:
        shape = look(figure(model))
        self._figure = shape.figure
        self._posing = Posing(model)
        self._feet = list(self._figure.foot_bodies)
        self._targets = int(target is not None and target.point is not None)
        # Poses from the whole ranges of the coordinates, the same each time.
        names = state_paths(model).names
        shares = np.random.default_rng(0).uniform(size=(POSES, len(names.coordinates)))
        low, high = names.ranges.T
        some = np.tile(names.default_pose, (POSES, 1))
        if not stands(self._figure):
            some = low + shares * (high - low)
        poses = self._posing(some)
        aims, extent = framed(shape, np.arange(POSES, dtype=float), poses, follow=False)
        self._aim = aims[0]
        self._drawing = Drawing(
            shape,
            WIDTH,
            HEIGHT,
            ViewSettings(),
            extent,
            stands(self._figure),
            len(self._feet),
            self._targets,
        )

    def __call__(self, frame: Frame) -> tuple[Image, ...]:
        """Return a picture ``(HEIGHT, WIDTH, 3)`` of each environment."""
        poses = self._posing(frame.state.coordinates)
        muscles = muscle_stations(poses.paths, len(poses.bodies))
        moments = (self._moment(frame, b, poses, muscles) for b in range(len(poses.bodies)))
        return tuple(self._drawing.picture(moment) for moment in moments)

    def _moment(self, frame: Frame, row: int, poses: Poses, muscles: NDArray[np.float32]) -> Moment:
        under = poses.bodies[row, self._feet, :3, 3] * [1.0, 0.0, 1.0]
        aim = self._aim.copy()
        if stands(self._figure):
            aim[[0, 2]] = poses.centre_of_mass[row, [0, 2]]
        targets = frame.targets[row].reshape(-1, 3) if self._targets else np.zeros((0, 3))
        weight = frame.scene.body_weight
        return Moment(
            bodies=poses.bodies[row].astype(np.float32),
            muscles=muscles[row],
            activations=frame.state.activations[row].astype(np.float32),
            forces=(frame.state.ground_reaction[row] / weight).astype(np.float32),
            points=under.astype(np.float32),
            targets=targets.astype(np.float32),
            aim=aim.astype(np.float32),
        )
