"""Train by whole commands, as they are typed, and list what each takes and comes to.

Usage: osimexp bench commands [key=value ...]

A benchmark that was cut goes on with the training that was cut, from its beginning.

Example:
    osimexp bench commands chosen=[sac] seeds=[0] output=outputs/commands
"""

import csv
import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import Field
from rich.box import SIMPLE
from rich.table import Table

from osimexp.analysis.statistics import bootstrap_interval, interquartile_mean
from osimexp.config import check
from osimexp.errors import ConfigError, near_matches
from osimexp.experiment.removal import remove_run
from osimexp.experiment.run_folder import RunFolder
from osimexp.files import csv_text, write_text
from osimexp.terminal import Console, say

Seed = Annotated[int, Field(ge=0)]


@dataclass(frozen=True)
class CommandsBenchSettings:
    """Settings of ``osimexp bench commands``, in ``conf/command/bench_commands.yaml``.

    Attributes:
        commands: words of ``osimexp train`` by a name for each command.
        chosen: names of the commands to train by; null takes all.
        seeds: seeds of the trainings of each command.
        threshold: mean return of an evaluation in training whose time is listed; null lists none.
        output: folder for the runs and ``commands.csv``.
    """

    commands: dict[str, tuple[str, ...]]
    chosen: tuple[str, ...] | None
    seeds: tuple[Seed, ...]
    threshold: float | None
    output: str


@dataclass(frozen=True)
class Trained:
    """Costs and results of one command, each NaN where there is none.

    Attributes:
        command: name of the command.
        words: its words.
        seed: seed of the training.
        seconds: wall time of the whole command, s.
        steps: environment steps.
        threshold_steps: steps at the first evaluation in training with the threshold's return.
        threshold_seconds: wall time of training up to there, evaluations included, s.
        mean_return: return in the final episodes.
        distance: distance in the final episodes, m.
        fallen: share of the final episodes that ended in a fall.
        opensim_return: return in the same episodes on OpenSim itself.
        opensim_distance: distance on OpenSim itself, m.
        opensim_fallen: share that fell on OpenSim itself.
    """

    command: str
    words: str
    seed: int
    seconds: float
    steps: int
    threshold_steps: float
    threshold_seconds: float
    mean_return: float
    distance: float
    fallen: float
    opensim_return: float
    opensim_distance: float
    opensim_fallen: float


def bench_commands(config: Mapping[str, Any], added: Sequence[Path] = ()) -> float:
    """Train what is missing, list it, and return how many trainings end with a policy that falls.

    Args:
        config: config of the benchmark.
        added: folders with options of the user's own, which the commands get.

    Raises:
        ConfigError: a command is not known or fails, or was another one in the folder.
    """
    settings = check(CommandsBenchSettings, config, "bench")
    folder = Path(settings.output)
    file = folder / "commands.csv"
    found = read(file)
    names = settings.commands if settings.chosen is None else settings.chosen
    for name in names:
        if name not in settings.commands:
            known = near_matches(name, settings.commands)
            raise ConfigError(f"chosen: {name} is not one of commands; {known}")
    for seed in settings.seeds:
        for name in names:
            words = settings.commands[name]
            before = [one for one in found if (one.command, one.seed) == (name, seed)]
            if before and before[0].words != shlex.join(words):
                raise ConfigError(
                    f"{file} has {name} by the words {before[0].words!r}; give another output."
                )
            if before:
                continue
            run = folder / "runs" / f"{name}_s{seed}"
            if run.exists():
                remove_run(run)
            own = [f"--config-dir={path}" for path in added]
            seconds = _timed([*own, *words, f"seed={seed}", f"run.folder={run}"], run)
            found.append(_result(name, words, seed, seconds, RunFolder(run), settings.threshold))
            write(file, found)
            say(f"{name} seed {seed}: return {found[-1].mean_return:.4g} in {seconds:.0f} s")
    Console(width=160).print(_table(found))
    return float(sum(one.fallen > 0.0 or one.opensim_fallen > 0.0 for one in found))


