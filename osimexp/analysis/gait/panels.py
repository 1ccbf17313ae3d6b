"""Figures that need no display, and the style that all of them share."""

from io import BytesIO

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from osimexp.visible import visible

COLOURS = {"right": "#1763a6", "left": "#d9622b"}
GREY = "#6b7280"
BAND = "#d7dbe0"
GOOD, BAD = "#2e7d4f", "#c0392b"
DPI = 110


def blank(width: float, height: float) -> Figure:
    """Return an empty figure of a width and a height in inches."""
    figure = Figure(figsize=(width, height), dpi=DPI, layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def dress(axes: Axes, title: str, unit: str, across: str = "") -> None:
    """Set a panel's title, labels and style; the unit is put after the title."""
    axes.set_title(title, fontsize=9.5, loc="left", pad=4, fontweight="bold")
    if unit:
        axes.set_title(unit, fontsize=8, loc="right", pad=4, color=GREY)
    axes.set_xlabel(across, fontsize=8, color=GREY)
    axes.tick_params(labelsize=8, length=2.5, color=BAND, labelcolor="#374151")
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(BAND)
    axes.grid(axis="y", color="#eef0f3", linewidth=0.8)
    axes.set_axisbelow(True)


def encoded(figure: Figure, dpi: int = DPI) -> bytes:
    """Return a figure as bytes of a PNG, in which no text is a formula."""
    stream = BytesIO()
    for text in figure.findobj(Text):
        text.set_parse_math(False)
    with rc_context({"text.parse_math": False}):  # For the labels of ticks that are made now.
        figure.savefig(stream, format="png", dpi=dpi)
    return stream.getvalue()


def label(text: str) -> str:
    """Return a name such that a legend or an axis shows it; a legend leaves out ``_name``."""
    shown = visible(text)
    return f" {shown}" if shown.startswith("_") else shown
