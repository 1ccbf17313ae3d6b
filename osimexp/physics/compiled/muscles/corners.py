"""The quintic Bezier curves ("corners") of which OpenSim's muscle curves are made."""

from dataclasses import dataclass
from math import sqrt

Point = tuple[float, float]
_ROOT_EPSILON = sqrt(2.0**-52)


@dataclass(frozen=True)
class Corner:
    """A curve that leaves one point along a line and reaches another point along a second line.

    The first and last of its six control points are the ends. Two control points lie together
    between the first end and the crossing of the lines, and two between the crossing and the last
    end. The construction is that of OpenSim's SegmentedQuinticBezierToolkit, after Millard et al.
    (2013), Journal of Biomechanical Engineering 135, 021005.

    Along the curve, with the parameter w from 0 to 1, each of x and y goes from its first value to
    its last by the share ``curviness s P(w) + (1 - curviness) Q(w) + w^5``. Here s is the share
    that x or y has reached at the crossing, ``P = 1 - w^5 - (1 - w)^5`` and ``Q = 10 w^3 - 15 w^4 +
    5 w^5``.

    Attributes:
        first: x and y at the beginning.
        crossing: x and y where the two lines cross.
        last: x and y at the end.
        curviness: distance of the inner control points from the ends, as a share of the distance to
            the crossing, 0 to 1.
    """

    first: Point
    crossing: Point
    last: Point
    curviness: float

    @property
    def width(self) -> float:
        """Difference between the last x and the first."""
        return self.last[0] - self.first[0]

    @property
    def height(self) -> float:
        """Difference between the last y and the first."""
        return self.last[1] - self.first[1]


def corner(
    first: Point, first_slope: float, last: Point, last_slope: float, curviness: float
) -> Corner:
    """Return the corner between two points with given slopes at them.

    Args:
        first: x and y at the beginning.
        first_slope: slope at the beginning.
        last: x and y at the end.
        last_slope: slope at the end.
        curviness: property of OpenSim's muscle curves, 0 to 1.
    """
    (x0, y0), (x1, y1) = first, last
    if abs(first_slope - last_slope) > _ROOT_EPSILON:
        x = (y1 - y0 - x1 * last_slope + x0 * first_slope) / (first_slope - last_slope)
    else:
        x = 0.5 * (x0 + x1)
    crossing = (x, (x - x1) * last_slope + y1)
    return Corner(first, crossing, last, 0.1 + 0.8 * curviness)
