"""Pushes at random times, to test how a controller copes with them or to train it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol

import numpy as np

from osimexp.arrays import Floats
from osimexp.models.actuators import ExternalForce


class PushTerm(Protocol):
    """A term that plans pushes of a body."""

    @property
    def external(self) -> ExternalForce:
        """External force that exerts the pushes, with its body."""
        ...

    def plan(
        self, generators: Sequence[np.random.Generator], duration: float, control_period: float
    ) -> Floats:
        """Return the pushes of an episode of ``duration`` s, a row for each generator.

        The result is ``(R, pushes, 4)``: the time at which each push begins (s), a whole number of
        control periods, and its impulse along x, y and z of the ground (N s).
        """
        ...

    def force(self, plan: Floats, time: Floats) -> Floats:
        """Return the force ``(B, 3)`` (N) in control periods that begin at ``time`` (s)."""
        ...

    def for_judging(self) -> "PushTerm":
        """Return the same term without its aids to learning, for evaluations."""
        ...


@dataclass(frozen=True)
class RandomPushes:
    """Horizontal pushes at random times, each a constant force.

    Attributes:
        body: name of the body that is pushed at its centre of mass.
        impulse: greatest impulse of a push, N s; impulses are uniform up to it, in both directions.
        duration: duration of a push, s, rounded to control periods.
        least: shortest time from the end of one push to the beginning of the next, s.
        most: longest time from the end of one push to the beginning of the next, s.
        harder: factor on ``impulse`` in training; evaluations do not use it.
        direction: axis of the ground along which bodies are pushed: ``forward`` is x, ``sideways``
            is z, and ``any`` is random for each push.
    """

    body: str
    impulse: float
    duration: float
    least: float
    most: float
    harder: float
    direction: Literal["forward", "sideways", "any"]

    def __post_init__(self) -> None:
        if not (self.impulse >= 0.0 and self.duration > 0.0):
            raise ValueError("impulse must not be below 0 N s and duration must be above 0 s")
        if not 0.0 < self.least <= self.most:
            raise ValueError("least must be above 0 s and not above most")
        if not self.harder > 0.0:
            raise ValueError("harder must be above 0")

    @property
    def external(self) -> ExternalForce:
        """External force at the centre of mass of the body."""
        return ExternalForce("push", self.body)

    def for_judging(self) -> "RandomPushes":
        """Return the same pushes with ``harder`` at 1, for evaluations."""
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
        if self.direction != "any":  # Without angles, as the cosine of pi / 2 is not exactly 0.
            pushes[:, :, 1 if self.direction == "sideways" else 3] = 0.0
        pushes[:, :, 0] = np.round(pushes[:, :, 0] / control_period) * control_period
        return pushes

    def force(self, plan: Floats, time: Floats) -> Floats:
        """Return the force ``(B, 3)`` (N) in control periods that begin at ``time`` (s)."""
        since = time[:, None] - plan[:, :, 0] + 1e-9  # Times are sums of many periods.
        held = (since >= 0.0) & (since + 1e-6 < self.duration)
        return np.asarray((held[:, :, None] * plan[:, :, 1:]).sum(axis=1) / self.duration)


def saved_plan(plan: Floats) -> Floats:
    """Return a saved plan as ``(R, pushes, 4)``; version 0.1.0 saved impulses forward alone."""
    missing = 4 - plan.shape[2]
    return np.pad(plan, ((0, 0), (0, 0), (0, missing)))
