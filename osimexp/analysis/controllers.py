"""The controller that a command is asked to play."""

from typing import Literal

import numpy as np

from osimexp.controllers.controller import Controller
from osimexp.controllers.policy import Policy
from osimexp.controllers.scripted import Constant, Uniform
from osimexp.experiment import checkpoint
from osimexp.experiment.run_folder import RunFolder
from osimexp.tasks.environment import Environment

Played = Literal["policy", "random", "constant"]


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
