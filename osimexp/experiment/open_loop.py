"""Playback of a movement file's controls, as the actions that give them."""

from pathlib import Path

import numpy as np

from osimexp.arrays import Floats
from osimexp.controllers.scripted import OpenLoop
from osimexp.errors import ConfigError
from osimexp.motion.files import read_controls
from osimexp.physics.posing.state_paths import state_paths
from osimexp.tasks.musculoskeletal import MusculoskeletalVectorEnv


def open_loop(file: Path, environment: MusculoskeletalVectorEnv) -> OpenLoop:
    """Return the controller that plays a file's controls from the start of each episode.

    Each control is taken at the beginning of its control period; the last one is held to the end of
    the episode. Actuators that no action drives, and pushes, are the task's own.

    Args:
        file: file of controls, as ``osimexp evaluate movements=1`` writes it,
            ``<name>_controls.sto``.
        environment: environment whose muscles and driven actuators are controlled.

    Raises:
        MovementError: the file cannot be read, or lacks a control.
        ConfigError: no actions of the task give the controls, or it mirrors what they do.
    """
    if environment.specification.symmetry is not None:
        raise ConfigError(
            "Controls of a file belong to their own side, and symmetry would mirror them; leave it "
            "out of the task that they are played in."
        )
    paths = state_paths(environment.model)
    time, controls = read_controls(file, paths, environment.controls_acted_on)
    period = environment.scene.control_period
    return OpenLoop(environment.actions_of(held(time, controls, period)))


def held(time: Floats, values: Floats, period: float) -> Floats:
    """Return values at equal intervals of ``period`` s, each held until the next one is given.

    Args:
        time: ``(T,)`` s, rising.
        values: ``(T, columns)``.
        period: interval, s.

    Returns:
        ``(N, columns)`` for the periods that begin before the last time.
    """
    since = time - time[0]
    count = max(1, int(np.ceil(since[-1] / period - _EARLY)))
    moments = (np.arange(count) + _EARLY) * period
    return np.asarray(values[np.searchsorted(since, moments, side="right") - 1])


_EARLY = 1e-6
"""Share of a period by which a time may be rounded."""
