"""One run, whole, as typed settings: what learns which task, for how long and from which seed."""

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
    """One run, whole: the same settings and seed give the same run.

    Attributes:
        seed: of everything that is drawn, from 0 on.
        run: budget, folder, and when it is logged, evaluated and saved.
        algo: the algorithm that learns, and its hyperparameters.
        task: what is learned.
        device: what PyTorch computes on: ``cpu``, ``cuda`` or ``cuda:1``.
        init_from: a run folder, or a controller of osimexp's own (``walk``), whose policy to begin
            with; null begins from nothing.
        fill: what stands in place of columns that only that policy or only the task has, by
            patterns of their names, such as ``{activations/*: 0.0}``; null leaves them out.

    Raises:
        ConfigError: the seed is no whole number from 0 on.
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
        """Build and check every part of a composed config.

        Raises:
            ConfigError: a part is missing, or a value is unknown, of the wrong type or out of
                range.
        """
        source, seed = config.get("init_from"), entry(config, "seed")
        Seeds.of(seed)  # Said before what takes longer to find.
        return cls(
            seed=seed,
            run=check(RunSettings, entry(config, "run"), "run"),
            algo=build(entry(config, "algo"), "algo"),
            task=task_of(config),
            device=str(entry(config, "device")),
            init_from=None if source is None else str(source),
            fill=_fill(config.get("fill")),
        )

    def as_config(self) -> dict[str, Any]:
        """Return the config that ``from_config`` makes the same settings from, as plain values.

        Raises:
            ConfigError: a value is no plain data.
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
    """Check what a config says of columns that the policy or the task lacks."""
    if not isinstance(given or {}, Mapping):
        raise ConfigError(f"fill maps patterns of names to numbers or null, and is {given!r}.")
    values: dict[str, float | None] = dict(given or {})  # type: ignore[call-overload]
    for pattern, value in values.items():
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not (value is None or (number and math.isfinite(value))):
            raise ConfigError(f"fill.{pattern} must be a finite number or null, not {value!r}.")
    return values
