"""The points of muscle paths, and the straight lines between them."""

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
    """The range of a coordinate in which a conditional point belongs to its path.

    Attributes:
        coordinate: number of the coordinate.
        low: lower end of the range, rad or m.
        high: upper end of the range, rad or m.
    """

    coordinate: int
    low: float
    high: float

    def open(self, motion: Motion) -> Condition:
        """Return the condition that the coordinate is inside the range."""
        value = motion.coordinates[self.coordinate]
        return both(negation(less(value, self.low)), negation(less(self.high, value)))

    def meets(self, other: "Window") -> bool:
        """Return whether two windows can be open in the same pose."""
        return self.coordinate != other.coordinate or (
            max(self.low, other.low) <= min(self.high, other.high)
        )

    def covers(self, other: "Window") -> bool:
        """Return whether this window is open in every pose in which the other one is."""
        return self.coordinate == other.coordinate and (
            self.low <= other.low and other.high <= self.high
        )


@dataclass(frozen=True)
class Point:
    """A point of a path, fixed on a body or moved on it by a coordinate.

    Attributes:
        placement: frame in which the location is given.
        location: x, y and z in that frame (m), as functions of the coordinate; constant without
            one.
        coordinate: number of the coordinate that moves the point; None if it does not move.
        range: range of that coordinate (rad or m); the point does not move beyond it.
        window: range in which the point belongs to the path; None if it always does.
    """

    placement: Placement
    location: tuple[Curve, Curve, Curve]
    coordinate: int | None = None
    range: tuple[float, float] = (0.0, 0.0)
    window: Window | None = None

    @property
    def body(self) -> int:
        """Number of the body that carries the point."""
        return self.placement.body

    def on_body(self, motion: Motion) -> Array:
        """Return the position ``(3,)`` (m) of the point in the body's frame."""
        at: Scalar = 0.0
        if self.coordinate is not None:
            value = motion.coordinates[self.coordinate]
            at = minimum(maximum(value, self.range[0]), self.range[1])
        local = np.array([curve.value(at) for curve in self.location], dtype=object)
        return np.asarray(self.placement.origin + self.placement.rotation @ local)

    def shift(self, motion: Motion) -> Array:
        """Return the velocity ``(3,)`` of the point on its body, per speed of its coordinate.

        As in OpenSim, it is not 0 beyond the range, although the point does not move there.
        """
        if self.coordinate is None:
            return ZERO
        at = motion.coordinates[self.coordinate]
        local = np.array([curve.slope(at) for curve in self.location], dtype=object)
        return np.asarray(self.placement.rotation @ local)

    def drift(self, motion: Motion) -> Array:
        """Return the velocity ``(3,)`` (m/s) of the point in the body's frame."""
        if self.coordinate is None:
            return ZERO
        return np.asarray(self.shift(motion) * motion.speeds[self.coordinate])

    def position(self, motion: Motion) -> Array:
        """Return the position ``(3,)`` (m) of the point, from the reference point of ``Motion``."""
        arm = motion.rotation(self.body) @ self.on_body(motion)
        return np.asarray(motion.position(self._origin()) + arm)

    def velocity(self, motion: Motion) -> Array:
        """Return the velocity ``(3,)`` (m/s) of the point."""
        rotation = motion.rotation(self.body)
        turning = cross(motion.angular_velocity(self.body), rotation @ self.on_body(motion))
        moving = motion.velocity(self._origin()) + turning
        return np.asarray(moving + rotation @ self.drift(motion))

    def _origin(self) -> Station:
        return Station(self.body, np.zeros(3))


@dataclass(frozen=True)
class Segment:
    """The straight line between two points of a path that can follow each other.

    Attributes:
        first: point where the line begins.
        last: point where the line ends.
        between: windows of the conditional points that would come between the two.
    """

    first: Point
    last: Point
    between: tuple[Window, ...]

    @property
    def possible(self) -> bool:
        """True if the two points follow each other in some pose."""
        ends = [p.window for p in (self.first, self.last) if p.window is not None]
        if len(ends) == 2 and not ends[0].meets(ends[1]):
            return False
        return not any(window.covers(end) for window in self.between for end in ends)

    @property
    def still(self) -> bool:
        """True if both points are on one body, so that a tension has no effect."""
        return self.first.body == self.last.body

    def there(self, motion: Motion) -> Condition:
        """Return the condition that the line is part of the path."""
        result: Condition = True
        for point in (self.first, self.last):
            if point.window is not None:
                result = both(result, point.window.open(motion))
        for window in self.between:
            result = both(result, negation(window.open(motion)))
        return result

    def across(self, motion: Motion) -> Array:
        """Return the vector ``(3,)`` (m) from the first point to the last.

        It is in the ground's axes, or in the body's if both points are fixed on one body.
        """
        if self.still:
            return np.asarray(self.last.on_body(motion) - self.first.on_body(motion))
        return np.asarray(self.last.position(motion) - self.first.position(motion))

    def rate(self, motion: Motion) -> Array:
        """Return the rate ``(3,)`` (m/s) of the vector from the first point to the last."""
        if self.still:
            return np.asarray(self.last.drift(motion) - self.first.drift(motion))
        return np.asarray(self.last.velocity(motion) - self.first.velocity(motion))
