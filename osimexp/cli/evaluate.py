"""Evaluate a run's controller, or one to compare it with: ``python -m osimexp.evaluate``."""

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Literal

from omegaconf import DictConfig
from pydantic import Field
from rich.console import Console

from osimexp.cli.launch import launch
from osimexp.config import build, check, plain
from osimexp.errors import ConfigError
from osimexp.experiment.evaluation import evaluate
from osimexp.experiment.playing import Chosen, changed, played
from osimexp.experiment.recording import record, recording_environment
from osimexp.experiment.run_folder import RunFolder
from osimexp.experiment.seeding import Seeds, prepare_torch
from osimexp.files import write_json
from osimexp.motion.files import write_movement
from osimexp.physics.posing.state_paths import state_paths
from osimexp.tasks.make import make
from osimexp.tasks.specification import Specification

Count = Annotated[int, Field(ge=1)]


@dataclass(frozen=True)
class EvaluateSettings:
    """What ``conf/evaluate.yaml`` says.

    Attributes:
        run: folder of the run; null for a controller that comes with the package.
        episodes: how many.
        controller: the run's policy, or one to compare it with, in the run's own task; or the name
            of one that comes with the package.
        value: of every action of the constant controller, in [-1, 1].
        checkpoint: which of the run's policies; null takes the best if there is one, else the
            latest.
        seed: of the first episode; null takes that of the run's final evaluation.
        device: what the policy runs on.
        workers: as in a run.
        threads: of PyTorch; null leaves the number to PyTorch.
        movements: how many of the episodes are written as files of OpenSim's, too.
        excitations: file of excitations that the open-loop controller plays back.
        fill: what becomes of columns that the run's controller or the changed task lacks: patterns
            of their names to values, null leaves them out.

    """

    run: str | None
    episodes: Count
    controller: str
    value: float
    checkpoint: Literal["best", "latest"] | None
    seed: Annotated[int, Field(ge=0)] | None
    device: str
    workers: dict[str, int | float | None]
    threads: Count | None
    movements: Annotated[int, Field(ge=0)] = 0
    excitations: str | None = None
    fill: dict[str, float | None] | None = None


def main() -> None:
    """Evaluate what the command line describes."""
    launch(evaluate_run, "evaluate")


def evaluate_run(config: DictConfig) -> float:
    """Evaluate, show and write the figures, and return the mean return."""
    values = plain(config)
    # Groups of the run's config, checked with it.
    groups = ("model", "muscles", "physics", "push")
    changes = {name: group for name in groups if (group := values.pop(name, None)) is not None}
    start = values.pop("start", None) or {}
    settings = check(EvaluateSettings, values, "evaluate")
    prepare_torch(settings.device, settings.threads)
    folder, kind = played(settings.run, settings.controller)
    results = folder
    if settings.run is None:
        results = RunFolder(Path("outputs") / "trained" / settings.controller)
    run_config = folder.config()
    run_config.workers = config.workers
    changed(run_config, {name: config[name] for name in changes}, start)
    checkpoint_name = settings.checkpoint or folder.judged_checkpoint()
    seed = settings.seed
    if seed is None:
        seed = Seeds.of(run_config.seed).final_evaluation
    chosen = Chosen(
        folder,
        kind,
        checkpoint_name,
        seed,
        settings.value,
        settings.excitations,
        settings.fill or {},
        settings.device,
    )
    chosen.suit(run_config)
    batch = min(build(run_config.algo, "algo").environments, settings.episodes)
    with closing(make(run_config, batch, "evaluation")) as environment:
        evaluation = evaluate(environment, chosen.controller(environment), settings.episodes, seed)
    which = chosen.called
    Console().print(evaluation.table(f"{folder.path}: {which}, {settings.episodes} episodes"))
    called = f"{which}_{settings.episodes}_s{seed}"
    given = {"start": start, "fill": settings.fill, "excitations": settings.excitations}
    changes |= {name: value for name, value in given.items() if value}
    if changes:
        digest = sha256(json.dumps(changes, sort_keys=True).encode()).hexdigest()[:6]
        called += f"_{'_'.join(changes)}_{digest}"
    file = results.evaluation_file(called)
    file.parent.mkdir(parents=True, exist_ok=True)
    write_json(file, {**plain(config), **evaluation.as_json()})
    print(f"Written to {file}", flush=True)
    if settings.movements:
        if "_target_" in run_config.task:
            raise ConfigError(f"The task of {folder.path} moves no model, so movements must be 0.")
        stem = results.path / "movements" / which
        for written in _movements(chosen, run_config, settings.movements, seed, stem):
            print(f"Written to {written}", flush=True)
    return evaluation.means()["return"]


def _movements(
    chosen: Chosen, config: DictConfig, count: int, seed: int, stem: Path
) -> Iterator[Path]:
    """Play the first episodes again and write each as files whose names begin with ``stem``."""
    with closing(recording_environment(Specification.from_config(config))) as environment:
        paths = state_paths(environment.model)
        for episode in range(seed, seed + count):
            movement = record(environment, chosen.controller(environment), episode)
            yield from write_movement(stem.with_name(f"{stem.name}_s{episode}"), movement, paths)


if __name__ == "__main__":
    main()
