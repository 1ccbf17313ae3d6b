"""Handling of lost jobs in launchers: they are listed as failed, and the others go on."""

from collections.abc import Sequence
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from hydra.core.utils import JobReturn, JobStatus
from hydra.types import HydraContext
from omegaconf import DictConfig, open_dict

from osimexp.terminal import say


def job_config(
    context: HydraContext, config: DictConfig, number: int, overrides: Sequence[str]
) -> DictConfig:
    """Return the composed config of one job of a sweep.

    Args:
        context: Hydra's context of the sweep.
        config: config of the sweep.
        number: number of the job.
        overrides: overrides of the job.
    """
    job = context.config_loader.load_sweep_config(config, list(overrides))
    with open_dict(job):
        job.hydra.job.id = f"{job.hydra.job.name}_{number}"
        job.hydra.job.num = number
    return job


def given_up(
    context: HydraContext, config: DictConfig, number: int, overrides: Sequence[str], why: str
) -> JobReturn:
    """Report a job as given up, write that to its folder, and return NaN as its result.

    Args:
        context: Hydra's context of the sweep.
        config: config of the sweep.
        number: number of the job.
        overrides: overrides of the job.
        why: reason, the end of a sentence.
    """
    from osimexp.sweeps.jobs import mark_lost

    say(f"Job {number} was given up: {why}.", error=True)
    job = job_config(context, config, number, overrides)
    known = HydraConfig.instance()
    before = known.cfg
    known.set_config(job)  # The folder's name contains the chosen options.
    folder = Path(str(job.hydra.sweep.dir)) / str(job.hydra.sweep.subdir)
    known.cfg = before
    mark_lost(folder, why)
    return without_result()


def without_result() -> JobReturn:
    """Return the result of a lost job: NaN, so that the others are kept."""
    return JobReturn(_return_value=float("nan"), status=JobStatus.COMPLETED)
