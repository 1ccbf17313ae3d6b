"""Images of evaluations for TensorBoard: the first episode as a clip and as a figure."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import numpy as np

from osimexp.analysis.shown import DrawnModel, Shown
from osimexp.controllers.controller import Agent
from osimexp.experiment.recording import record, recording_environment
from osimexp.models.prepare import PreparedModel
from osimexp.motion.movement import Movement
from osimexp.tasks.musculoskeletal import MusculoskeletalVectorEnv
from osimexp.tasks.specification import Specification
from osimexp.visual.clip import Clip, ClipSettings, gif_bytes

CLIP = ClipSettings(width=320, height=240, fps=20.0)

# Returns PNG or GIF images of a controller's movement, by name; the second argument is called at
# each step and may raise Interrupted.
Look = Callable[[Agent, Callable[[], None]], dict[str, bytes]]


@contextmanager
def looking(task: Specification, seed: int, model: PreparedModel | None = None) -> Iterator[Look]:
    """Yield a function that makes the images of evaluations.

    Args:
        task: task of the evaluation.
        seed: seed of the episode that is shown.
        model: model of the task, prepared before; None prepares it now.

    Raises:
        OsimexpError: the task cannot be made, or its model cannot be drawn.
    """
    with closing(recording_environment(task, model)) as environment:
        drawn = DrawnModel(environment.model)
        # A model that cannot be drawn is refused before the run begins.
        _drawn(Shown("still", drawn.model, _still(environment), drawn=drawn))

        def look(controller: Agent, check: Callable[[], None]) -> dict[str, bytes]:
            movement = record(environment, controller, seed, check)
            return _drawn(Shown("evaluation", drawn.model, movement, drawn=drawn))

        yield look


def _drawn(shown: Shown) -> dict[str, bytes]:
    # This imports Matplotlib, which runs without images need not wait for.
    from osimexp.analysis.gait.report import report

    clip = Clip(shown.figure, shown.movement, shown.poses, CLIP)
    return {
        "evaluation/clip": gif_bytes(clip, CLIP.fps),
        "evaluation/figure": report(shown).png(),
    }


def _still(environment: MusculoskeletalVectorEnv) -> Movement:
    """Return a movement that stays in the default pose."""
    names = environment.scene.names
    pose = np.tile(names.default_pose, (2, 1))
    time = np.array([0.0, environment.scene.control_period])
    return Movement(time, names.coordinates, names.rotational, pose, np.zeros_like(pose))
