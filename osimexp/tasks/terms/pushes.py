"""Pushes that come unforeseen, to find out what a controller withstands or to teach it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from osimexp.arrays import Floats


class PushTerm(Protocol):
    """Draws when and how hard a body is pushed."""

    @property
    def body(self) -> str:
        """The body that is pushed, at its centre of mass."""
        ...

    def plan(
        self, generators: Sequence[np.random.Generator], duration: float, control_period: float
    ) -> Floats:
        """Return the pushes of an episode of ``duration`` s, a row for each generator.

        They are ``(R, pushes, 2)``: the time at which each begins (s), a whole number of control
        periods, and its impulse forward (N s).
        """
        ...

    def force(self, plan: Floats, time: Floats) -> Floats:
        """Return the force forward ``(B,)`` N in the control periods that begin at ``time``."""
        ...

    def for_judging(self) -> "PushTerm":
        """Return the same without what only helps to learn."""
        ...


@dataclass(frozen=True)
class RandomPushes:
    """Pushes forward and backward at random moments, each a constant force for a while.

    Attributes:
        body: the body that is pushed, at its centre of mass.
        impulse: N s, of the hardest; impulses are drawn evenly up to it, in both directions.
        duration: s of each push, in control periods.
        least: s from the end of one push to the beginning of the next, at least.
        most: s likewise, at most.
        harder: times ``impulse``, of the hardest while a controller learns; evaluations keep to
            ``impulse``.
    """

    body: str
    impulse: float = 10.0
    duration: float = 0.1
    least: float = 1.5
    most: float = 3.0
    harder: float = 1.0

    def __post_init__(self) -> None:
        if not (self.impulse >= 0.0 and self.duration > 0.0):
            raise ValueError("impulse must not be below 0 N s and duration must be above 0 s")
        if not 0.0 < self.least <= self.most:
            raise ValueError("least must be above 0 s and not above most")
        if not self.harder > 0.0:
            raise ValueError("harder must be above 0")

    def for_judging(self) -> "RandomPushes":
        """Return the same, none harder than ``impulse``."""
        return replace(self, harder=1.0)

    def plan(
        self, generators: Sequence[np.random.Generator], duration: float, control_period: float
    ) -> Floats:
        """Return the pushes of an episode, ``(R, pushes, 2)``; see ``PushTerm``."""
        count = int(np.ceil(duration / (self.least + self.duration)))
        hardest = self.impulse * self.harder
        pushes = np.empty((len(generators), count, 2))
        for row, generator in zip(pushes, generators, strict=True):
            waits = generator.uniform(self.least, self.most, count)
            row[:, 0] = np.cumsum(waits + self.duration) - self.duration
            row[:, 1] = generator.uniform(-hardest, hardest, count)
        pushes[:, :, 0] = np.round(pushes[:, :, 0] / control_period) * control_period
        return pushes

    def force(self, plan: Floats, time: Floats) -> Floats:
        """Return the force ``(B,)`` in the control periods that begin at ``time`` ``(B,)``."""
        since = time[:, None] - plan[:, :, 0] + 1e-9  # Times are sums of many periods.
        held = (since >= 0.0) & (since + 1e-6 < self.duration)
        return np.asarray((held * plan[:, :, 1]).sum(axis=1) / self.duration)
