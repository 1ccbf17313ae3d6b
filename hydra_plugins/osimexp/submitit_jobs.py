"""``hydra/launcher=slurm`` and ``slurm_here``: submitit's launchers, where a job may be lost."""

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hydra.core.utils import JobReturn, JobStatus
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from osimexp.errors import ConfigError


class _SubmititLauncher(Launcher):
    """Sends jobs and waits for them.

    Args:
        settings: of submitit's launcher.
    """

    THEIRS: str
    """The name of submitit's launcher."""

    def __init__(self, **settings: Any) -> None:
        self._settings = settings

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        """Set submitit's launcher up."""
        # Not above: Hydra imports this in every command, and it is of an optional extra.
        from hydra_plugins.hydra_submitit_launcher import submitit_launcher

        self._submitit = getattr(submitit_launcher, self.THEIRS)(**self._settings)
        self._submitit.setup(
            hydra_context=hydra_context, task_function=task_function, config=config
        )
        self._folder = Path(str(config.hydra.sweep.dir))

    def launch(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> Sequence[JobReturn]:
        """Do the jobs; where one is lost, all return NaN and the others go on by themselves."""
        from submitit.core.utils import UncompletedJobError

        try:
            returns: Sequence[JobReturn] = self._submitit.launch(job_overrides, initial_job_idx)
            return returns
        except UncompletedJobError as error:
            print(
                f"A job was lost, and the others go on: {str(error).splitlines()[0]} "
                f"`python -m osimexp.runs {self._folder}` says how they stand; once they have "
                f"ended, `python -m osimexp resume={self._folder}` does what is left.",
                file=sys.stderr,
            )
        lost = JobReturn(_return_value=float("nan"), status=JobStatus.COMPLETED)
        return [lost] * len(job_overrides)


class SlurmLauncher(_SubmititLauncher):
    """Each job is a job of Slurm."""

    THEIRS = "SlurmLauncher"

    def launch(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> Sequence[JobReturn]:
        """Do the jobs.

        Raises:
            ConfigError: this machine belongs to no Slurm cluster.
        """
        if shutil.which("srun") is None:
            raise ConfigError(
                "hydra/launcher=slurm needs Slurm, whose srun is not found here; "
                "hydra/launcher=cores takes the cores of this machine."
            )
        return super().launch(job_overrides, initial_job_idx)


class LocalLauncher(_SubmititLauncher):
    """Each job is a process of this machine, in place of Slurm."""

    THEIRS = "LocalLauncher"
