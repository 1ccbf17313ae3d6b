"""Pushes that come unforeseen, to find out what a controller withstands or to teach it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol

import numpy as np

from osimexp.arrays import Floats
from osimexp.models.actuators import ExternalForce


class PushTerm(Protocol):
    """Draws when and how hard a body is pushed."""

    @property
    def external(self) -> ExternalForce:
        """The external force that the pushes are, and the body that it acts on."""
        ...

    def plan(
        self, generators: Sequence[np.random.Generator], duration: float, control_period: float
    ) -> Floats:
        """Return the pushes of an episode of ``duration`` s, a row for each generator.

        They are ``(R, pushes, 4)``: the time at which each begins (s), a whole number of control
        periods, and its impulse along x, y and z of the ground (N s).
        """
        ...

    def force(self, plan: Floats, time: Floats) -> Floats:
        """Return the force ``(B, 3)`` N in the control periods that begin at ``time``."""
        ...

    def for_judging(self) -> "PushTerm":
        """Return the same without what only helps to learn."""
        ...


@dataclass(frozen=True)
class RandomPushes:
    """Horizontal pushes at random moments, each a constant force for a while.

    Attributes:
        body: the body that is pushed, at its centre of mass.
        impulse: N s, of the hardest; impulses are drawn evenly up to it, in both directions.
        duration: s of each push, in control periods.
        least: s from the end of one push to the beginning of the next, at least.
        most: s likewise, at most.
        harder: times ``impulse``, of the hardest while a controller learns; evaluations keep to
            ``impulse``.
        direction: axis of the ground along which bodies are pushed: ``forward`` is x, ``sideways``
            is z, and ``any`` is drawn anew for each push.
    """

    body: str
    impulse: float = 10.0
    duration: float = 0.1
    least: float = 1.5
    most: float = 3.0
    harder: float = 1.0
    direction: Literal["forward", "sideways", "any"] = "forward"

    def __post_init__(self) -> None:
        if not (self.impulse >= 0.0 and self.duration > 0.0):
            raise ValueError("impulse must not be below 0 N s and duration must be above 0 s")
        if not 0.0 < self.least <= self.most:
            raise ValueError("least must be above 0 s and not above most")
        if not self.harder > 0.0:
            raise ValueError("harder must be above 0")

    @property
    def external(self) -> ExternalForce:
        """The external force that the pushes are: at the centre of mass of the body."""
        return ExternalForce("push", self.body)

    def for_judging(self) -> "RandomPushes":
        """Return the same, none harder than ``impulse``."""
        return replace(self, harder=1.0)

    def plan(
        self, generators: Sequence[np.random.Generator], duration: float, control_period: float
    ) -> Floats:
        """Return the pushes of an episode, ``(R, pushes, 4)``; see ``PushTerm``."""
        count = int(np.ceil(duration / (self.least + self.duration)))
        hardest = self.impulse * self.harder
        pushes = np.zeros((len(generators), count, 4))
        for row, generator in zip(pushes, generators, strict=True):
            waits = generator.uniform(self.least, self.most, count)
            row[:, 0] = np.cumsum(waits + self.duration) - self.duration
            impulses = generator.uniform(-hardest, hardest, count)
            angles = np.full(count, np.pi / 2.0 if self.direction == "sideways" else 0.0)
            if self.direction == "any":
                angles = generator.uniform(-np.pi, np.pi, count)
            row[:, 1], row[:, 3] = impulses * np.cos(angles), impulses * np.sin(angles)
        if self.direction != "any":  # The cosine of a right angle is not quite 0.
            pushes[:, :, 1 if self.direction == "sideways" else 3] = 0.0
        pushes[:, :, 0] = np.round(pushes[:, :, 0] / control_period) * control_period
        return pushes

    def force(self, plan: Floats, time: Floats) -> Floats:
        """Return the force ``(B, 3)`` in the control periods that begin at ``time`` ``(B,)``."""
        since = time[:, None] - plan[:, :, 0] + 1e-9  # Times are sums of many periods.
        held = (since >= 0.0) & (since + 1e-6 < self.duration)
        return np.asarray((held[:, :, None] * plan[:, :, 1:]).sum(axis=1) / self.duration)


def saved_plan(plan: Floats) -> Floats:
    """Return a saved plan as ``(R, pushes, 4)``; version 0.1.0 saved impulses forward alone."""
    missing = 4 - plan.shape[2]
    return np.pad(plan, ((0, 0), (0, 0), (0, missing)))
