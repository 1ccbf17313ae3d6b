"""A figure of any movement over time: angles, speeds, muscles, forces, distances to targets."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec

from osimexp.analysis.gait.panels import COLOURS, GREY, blank, dress, label
from osimexp.analysis.gait.tables import csv_text
from osimexp.analysis.shown import Shown
from osimexp.arrays import Floats
from osimexp.models.sides import side_of
from osimexp.physics.posing.points import point_positions
from osimexp.visible import visible

PALETTE = (
    "#1763a6", "#d9622b", "#2e7d4f", "#8e44ad", "#b7950b", "#148f9e", "#c2185b", "#5d4037",
    "#7f8c8d", "#34495e",
)  # fmt: skip
LEGEND_ROWS = 12


def draw_movement(shown: Shown) -> Figure:
    """Return the figure of a movement over time."""
    movement = shown.movement
    turning = [n for n, r in zip(movement.coordinates, movement.rotational, strict=True) if r]
    lines: list[tuple[str, str, dict[str, Floats]]] = []

    def coordinates(values: Floats, rotational: bool, factor: float) -> dict[str, Floats]:
        return {
            name: factor * values[:, column]
            for column, name in enumerate(movement.coordinates)
            if bool(movement.rotational[column]) == rotational
        }

    degrees = float(np.rad2deg(1.0))
    if turning:
        lines.append(("Angles", "deg", coordinates(movement.positions, True, degrees)))
        lines.append(("Angular speeds", "deg/s", coordinates(movement.speeds, True, degrees)))
    if len(turning) < len(movement.coordinates):
        lines.append(("Translations", "m", coordinates(movement.positions, False, 1.0)))
        lines.append(("Speeds", "m/s", coordinates(movement.speeds, False, 1.0)))
    if movement.targets:
        lines.append(("Distance to the target", "m", distances(shown)))
    if movement.ground_reaction.size:
        upward = {f: movement.ground_reaction[:, n, 1] for n, f in enumerate(movement.feet)}
        lines.append(("Vertical ground reaction", "N", upward))
    heights = [1.0] * len(lines)
    if movement.activations.size:
        heights.append(max(0.6, 0.13 * len(movement.muscles)))
    figure = blank(11.0, 0.6 + 1.75 * sum(heights))
    grid = GridSpec(len(heights), 1, figure=figure, height_ratios=heights)
    figure.suptitle(visible(shown.name), fontsize=12, fontweight="bold", x=0.01, ha="left")
    last = len(heights) - 1
    for row, (title, unit, values) in enumerate(lines):
        axes = figure.add_subplot(grid[row, 0])
        _plot(axes, movement.time, values)
        dress(axes, title, unit, "s" if row == last else "")
    if movement.activations.size:
        axes = figure.add_subplot(grid[last, 0])
        _activations(figure, axes, movement.time, movement.muscles, movement.activations)
    return figure


def distances(shown: Shown) -> dict[str, Floats]:
    """Return the distance ``(T,)`` (m) to its target, of each point that has one."""
    movement = shown.movement
    points = point_positions(shown.model, movement.positions)
    return {
        name: np.linalg.norm(points[name] - target, axis=1)
        for name, target in movement.targets.items()
        if name in points
    }


def _plot(axes: Axes, time: Floats, values: Mapping[str, Floats]) -> None:
    """Draw lines; the two of a pair share a colour, and the left one is dashed."""
    colours: dict[str, str] = {}
    for name, line in values.items():
        side = side_of(name)
        if side is not None and set(map(side_of, values)) <= {"right", "left"} and len(values) == 2:
            axes.plot(time, line, color=COLOURS[side], linewidth=1.5, label=label(name))
            continue
        stem = name if side is None else name.replace(f"_{side[0]}", "")
        colour = colours.setdefault(stem, PALETTE[len(colours) % len(PALETTE)])
        style = (0, (4, 1.6)) if side == "left" else "solid"
        axes.plot(time, line, color=colour, linewidth=1.5, linestyle=style, label=label(name))
    axes.set_xlim(float(time[0]), float(time[-1]))
    if len(values) > 1 or colours:
        axes.legend(
            loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, fontsize=8,
            ncols=-(-len(values) // LEGEND_ROWS), handlelength=1.8, labelspacing=0.3,
        )  # fmt: skip


def _activations(
    figure: Figure, axes: Axes, time: Floats, muscles: Sequence[str], values: Floats
) -> None:
    step = float(np.median(np.diff(time)))
    edges = np.concatenate([time - step / 2.0, [time[-1] + step / 2.0]])
    mesh = axes.pcolormesh(
        edges, np.arange(len(muscles) + 1), values.T, cmap="magma_r", vmin=0.0, vmax=1.0,
        rasterized=True,
    )  # fmt: skip
    axes.set_yticks(np.arange(len(muscles)) + 0.5, [*map(label, muscles)])
    axes.invert_yaxis()
    axes.set_xlim(float(time[0]), float(time[-1]))
    dress(axes, "Muscle activations", "", "s")
    axes.grid(visible=False)
    bar = figure.colorbar(mesh, cax=axes.inset_axes((1.015, 0.0, 0.014, 1.0)))
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=8, length=2.5, labelcolor=GREY)


def movement_csv(shown: Shown) -> str:
    """Return a movement over time as CSV, a row for each moment, in rad, m, N and their rates."""
    movement = shown.movement
    columns = {"time": movement.time}
    for kind, values, names in (
        ("position", movement.positions, movement.coordinates),
        ("speed", movement.speeds, movement.coordinates),
        ("excitation", movement.excitations, movement.muscles),
        ("activation", movement.activations, movement.muscles),
    ):
        if values.size:
            columns |= {f"{kind}_{name}": values[:, n] for n, name in enumerate(names)}
    if movement.ground_reaction.size:
        for number, foot in enumerate(movement.feet):
            for axis, letter in enumerate("xyz"):
                columns[f"force_{foot}_{letter}"] = movement.ground_reaction[:, number, axis]
    if movement.targets:
        columns |= {f"distance_{name}": value for name, value in distances(shown).items()}
    return csv_text(list(columns), np.column_stack(list(columns.values())).tolist())
