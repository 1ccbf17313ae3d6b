"""Evaluate the controller of a run, or another one in its task, over whole episodes.

Usage: osimexp evaluate run=FOLDER [key=value ...]
       osimexp evaluate controller=walk [key=value ...]

Examples:
    osimexp evaluate run=outputs/2025-01-31/12-00-00_gait2d_velocity_sac_s0 episodes=50
    osimexp evaluate controller=walk push=random push.impulse=10
    osimexp evaluate controller=walk model=gait2d_prosthesis physics=opensim
"""

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from osimexp.cli.launch import launch
from osimexp.config import check
from osimexp.errors import ConfigError, RunFolderError
from osimexp.experiment.evaluation import evaluate
from osimexp.experiment.playing import Changes, Chosen, played
from osimexp.experiment.recording import record, recording_environment
from osimexp.experiment.run_folder import RunFolder
from osimexp.experiment.seeding import Seeds, prepare_torch
from osimexp.experiment.whole import ExperimentSettings
from osimexp.files import why_unwritable, write_json
from osimexp.models.prepare import PreparedModel
from osimexp.motion.files import write_movement
from osimexp.physics.posing.state_paths import state_paths
from osimexp.tasks.make import make, prepared
from osimexp.tasks.specification import Specification
from osimexp.terminal import Console, say

Count = Annotated[int, Field(ge=1)]


@dataclass(frozen=True)
class EvaluateSettings:
    """Settings of ``osimexp evaluate``, as ``conf/command/evaluate.yaml`` gives them.

    Attributes:
        run: folder of the run; null for a packaged controller.
        episodes: number of episodes.
        controller: controller to play in the run's task: the run's own (``policy``), ``random``,
            ``constant`` or another kind to compare with; or the name of a packaged controller.
        value: value of every action of the constant controller, in [-1, 1].
        checkpoint: checkpoint of the run, ``best`` or ``latest``; null takes the best if there is
            one.
        seed: seed of the first episode; null takes that of the run's final evaluation.
        device: device of a policy.
        threads: number of PyTorch's threads; null leaves it to PyTorch.
        movements: number of episodes that are also written as OpenSim's files.
        excitations: file of excitations that the open-loop controller plays.
        fill: values for columns that the run's controller or the changed task lacks, by patterns of
            names; null leaves a column out.

    """

    run: str | None
    episodes: Count
    controller: str
    value: float
    checkpoint: Literal["best", "latest"] | None
    seed: Annotated[int, Field(ge=0)] | None
    device: str
    threads: Count | None
    movements: Annotated[int, Field(ge=0)] = 0
    excitations: str | None = None
    fill: dict[str, float | None] | None = None


def main() -> None:
    """Evaluate the controller that the command line names."""
    launch(
        evaluate_run,
        "command/evaluate",
        __doc__,
        lambda: (EvaluateSettings, Changes, Specification),
    )


def evaluate_run(config: dict[str, Any]) -> float:
    """Evaluate, print and write the metrics, and return the mean return."""
    values = dict(config)
    changes = Changes.taken_from(values)
    settings = check(EvaluateSettings, values, "evaluate")
    prepare_torch(settings.device, settings.threads)
    folder, kind = played(settings.run, settings.controller)
    results = folder
    if settings.run is None:
        results = RunFolder(Path("outputs") / "trained" / settings.controller)
    experiment = ExperimentSettings.from_config(changes.of(folder.config()))
    task = experiment.task
    if settings.movements and not isinstance(task, Specification):
        raise ConfigError(f"The task of {folder.path} moves no model, so movements must be 0.")
    checkpoint_name = settings.checkpoint or folder.judged_checkpoint()
    seed = settings.seed
    if seed is None:
        seed = Seeds.of(experiment.seed).final_evaluation
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
    task = chosen.suited(task)
    # Said before all episodes are played, which can take long.
    refused = why_unwritable(results.evaluation_file("").parent)
    if refused and settings.movements:
        raise RunFolderError(
            f"{results.path} cannot be written ({refused}), so movements must be 0; or evaluate a "
            "copy of the folder."
        )
    if refused:
        say(f"{results.path} cannot be written ({refused}), so the metrics are printed alone.")
    batch = min(experiment.algo.environments, settings.episodes)
    model = prepared(task)
    with closing(make(task, batch, "evaluation", model)) as environment:
        evaluation = evaluate(environment, chosen.controller(environment), settings.episodes, seed)
    which = chosen.called
    Console().print(evaluation.table(f"{folder.path}: {which}, {settings.episodes} episodes"))
    called = f"{which}_{settings.episodes}_s{seed}"
    others = {"fill": settings.fill, "excitations": settings.excitations}
    given = {**changes.given(), **{name: value for name, value in others.items() if value}}
    if given:
        digest = sha256(json.dumps(given, sort_keys=True).encode()).hexdigest()[:6]
        called += f"_{'_'.join(given)}_{digest}"
    file = results.evaluation_file(called)
    if not refused:
        write_json(file, {**config, **evaluation.as_json()})
        say(f"Written to {file}")
    if isinstance(task, Specification) and settings.movements:
        stem = results.path / "movements" / which
        for written in _movements(chosen, task, model, settings.movements, seed, stem):
            say(f"Written to {written}")
    return evaluation.means()["return"]


def _movements(
    chosen: Chosen,
    task: Specification,
    model: PreparedModel | None,
    count: int,
    seed: int,
    stem: Path,
) -> Iterator[Path]:
    """Play the first episodes again, and write each to files whose names begin with ``stem``."""
    with closing(recording_environment(task, model)) as environment:
        paths = state_paths(environment.model)
        for episode in range(seed, seed + count):
            movement = record(environment, chosen.controller(environment), episode)
            yield from write_movement(stem.with_name(f"{stem.name}_s{episode}"), movement, paths)


if __name__ == "__main__":
    main()
