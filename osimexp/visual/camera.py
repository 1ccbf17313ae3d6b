"""Where a scene is seen from."""

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from osimexp.arrays import Floats

Direction = Literal["side", "front", "back", "oblique"]

_ANGLES: dict[Direction, tuple[float, float]] = {
    "side": (0.0, 6.0),
    "front": (90.0, 8.0),
    "back": (-90.0, 12.0),
    "oblique": (38.0, 14.0),
}
"""Degrees of azimuth and elevation."""

FIELD_OF_VIEW = 26.0
"""Degrees from the lower edge to the upper one."""

STEADINESS = 0.35
"""s over which the camera evens out what it follows."""


@dataclass(frozen=True)
class ViewSettings:
    """How a scene is looked at.

    Attributes:
        view: side is the model's right, with forward to the right of the picture.
        azimuth: degrees about the vertical, from the right side towards the front; null takes
            that of ``view``.
        elevation: degrees above the horizon; null takes that of ``view``.
        distance: m to what is looked at; null takes what the model's height asks for.
        follow: whether the camera goes along with the model.
    """

    view: Direction = "side"
    azimuth: float | None = None
    elevation: Annotated[float, Field(gt=-90.0, lt=90.0)] | None = None
    distance: Annotated[float, Field(gt=0.0)] | None = None
    follow: bool = True


def eye_and_axes(settings: ViewSettings, aim: Floats, distance: float) -> Floats:
    """Return ``(4, 3)`` the eye, and the unit vectors right, up and forward of the picture.

    Args:
        settings: of the view.
        aim: ``(3,)`` m, what is in the middle of the picture.
        distance: m, where the settings have none.
    """
    azimuth, elevation = _ANGLES[settings.view]
    a = np.radians(azimuth if settings.azimuth is None else settings.azimuth)
    e = np.radians(elevation if settings.elevation is None else settings.elevation)
    outward = np.array([np.sin(a) * np.cos(e), np.sin(e), np.cos(a) * np.cos(e)])
    right = np.array([np.cos(a), 0.0, -np.sin(a)])
    up = np.cross(outward, right)
    away = distance if settings.distance is None else settings.distance
    return np.array([aim + away * outward, right, up, -outward])


def framing(extent: float, aspect: float) -> float:
    """Return the distance in m that shows ``extent`` m; ``aspect`` is width to height."""
    half = np.tan(np.radians(FIELD_OF_VIEW / 2))
    return float(0.5 * extent / (half * min(aspect, 1.0)))


def followed(time: Floats, points: Floats) -> Floats:
    """Return where a steady camera looks that follows ``points`` ``(T, 3)`` at ``time`` ``(T,)``.

    Each is the mean over the others, weighted by a normal curve of their distance in time. Weights
    are of a straight line through them, so that even walking is followed without delay, at the
    ends too.
    """
    if len(time) < 3:
        return points.copy()
    result = np.empty_like(points)
    for t, now in enumerate(time):
        low, high = np.searchsorted(time, [now - 3 * STEADINESS, now + 3 * STEADINESS])
        s = time[low:high] - now
        w = np.exp(-0.5 * (s / STEADINESS) ** 2)
        w /= w.sum()
        mean = w @ s
        spread = w @ (s - mean) ** 2
        near = points[low:high]
        centre = w @ near
        slope = (w * (s - mean)) @ near / spread if spread > 1e-9 else 0.0
        result[t] = centre - slope * mean
    return result
