"""Launchers of others, with more around them."""

from typing import Any

from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from hydra.utils import get_class
from omegaconf import DictConfig


class AroundLauncher(Launcher):
    """Has a launcher of an optional extra do the jobs.

    Args:
        settings: of that launcher.
    """

    THEIRS: str
    """Where it is imported from: when it is used, as Hydra imports ours in every command."""

    def __init__(self, **settings: Any) -> None:
        self._settings = settings

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        """Set it up."""
        self.context, self.config = hydra_context, config
        self.theirs = get_class(self.THEIRS)(**self._settings)
        self.theirs.setup(hydra_context=hydra_context, task_function=task_function, config=config)
