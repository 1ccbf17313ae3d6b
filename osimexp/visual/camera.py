"""The camera of a scene: its direction, its distance and how it follows the model."""

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
"""Azimuth and elevation of each direction, degrees."""

FIELD_OF_VIEW = 26.0
"""Angle from the lower edge of the picture to the upper edge, degrees."""

STEADINESS = 0.35
"""Time over which the camera smooths the point that it follows, s."""


@dataclass(frozen=True)
class ViewSettings:
    """Settings of the camera.

    Attributes:
        view: direction of the camera, ``side``, ``front``, ``back`` or ``oblique``; side is the
            model's right, with forward to the right of the picture.
        azimuth: angle about the vertical, degrees, from the right side towards the front; null
            takes that of ``view``.
        elevation: angle above the horizon, degrees; null takes that of ``view``.
        distance: distance from the point that the camera looks at, m; null takes one that suits the
            model's height.
        follow: whether the camera moves along with the model.
    """

    view: Direction = "side"
    azimuth: float | None = None
    elevation: Annotated[float, Field(gt=-90.0, lt=90.0)] | None = None
    distance: Annotated[float, Field(gt=0.0)] | None = None
    follow: bool = True


def eye_and_axes(settings: ViewSettings, aim: Floats, distance: float) -> Floats:
    """Return the camera's position and its unit vectors right, up and forward, ``(4, 3)``.

    Args:
        settings: settings of the camera.
        aim: ``(3,)`` point in the middle of the picture, m.
        distance: distance from that point if the settings have none, m.
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
    """Return the distance (m) at which a height of ``extent`` (m) fills the picture.

    Args:
        extent: size of the scene to show, m.
        aspect: width of the picture over its height.
    """
    half = np.tan(np.radians(FIELD_OF_VIEW / 2))
    return float(0.5 * extent / (half * min(aspect, 1.0)))


def followed(time: Floats, points: Floats) -> Floats:
    """Return the points ``(T, 3)`` that a steady camera looks at when it follows a moving point.

    Each is the value at its time of a straight line fitted to all points, weighted by a normal
    curve of their distance in time. So steady walking is followed without delay, at the ends too.

    Args:
        time: ``(T,)`` s.
        points: ``(T, 3)`` m, the moving point.
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
