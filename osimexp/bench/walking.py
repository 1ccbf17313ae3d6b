"""Play walks from standing and from mid-gait, on both engines, and measure each as a gait.

Usage: osimexp bench walking runs=[FOLDER,NAME,...] [key=value ...]

Example:
    osimexp bench walking runs=[walk,outputs/mine] episodes=5
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import MISSING, astuple, dataclass, fields
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field
from rich.box import SIMPLE
from rich.table import Table

from osimexp.analysis.gait.measure import Gait, measure
from osimexp.analysis.gait.settings import GaitSettings, default_settings
from osimexp.analysis.gait.strides import Contacts
from osimexp.analysis.shown import Shown
from osimexp.config import check, entry, option
from osimexp.errors import ConfigError, MovementError
from osimexp.experiment.playing import Changes, Chosen
from osimexp.experiment.recording import record, recording_environment
from osimexp.experiment.run_folder import RunFolder
from osimexp.experiment.seeding import Seeds, prepare_torch
from osimexp.experiment.trained import named
from osimexp.files import csv_text, write_text
from osimexp.tasks.specification import Specification
from osimexp.terminal import Console, say

STARTS = {"standing": 1.0, "mid-gait": 0.0}
"""Share of the episodes that begin standing, for each start."""

BEGINNING = 2.0  # time that is not measured, in which a standing model begins to walk, s

Count = Annotated[int, Field(ge=1)]
Engine = Literal["compiled", "opensim"]


@dataclass(frozen=True)
class WalkingBenchSettings:
    """Settings of ``osimexp bench walking``, in ``conf/command/bench_walking.yaml``.

    Attributes:
        runs: run folders, or names of packaged controllers.
        episodes: episodes of each run, from each start, on each engine.
        engines: physics engines, of ``compiled`` and ``opensim``.
        output: CSV file for the metrics of every episode; null writes none.
    """

    runs: tuple[str, ...]
    episodes: Count
    engines: tuple[Engine, ...]
    output: str | None


@dataclass(frozen=True)
class Walk:
    """Metrics of one episode without its beginning; a metric that it does not have is NaN.

    Attributes:
        run: name of the run.
        start: one of ``STARTS``.
        engine: physics engine.
        seed: seed of the episode.
        seconds: duration of the episode, s.
        held_up: 1 if the episode reached its time limit without a fall, else 0.
        speed: m/s.
        cadence: steps/min.
        stride_length: m.
        double_support: percent of the stride.
        asymmetry: asymmetry of step length, percent.
        alternating: 1 if left and right steps alternate all the time, else 0.
        flight: percent of the time with no foot on the ground.
    """

    run: str
    start: str
    engine: str
    seed: int
    seconds: float
    held_up: float
    speed: float = np.nan
    cadence: float = np.nan
    stride_length: float = np.nan
    double_support: float = np.nan
    asymmetry: float = np.nan
    alternating: float = np.nan
    flight: float = np.nan


def bench_walking(config: Mapping[str, Any], added: Sequence[Path] = ()) -> float:
    """Play and measure the walks, print and write the metrics, and return the number of falls.

    Args:
        config: config of the benchmark.
        added: folders of the user's own options, which this command does not use.

    Raises:
        OsimexpError: a run cannot be played.
    """
    settings = check(WalkingBenchSettings, config, "bench")
    if not settings.runs:
        raise ConfigError("Give the runs, such as runs=[walk,outputs/my_walk].")
    prepare_torch("cpu", 1)
    walks: list[Walk] = []
    folders = {name: named(name) for name in settings.runs}
    for name, folder in folders.items():
        if "standing" not in entry(folder.config(), "start"):
            raise ConfigError(f"The start of {name} has no key standing, so it is not a walk.")
    for name, folder in folders.items():
        for engine in settings.engines:
            for start in STARTS:
                walks += _walks(name, folder, engine, start, settings.episodes)
                say(f"{name} {engine} {start}: done")
                if settings.output is not None:
                    write(Path(settings.output), walks)
    Console(width=160).print(_table(walks))
    return float(sum(not walk.held_up for walk in walks))


def write(file: Path, walks: Sequence[Walk]) -> None:
    """Write a row for each episode to a CSV file."""
    rows = [[f"{v:.4f}" if isinstance(v, float) else v for v in astuple(walk)] for walk in walks]
    file.parent.mkdir(parents=True, exist_ok=True)
    write_text(file, csv_text([[field.name for field in fields(Walk)], *rows]))


def metrics_of(shown: Shown, settings: GaitSettings) -> dict[str, float]:
    """Return the metrics of ``Walk`` that a walk has; none if it has no whole stride."""
    try:
        gait = measure(shown, settings)
    except MovementError:
        return {}
    keys = ("speed", "cadence", "stride_length", "double_support")
    found = {key: _mean(gait, key) for key in keys}
    found["asymmetry"] = abs(_mean(gait, "symmetry_step_length"))
    found["alternating"] = float(alternating(gait.contacts))
    off = shown.movement.ground_reaction[:, :, 1].sum(axis=1) <= 0.0
    return found | {"flight": 100.0 * float(off.mean())}


def alternating(contacts: Mapping[str, Contacts]) -> bool:
    """Return whether each heel strike is followed by one of the other foot."""
    strikes = [(t, side) for side, own in contacts.items() for t in own.strikes if np.isfinite(t)]
    sides = [side for _, side in sorted(strikes)]
    return len(sides) > 1 and all(one != other for one, other in pairwise(sides))


def _walks(
    name: str, folder: RunFolder, engine: Engine, start: str, episodes: int
) -> Iterator[Walk]:
    changes = Changes(physics=option("physics", engine), start={"standing": STARTS[start]})
    config = changes.of(folder.config())
    first = Seeds.of(config.get("seed")).final_evaluation
    settings = default_settings()
    with closing(recording_environment(Specification.from_config(config))) as environment:
        chosen = Chosen(folder, "policy", folder.judged_checkpoint())
        controller = chosen.controller(environment)
        for seed in range(first, first + episodes):
            movement = record(environment, controller, seed)
            rest = movement.since(BEGINNING)
            metrics = metrics_of(Shown(name, environment.model, rest), settings)
            seconds = float(movement.time[-1])
            held_up = float(seconds > environment.specification.duration - 1e-6)
            yield Walk(name, start, engine, seed, seconds, held_up, **metrics)


def _mean(gait: Gait, key: str) -> float:
    parameter = gait.parameter(key)
    if parameter is None:
        return float("nan")
    values = [mean for column in parameter.values if (mean := parameter.mean(column)) is not None]
    return float(np.mean(values)) if values else float("nan")


def _table(walks: Sequence[Walk]) -> Table:
    table = Table(box=SIMPLE, title=f"Range over episodes, without their first {BEGINNING} s")
    measured = [field.name for field in fields(Walk) if field.default is not MISSING]
    for column in ("run", "start", "engine", "held up", *measured):
        table.add_column(column)
    for key in dict.fromkeys((w.run, w.start, w.engine) for w in walks):
        own = [walk for walk in walks if (walk.run, walk.start, walk.engine) == key]
        cells = []
        for name in measured:
            values = np.array([getattr(walk, name) for walk in own])
            values = values[np.isfinite(values)]
            cells.append(f"{values.min():.3g} to {values.max():.3g}" if len(values) else "")
        table.add_row(*key, f"{sum(walk.held_up for walk in own):.0f} of {len(own)}", *cells)
    return table
