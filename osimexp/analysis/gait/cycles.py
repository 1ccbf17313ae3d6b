"""Curves of quantities over the gait cycle."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from osimexp.analysis.gait.strides import Stride
from osimexp.arrays import Floats

PERCENT = np.linspace(0.0, 100.0, 101)


@dataclass(frozen=True)
class Curve:
    """A quantity over the gait cycle, stride by stride.

    Attributes:
        strides: ``(strides, 101)``, each stride from heel strike to heel strike.
    """

    strides: Floats

    @property
    def mean(self) -> Floats:
        """Mean over strides ``(101,)``."""
        return np.asarray(self.strides.mean(axis=0))

    @property
    def deviation(self) -> Floats:
        """Standard deviation between strides ``(101,)``; 0 for a single stride."""
        one = len(self.strides) < 2
        return np.zeros(len(PERCENT)) if one else np.asarray(self.strides.std(axis=0, ddof=1))


def interpolated(time: Floats, values: Floats, at: Floats) -> Floats:
    """Return ``values`` ``(T, ...)`` at moments ``at``, linear between samples."""
    before = np.clip(np.searchsorted(time, at, side="right") - 1, 0, len(time) - 2)
    share = (at - time[before]) / (time[before + 1] - time[before])
    share = np.clip(share, 0.0, 1.0).reshape(share.shape + (1,) * (values.ndim - 1))
    return np.asarray((1.0 - share) * values[before] + share * values[before + 1])


def over_cycles(time: Floats, values: Floats, strides: Iterable[Stride], side: str) -> Curve | None:
    """Return values ``(T,)`` over the strides of one side; None if the side has no stride."""
    mine = [stride for stride in strides if stride.side == side]
    if not mine:
        return None
    moments = np.array([s.start + PERCENT / 100.0 * s.duration for s in mine])
    return Curve(interpolated(time, values, moments))


def mean_between(time: Floats, values: Floats, start: float, end: float) -> float:
    """Return the mean of values between two times (s); they are linear between samples."""
    inside = time[(time > start) & (time < end)]
    moments = np.concatenate([[start], inside, [end]])
    heights = interpolated(time, values, moments)
    area = np.sum((heights[1:] + heights[:-1]) / 2.0 * np.diff(moments))
    return float(area / (end - start))
