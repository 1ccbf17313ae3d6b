"""All settings of a run, as typed values."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from osimexp.algorithms.algorithm import Settings
from osimexp.config import build, check, described, entry
from osimexp.controllers.labels import Fill
from osimexp.errors import ConfigError
from osimexp.experiment.seeding import Seeds
from osimexp.experiment.settings import RunSettings
from osimexp.tasks.make import Task, task_mapping, task_of


@dataclass(frozen=True)
class ExperimentSettings:
    """All settings of a run; the same settings and seed give the same run.

    Attributes:
        seed: seed of all random numbers, 0 or more.
        run: schedule of the run: budget, folder, metrics, evaluations and checkpoints.
        algo: algorithm with its hyperparameters.
        task: task that is learned.
        device: device of PyTorch: ``cpu``, ``cuda`` or ``cuda:1``.
        init_from: run folder, or name of a packaged controller (``walk``), to start learning from;
            null starts from random weights.
        fill: values for columns that only that policy or only the task has, by patterns of names,
            such as ``{activations/*: 0.0}``; null leaves a column out.

    Raises:
        ConfigError: the seed is not a whole number of 0 or more.
    """

    seed: int
    run: RunSettings
    algo: Settings
    task: Task
    device: str = "cpu"
    init_from: str | None = None
    fill: Fill = field(default_factory=dict)

    def __post_init__(self) -> None:
        Seeds.of(self.seed)

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "ExperimentSettings":
        """Return the settings in a composed config, built and checked.

        Raises:
            ConfigError: a part is missing, or a value is unknown, of the wrong type or out of
                range.
        """
        source, seed = config.get("init_from"), entry(config, "seed")
        Seeds.of(seed)  # Refused before errors that take longer to find.
        return cls(
            seed=seed,
            run=check(RunSettings, entry(config, "run"), "run"),
            algo=build(entry(config, "algo"), "algo", Settings),
            task=task_of(config),
            device=str(entry(config, "device")),
            init_from=None if source is None else str(source),
            fill=_fill(config.get("fill")),
        )

    def as_config(self) -> dict[str, Any]:
        """Return the config from which ``from_config`` makes the same settings, as plain values.

        Raises:
            ConfigError: a value is not plain data.
        """
        return {
            "seed": self.seed,
            "device": self.device,
            "init_from": self.init_from,
            "fill": described(self.fill) or None,
            "resume": None,
            **task_mapping(self.task),
            "run": described(self.run, RunSettings),
            "algo": described(self.algo),
        }


def _fill(given: object) -> dict[str, float | None]:
    """Return the checked values of ``fill``."""
    if not isinstance(given or {}, Mapping):
        raise ConfigError(f"fill must map patterns of names to numbers or null, not {given!r}.")
    values: dict[str, float | None] = dict(given or {})  # type: ignore[call-overload]
    for pattern, value in values.items():
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not (value is None or (number and math.isfinite(value))):
            raise ConfigError(f"fill.{pattern} must be a finite number or null, not {value!r}.")
    return values
