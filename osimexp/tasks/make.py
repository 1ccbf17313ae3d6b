"""Construction of tasks and their batches of environments from a config."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, Protocol

from osimexp.config import build, described, entry, mapping
from osimexp.tasks.environment import Environment
from osimexp.tasks.specification import Specification

if TYPE_CHECKING:
    from osimexp.models.prepare import PreparedModel


class TaskSettings(Protocol):
    """Settings of a task without a musculoskeletal model of ours, from ``task`` of a config."""

    def create(self, environments: int) -> Environment:
        """Return a batch of ``environments``."""
        ...


Task = Specification | TaskSettings
"""A task on a musculoskeletal model, or another task."""

Purpose = Literal["training", "evaluation", "verification"]


def task_of(config: Mapping[str, Any]) -> Task:
    """Return the task that a composed config describes.

    A task with a ``_target_`` is built by the class that it names; other tasks are movements of the
    musculoskeletal model in ``model``.

    Raises:
        ConfigError: a part is missing, or a value cannot be used.
    """
    task = mapping(entry(config, "task"), "task")
    if "_target_" in task:
        settings: TaskSettings = build(task, "task", TaskSettings)
        return settings
    return Specification.from_config(config)


def task_mapping(task: Task) -> dict[str, Any]:
    """Return the part of a config from which ``task_of`` makes the same task, as plain values.

    Raises:
        ConfigError: a value is not plain data.
    """
    if isinstance(task, Specification):
        return task.as_config()
    return {"task": described(task)}


def prepared(task: Task) -> "PreparedModel | None":
    """Return the model of a task, for all its batches; None for a task without a model.

    Raises:
        OsimexpError: the model cannot be built or read.
    """
    if not isinstance(task, Specification):
        return None
    # OpenSim takes a while to load, and other tasks do not need it.
    from osimexp.models.prepare import prepare

    return prepare(task.model, task.muscles, task.forces)


def make(
    task: Task,
    environments: int,
    purpose: Purpose = "training",
    model: "PreparedModel | None" = None,
) -> Environment:
    """Return a batch of environments of a task.

    Episodes begin with ``reset``, which also takes the seeds.

    Args:
        task: task of the environments.
        environments: number of environments in the batch.
        purpose: ``training``; or ``evaluation`` and ``verification``, which leave out settings that
            trade accuracy for speed or only help to learn; ``verification`` is simulated by OpenSim
            itself.
        model: model of the task, prepared before; None prepares it.

    Raises:
        OsimexpError: the task cannot be made.
    """
    if not isinstance(task, Specification):
        return task.create(environments)
    from osimexp.tasks.musculoskeletal import MusculoskeletalVectorEnv

    if purpose != "training":
        task = task.for_judging()
    if purpose == "verification":
        task = task.on_opensim()
    return MusculoskeletalVectorEnv(task, environments, model=model)
