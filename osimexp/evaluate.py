"""Evaluate a run's policy, or a controller to compare it with: ``python -m osimexp.evaluate``."""

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from omegaconf import DictConfig
from pydantic import Field
from rich.console import Console

from osimexp.analysis.evaluation import evaluate
from osimexp.command_line import launch
from osimexp.config import build, check, plain
from osimexp.controllers.controller import Controller
from osimexp.controllers.policy import Policy
from osimexp.controllers.scripted import Constant, Uniform
from osimexp.experiment import checkpoint
from osimexp.experiment.run_folder import RunFolder
from osimexp.experiment.seeding import Seeds, prepare_torch
from osimexp.files import write_json
from osimexp.tasks.environment import Environment
from osimexp.tasks.make import make

Count = Annotated[int, Field(ge=1)]


@dataclass(frozen=True)
class EvaluateSettings:
    """What ``conf/evaluate.yaml`` says.

    Attributes:
        run: folder of the run.
        episodes: how many.
        controller: the run's policy, or one to compare it with, in the run's own task.
        value: of every action of the constant controller, in [-1, 1].
        checkpoint: which of the run's policies; null takes the best if there is one, else the
            latest.
        seed: of the first episode; null takes that of the run's final evaluation.
        device: what the policy runs on.
        workers: as in a run.
        threads: of PyTorch; null leaves the number to PyTorch.

    """

    run: str
    episodes: Count
    controller: Literal["policy", "random", "constant"]
    value: float
    checkpoint: Literal["best", "latest"] | None
    seed: Annotated[int, Field(ge=0)] | None
    device: str
    workers: dict[str, int | float | None]
    threads: Count | None


def main() -> None:
    """Evaluate what the command line describes."""
    launch(evaluate_run, "evaluate")


def evaluate_run(config: DictConfig) -> float:
    """Evaluate, show and write the figures, and return the mean return."""
    values = plain(config)
    physics = values.pop("physics", None)  # A group of the run's config, checked with it.
    settings = check(EvaluateSettings, values, "evaluate")
    prepare_torch(settings.device, settings.threads)
    folder = RunFolder.open(Path(settings.run))
    run_config = folder.config()
    run_config.workers = config.workers
    if physics is not None:
        run_config.physics = config.physics
    checkpoint_name = settings.checkpoint or folder.judged_checkpoint()
    seed = settings.seed
    if seed is None:
        seed = Seeds.of(run_config.seed).final_evaluation
    batch = min(build(run_config.algo, "algo").environments, settings.episodes)
    with closing(make(run_config, batch, "evaluation")) as environment:
        controller = _controller(settings, folder, checkpoint_name, environment, seed)
        evaluation = evaluate(environment, controller, settings.episodes, seed)
    which = checkpoint_name if settings.controller == "policy" else settings.controller
    Console().print(evaluation.table(f"{folder.path}: {which}, {settings.episodes} episodes"))
    file = folder.evaluation_file(f"{which}_{settings.episodes}_s{seed}")
    write_json(file, {**plain(config), **evaluation.as_json()})
    print(f"Written to {file}", flush=True)
    return evaluation.means()["return"]


def _controller(
    settings: EvaluateSettings,
    folder: RunFolder,
    checkpoint_name: str,
    environment: Environment,
    seed: int,
) -> Controller:
    actions = environment.single_action_space.shape[0]
    if settings.controller == "constant":
        return Constant(actions, settings.value)
    if settings.controller == "random":
        return Uniform(actions, np.random.default_rng(seed))
    saved = checkpoint.load(folder.checkpoint_file(checkpoint_name))
    return Policy.from_state_dict(saved.state["policy"], settings.device)


if __name__ == "__main__":
    main()
