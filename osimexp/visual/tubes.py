"""Muscles as tubes along their paths, compiled by Numba."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from osimexp.visual.raster import Singles, compiled

Integers = NDArray[np.int64]

SIDES = 7
STATIONS = 16

TENDON = 0.35
"""Radius of a muscle at its ends, as a share of the radius of its belly."""


def profile() -> Singles:
    """Return the radius along a muscle over that of its belly, ``(STATIONS,)``; 0 at the ends."""
    along = np.linspace(0.0, 1.0, STATIONS)
    radius = TENDON + (1.0 - TENDON) * np.sin(np.pi * along)
    radius[[0, -1]] = 0.0
    return radius.astype(np.float32)


def tube_triangles(count: int) -> Integers:
    """Return the triangles ``(triangles, 3)`` of ``count`` tubes, as numbers of vertices."""
    ring, a = np.divmod(np.arange((STATIONS - 1) * SIDES), SIDES)
    b = (a + 1) % SIDES
    low, high = ring * SIDES, (ring + 1) * SIDES
    one = np.stack([low + a, high + a, high + b], axis=1)
    other = np.stack([low + a, high + b, low + b], axis=1)
    tube = np.concatenate([one, other])
    first = np.arange(count) * STATIONS * SIDES
    return (tube + first[:, None, None]).reshape(-1, 3)


def stations(path: NDArray[np.float64]) -> Singles:
    """Return points ``(T, STATIONS, 3)`` at equal distances along a path ``(T, points, 3)``."""
    found = np.empty((len(path), STATIONS, 3), dtype=np.float32)
    _resample(path.astype(np.float32), found)
    return found


def muscle_stations(paths: Sequence[NDArray[np.float64]], moments: int) -> Singles:
    """Return points ``(T, muscles, STATIONS, 3)`` along muscles; 0 if a path has no points."""
    found = np.zeros((moments, len(paths), STATIONS, 3), dtype=np.float32)
    for m, path in enumerate(paths):
        if path.shape[1] > 1:
            found[:, m] = stations(path)
    return found


@compiled
def _resample(paths: Singles, found: Singles) -> None:
    moments, count = paths.shape[:2]
    for t in range(moments):
        path = paths[t]
        total = 0.0
        for i in range(1, count):
            total += np.sqrt(((path[i] - path[i - 1]) ** 2).sum())
        segment, passed = 1, 0.0
        for s in range(STATIONS):
            wanted = total * s / (STATIONS - 1)
            length = np.sqrt(((path[segment] - path[segment - 1]) ** 2).sum())
            while passed + length < wanted and segment < count - 1:
                passed += length
                segment += 1
                length = np.sqrt(((path[segment] - path[segment - 1]) ** 2).sum())
            part = min(max((wanted - passed) / (length + 1e-12), 0.0), 1.0)
            for k in range(3):
                step = path[segment, k] - path[segment - 1, k]
                found[t, s, k] = path[segment - 1, k] + part * step


@compiled
def tubes(
    paths: Singles,
    radii: Singles,
    points: Singles,
    normals: Singles,
) -> None:
    """Work out the surface of tubes: a ring of vertices about each point of each path.

    Args:
        paths: ``(paths, stations, 3)`` m.
        radii: ``(paths, stations)`` m.
        points: ``(paths * stations * SIDES, 3)`` m, written.
        normals: ``(paths * stations * SIDES, 3)``, written.
    """
    count, along_path = paths.shape[:2]
    n = 0
    for p in range(count):
        # The first direction across the path is arbitrary; it then turns as little as possible.
        sx, sy, sz = 0.0, 0.0, 1.0
        for s in range(along_path):
            before, after = paths[p, max(s - 1, 0)], paths[p, min(s + 1, along_path - 1)]
            dx, dy, dz = after[0] - before[0], after[1] - before[1], after[2] - before[2]
            length = np.sqrt(dx * dx + dy * dy + dz * dz) + 1e-12
            dx, dy, dz = dx / length, dy / length, dz / length
            if s == 0 and abs(dz) > 0.9:
                sx, sz = 1.0, 0.0
            along = sx * dx + sy * dy + sz * dz
            sx, sy, sz = sx - along * dx, sy - along * dy, sz - along * dz
            length = np.sqrt(sx * sx + sy * sy + sz * sz) + 1e-12
            sx, sy, sz = sx / length, sy / length, sz / length
            tx, ty, tz = dy * sz - dz * sy, dz * sx - dx * sz, dx * sy - dy * sx
            for k in range(SIDES):
                angle = 2.0 * np.pi * k / SIDES
                c, d = np.cos(angle), np.sin(angle)
                normals[n, 0] = c * sx + d * tx
                normals[n, 1] = c * sy + d * ty
                normals[n, 2] = c * sz + d * tz
                for axis in range(3):
                    points[n, axis] = paths[p, s, axis] + radii[p, s] * normals[n, axis]
                n += 1
