"""A comparison as tables for the terminal and as CSV files."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from rich.table import Table

from osimexp.files import csv_text, write_text
from osimexp.results.comparison import Comparison, Estimate


def standings_table(comparison: Comparison) -> Table:
    """Return a table for ``rich`` to print, with a row for each group, the highest first."""
    table = Table(
        title=f"{comparison.figure} of final evaluations, with 95 % bootstrap intervals",
        title_justify="left",
        box=None,
        pad_edge=False,
    )
    table.add_column("group", overflow="fold")
    for name in ("seeds", "interquartile mean", "median", "mean"):
        table.add_column(name, justify="right")
    for standing in comparison.standings:
        table.add_row(
            standing.group.label,
            str(len(standing.scores)),
            *map(said, (standing.interquartile_mean, standing.median, standing.mean)),
        )
    return table


def pairs_table(comparison: Comparison) -> Table:
    """Return a table for ``rich`` to print, with a row for every two groups."""
    table = Table(
        title="How often a run of the first group is above one of the second",
        title_justify="left",
        box=None,
        pad_edge=False,
    )
    for name in ("group", "above"):
        table.add_column(name, overflow="fold")
    table.add_column("probability", justify="right")
    table.add_column("verdict")
    for pair in comparison.pairs:
        table.add_row(pair.above, pair.below, said(pair.probability), pair.verdict)
    return table


def said(estimate: Estimate) -> str:
    """Return an estimate and its interval as text, with four digits."""
    return f"{estimate.value:.4g} ({estimate.low:.4g} to {estimate.high:.4g})"


def write_tables(comparison: Comparison, folder: Path) -> list[Path]:
    """Write the CSV files of a comparison, and return their paths.

    The files are ``scores.csv``, ``groups.csv``, ``pairs.csv``, ``curves.csv`` and
    ``profiles.csv``.
    """
    interval = ("low", "high")
    tables: dict[str, tuple[tuple[str, ...], Iterable[Sequence[Any]]]] = {
        "scores": (("group", "run", "seed", comparison.figure), _scores(comparison)),
        "groups": (("group", "estimator", "value", *interval), _groups(comparison)),
        "pairs": (("above", "below", "probability", *interval), _pairs(comparison)),
        "curves": (("group", "steps", "interquartile_mean", *interval), _curves(comparison)),
        "profiles": (("group", "level", "share", *interval), _profiles(comparison)),
    }
    files = []
    for name, (columns, rows) in tables.items():
        files.append(folder / f"{name}.csv")
        write_text(files[-1], csv_text([columns, *rows]))
    return files


def _scores(comparison: Comparison) -> Iterable[Sequence[Any]]:
    for standing in comparison.standings:
        for summary, score in zip(standing.group.members, standing.scores, strict=True):
            seed = summary.config.get("seed")
            yield standing.group.label, summary.run.path, seed, float(score)


def _groups(comparison: Comparison) -> Iterable[Sequence[Any]]:
    for standing in comparison.standings:
        for name in ("interquartile_mean", "median", "mean"):
            yield standing.group.label, name, *_numbers(getattr(standing, name))


def _pairs(comparison: Comparison) -> Iterable[Sequence[Any]]:
    for pair in comparison.pairs:
        yield pair.above, pair.below, *_numbers(pair.probability)


def _curves(comparison: Comparison) -> Iterable[Sequence[Any]]:
    for standing in comparison.standings:
        for steps, *values in zip(standing.steps, *standing.curve, strict=True):
            yield standing.group.label, int(steps), *map(float, values)


def _profiles(comparison: Comparison) -> Iterable[Sequence[Any]]:
    for standing in comparison.standings:
        for values in zip(comparison.levels, *standing.profile, strict=True):
            yield standing.group.label, *map(float, values)


def _numbers(estimate: Estimate) -> tuple[float, float, float]:
    return estimate.value, estimate.low, estimate.high
