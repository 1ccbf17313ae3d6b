"""List the models with their coordinates, muscles and the time of a simulated step.

Usage: osimexp models [key=value ...]

Example:
    osimexp models steps=1000 osim=models
"""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import Field
from rich.table import Table

from osimexp.cli.launch import launch
from osimexp.composition import compose
from osimexp.config import build, check, config_groups
from osimexp.errors import RunFolderError
from osimexp.models.muscle_sets import MuscleSet
from osimexp.models.prepare import PreparedModel, prepare
from osimexp.models.settings import ModelSettings
from osimexp.physics.reference.simulation import OpenSimSimulation
from osimexp.physics.settings import OpenSimSettings, WorkerSettings
from osimexp.physics.simulation import Start
from osimexp.terminal import Console, say

CONTROL_PERIOD = 0.01  # s
EPISODE = 0.5  # s; a model that is driven at random for longer only lies on the floor


@dataclass(frozen=True)
class ListingSettings:
    """Settings of ``osimexp models``, as ``conf/command/models.yaml`` gives them.

    Attributes:
        steps: number of steps that are timed.
        osim: folder to write the models into; null writes none.
    """

    steps: Annotated[int, Field(ge=1)]
    osim: str | None


def main() -> None:
    """List the models."""
    launch(list_models, "command/models", __doc__, lambda: (ListingSettings,))


def list_models(config: dict[str, Any]) -> float:
    """Print a table of the models, and return their number."""
    settings = check(ListingSettings, config, "models")
    table = Table("model", "coordinates", "muscles", "made of", "ms a step", "times real time")
    found = _own_models()
    for name, model_settings in found.items():
        model = prepare(model_settings, MuscleSet())
        if settings.osim is not None:
            _write(Path(settings.osim) / f"{name}.osim", model)
        table.add_row(name, *_row(model, settings.steps))
    console = Console()
    console.print(table)
    console.print(
        "One core, OpenSim itself, random excitations. "
        "A model of your own: python -m osimexp model=file model.path=my.osim",
    )
    return float(len(found))


def _own_models() -> dict[str, ModelSettings]:
    models = {}
    for name in config_groups()["model"]:
        # As Hydra composes it: an option may build on another.
        values = compose("config", [f"model={name}"]).values["model"]
        if values["anatomy"] is not None:
            models[name] = check(ModelSettings, values, "model")
    return models


def _row(model: PreparedModel, steps: int) -> tuple[str, ...]:
    physics = build(compose("config", ["physics=opensim"]).values["physics"], "physics")
    assert isinstance(physics, OpenSimSettings)
    workers = WorkerSettings(count=0)
    batch = OpenSimSimulation(model, physics, workers, 1, CONTROL_PERIOD, frozenset())
    seconds = seconds_a_step(batch, steps)
    names, settings = batch.names, model.settings
    return (
        f"{len(names.coordinates)}: {', '.join(names.coordinates)}",
        f"{len(names.muscles)}: {', '.join(names.muscles)}",
        f"{settings.muscle_model}, {settings.tendon} tendons, {settings.paths} paths, "
        f"{names.mass:.1f} kg",
        f"{1e3 * seconds:.2f}",
        f"{CONTROL_PERIOD / seconds:.1f}",
    )


def seconds_a_step(batch: OpenSimSimulation, steps: int) -> float:
    """Return the wall time of a step (s), over episodes of random excitations."""
    generator = np.random.default_rng(0)
    names = batch.names
    pose = names.default_pose[None]
    start = Start(pose, np.zeros_like(pose), np.full((1, len(names.muscles)), 0.05))
    spent = 0.0
    for step in range(steps):
        if step % round(EPISODE / CONTROL_PERIOD) == 0:
            batch.reset(np.ones(1, dtype=bool), start)
        excitations = generator.uniform(size=(1, len(names.muscles)))
        before = time.perf_counter()
        batch.step(excitations)
        spent += time.perf_counter() - before
    return spent / steps


def _write(path: Path, model: PreparedModel) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(model.xml)
    except OSError as error:
        raise RunFolderError(f"{path} cannot be written: {error.strerror}.") from error
    say(f"Written to {path}")


if __name__ == "__main__":
    main()
