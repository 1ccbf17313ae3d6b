"""``hydra/sweeper=search``: Optuna proposes the jobs of a sweep."""

from collections.abc import Sequence
from typing import Any

from hydra.core.plugins import Plugins
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from osimexp.errors import ConfigError


class SearchSweeper(Sweeper):
    """A sweeper that passes its arguments from Hydra on to ``osimexp.sweeps.search.search``.

    It imports little, because Hydra imports it in every command.

    Args:
        settings: values of ``conf/hydra/sweeper/search.yaml``.
    """

    def __init__(self, **settings: Any) -> None:
        self._settings = settings

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        """Store the arguments for ``sweep``."""
        self.hydra_context, self.config = hydra_context, config
        self._loader, self._composed = hydra_context.config_loader, config
        self._jobs = Plugins.instance().instantiate_launcher(
            hydra_context=hydra_context, task_function=task_function, config=config
        )

    def sweep(self, arguments: list[str]) -> None:
        """Search until all trials are finished.

        Args:
            arguments: words of the command line, without Hydra's own.

        Raises:
            OsimexpError: the search cannot be made.
        """
        try:
            from osimexp.sweeps.search.search import search
        except ImportError as error:
            if (error.name or "").partition(".")[0] != "optuna":
                raise
            raise ConfigError(
                "Optuna is not installed; it comes with the extra osimexp[search]."
            ) from error

        def launch(jobs: Sequence[Sequence[str]], first: int) -> None:
            self.validate_batch_is_legal(jobs)
            self._jobs.launch(jobs, initial_job_idx=first)

        search(self._settings, self._composed, arguments, launch, self._loader)
