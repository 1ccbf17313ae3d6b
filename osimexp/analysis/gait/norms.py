"""Published norms of gait; the values and their sources are in ``norms.yaml``."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from osimexp.arrays import Floats


@dataclass(frozen=True)
class Band:
    """Mean and standard deviation of a quantity over the gait cycle, among healthy people.

    Attributes:
        mean: ``(points,)`` at equal intervals over the cycle; the first is at heel strike, and
            there is none at its end.
        deviation: ``(points,)`` standard deviation between people at the same points.
        source: publication.
    """

    mean: Floats
    deviation: Floats
    source: str

    def at(self, percent: Floats) -> tuple[Floats, Floats]:
        """Return mean and deviation at percents of the cycle, interpolated by a periodic cubic."""
        place = np.asarray(percent) * len(self.mean) / 100.0
        return _cubic(self.mean, place), np.maximum(_cubic(self.deviation, place), 0.0)


@dataclass(frozen=True)
class Normal:
    """The norm of a gait parameter.

    Attributes:
        low: lowest normal value; None if only the typical value is known.
        high: highest normal value; None if only the typical value is known.
        typical: mean of healthy people; None if only the range is known.
        source: publication.
    """

    low: float | None
    high: float | None
    typical: float | None
    source: str

    def holds(self, value: float) -> bool | None:
        """Return whether a value is normal; None if the range is not known."""
        if self.low is None or self.high is None or not np.isfinite(value):
            return None
        return bool(self.low <= value <= self.high)


@dataclass(frozen=True)
class Norms:
    """All norms of ``norms.yaml``.

    Attributes:
        bands: bands of joint angles (degrees) and ground reactions (body weights), by name.
        activity: for each muscle, spans of the cycle (percent) in which its EMG is on.
        activity_source: publication of all these spans.
        parameters: norms of the parameters of a walk, by key.
        running: norms of the parameters of a run, by key.
    """

    bands: dict[str, Band]
    activity: dict[str, tuple[tuple[float, float], ...]]
    activity_source: str
    parameters: dict[str, Normal]
    running: dict[str, Normal]


@cache
def norms() -> Norms:
    """Return the norms that come with the package."""
    read = yaml.safe_load((Path(__file__).with_name("norms.yaml")).read_text(encoding="utf-8"))
    sources = read["sources"]
    return Norms(
        bands={
            name: Band(
                np.array(band["mean"], dtype=float),
                np.array(band["deviation"], dtype=float),
                sources[band["source"]],
            )
            for name, band in read["curves"].items()
        },
        activity={
            name: tuple((float(start), float(end)) for start, end in spans)
            for name, spans in read["activity"]["spans"].items()
        },
        activity_source=sources[read["activity"]["source"]],
        parameters={
            name: _normal(entry, sources[entry["source"]])
            for name, entry in read["parameters"].items()
        },
        running={
            name: _normal(entry, sources[entry["source"]])
            for name, entry in read["running"].items()
        },
    )


def _normal(entry: dict[str, Any], source: str) -> Normal:
    if "range" in entry:
        low, high = entry["range"]
        return Normal(float(low), float(high), None, source)
    if "typical" in entry:
        return Normal(None, None, float(entry["typical"]), source)
    mean, spread = float(entry["mean"]), 2.0 * float(entry["deviation"])
    return Normal(mean - spread, mean + spread, mean, source)


def _cubic(values: Floats, place: Floats) -> Floats:
    """Return periodic values at fractional indices, by Catmull-Rom's cubic."""
    before = np.floor(place).astype(int)
    t = place - before
    a, b, c, d = (values[(before + k) % len(values)] for k in (-1, 0, 1, 2))
    slope, end = (c - a) / 2.0, (d - b) / 2.0
    return np.asarray(
        b
        + t * slope
        + t**2 * (3.0 * (c - b) - 2.0 * slope - end)
        + t**3 * (2.0 * (b - c) + slope + end)
    )
