"""Train a controller of a musculoskeletal model, and write all results to a run folder.

Usage: osimexp train [group=option ...] [key=value ...]

Without a verb, osimexp trains as well, and so does python -m osimexp. With -m, several values of a
key make several runs.

Examples:
    osimexp train algo=sac reward=velocity
    osimexp train model=arm reward=reach algo=ppo seed=3
    osimexp train reward=walk reward.effort.weight=0.5
    osimexp train task=gym task.id=Pendulum-v1 run.steps=200000
    osimexp train resume=outputs/2025-01-31/12-00-00_gait2d_velocity_sac_s0 run.steps=1000000
    osimexp train -m algo=sac,ppo,ddpg seed=0,1,2
    osimexp train sweep=sac_search experiment=reach_sac
"""

import sys
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from osimexp.cli.launch import Job, current_job, end, launch
from osimexp.cli.verbs import commands
from osimexp.composition import parsed
from osimexp.config import check
from osimexp.experiment.resume import resumed_config
from osimexp.experiment.run_folder import RunFolder
from osimexp.experiment.settings import RunSettings
from osimexp.mistakes import MISTAKES
from osimexp.sweeps.command import continued
from osimexp.sweeps.jobs import check_folder, ending_with_parent, job_of_sweep
from osimexp.sweeps.pruning import judge_of
from osimexp.terminal import Console, say
from osimexp.trust import names_in, trusting


@dataclass(frozen=True)
class TrainSettings:
    """Settings of ``osimexp train``, without those of the run.

    Attributes:
        resume: folder of a run or a sweep to continue, with the same budget or a larger one
            (``run.steps``); null begins a new run.
    """

    resume: str | None = None


def main() -> None:
    """Train the controller that the command line describes."""
    try:
        sys.argv[1:] = continued(sys.argv[1:])
    except MISTAKES as error:
        end(error)
    launch(train, "config", __doc__, settings_of_main, commands)


def settings_of_main() -> Sequence[type]:
    """Return the dataclasses that the keys of the main config belong to."""
    # These import PyTorch, which is needed here for the help alone.
    from osimexp.experiment.whole import ExperimentSettings
    from osimexp.tasks.specification import Specification

    return Specification, ExperimentSettings, TrainSettings


def train(config: dict[str, Any]) -> float:
    """Train, or run one job of a sweep, and return the mean return of the final evaluation."""
    job = current_job()
    folder = job.sweep_folder
    if folder is None:
        return _train(config, job, None)
    check_folder(folder, job.sweep)

    def begin_or_go_on(cut: bool) -> float:
        if not cut:
            return _train(config, job, folder)
        # The budget of the sweep is that of the run, wherever it was given.
        longer = replace(job, overrides=(*job.overrides, f"run.steps={config['run']['steps']}"))
        return _train({**config, "resume": str(folder)}, longer, folder)

    with ending_with_parent() if "joblib" in job.launcher else nullcontext():
        return job_of_sweep(folder, config, begin_or_go_on)


def _train(config: dict[str, Any], job: Job, folder: Path | None) -> float:
    """Train, print the final evaluation, and return its mean return."""
    # These import PyTorch; errors, and the process that starts a sweep's jobs, do not wait for it.
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
        # What the command line itself names is the user's own, such as a term of --config-dir.
        with trusting(names_in(config)):
            config = resumed_config(resumed.values(), config, parsed(job.overrides))
            outcome = go_on(resumed, config, judge)
    evaluation = outcome.evaluation
    title = f"{outcome.checkpoint.capitalize()} policy over {evaluation.episodes} episodes"
    Console().print(evaluation.table(title))
    if outcome.verification is not None:
        Console().print(outcome.verification.table(f"{title}, on OpenSim itself"))
    say(f"Evaluate it again: {outcome.command}")
    return evaluation.means()["return"]


if __name__ == "__main__":
    main()
