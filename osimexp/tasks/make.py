"""From the config to a task, and from a task to a batch of environments of it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, Protocol

from osimexp.config import build, described, entry
from osimexp.tasks.environment import Environment
from osimexp.tasks.specification import Specification

if TYPE_CHECKING:
    from osimexp.models.prepare import PreparedModel


class TaskSettings(Protocol):
    """A task that is not a movement of our own models, as a config's ``task`` describes it."""

    def create(self, environments: int) -> Environment:
        """Return a batch of ``environments``."""
        ...


Task = Specification | TaskSettings
"""A task on a musculoskeletal model, or one of another kind."""

Purpose = Literal["training", "evaluation", "verification"]


def task_of(config: Mapping[str, Any]) -> Task:
    """Return the task that a composed config describes.

    A task with a ``_target_`` is built by the class that it names; any other is a movement of the
    musculoskeletal model in ``model``.

    Raises:
        ConfigError: a part is missing, or a value cannot be used.
    """
    task = entry(config, "task")
    if "_target_" in task:
        settings: TaskSettings = build(task, "task")
        return settings
    return Specification.from_config(config)


def task_mapping(task: Task) -> dict[str, Any]:
    """Return the part of a config that ``task_of`` makes a task from, as plain values.

    Raises:
        ConfigError: a value is no plain data.
    """
    if isinstance(task, Specification):
        return task.as_config()
    return {"task": described(task)}


def prepared(task: Task) -> "PreparedModel | None":
    """Return the model of a task, ready for all its batches; None for one that moves no model.

    Raises:
        OsimexpError: the model cannot be built or read.
    """
    if not isinstance(task, Specification):
        return None
    # OpenSim takes a while to load, and no other task needs it.
    from osimexp.models.prepare import prepare

    return prepare(task.model, task.muscles, task.forces)


def make(
    task: Task,
    environments: int,
    purpose: Purpose = "training",
    model: "PreparedModel | None" = None,
) -> Environment:
    """Return a batch of environments of a task.

    Episodes begin with ``reset``, which is also where seeds are given.

    Args:
        task: what is done.
        environments: in the batch.
        purpose: what is too rough to judge by is left out of ``evaluation`` and ``verification``,
            and the latter is simulated by OpenSim itself.
        model: the task's, prepared before; None prepares it where the task moves one.

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
