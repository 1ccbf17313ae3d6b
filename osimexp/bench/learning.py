"""Train SAC, PPO and DDPG beside those of Stable-Baselines3, on the same problems and seeds.

Usage: osimexp bench learning [key=value ...]

A benchmark that was cut goes on where it stopped. It takes pip install osimexp[bench].

Example:
    osimexp bench learning problems=[Pendulum-v1] algorithms=[sac] seeds=3 output=outputs/learning
"""

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field
from rich.box import SIMPLE
from rich.table import Table

from osimexp.analysis.statistics import Scores, bootstrap_interval, interquartile_mean
from osimexp.bench.curves import draw_curves
from osimexp.composition import compose
from osimexp.config import check
from osimexp.errors import ConfigError
from osimexp.experiment.seeding import prepare_torch
from osimexp.files import csv_text, write_json, write_text
from osimexp.tasks.make import task_of
from osimexp.terminal import Console, say

LIBRARIES = ("osimexp", "stable_baselines3")
FIELDS = ("problem", "algorithm", "library", "seed", "steps", "return", "seconds")
LAST = 3  # Number of last evaluations whose mean is a training's score.
MARGIN = 0.05  # Share by which our mean may be lower if the intervals overlap.

Kind = Literal["ppo", "ddpg", "sac"]
Count = Annotated[int, Field(ge=1)]


@dataclass(frozen=True)
class LearningBenchSettings:
    """Settings of ``osimexp bench learning``, in ``conf/command/bench_learning.yaml``.

    Attributes:
        output: folder for everything that is written: curves, tables and a picture of each problem.
        problems: names of the problems, of those in ``tasks``.
        algorithms: names of the algorithms, of ``ppo``, ``ddpg`` and ``sac``.
        seeds: trainings of each algorithm by each library on each problem.
        evaluations: evaluations of a training, at equal intervals.
        episodes: episodes of an evaluation.
        steps: budget of each algorithm on each problem, environment steps.
        tasks: overrides of the main config for each problem.
        hyperparameters: hyperparameters of each algorithm, by our names, for both libraries.
    """

    output: str
    problems: tuple[str, ...]
    algorithms: tuple[Kind, ...]
    seeds: Count
    evaluations: Annotated[int, Field(ge=LAST)]
    episodes: Count
    steps: dict[Kind, dict[str, int]]
    tasks: dict[str, tuple[str, ...]]
    hyperparameters: dict[Kind, dict[str, Any]]


@dataclass(frozen=True)
class Row:
    """An evaluation of a training, as a row of ``curves.csv``."""

    problem: str
    algorithm: str
    library: str
    seed: int
    steps: int
    mean_return: float
    seconds: float


@dataclass(frozen=True)
class Result:
    """The result of one algorithm of one library on one problem.

    Attributes:
        mean: interquartile mean over seeds of the mean return of the last evaluations.
        low: lower end of its 95 % bootstrap interval.
        high: upper end of its 95 % bootstrap interval.
        seeds: number of seeds.
        seconds: median duration of a training without evaluations, s.
    """

    mean: float
    low: float
    high: float
    seeds: int
    seconds: float


def bench_learning(config: Mapping[str, Any], added: Sequence[Path] = ()) -> float:
    """Train what is missing, write and print the comparison, and return the number of pairs behind.

    Args:
        config: config of the benchmark.
        added: folders with options of the user's own.

    Raises:
        ConfigError: a problem is not known, the extra is not installed, or the folder holds
            trainings with other settings.
    """
    settings = check(LearningBenchSettings, config, "bench")
    for problem in settings.problems:
        if problem not in settings.tasks:
            raise ConfigError(f"problems: {problem} has no entry in tasks.")
        for algorithm in settings.algorithms:
            if problem not in settings.steps.get(algorithm, {}):
                raise ConfigError(f"problems: {problem} has no entry in steps.{algorithm}.")
    try:
        # An optional extra, which takes seconds to import.
        from osimexp.bench.trainings import Plan, train
    except ImportError as error:
        raise ConfigError(
            f"The benchmark needs {error.name}; install osimexp with its extra, osimexp[bench]."
        ) from error
    prepare_torch("cpu", 1)
    folder = Path(settings.output)
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "curves.csv"
    rows = read_rows(file)
    _check_settings(settings, folder, rows)
    for seed in range(settings.seeds):
        for algorithm, problem, library in _pairs(settings):
            key = (problem, algorithm, library, seed)
            if any((r.problem, r.algorithm, r.library, r.seed) == key for r in rows):
                continue
            words = [*settings.tasks[problem], f"seed={seed}"]
            plan = Plan(
                problem,
                task_of(compose("config", words, added).values),
                algorithm,
                settings.hyperparameters[algorithm],
                settings.steps[algorithm][problem],
                settings.evaluations,
                settings.episodes,
                seed,
            )
            curve = train(plan, library)
            points = zip(curve.steps, curve.returns, curve.seconds, strict=True)
            rows += [Row(*key, *point) for point in points]
            write_rows(file, rows)
            say(
                f"{algorithm} {problem} {library} seed {seed}: {curve.returns[-1]:.1f} "
                f"after {curve.seconds[-1]:.0f} s"
            )
    results = summarise(rows)
    write_results(folder / "results.csv", results)
    for problem in settings.problems:
        draw_curves(problem, [r for r in rows if r.problem == problem], folder)
    Console().print(_table(results))
    return float(sum(verdict(*pair) == "behind" for pair in _beside(results).values()))


