"""The controller that a command is asked to play."""

from pathlib import Path
from typing import Literal, get_args

import numpy as np

from osimexp.controllers.controller import Controller
from osimexp.controllers.policy import Policy
from osimexp.controllers.scripted import Constant, Uniform
from osimexp.errors import ConfigError
from osimexp.experiment import checkpoint
from osimexp.experiment.run_folder import RunFolder
from osimexp.experiment.trained import trained
from osimexp.tasks.environment import Environment

Played = Literal["policy", "random", "constant"]


def played(run: str | None, controller: str) -> tuple[RunFolder, Played]:
    """Return the folder of what a command plays, and which controller of it.

    Args:
        run: folder of a run, None for a controller that comes with the package.
        controller: of ``Played``, in the run's task; or the name of one that comes with the
            package, in the task that it was trained in.

    Raises:
        ConfigError: neither or both are given, or there is no such controller.
        RunFolderError: the run cannot be used.
    """
    for kind in get_args(Played):
        if controller == kind:
            if run is None:
                raise ConfigError(
                    "Give a run (run=outputs/...) or a controller that comes with osimexp "
                    "(controller=walk)."
                )
            return RunFolder.open(Path(run)), kind
    folder = trained(controller)
    if run is not None:
        raise ConfigError(
            f"controller={controller} brings its own task; leave run out, or take "
            "controller=policy to play the run's."
        )
    return folder, "policy"


def chosen_controller(
    kind: Played,
    environment: Environment,
    folder: RunFolder,
    checkpoint_name: str,
    value: float,
    seed: int,
    device: str = "cpu",
) -> Controller:
    """Return a run's policy, or a controller to compare it with.

    Args:
        kind: which.
        environment: that it acts in.
        folder: of the run whose policy it is.
        checkpoint_name: ``best`` or ``latest``.
        value: of every action of the constant controller, in [-1, 1].
        seed: of the random controller.
        device: what the policy runs on.

    Raises:
        RunFolderError: there is no such checkpoint, or it cannot be read.
    """
    actions = environment.single_action_space.shape[0]
    if kind == "constant":
        return Constant(actions, value)
    if kind == "random":
        return Uniform(actions, np.random.default_rng(seed))
    saved = checkpoint.load(folder.checkpoint_file(checkpoint_name))
    return Policy.from_state_dict(saved.state["policy"], device)
