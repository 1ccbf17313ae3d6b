"""From the config to the batch of environments that it describes."""

from typing import Literal, Protocol

from omegaconf import DictConfig

from osimexp.config import build
from osimexp.tasks.environment import Environment


class TaskSettings(Protocol):
    """What ``conf/task`` says of a task that is not a movement of our own models."""

    def create(self, config: DictConfig, environments: int) -> Environment:
        """Return a batch of ``environments``; ``config`` is the whole of the run's."""
        ...


Purpose = Literal["training", "evaluation", "verification"]


def make(config: DictConfig, environments: int, purpose: Purpose = "training") -> Environment:
    """Return a batch of environments of the task that ``config.task`` describes.

    A task with a ``_target_`` is built by the class that it names; any other is a movement of the
    musculoskeletal model in ``config.model``. Episodes begin with ``reset``, which is also where
    seeds are given.

    Args:
        config: the whole of a run's.
        environments: in the batch.
        purpose: what is too rough to judge by is left out of ``evaluation`` and ``verification``,
            and the latter is simulated by OpenSim itself.

    Raises:
        OsimexpError: the config cannot be used.

    """
    if "_target_" in config.task:
        settings: TaskSettings = build(config.task, "task")
        return settings.create(config, environments)
    # OpenSim takes a while to load, and no other task needs it.
    from osimexp.tasks.musculoskeletal import MusculoskeletalVectorEnv
    from osimexp.tasks.specification import Specification

    specification = Specification.from_config(config)
    if purpose != "training":
        specification = specification.for_judging()
    if purpose == "verification":
        specification = specification.on_opensim()
    return MusculoskeletalVectorEnv(specification, environments)
