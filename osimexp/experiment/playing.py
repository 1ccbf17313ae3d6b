"""The controller that a command is asked to play."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from omegaconf import DictConfig, OmegaConf

from osimexp.controllers.controller import Controller
from osimexp.controllers.policy import Policy
from osimexp.controllers.scripted import Constant, Uniform
from osimexp.errors import ConfigError, near_matches
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
        ConfigError: the policy observes something else than the environment shows, or does
            other actions.
        RunFolderError: there is no such checkpoint, or it cannot be read.
    """
    actions = environment.single_action_space.shape[0]
    if kind == "constant":
        return Constant(actions, value)
    if kind == "random":
        return Uniform(actions, np.random.default_rng(seed))
    saved = checkpoint.load(folder.checkpoint_file(checkpoint_name))
    policy = Policy.from_state_dict(saved.state["policy"], device)
    seen, has = environment.single_observation_space.shape[0], policy.network.sizes[0]
    if (has, policy.action_size) != (seen, actions):
        raise ConfigError(
            f"The policy of {folder.path} takes {has} numbers and gives {policy.action_size} "
            f"actions, and this task shows {seen} and takes {actions}; keep the muscles and the "
            "joints that it was trained with."
        )
    return policy


def changed(config: DictConfig, groups: Mapping[str, Any], start: Mapping[str, Any]) -> None:
    """Change a run's config to what a command plays it in.

    Args:
        config: of the run, which is changed.
        groups: that take the place of the run's: model, muscles, physics, push.
        start: values that take the place of those of the run's start.

    Raises:
        ConfigError: the run's task moves no model, or its start has no such value.
    """
    if (groups or start) and "_target_" in config.task:
        name = next(iter(groups), "start")
        raise ConfigError(f"The run's task moves no model, so that {name} cannot be given.")
    for name, group in groups.items():
        OmegaConf.update(config, name, group, merge=False, force_add=True)
    for key, value in start.items():
        if key not in config.start:
            known = [name for name in config.start if not str(name).startswith("_")]
            raise ConfigError(f"start.{key} is not a known key; {near_matches(key, known)}")
        config.start[key] = value
