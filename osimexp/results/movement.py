"""Comparison of the movements of runs: cost of transport, symmetry, falls when pushed."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from pydantic import Field
from rich.table import Table

from osimexp.analysis.gait.measure import measure
from osimexp.analysis.gait.parameters import BOTH
from osimexp.analysis.gait.settings import default_settings
from osimexp.analysis.statistics import Scores
from osimexp.config import option
from osimexp.errors import MovementError
from osimexp.experiment.evaluation import evaluate
from osimexp.experiment.playing import Changes, Chosen
from osimexp.experiment.run_folder import RunFolder
from osimexp.experiment.seeding import Seeds
from osimexp.experiment.showing import ShownSettings, from_run
from osimexp.experiment.summary import metrics_of
from osimexp.results.comparison import Comparison, interquartile_estimate
from osimexp.results.tables import said
from osimexp.tasks.make import make, task_of

METRICS = {
    "speed": "speed, m/s",
    "effort": "effort",
    "fallen": "share of falls",
    "cost_of_transport": "cost of transport, J/kg/m",
    "asymmetry": "asymmetry of step length, %",
    "fallen_pushed": "share of falls when pushed",
}
"""Names and labels of metrics of movement."""


@dataclass(frozen=True)
class MovementSettings:
    """Settings of the episodes that are played to compare movements.

    Attributes:
        walks: number of episodes of each run that are measured as a walk, for the cost of transport
            and the symmetry.
        pushed: number of episodes of each run with pushes at random times, in which falls are
            counted.
        impulse: greatest impulse of a push, N s.
    """

    walks: Annotated[int, Field(ge=0)] = 0
    pushed: Annotated[int, Field(ge=0)] = 0
    impulse: Annotated[float, Field(gt=0.0)] = 10.0

    @property
    def any(self) -> bool:
        """True if any episode is played."""
        return self.walks > 0 or self.pushed > 0


@dataclass(frozen=True)
class Moved:
    """Metrics of movement of a group of runs.

    Attributes:
        label: label of the group.
        runs: path and seed of each run.
        metrics: ``(runs,)`` by the names of ``METRICS``; NaN if a run does not have the metric.
    """

    label: str
    runs: tuple[tuple[str, Any], ...]
    metrics: Mapping[str, Scores]


def moved(comparison: Comparison, settings: MovementSettings) -> list[Moved]:
    """Return metrics of movement of all groups, from episodes played by their controllers.

    Raises:
        OsimexpError: a run cannot be played.
    """
    found = []
    for standing in comparison.standings:
        members = standing.group.members
        each = [movement_of(summary.run, settings) for summary in members]
        found.append(
            Moved(
                standing.group.label,
                tuple((str(s.run.path), s.config.get("seed")) for s in members),
                {name: np.array([own[name] for own in each]) for name in METRICS},
            )
        )
    return found


def movement_of(run: RunFolder, settings: MovementSettings) -> dict[str, float]:
    """Return ``METRICS`` of a run's judged controller; NaN for those that it does not have.

    Raises:
        OsimexpError: the run cannot be played.
    """
    metrics = metrics_of(run, "final") or {}
    found = {name: _number(metrics.get(name)) for name in ("speed", "effort", "fallen")}
    walks = [_walk(run, episode) for episode in range(settings.walks)]
    for name in ("cost_of_transport", "asymmetry"):
        values = [walk[name] for walk in walks if np.isfinite(walk[name])]
        found[name] = float(np.mean(values)) if values else float("nan")
    found["fallen_pushed"] = _falls(run, settings) if settings.pushed else float("nan")
    return found


def movement_lines(groups: Sequence[Moved], resamples: int) -> list[list[str]]:
    """Return a line for each metric that a group has: its name, then a cell for each group."""
    found = []
    for name, label in METRICS.items():
        cells = [_said(group.metrics[name], resamples) for group in groups]
        if any(cells):
            found.append([label, *cells])
    return found


def movement_table(groups: Sequence[Moved], resamples: int) -> Table:
    """Return a table for ``rich``, with a row for each metric and a column for each group."""
    table = Table(
        title="Movement: interquartile means over runs, with 95 % bootstrap intervals",
        title_justify="left",
        box=None,
        pad_edge=False,
    )
    table.add_column("metric")
    for group in groups:
        table.add_column(group.label, justify="right", overflow="fold")
    for line in movement_lines(groups, resamples):
        table.add_row(*line)
    return table


def movement_rows(groups: Sequence[Moved]) -> Iterable[Sequence[object]]:
    """Yield the rows of ``movement.csv``: the names of its columns, then a row for each run."""
    yield ("group", "run", "seed", *METRICS)
    for group in groups:
        for place, (path, seed) in enumerate(group.runs):
            values = (float(group.metrics[name][place]) for name in METRICS)
            yield group.label, path, seed, *("" if np.isnan(v) else v for v in values)


def _walk(run: RunFolder, episode: int) -> dict[str, float]:
    seed = Seeds.of(run.config().get("seed")).final_evaluation + episode
    shown = from_run(run, ShownSettings(run=str(run.path), seed=seed))
    try:
        gait = measure(shown, default_settings())
    except MovementError:
        return {"cost_of_transport": float("nan"), "asymmetry": float("nan")}  # It did not walk.
    cost, symmetry = (gait.parameter(k) for k in ("cost_of_transport", "symmetry_step_length"))
    return {
        "cost_of_transport": _number(cost.mean(BOTH) if cost else None),
        "asymmetry": abs(_number(symmetry.mean(BOTH) if symmetry else None)),
    }


def _falls(run: RunFolder, settings: MovementSettings) -> float:
    """Return the share of episodes with pushes in which the model falls."""
    push = {**option("push", "random"), "impulse": settings.impulse}
    # A run that was simulated by a cluster can be played without it.
    config = Changes(push=push, workers=option("workers", "cores")).of(run.config())
    seed = Seeds.of(config.get("seed")).final_evaluation
    task, count = task_of(config), min(settings.pushed, 64)
    with closing(make(task, count, "evaluation")) as environment:
        controller = Chosen(run, "policy", run.judged_checkpoint()).controller(environment)
        means = evaluate(environment, controller, settings.pushed, seed).means()
    return _number(means.get("fallen"))


def _said(values: Scores, resamples: int) -> str:
    known = values[np.isfinite(values)]
    if not len(known):
        return ""
    few = "" if len(known) == len(values) else f" in {len(known)} of {len(values)} runs"
    return said(interquartile_estimate(known, resamples)) + few


def _number(value: float | None) -> float:
    return float("nan") if value is None else float(value)
