"""Points of paths, and the straight lines between them."""

from dataclasses import dataclass

import numpy as np

from osimexp.physics.compiled.ir.trace import (
    Array,
    Condition,
    Scalar,
    both,
    less,
    maximum,
    minimum,
    negation,
)
from osimexp.physics.compiled.ir.vectors import ZERO, cross
from osimexp.physics.compiled.mechanics.curves import Curve
from osimexp.physics.compiled.mechanics.mechanism import Placement, Station
from osimexp.physics.compiled.mechanics.motion import Motion


@dataclass(frozen=True)
class Window:
    """When a point belongs to a path: while a coordinate is in a range.

    Attributes:
        coordinate: its number.
        low: rad or m.
        high: rad or m.
    """

    coordinate: int
    low: float
    high: float

    def open(self, motion: Motion) -> Condition:
        """Return whether the coordinate is in the range."""
        value = motion.coordinates[self.coordinate]
        return both(negation(less(value, self.low)), negation(less(self.high, value)))

    def meets(self, other: "Window") -> bool:
        """Return whether both can be open at once."""
        return self.coordinate != other.coordinate or (
            max(self.low, other.low) <= min(self.high, other.high)
        )

    def covers(self, other: "Window") -> bool:
        """Return whether it is open whenever the other is."""
        return self.coordinate == other.coordinate and (
            self.low <= other.low and other.high <= self.high
        )


@dataclass(frozen=True)
class Point:
    """A point of a path.

    Attributes:
        placement: the frame that its location is in.
        location: x, y and z in that frame, m; over the coordinate where there is one.
        coordinate: the number of the one that moves it, if any.
        range: of that coordinate; beyond it the point stays where it is.
        window: when it belongs to the path; always if None.
    """

    placement: Placement
    location: tuple[Curve, Curve, Curve]
    coordinate: int | None = None
    range: tuple[float, float] = (0.0, 0.0)
    window: Window | None = None

    @property
    def body(self) -> int:
        """Number of the body that carries it."""
        return self.placement.body

    def on_body(self, motion: Motion) -> Array:
        """Return where it is ``(3,)`` in the body's frame."""
        at: Scalar = 0.0
        if self.coordinate is not None:
            value = motion.coordinates[self.coordinate]
            at = minimum(maximum(value, self.range[0]), self.range[1])
        local = np.array([curve.value(at) for curve in self.location], dtype=object)
        return np.asarray(self.placement.origin + self.placement.rotation @ local)

    def shift(self, motion: Motion) -> Array:
        """Return how it moves on the body ``(3,)``, per speed of its coordinate.

        As in OpenSim this goes on beyond the range.
        """
        if self.coordinate is None:
            return ZERO
        at = motion.coordinates[self.coordinate]
        local = np.array([curve.slope(at) for curve in self.location], dtype=object)
        return np.asarray(self.placement.rotation @ local)

    def drift(self, motion: Motion) -> Array:
        """Return its velocity on the body ``(3,)``, m/s."""
        if self.coordinate is None:
            return ZERO
        return np.asarray(self.shift(motion) * motion.speeds[self.coordinate])

    def position(self, motion: Motion) -> Array:
        """Return where it is ``(3,)``, m, as ``Motion`` has positions."""
        arm = motion.rotation(self.body) @ self.on_body(motion)
        return np.asarray(motion.position(self._origin()) + arm)

    def velocity(self, motion: Motion) -> Array:
        """Return how it moves ``(3,)``, m/s."""
        rotation = motion.rotation(self.body)
        turning = cross(motion.angular_velocity(self.body), rotation @ self.on_body(motion))
        moving = motion.velocity(self._origin()) + turning
        return np.asarray(moving + rotation @ self.drift(motion))

    def _origin(self) -> Station:
        return Station(self.body, np.zeros(3))


@dataclass(frozen=True)
class Segment:
    """The straight line between two points that can follow each other.

    Attributes:
        first: where it begins.
        last: where it ends.
        between: windows of the points that would come in between.
    """

    first: Point
    last: Point
    between: tuple[Window, ...]

    @property
    def possible(self) -> bool:
        """Whether there is a pose in which the points follow each other."""
        ends = [p.window for p in (self.first, self.last) if p.window is not None]
        if len(ends) == 2 and not ends[0].meets(ends[1]):
            return False
        return not any(window.covers(end) for window in self.between for end in ends)

    @property
    def still(self) -> bool:
        """Whether both points belong to one body, so that a tension does nothing to it."""
        return self.first.body == self.last.body

    def there(self, motion: Motion) -> Condition:
        """Return whether it is part of the path."""
        result: Condition = True
        for point in (self.first, self.last):
            if point.window is not None:
                result = both(result, point.window.open(motion))
        for window in self.between:
            result = both(result, negation(window.open(motion)))
        return result

    def across(self, motion: Motion) -> Array:
        """Return the last point from the first ``(3,)``, m; in a body's axes if it is still."""
        if self.still:
            return np.asarray(self.last.on_body(motion) - self.first.on_body(motion))
        return np.asarray(self.last.position(motion) - self.first.position(motion))

    def rate(self, motion: Motion) -> Array:
        """Return how that changes ``(3,)``, m/s."""
        if self.still:
            return np.asarray(self.last.drift(motion) - self.first.drift(motion))
        return np.asarray(self.last.velocity(motion) - self.first.velocity(motion))
