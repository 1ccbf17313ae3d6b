"""A figure of a gait: angles, forces and muscles over the gait cycle, each with its norm."""

from collections.abc import Mapping

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from osimexp.analysis.gait.cycles import PERCENT, Curve
from osimexp.analysis.gait.measure import Gait
from osimexp.analysis.gait.norms import Band, norms
from osimexp.analysis.gait.panels import BAD, BAND, COLOURS, GOOD, GREY, blank, dress
from osimexp.analysis.gait.parameters import BOTH, Parameter
from osimexp.analysis.gait.settings import SIDES, GaitSettings
from osimexp.analysis.gait.tables import digits, normal_text
from osimexp.visible import visible

COLUMNS = 5
ROW = 2.05  # inches
CYCLE = "% of gait cycle"

SHOWN = (
    "speed",
    "cadence",
    "stride_length",
    "step_length",
    "step_width",
    "stance_share",
    "double_support",
    "symmetry_step_length",
    "cost_of_transport",
)


def draw(gait: Gait, settings: GaitSettings) -> Figure:
    """Return the figure of a gait."""
    muscles = [name for name in settings.emg if name in gait.activations]
    rows = 2 + -(-len(muscles) // COLUMNS)
    figure = blank(14.0, 0.75 + ROW * rows)
    grid = GridSpec(rows, COLUMNS, figure=figure)
    figure.suptitle(_title(gait), fontsize=12, fontweight="bold", x=0.01, ha="left")
    angles = [name for name in settings.angles if name in gait.angles][:COLUMNS]
    for column, name in enumerate(angles):
        axes = figure.add_subplot(grid[0, column])
        _curves(axes, gait, gait.angles[name], _band(gait, name))
        axes.axhline(0.0, color=GREY, linewidth=0.6, zorder=1)
        dress(axes, settings.angles[name].label, "deg", CYCLE)
    for column, (name, label) in enumerate(
        (("vertical", "Vertical force"), ("fore_aft", "Fore-aft force"))
    ):
        axes = figure.add_subplot(grid[1, column])
        _curves(axes, gait, gait.forces[name], _band(gait, name))
        axes.axhline(0.0, color=GREY, linewidth=0.6, zorder=1)
        dress(axes, label, "body weights", CYCLE)
    _contacts(figure.add_subplot(grid[1, 2]), gait)
    _numbers(figure.add_subplot(grid[1, 3:]), gait)
    for number, name in enumerate(muscles):
        axes = figure.add_subplot(grid[2 + number // COLUMNS, number % COLUMNS])
        for start, end in () if gait.running else norms().activity.get(name, ()):
            axes.axvspan(start, end, color=BAND, linewidth=0.0, zorder=0)
        _curves(axes, gait, gait.activations[name], None)
        axes.set_ylim(0.0, 1.0)
        dress(axes, settings.emg[name].label, "activation", CYCLE)
    if len(muscles) % COLUMNS:
        _legend(figure.add_subplot(grid[rows - 1, COLUMNS - 1]), bool(muscles))
    elif len(angles) < COLUMNS:
        _legend(figure.add_subplot(grid[0, COLUMNS - 1]), bool(muscles))
    else:
        figure.legend(handles=_handles(bool(muscles)), loc="upper right", ncols=4, frameon=False,
                      fontsize=8)  # fmt: skip
    return figure


def _band(gait: Gait, name: str) -> Band | None:
    """Return the band of a curve; none is known for runs."""
    return None if gait.running else norms().bands.get(name)


def _title(gait: Gait) -> str:
    counts = " and ".join(
        f"{n} {side} stride{'s' * (n != 1)}" for side in SIDES if (n := gait.count(side))
    )
    where = f", treadmill at {gait.belt:.2f} m/s" if gait.belt else ""
    return f"{visible(gait.name)}   {counts}{where}"


def _curves(axes: Axes, gait: Gait, sides: Mapping[str, Curve], band: Band | None) -> None:
    if band is not None:
        mean, spread = band.at(PERCENT)
        axes.fill_between(PERCENT, mean - spread, mean + spread, color=BAND, linewidth=0.0)
        axes.plot(PERCENT, mean, color="#9aa3ad", linewidth=1.0)
    for side, curve in sides.items():
        colour = COLOURS[side]
        low, high = curve.mean - curve.deviation, curve.mean + curve.deviation
        axes.fill_between(PERCENT, low, high, color=colour, alpha=0.2, linewidth=0.0)
        axes.plot(PERCENT, curve.mean, color=colour, linewidth=1.6)
        axes.axvline(gait.stance(side), color=colour, linewidth=0.8, linestyle=(0, (3, 2)))
    axes.set_xlim(0.0, 100.0)
    axes.set_xticks([0, 20, 40, 60, 80, 100])


def _contacts(axes: Axes, gait: Gait) -> None:
    start = min(stride.start for stride in gait.strides)
    end = max(stride.end for stride in gait.strides)
    for row, side in enumerate(reversed(SIDES)):
        spans = [(a, b - a) for a, b in gait.contacts[side].held(start, end)]
        axes.broken_barh(spans, (row + 0.2, 0.6), color=COLOURS[side], linewidth=0.0)
    axes.set_ylim(0.0, 2.0)
    axes.set_yticks([0.5, 1.5], list(reversed(SIDES)))
    axes.set_xlim(start, end)
    dress(axes, "Contact with the ground", "", "s")
    axes.grid(visible=False)


def _numbers(axes: Axes, gait: Gait) -> None:
    axes.axis("off")
    chosen = [number for key in SHOWN if (number := gait.parameter(key)) is not None]
    places = {"right": 0.62, "left": 0.78, BOTH: 0.70, "normal": 1.0}
    for name in (*SIDES, "normal"):
        axes.text(places[name], 1.0, name, fontsize=8, ha="right", va="top",
                  color=COLOURS.get(name, GREY), transform=axes.transAxes)  # fmt: skip
    for row, number in enumerate(chosen, start=1):
        height = 1.0 - row / (len(SHOWN) + 1.0)
        axes.text(0.0, height, f"{number.label}, {number.unit}", fontsize=8, va="top",
                  transform=axes.transAxes)  # fmt: skip
        for column in (*SIDES, BOTH):
            if (mean := number.mean(column)) is not None:
                axes.text(places[column], height, digits(mean), fontsize=8, ha="right", va="top",
                          color=_verdict(number, mean), fontweight="bold",
                          transform=axes.transAxes)  # fmt: skip
        axes.text(places["normal"], height, normal_text(number.normal), fontsize=8, ha="right",
                  va="top", color=GREY, transform=axes.transAxes)  # fmt: skip


def _verdict(number: Parameter, mean: float) -> str:
    held = None if number.normal is None else number.normal.holds(mean)
    return {None: "#111827", True: GOOD, False: BAD}[held]


def _handles(muscles: bool) -> list[Line2D | Patch]:
    emg = " (muscles: EMG is on)" if muscles else ""
    return [
        *(Line2D([], [], color=COLOURS[side], label=side) for side in SIDES),
        Line2D([], [], color=GREY, linewidth=0.8, linestyle=(0, (3, 2)), label="toe off"),
        Patch(color=BAND, label=f"normal ± 1 SD{emg}"),
    ]


def _legend(axes: Axes, muscles: bool) -> None:
    axes.axis("off")
    axes.legend(handles=_handles(muscles), loc="center left", frameon=False, fontsize=8.5)
