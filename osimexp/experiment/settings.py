"""What ``conf/schedule`` says, as checked values."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

# What may differ between a run and its resumption, and so is left out of the config's hash.
CHANGEABLE = ("run", "workers", "device", "resume")

Count = Annotated[int, Field(ge=1)]


@dataclass(frozen=True)
class CheckpointSettings:
    """When a run is saved.

    Attributes:
        every: environment steps between two checkpoints.
        replay: whether checkpoints hold the replay, without which a resumed run is not exact.

    """

    every: Count
    replay: bool


@dataclass(frozen=True)
class EvaluationSettings:
    """When and how long the deterministic policy is evaluated.

    Attributes:
        every: environment steps between two evaluations.
        episodes: of each of them, on the same seeds every time.
        final_episodes: of the evaluation at the end, on seeds not used before.
        images: whether TensorBoard shows a clip and a figure of the first episode of each, which
            takes some seconds.

    """

    every: Count
    episodes: Count
    final_episodes: Count
    images: bool


@dataclass(frozen=True)
class LogSettings:
    """When metrics are written.

    Attributes:
        every: environment steps between two rows.

    """

    every: Count


@dataclass(frozen=True)
class RunSettings:
    """One run, as ``run`` in the config describes it.

    Attributes:
        steps: budget in environment steps, summed over the batch.
        folder: where everything the run yields is written; jobs of a sweep have folders in the
            sweep's.
        checkpoint: when it is saved.
        evaluation: when it is evaluated.
        log: when metrics are written.
        threads: of PyTorch; null leaves the number to PyTorch.
        table: whether the terminal shows a table of the latest metrics.
        name: of the run in the default of ``folder``; its seed apart, of runs of one kind.

    """

    steps: Count
    folder: str
    checkpoint: CheckpointSettings
    evaluation: EvaluationSettings
    log: LogSettings
    threads: Count | None
    table: bool
    name: str | None
