"""Train a controller: ``python -m osimexp``."""

import sys
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console

from osimexp.cli.launch import Job, current_job, end, launch
from osimexp.composition import parsed
from osimexp.config import check
from osimexp.errors import OsimexpError
from osimexp.experiment.resume import resumed_config
from osimexp.experiment.run_folder import RunFolder
from osimexp.experiment.settings import RunSettings
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


def train(config: dict[str, Any]) -> float:
    """Train, or do one job of a sweep, and return the mean return of the final evaluation."""
    job = current_job()
    folder = job.sweep_folder
    if folder is None:
        return _train(config, job, None)

    def begin_or_go_on(cut: bool) -> float:
        if not cut:
            return _train(config, job, folder)
        # The sweep's budget is the run's, wherever it was said.
        longer = replace(job, overrides=(*job.overrides, f"run.steps={config['run']['steps']}"))
        return _train({**config, "resume": str(folder)}, longer, folder)

    with ending_with_parent() if "joblib" in job.launcher else nullcontext():
        return job_of_sweep(folder, config, begin_or_go_on)


def _train(config: dict[str, Any], job: Job, folder: Path | None) -> float:
    """Train, show the final evaluation, and return its mean return."""
    # PyTorch, for which neither a mistake nor the process that begins a sweep's jobs need wait.
    from osimexp.experiment.run import go_on, run
    from osimexp.experiment.whole import ExperimentSettings

    judge = None
    if folder is not None:
        judge = judge_of(job.sweeper, folder.parent, check(RunSettings, config["run"], "run"))
    if config["resume"] is None:
        settings = ExperimentSettings.from_config(config)
        outcome = run(
            settings, folder, config=config, overrides=job.overrides, facts=job.facts(), judge=judge
        )
    else:
        resumed = RunFolder.open(Path(str(config["resume"])))
        config = resumed_config(resumed.config(), config, parsed(job.overrides))
        outcome = go_on(resumed, config, judge)
    evaluation = outcome.evaluation
    title = f"{outcome.checkpoint.capitalize()} policy over {evaluation.episodes} episodes"
    Console().print(evaluation.table(title))
    if outcome.verification is not None:
        Console().print(outcome.verification.table(f"{title}, on OpenSim itself"))
    print(f"Evaluate it again: {outcome.command}", flush=True)
    return evaluation.means()["return"]


if __name__ == "__main__":
    main()
