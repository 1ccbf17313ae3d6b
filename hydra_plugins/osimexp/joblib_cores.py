"""``hydra/launcher=cores``: joblib's launcher, whose jobs survive a killed process."""

from collections.abc import Sequence

from hydra.core.utils import JobReturn

from hydra_plugins.osimexp.around import AroundLauncher
from hydra_plugins.osimexp.lost_jobs import given_up
from osimexp.terminal import say


class CoresLauncher(AroundLauncher):
    """A launcher that runs jobs side by side on this machine.

    If a process is killed, for example because memory is short, joblib ends all of them. The
    unfinished jobs are then run again in halves, one half after the other, until the job whose
    process is killed is alone; that one is given up. Finished jobs are kept, and cut ones continue
    from their checkpoints.

    Args:
        settings: settings of ``joblib.Parallel``.
    """

    THEIRS = "hydra_plugins.hydra_joblib_launcher.joblib_launcher.JoblibLauncher"

    def launch(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> Sequence[JobReturn]:
        """Run the jobs; a job that is given up returns NaN."""
        from joblib.externals.loky.process_executor import BrokenProcessPool

        try:
            returns: Sequence[JobReturn] = self.theirs.launch(job_overrides, initial_job_idx)
            return returns
        except BrokenProcessPool:
            count = len(job_overrides)
        last = initial_job_idx + count - 1
        if count == 1:
            why = "its process was killed"
            return [given_up(self.context, self.config, last, job_overrides[0], why)]
        say(
            f"A process of jobs {initial_job_idx} to {last} was killed; those that are not "
            "finished are run again in halves.",
            error=True,
        )
        half = count // 2
        return [
            *self.launch(job_overrides[:half], initial_job_idx),
            *self.launch(job_overrides[half:], initial_job_idx + half),
        ]
