"""Train a controller: ``python -m osimexp``."""

import sys
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

from omegaconf import DictConfig
from rich.console import Console

from osimexp.cli.launch import Job, current_job, end, launch
from osimexp.errors import OsimexpError
from osimexp.sweeps.command import continued
from osimexp.sweeps.jobs import ending_with_parent, job_of_sweep
from osimexp.sweeps.pruning import judge_of


def main() -> None:
    """Train what the command line describes."""
    try:
        sys.argv[1:] = continued(sys.argv[1:])
    except OsimexpError as error:
        end(error)
    launch(train, "config")


def train(config: DictConfig) -> float:
    """Train, or do one job of a sweep, and return the mean return of the final evaluation."""
    job = current_job()
    if job.sweep_folder is None:
        return _train(config, job, Path(config.run.folder))
    folder = job.sweep_folder

    def begin_or_go_on(cut: bool) -> float:
        if not cut:
            return _train(config, job, folder)
        config.resume = str(folder)
        # The sweep's budget is the run's, wherever it was said.
        longer = replace(job, overrides=(*job.overrides, f"run.steps={config.run.steps}"))
        return _train(config, longer, folder)

    with ending_with_parent() if "joblib" in job.launcher else nullcontext():
        return job_of_sweep(folder, config, begin_or_go_on)


def _train(config: DictConfig, job: Job, folder: Path) -> float:
    """Train, show the final evaluation, and return its mean return."""
    # PyTorch, for which neither a mistake nor the process that begins a sweep's jobs need wait.
    from osimexp.experiment.run import run

    judge = judge_of(job.sweeper, folder.parent, config.run)
    outcome = run(config, job.overrides, folder, job.facts(), judge)
    evaluation = outcome.evaluation
    title = f"{outcome.checkpoint.capitalize()} policy over {evaluation.episodes} episodes"
    Console().print(evaluation.table(title))
    if outcome.verification is not None:
        Console().print(outcome.verification.table(f"{title}, on OpenSim itself"))
    print(f"Evaluate it again: {outcome.command}", flush=True)
    return evaluation.means()["return"]


if __name__ == "__main__":
    main()
