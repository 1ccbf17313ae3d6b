"""What launchers do with a lost job: it is listed as failed, and the others go on."""

import sys
from collections.abc import Sequence
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from hydra.core.utils import JobReturn, JobStatus
from hydra.types import HydraContext
from omegaconf import DictConfig, open_dict


def job_config(
    context: HydraContext, config: DictConfig, number: int, overrides: Sequence[str]
) -> DictConfig:
    """Return what one job of a sweep is composed to.

    Args:
        context: of the sweep.
        config: of the sweep.
        number: of the job.
        overrides: of the job.
    """
    job = context.config_loader.load_sweep_config(config, list(overrides))
    with open_dict(job):
        job.hydra.job.id = f"{job.hydra.job.name}_{number}"
        job.hydra.job.num = number
    return job


def given_up(
    context: HydraContext, config: DictConfig, number: int, overrides: Sequence[str], why: str
) -> JobReturn:
    """Say that a job is given up, see that its folder says so, and return NaN as its figure.

    Args:
        context: of the sweep.
        config: of the sweep.
        number: of the job.
        overrides: of the job.
        why: half a sentence.
    """
    from osimexp.sweeps.jobs import mark_lost

    print(f"Job {number} was given up: {why}.", file=sys.stderr)
    job = job_config(context, config, number, overrides)
    known = HydraConfig.instance()
    before = known.cfg
    known.set_config(job)  # The folder's name has what was chosen in it.
    folder = Path(str(job.hydra.sweep.dir)) / str(job.hydra.sweep.subdir)
    known.cfg = before
    mark_lost(folder, why)
    return without_figure()


def without_figure() -> JobReturn:
    """Return what a lost job is taken to have returned: NaN, so that the others are kept."""
    return JobReturn(_return_value=float("nan"), status=JobStatus.COMPLETED)
