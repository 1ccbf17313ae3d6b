"""``hydra/launcher=slurm`` and ``slurm_here``: submitit's launchers, with care for lost jobs."""

import shutil
from collections.abc import Sequence

from hydra.core.utils import JobReturn

from hydra_plugins.osimexp.around import AroundLauncher
from hydra_plugins.osimexp.lost_jobs import without_result
from osimexp.errors import ConfigError
from osimexp.terminal import say
from osimexp.words import word_of


class _SubmititLauncher(AroundLauncher):
    """A launcher that submits jobs and waits for them."""

    def launch(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> Sequence[JobReturn]:
        """Run the jobs; if one is lost, all return NaN and the others go on by themselves."""
        from submitit.core.utils import UncompletedJobError

        try:
            returns: Sequence[JobReturn] = self.theirs.launch(job_overrides, initial_job_idx)
            return returns
        except UncompletedJobError as error:
            folder = self.config.hydra.sweep.dir
            say(
                f"A job was lost, and the others go on: {str(error).splitlines()[0]} "
                f"`python -m osimexp.runs {folder}` lists their states; when they have "
                f"ended, `python -m osimexp {word_of('resume', folder)}` runs the rest.",
                error=True,
            )
        return [without_result() for _ in job_overrides]


class SlurmLauncher(_SubmititLauncher):
    """A launcher whose jobs are jobs of Slurm."""

    THEIRS = "hydra_plugins.hydra_submitit_launcher.submitit_launcher.SlurmLauncher"

    def launch(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> Sequence[JobReturn]:
        """Run the jobs.

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
    """A launcher whose jobs are processes of this machine, in place of Slurm."""

    THEIRS = "hydra_plugins.hydra_submitit_launcher.submitit_launcher.LocalLauncher"
