"""Settings of the schedule of a run, as in ``conf/schedule``."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

# Keys that may differ when a run is resumed; they are left out of the config's hash.
CHANGEABLE = ("run", "workers", "device", "resume")

Count = Annotated[int, Field(ge=1)]


@dataclass(frozen=True)
class CheckpointSettings:
    """Settings of checkpoints.

    Attributes:
        every: environment steps between two checkpoints.
        replay: whether checkpoints hold the replay; without it a resumed run is not exactly the
            same.
    """

    every: Count
    replay: bool


@dataclass(frozen=True)
class EvaluationSettings:
    """Settings of evaluations of the controller without exploration.

    Attributes:
        every: environment steps between two evaluations.
        episodes: number of episodes of each evaluation, on the same seeds every time.
        final_episodes: number of episodes of the final evaluation, on seeds that were not used
            before.
        images: whether TensorBoard shows a clip and a figure of the first episode of each
            evaluation.
    """

    every: Count
    episodes: Count
    final_episodes: Count
    images: bool


@dataclass(frozen=True)
class LogSettings:
    """Settings of metrics.

    Attributes:
        every: environment steps between two rows of metrics.
    """

    every: Count


@dataclass(frozen=True)
class RunSettings:
    """Settings of the schedule of a run, as in ``run`` of its config.

    Attributes:
        steps: budget in environment steps, summed over the batch.
        folder: folder for all files of the run.
        checkpoint: settings of checkpoints.
        evaluation: settings of evaluations.
        log: settings of metrics.
        threads: number of PyTorch's threads, at most 1024; null leaves it to PyTorch.
        table: whether the terminal shows a table of the latest metrics.
        name: name of the run in the default of ``folder``; runs of one kind have the same name,
            apart from the seed.

    """

    steps: Count
    folder: str
    checkpoint: CheckpointSettings
    evaluation: EvaluationSettings
    log: LogSettings
    threads: Annotated[int, Field(ge=1, le=1024)] | None
    table: bool
    name: str | None