def summarise(rows: list[Row]) -> dict[tuple[str, str, str], Result]:
    """Return the result of each problem, algorithm and library."""
    generator = np.random.default_rng(0)
    results = {}
    for key in dict.fromkeys((r.problem, r.algorithm, r.library) for r in rows):
        own = [r for r in rows if (r.problem, r.algorithm, r.library) == key]
        each = [[r for r in own if r.seed == seed] for seed in sorted({r.seed for r in own})]
        scores: Scores = np.array([np.mean([r.mean_return for r in s[-LAST:]]) for s in each])
        low, high = bootstrap_interval([scores], interquartile_mean, generator)
        seconds = float(np.median([s[-1].seconds for s in each]))
        results[key] = Result(float(interquartile_mean(scores)), low, high, len(each), seconds)
    return results


def verdict(ours: Result, theirs: Result) -> str:
    """Return whether our result is ``above``, ``level`` or ``behind``.

    A result is level if its interval overlaps with the other one and its mean is at most 5 % lower.
    """
    if ours.low > theirs.high:
        return "above"
    lower = theirs.mean - ours.mean
    return "level" if ours.high >= theirs.low and lower <= MARGIN * abs(theirs.mean) else "behind"


def read_rows(file: Path) -> list[Row]:
    """Return the evaluations in a file; none if there is no file."""
    if not file.is_file():
        return []
    with file.open(newline="") as stream:
        return [
            Row(
                r["problem"], r["algorithm"], r["library"], int(r["seed"]), int(r["steps"]),
                float(r["return"]), float(r["seconds"]),
            )
            for r in csv.DictReader(stream)
        ]  # fmt: skip


def write_rows(file: Path, rows: list[Row]) -> None:
    """Write the evaluations to a file, a row for each."""
    lines: list[tuple[object, ...]] = [FIELDS]
    for r in rows:
        numbers = (f"{r.mean_return:.4f}", f"{r.seconds:.2f}")
        lines.append((r.problem, r.algorithm, r.library, r.seed, r.steps, *numbers))
    write_text(file, csv_text(lines))


def write_results(file: Path, results: dict[tuple[str, str, str], Result]) -> None:
    """Write the results to a file, a row for every algorithm of every library."""
    lines: list[tuple[object, ...]] = [
        ("problem", "algorithm", "library", "iqm", "low", "high", "seeds", "seconds", "verdict")
    ]
    beside = _beside(results)
    for key, r in results.items():
        said = verdict(*beside[key[:2]]) if key[2] == "osimexp" and key[:2] in beside else ""
        numbers = (f"{r.mean:.2f}", f"{r.low:.2f}", f"{r.high:.2f}", r.seeds, f"{r.seconds:.1f}")
        lines.append((*key, *numbers, said))
    write_text(file, csv_text(lines))


def _check_settings(settings: LearningBenchSettings, folder: Path, rows: list[Row]) -> None:
    """Refuse a folder whose trainings have other settings, and write the settings of new ones."""
    file = folder / "settings.json"
    try:
        known: dict[str, Any] = json.loads(file.read_text()) if file.is_file() else {}
    except ValueError as error:
        raise ConfigError(f"{file} cannot be read; put it back or remove {folder}.") from error
    for algorithm, problem, _ in _pairs(settings):
        asked = {
            "steps": settings.steps[algorithm][problem],
            "evaluations": settings.evaluations,
            "episodes": settings.episodes,
            "task": list(settings.tasks[problem]),
            "hyperparameters": settings.hyperparameters[algorithm],
        }
        name = f"{algorithm} {problem}"
        before = known.get(name, {})
        if before != asked and any((r.algorithm, r.problem) == (algorithm, problem) for r in rows):
            key = next(key for key in asked if before.get(key) != asked[key])
            raise ConfigError(
                f"{folder} holds trainings of {name} whose {key} was {before.get(key, 'unknown')} "
                f"and not {asked[key]}; give the new ones another folder, output=FOLDER."
            )
        known[name] = asked
    write_json(file, known)


def _pairs(settings: LearningBenchSettings) -> Iterator[tuple[Kind, str, str]]:
    for algorithm in settings.algorithms:
        for problem in settings.problems:
            for library in LIBRARIES:
                yield algorithm, problem, library


def _beside(
    results: dict[tuple[str, str, str], Result],
) -> dict[tuple[str, str], tuple[Result, Result]]:
    """Return our result and theirs for each problem and algorithm that both have."""
    keys = dict.fromkeys(key[:2] for key in results)
    return {
        key: (results[(*key, LIBRARIES[0])], results[(*key, LIBRARIES[1])])
        for key in keys
        if all((*key, library) in results for library in LIBRARIES)
    }


def _table(results: dict[tuple[str, str, str], Result]) -> Table:
    table = Table(box=SIMPLE, title="Return of the last evaluations: interquartile mean, 95 %")
    for column in ("problem", "algorithm", *LIBRARIES, "seeds", "time of ours", ""):
        table.add_column(column)
    for (problem, algorithm), (ours, theirs) in _beside(results).items():
        table.add_row(
            problem,
            algorithm,
            *(f"{r.mean:.1f} ({r.low:.1f} to {r.high:.1f})" for r in (ours, theirs)),
            f"{min(ours.seeds, theirs.seeds)}",
            f"{ours.seconds / theirs.seconds:.2f} of theirs",
            verdict(ours, theirs),
        )
    return table
