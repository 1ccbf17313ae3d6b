"""Time gradient updates, epochs and acting beside those of Stable-Baselines3.

Usage: osimexp bench algorithms [key=value ...]

It takes pip install osimexp[bench].
"""

import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Annotated, Any

from pydantic import Field
from rich.box import SIMPLE
from rich.table import Table

from osimexp.bench.shares import KINDS, shares
from osimexp.bench.timing import Work
from osimexp.composition import compose
from osimexp.config import check
from osimexp.errors import ConfigError
from osimexp.experiment.seeding import prepare_torch
from osimexp.files import csv_text, write_text
from osimexp.tasks.make import task_of
from osimexp.terminal import Console

Count = Annotated[int, Field(ge=1)]
LIBRARIES = ("osimexp", "stable_baselines3")


@dataclass(frozen=True)
class AlgorithmBenchSettings:
    """Settings of ``osimexp bench algorithms``, in ``conf/command/bench_algorithms.yaml``.

    Attributes:
        problem: overrides of the main config that choose the environment.
        hidden_sizes: widths of the hidden layers of every network.
        batch_size: transitions in every gradient step.
        threads: number of PyTorch's threads.
        rounds: number of rounds through all candidates, every second one backwards.
        seconds: time for each candidate in each round, s.
        output: CSV file for the raw measurements; another beside it has the shares of time; null
            writes none.
    """

    problem: tuple[str, ...]
    hidden_sizes: tuple[int, ...]
    batch_size: Count
    threads: Count
    rounds: Count
    seconds: Annotated[float, Field(gt=0.0)]
    output: str | None


def bench_algorithms(config: Mapping[str, Any], added: Sequence[Path] = ()) -> float:
    """Time every piece of work in both libraries by turns, and return the lowest ratio of speeds.

    Args:
        config: config of the benchmark.
        added: folders with options of the user's own.

    Raises:
        ConfigError: the extra is not installed, or the config cannot be used.
    """
    settings = check(AlgorithmBenchSettings, config, "bench")
    try:
        # An optional extra, which takes seconds to import.
        from osimexp.bench.pieces import pieces
    except ImportError as error:
        raise ConfigError(
            f"The benchmark needs {error.name}; install osimexp with its extra, osimexp[bench]."
        ) from error
    prepare_torch("cpu", settings.threads)
    problem = task_of(compose("config", [*settings.problem, "seed=0"], added).values)
    with closing(pieces(problem, settings.hidden_sizes, settings.batch_size)) as made:
        rates: dict[tuple[str, str], list[float]] = {
            (name, library): [] for name in made.names for library in LIBRARIES
        }
        for turn in range(settings.rounds):
            for name, library in list(rates)[:: 1 if turn % 2 == 0 else -1]:
                rates[name, library].append(_rate(made.work(name, library), settings.seconds))
        learned = [name for name in made.names if " act " not in name]
        parts = {
            (name, library): shares(made.work(name, library), settings.seconds)
            for name in learned
            for library in LIBRARIES
        }
    if settings.output is not None:
        _write(Path(settings.output), rates, parts)
    ratios = {
        name: [a / b for a, b in zip(*(rates[name, who] for who in LIBRARIES), strict=True)]
        for name in made.names
    }
    Console().print(_table(rates, ratios))
    Console().print(_shares_table(parts))
    return float(min(median(values) for values in ratios.values()))


def _rate(work: Work, seconds: float) -> float:
    """Return the number of pieces of work done in a second."""
    work()
    begin, count = time.perf_counter(), 0
    while (spent := time.perf_counter() - begin) < seconds:
        work()
        count += 1
    return count / spent


def _write(
    file: Path,
    rates: dict[tuple[str, str], list[float]],
    parts: dict[tuple[str, str], dict[str, float]],
) -> None:
    rows = [
        (name, library, turn, f"{v:.2f}")
        for (name, library), values in rates.items()
        for turn, v in enumerate(values)
    ]
    write_text(file, csv_text([("work", "library", "round", "per_second"), *rows]))
    shared = [
        (*key, kind, f"{share:.4f}")
        for key, found in parts.items()
        for kind, share in found.items()
    ]
    beside = file.with_stem(f"{file.stem}_shares")
    write_text(beside, csv_text([("work", "library", "part", "share"), *shared]))


def _shares_table(parts: dict[tuple[str, str], dict[str, float]]) -> Table:
    table = Table(box=SIMPLE, title="Shares of time, %")
    for column in ("work", "library", *KINDS):
        table.add_column(column, justify="left" if column in ("work", "library") else "right")
    for key, found in parts.items():
        table.add_row(*key, *(f"{100.0 * found[kind]:.0f}" for kind in KINDS))
    return table


def _table(rates: dict[tuple[str, str], list[float]], ratios: dict[str, list[float]]) -> Table:
    table = Table(box=SIMPLE, title="Pieces per second, median of rounds; ratios within rounds")
    for column in ("work", *LIBRARIES, "ratio", "least", "most"):
        table.add_column(column, justify="left" if column == "work" else "right")
    for name, values in ratios.items():
        each = (f"{median(rates[name, library]):.4g}" for library in LIBRARIES)
        ends = (f"{v:.2f}" for v in (median(values), min(values), max(values)))
        table.add_row(name, *each, *ends)
    return table
