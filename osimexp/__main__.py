"""Train a controller: ``python -m osimexp``."""

from pathlib import Path

from omegaconf import DictConfig
from rich.console import Console

from osimexp.analysis.evaluation import Evaluation, evaluate
from osimexp.analysis.looking import looking
from osimexp.command_line import current_job, launch
from osimexp.experiment.run import run


def main() -> None:
    """Train what the command line describes."""
    launch(train, "config")


def train(config: DictConfig) -> float:
    """Train, show the final evaluation, and return its mean return."""
    job = current_job()
    folder = job.sweep_folder or Path(config.run.folder)
    outcome = run(config, job.overrides, folder, evaluate, looking, job.choices)
    evaluation = outcome.evaluation
    assert isinstance(evaluation, Evaluation)
    title = f"{outcome.checkpoint.capitalize()} policy over {evaluation.episodes} episodes"
    Console().print(evaluation.table(title))
    if outcome.verification is not None:
        assert isinstance(outcome.verification, Evaluation)
        Console().print(outcome.verification.table(f"{title}, on OpenSim itself"))
    print(f"Evaluate it again: {outcome.command}", flush=True)
    return evaluation.means()["return"]


if __name__ == "__main__":
    main()