def read(file: Path) -> list[Trained]:
    """Return the results in a file; none if there is no file."""
    if not file.is_file():
        return []
    kinds = {field.name: field.type for field in fields(Trained)}
    with file.open(newline="") as stream:
        return [
            Trained(**{name: _of(kinds[name], text) for name, text in row.items()})
            for row in csv.DictReader(stream)
        ]


def write(file: Path, found: Sequence[Trained]) -> None:
    """Write a row for each training to a CSV file."""
    rows = [[f"{v:.4f}" if isinstance(v, float) else v for v in astuple(one)] for one in found]
    file.parent.mkdir(parents=True, exist_ok=True)
    write_text(file, csv_text([[field.name for field in fields(Trained)], *rows]))


def _of(kind: Any, text: str) -> Any:
    return {str: str, int: int, float: float}[kind](text)


def _timed(words: Sequence[str], run: Path) -> float:
    """Run ``osimexp train`` in a process of its own, and return how long it took, s."""
    log = run.with_suffix(".log")
    log.parent.mkdir(parents=True, exist_ok=True)
    begin = time.perf_counter()
    with log.open("w") as stream:
        ended = subprocess.run(
            [sys.executable, "-P", "-m", "osimexp", *words],
            stdout=stream,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
    if ended.returncode:
        raise ConfigError(f"{' '.join(words)} ended with {ended.returncode}; {log} says why.")
    return time.perf_counter() - begin


def _result(
    name: str,
    words: Sequence[str],
    seed: int,
    seconds: float,
    run: RunFolder,
    threshold: float | None,
) -> Trained:
    rows = _rows(run.metrics_file)
    passed = next(_passed(run, rows, threshold), (np.nan, np.nan))
    final = _means(run.evaluation_file("final"))
    verified = _means(run.evaluation_file("final_opensim"))
    told = [
        m.get(key, np.nan) for m in (final, verified) for key in ("return", "distance", "fallen")
    ]
    steps = int(rows[-1]["steps"])
    return Trained(name, shlex.join(words), seed, seconds, steps, *passed, *told)


def _passed(
    run: RunFolder, rows: Sequence[Mapping[str, str]], threshold: float | None
) -> Iterator[tuple[float, float]]:
    """Yield steps and seconds of each evaluation in training that has the threshold's return."""
    for row in rows:
        means = _means(run.evaluation_file(row["steps"]))
        if threshold is not None and means.get("return", -np.inf) >= threshold:
            yield float(row["steps"]), float(row["time/elapsed"])


def _rows(file: Path) -> list[dict[str, str]]:
    with file.open(newline="") as stream:
        return list(csv.DictReader(stream))


def _means(file: Path) -> dict[str, float]:
    if not file.is_file():
        return {}
    return {name: one["mean"] for name, one in json.loads(file.read_text())["figures"].items()}


def _table(found: Sequence[Trained]) -> Table:
    table = Table(box=SIMPLE, title="Medians over seeds, and interquartile means (95 %)")
    for column in (
        *("command", "seeds", "s", "longest, s", "s to threshold", "return", "distance, m"),
        *("fallen", "on OpenSim: return", "fallen"),
    ):
        table.add_column(column)
    generator = np.random.default_rng(0)
    for name in dict.fromkeys(one.command for one in found):
        own = [one for one in found if one.command == name]
        seconds = [one.seconds for one in own]
        returns = np.array([one.mean_return for one in own])
        low, high = bootstrap_interval([returns], interquartile_mean, generator)
        table.add_row(
            name,
            str(len(own)),
            f"{np.median(seconds):.0f}",
            f"{max(seconds):.0f}",
            f"{np.median([one.threshold_seconds for one in own]):.0f}",
            f"{interquartile_mean(returns):.0f} ({low:.0f} to {high:.0f})",
            f"{np.mean([one.distance for one in own]):.1f}",
            f"{np.mean([one.fallen for one in own]):.1%}",
            f"{np.mean([one.opensim_return for one in own]):.0f}",
            f"{np.mean([one.opensim_fallen for one in own]):.1%}",
        )
    return table
