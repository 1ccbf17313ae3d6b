"""Figures of a comparison: scores, learning curves and performance profiles."""

from collections.abc import Iterator

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from osimexp.analysis.gait.panels import label
from osimexp.results.comparison import Comparison, Standing
from osimexp.visible import visible

# Okabe and Ito, Color Universal Design (2008): colour-blind readers can tell them apart, too.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442")


def draw_scores(comparison: Comparison) -> Figure:
    """Return a figure with a row for each group: its interquartile mean, interval and runs."""
    count = len(comparison.standings)
    figure, axes = _panel(1.1 + 0.4 * count, f"{visible(comparison.figure)} of final evaluations")
    for row, (standing, _, colour) in enumerate(_dressed(comparison)):
        found = standing.interquartile_mean
        axes.plot(standing.scores, np.full(len(standing.scores), row), "o", ms=4, color=colour,
                  alpha=0.35, mew=0)  # fmt: skip
        axes.plot([found.low, found.high], [row, row], color=colour, lw=2)
        axes.plot([found.value], [row], "|", ms=14, mew=2.5, color=colour)
    axes.set_yticks(range(count), [name for _, name, _ in _dressed(comparison)])
    axes.set_ylim(count - 0.5, -0.5)
    return figure


def draw_curves(comparison: Comparison) -> Figure:
    """Return a figure of learning curves: interquartile mean and interval of each group."""
    figure, axes = _panel(3.6, "environment steps", visible(comparison.figure))
    for standing, name, colour in _dressed(comparison):
        middle, low, high = standing.curve
        axes.plot(standing.steps, middle, color=colour, label=name, marker=".")
        axes.fill_between(standing.steps, low, high, color=colour, alpha=0.18, linewidth=0)
    axes.legend(fontsize=8, frameon=False)
    return figure


def draw_profiles(comparison: Comparison) -> Figure:
    """Return a figure of the share of each group's runs that are above each level."""
    figure, axes = _panel(3.2, visible(comparison.figure), "share of runs above it")
    for standing, name, colour in _dressed(comparison):
        share, low, high = standing.profile
        axes.step(comparison.levels, share, where="post", color=colour, label=name)
        axes.fill_between(
            comparison.levels, low, high, step="post", color=colour, alpha=0.15, linewidth=0
        )
    axes.set_ylim(-0.03, 1.03)
    axes.legend(fontsize=8, frameon=False)
    return figure


def _dressed(comparison: Comparison) -> Iterator[tuple[Standing, str, str]]:
    """Yield each standing with its label and colour."""
    for index, standing in enumerate(comparison.standings):
        yield standing, label(standing.group.label), COLOURS[index % len(COLOURS)]


def _panel(height: float, across: str, up: str = "") -> tuple[Figure, Axes]:
    figure = Figure(figsize=(6.4, height), layout="constrained")
    axes = figure.subplots()
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8)
    axes.set_xlabel(across, fontsize=9)
    axes.set_ylabel(up, fontsize=9)
    return figure, axes
