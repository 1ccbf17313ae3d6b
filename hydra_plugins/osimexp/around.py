"""A base for launchers that build on a launcher of another package."""

from typing import Any

from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from hydra.utils import get_class
from omegaconf import DictConfig


class AroundLauncher(Launcher):
    """A launcher that lets the launcher of an optional extra run the jobs.

    Args:
        settings: settings of that launcher.
    """

    THEIRS: str
    """Import path of that launcher, which is imported when it is used."""

    def __init__(self, **settings: Any) -> None:
        self._settings = settings

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        """Set up the other launcher."""
        self.context, self.config = hydra_context, config
        self.theirs = get_class(self.THEIRS)(**self._settings)
        self.theirs.setup(hydra_context=hydra_context, task_function=task_function, config=config)
