"""Composed configs and small batches of environments for the tests of physics and tasks."""

import os
from pathlib import Path

import numpy as np
import pytest

from osimexp.models.prepare import PreparedModel, prepare
from osimexp.motion.tables import Table, write_table
from osimexp.physics.reference.simulation import OpenSimSimulation
from osimexp.physics.settings import OpenSimSettings, WorkerSettings
from osimexp.physics.simulation import Start
from osimexp.tasks.compose import composed
from osimexp.tasks.compose import vector as environment
from osimexp.tasks.goals.gait import Gait
from osimexp.tasks.specification import Specification

ARM = ("model=arm", "reward=reach", "workers=none", "task.control_period=0.01")
# A walker that begins about its default pose, is seen as it is and holds half of its strength at
# an action of 0.
WALKER = (
    "model=gait2d",
    "start=noisy",
    "~symmetry",
    "reward=walk",
    "workers=none",
    "task.control_period=0.01",
    "task.action.rest=0.5",
    "task.action.gain=0.5",
)


def reference(name: str) -> Path:
    """Return a file of OpenSim's own models, which are others' work and no part of the project.

    The test is skipped where it is absent.
    """
    beside = Path(__file__).parents[3] / "shared" / "models"
    file = Path(os.environ.get("OSIMEXP_REFERENCE_MODELS", beside)) / name
    if not file.is_file():
        pytest.skip(
            "needs OpenSim's own models: put those of github.com/opensim-org/opensim-models into "
            "one folder and name it in OSIMEXP_REFERENCE_MODELS"
        )
    return file


def specification(*overrides: str) -> Specification:
    """Return the task of the main config with overrides."""
    return Specification.from_config(composed(*overrides))


def prepared(*overrides: str) -> PreparedModel:
    """Return the model of the main config with overrides."""
    task = specification(*overrides)
    return prepare(task.model, task.muscles, task.forces)


def simulation(
    model: PreparedModel,
    size: int,
    workers: int = 0,
    timeout: float = 60.0,
    fields: frozenset[str] = frozenset(),
    **physics: object,
) -> OpenSimSimulation:
    """Return a batch of simulations with steps of 10 ms."""
    settings = OpenSimSettings(**physics)  # type: ignore[arg-type]
    return OpenSimSimulation(model, settings, WorkerSettings(workers, timeout), size, 0.01, fields)


def default_start(batch: OpenSimSimulation) -> Start:
    """Return the default pose at rest in every row."""
    names, size = batch.names, batch.size
    pose = np.tile(names.default_pose, (size, 1))
    return Start(pose, np.zeros_like(pose), np.full((size, len(names.muscles)), 0.05))


__all__ = ["composed", "default_start", "environment", "prepared", "simulation", "specification"]


def normal_gait() -> Gait:
    """Return the gait that the recipe for walking follows."""
    target = Specification.from_config(composed("experiment=walk")).target
    assert isinstance(target, Gait)
    return target


def written_gait(
    folder: Path,
    seconds: float,
    degrees: bool = True,
    paths: bool = False,
    treadmill: bool = False,
    **others: float,
) -> Path:
    """Write a file of the project's own gait, from a third of its cycle on.

    Args:
        folder: folder of the file.
        seconds: duration, s.
        degrees: whether its angles are in degrees.
        paths: whether its columns are named by state paths.
        treadmill: whether the pelvis stays in its place.
        others: other coordinates with a constant value, as it stands in the file.
    """
    gait = normal_gait()
    time = np.arange(0.0, seconds, 0.01)
    angles = gait.angles(0.3 + time / gait.period)
    way = 2.0 + (0.0 if treadmill else gait.speed) * time
    columns = [way, *(np.full(len(time), value) for value in others.values())]
    values = np.column_stack([np.rad2deg(angles) if degrees else angles, *columns])
    names = (*gait.coordinates, "pelvis_tx", *others)
    labels = tuple(f"/jointset/joint/{n}/value" for n in names) if paths else names
    file = folder / "walk.mot"
    write_table(file, Table("walk", labels, time, values, degrees))
    return file
