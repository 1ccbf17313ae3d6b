"""The corners that OpenSim's muscle curves are made of: quintic Bezier curves."""

from dataclasses import dataclass
from math import sqrt

Point = tuple[float, float]
_ROOT_EPSILON = sqrt(2.0**-52)


@dataclass(frozen=True)
class Corner:
    """A curve that leaves one point along a line and reaches another along a second line.

    Of its six control points the first and the last are the ends; two lie together on the way
    from the first to where the lines cross, and two on the way from there to the last. The
    construction of OpenSim's SegmentedQuinticBezierToolkit, after Millard et al. (2013), Journal
    of Biomechanical Engineering 135, 021005.

    Along the curve, with the parameter w from 0 to 1, each of x and y goes from its first value
    to its last by the share ``curviness s P(w) + (1 - curviness) Q(w) + w^5``, where s is the
    share at which it is in the crossing, ``P = 1 - w^5 - (1 - w)^5`` and
    ``Q = 10 w^3 - 15 w^4 + 5 w^5``.

    Attributes:
        first: x and y where it begins.
        crossing: of the two lines.
        last: x and y where it ends.
        curviness: how far on the way to the crossing the inner control points lie.
    """

    first: Point
    crossing: Point
    last: Point
    curviness: float

    @property
    def width(self) -> float:
        """Distance from the first x to the last."""
        return self.last[0] - self.first[0]

    @property
    def height(self) -> float:
        """Distance from the first y to the last."""
        return self.last[1] - self.first[1]


def corner(
    first: Point, first_slope: float, last: Point, last_slope: float, curviness: float
) -> Corner:
    """Return the corner between two points at which its slopes are given.

    Args:
        first: x and y.
        first_slope: there.
        last: x and y.
        last_slope: there.
        curviness: a muscle curve's property, 0 to 1.
    """
    (x0, y0), (x1, y1) = first, last
    if abs(first_slope - last_slope) > _ROOT_EPSILON:
        x = (y1 - y0 - x1 * last_slope + x0 * first_slope) / (first_slope - last_slope)
    else:
        x = 0.5 * (x0 + x1)
    crossing = (x, (x - x1) * last_slope + y1)
    return Corner(first, crossing, last, 0.1 + 0.8 * curviness)
