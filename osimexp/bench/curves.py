"""Figures of the learning curves of two libraries."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from matplotlib.figure import Figure

from osimexp.analysis.gait.panels import encoded
from osimexp.analysis.statistics import bootstrap_interval, interquartile_mean
from osimexp.files import replacing
from osimexp.visible import visible

COLOURS = {"osimexp": "#0b6e99", "stable_baselines3": "#c4621a"}


class Point(Protocol):
    """An evaluation of a training."""

    @property
    def algorithm(self) -> str:
        """Name of the algorithm: ``sac``, ``ppo`` or ``ddpg``."""
        ...

    @property
    def library(self) -> str:
        """Name of the library, one of ``LIBRARIES``."""
        ...

    @property
    def steps(self) -> int:
        """Environment steps before the evaluation."""
        ...

    @property
    def mean_return(self) -> float:
        """Mean return over the episodes of the evaluation."""
        ...


def draw_curves(problem: str, points: Sequence[Point], folder: Path) -> None:
    """Draw a problem's curves into a folder, a panel for each algorithm.

    A curve is the interquartile mean over seeds, with its 95 % bootstrap interval.
    """
    algorithms = list(dict.fromkeys(p.algorithm for p in points))
    if not algorithms:
        return
    generator = np.random.default_rng(0)
    figure = Figure(figsize=(3.6 * len(algorithms), 3.0), layout="constrained")
    panels = figure.subplots(1, len(algorithms), squeeze=False)[0]
    for axes, algorithm in zip(panels, algorithms, strict=True):
        for library, colour in COLOURS.items():
            own = [p for p in points if (p.algorithm, p.library) == (algorithm, library)]
            steps = sorted({p.steps for p in own})
            scores = [np.array([p.mean_return for p in own if p.steps == s]) for s in steps]
            means = [float(interquartile_mean(s)) for s in scores]
            ends = [bootstrap_interval([s], interquartile_mean, generator, 1000) for s in scores]
            if steps:
                axes.plot(steps, means, color=colour, label=library)
                low, high = zip(*ends, strict=True)
                axes.fill_between(steps, low, high, color=colour, alpha=0.2, linewidth=0)
        axes.set_title(f"{algorithm.upper()}, {visible(problem)}", fontsize=9)
        axes.set_xlabel("environment steps", fontsize=8)
        axes.tick_params(labelsize=7)
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel("return", fontsize=8)
    panels[0].legend(fontsize=7, frameon=False)
    with replacing(folder / f"{problem}.png") as stream:
        stream.write(encoded(figure, 130))
