"""Tables of a gait, for the terminal and as CSV files."""

from collections.abc import Iterable, Sequence

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.console import RenderableType
from rich.table import Table

from osimexp import files
from osimexp.analysis.gait.cycles import PERCENT
from osimexp.analysis.gait.measure import Gait
from osimexp.analysis.gait.norms import Normal, norms
from osimexp.analysis.gait.parameters import BOTH, Parameter
from osimexp.analysis.gait.settings import SIDES
from osimexp.terminal import styled

COLUMNS = (*SIDES, BOTH)


def table(gait: Gait) -> Table:
    """Return the gait parameters as a table; values that are not normal are marked."""
    made = Table(
        title=_title(gait),
        title_justify="left",
        box=SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
    for heading in ("", *COLUMNS, "normal"):
        made.add_column(heading, no_wrap=True)
    for number in gait.parameters:
        cells = [_cell(number, column) for column in COLUMNS]
        made.add_row(f"{number.label}, {number.unit}", *cells, normal_text(number.normal))
    return made


def sources(gait: Gait) -> list[str]:
    """Return the publications of the norms in the table and the figures."""
    normals = [number.normal for number in gait.parameters]
    found = [normal.source for normal in normals if normal is not None]
    if gait.activations and not gait.running:
        found.append(norms().activity_source)
    return list(dict.fromkeys(found))


def normal_text(normal: Normal | None) -> str:
    """Return a norm in a few characters; ``~`` marks a typical value without a range."""
    if normal is None:
        return ""
    if normal.low is None or normal.high is None:
        return f"~ {digits(normal.typical or 0.0)}"
    size = max(abs(normal.low), abs(normal.high))
    return f"{digits(normal.low, size)} to {digits(normal.high, size)}"


def parameters_csv(gait: Gait) -> str:
    """Return the gait parameters as CSV, with their spread between strides and their norms."""
    header = ["parameter", "unit"]
    header += [f"{column}_{kind}" for column in COLUMNS for kind in ("mean", "deviation")]
    header += ["normal_low", "normal_high", "typical", "source"]
    rows = []
    for number in gait.parameters:
        row: list[object] = [number.key, number.unit]
        for column in COLUMNS:
            row += [number.mean(column), number.deviation(column)]
        normal = number.normal or Normal(None, None, None, "")
        row += [normal.low, normal.high, normal.typical, normal.source]
        rows.append(row)
    return csv_text(header, rows)


def cycles_csv(gait: Gait) -> str:
    """Return mean and standard deviation of every curve as CSV, a row for each percent."""
    header, columns = ["percent"], [PERCENT]
    for kind, group in (
        ("angle", gait.angles),
        ("force", gait.forces),
        ("activation", gait.activations),
        ("excitation", gait.excitations),
    ):
        for name, sides in group.items():
            for side, curve in sides.items():
                header += [f"{kind}_{name}_{side}_{of}" for of in ("mean", "deviation")]
                columns += [curve.mean, curve.deviation]
    return csv_text(header, np.column_stack(columns).tolist())


def strides_csv(gait: Gait) -> str:
    """Return the events of every stride as CSV."""
    rows = [[s.side, s.start, s.toe_off, s.end] for s in gait.strides]
    return csv_text(["side", "heel_strike", "toe_off", "next_heel_strike"], rows)


def csv_text(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return rows as CSV, with numbers of nine digits."""
    cells = ([f"{v:.9g}" if isinstance(v, float) else v for v in row] for row in rows)
    return files.csv_text([header, *cells])


def _title(gait: Gait) -> str:
    counts = " and ".join(f"{gait.count(side)} {side}" for side in SIDES)
    where = f", treadmill at {gait.belt:.2f} m/s" if gait.belt else ""
    return f"{gait.name}: {counts} strides{where}"


def _cell(number: Parameter, column: str) -> RenderableType:
    mean, spread = number.mean(column), number.deviation(column)
    if mean is None:
        return ""
    text = digits(mean) + ("" if spread is None else f"±{digits(spread, mean)}")
    verdict = None if number.normal is None else number.normal.holds(mean)
    if verdict is None:
        return text
    return styled(text, "green") if verdict else styled(f"{text}!", "red")


def digits(value: float, like: float | None = None) -> str:
    """Return a number as text, with as many decimals as suit it or the number ``like``."""
    size = abs(value if like is None else like)
    return f"{value:.{0 if size >= 100.0 else 1 if size >= 10.0 else 2}f}"
