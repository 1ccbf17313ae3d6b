"""``hydra/launcher=cores``: joblib's launcher, with jobs that outlive a process that is killed."""

import sys
from collections.abc import Sequence
from typing import Any

from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from hydra_plugins.osimexp.lost_jobs import given_up


class CoresLauncher(Launcher):
    """Does jobs side by side on this machine.

    Where a process is killed, as for memory, joblib ends all of them. What they had not done is
    done again in halves, one half after the other, until the job that it happens to is alone: that
    one is given up. Finished jobs are kept in between, and cut ones go on from their checkpoints.

    Args:
        settings: of ``joblib.Parallel``.
    """

    def __init__(self, **settings: Any) -> None:
        self._settings = settings

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        """Set joblib's launcher up."""
        # Not above: Hydra imports this in every command, and it is of an optional extra.
        from hydra_plugins.hydra_joblib_launcher.joblib_launcher import JoblibLauncher

        self._joblib = JoblibLauncher(**self._settings)
        self._context, self._config = hydra_context, config
        self._joblib.setup(hydra_context=hydra_context, task_function=task_function, config=config)

    def launch(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> Sequence[JobReturn]:
        """Do the jobs; one that is given up returns NaN."""
        from joblib.externals.loky.process_executor import BrokenProcessPool

        try:
            returns: Sequence[JobReturn] = self._joblib.launch(job_overrides, initial_job_idx)
            return returns
        except BrokenProcessPool:
            count = len(job_overrides)
        last = initial_job_idx + count - 1
        if count == 1:
            why = "its process was killed"
            return [given_up(self._context, self._config, last, job_overrides[0], why)]
        print(
            f"A process of jobs {initial_job_idx} to {last} was killed; what they have not done "
            "is done again in halves.",
            file=sys.stderr,
        )
        half = count // 2
        return [
            *self.launch(job_overrides[:half], initial_job_idx),
            *self.launch(job_overrides[half:], initial_job_idx + half),
        ]
