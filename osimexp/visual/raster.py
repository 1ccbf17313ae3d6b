"""A rasteriser of triangles with a depth buffer, for one core, compiled by Numba.

Each pixel has several samples. Arrays are float32; points are in m, with y up. A view is ``(5,
3)``: the eye, and the unit vectors right, up and forward, then the focal length in samples, the
shadow's cell and 0. Right is horizontal.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

Singles = NDArray[np.float32]
Integers = NDArray[np.int32]
Function = TypeVar("Function", bound=Callable[..., object])

HALF = np.float32(0.5)

SAMPLES = 2
"""Samples along each edge of a pixel."""

NEAR = 0.05
"""Distance from the eye (m) below which nothing is drawn."""

TILE = 0.5
"""Edge of the floor's tiles, m."""

HAZE = (5.0, 19.0)
"""Distances from the eye (m) between which the floor fades into the sky."""

DARKEST = np.float32(0.45)
"""Share of the floor's light that a full shadow takes away."""


def kept_on_disk() -> bool:
    """Return whether Numba can keep machine code beside this module, or where the user says.

    It would look for a home folder otherwise, which the users of containers may not have.
    """
    beside = Path(__file__).parent
    code = beside / "__pycache__"
    place = code if code.exists() else beside
    return bool(getattr(numba.config, "CACHE_DIR", "")) or os.access(place, os.W_OK | os.X_OK)


def compiled(function: Function) -> Function:
    """Compile a function at its first call, and keep it on disk for later processes if possible."""
    try:
        made = numba.njit(cache=kept_on_disk(), fastmath=True, nogil=True)(function)
    except RuntimeError:  # The folder that the user named cannot be written.
        made = numba.njit(fastmath=True, nogil=True)(function)
    return cast(Function, made)


@compiled
def place(
    vertices: Singles,
    normals: Singles,
    frames: Integers,
    transforms: Singles,
    points: Singles,
    directions: Singles,
) -> None:
    """Move vertices and normals ``(n, 3)``, each by the transform ``(4, 4)`` of its frame."""
    for i in range(len(vertices)):
        m = transforms[frames[i]]
        x, y, z = vertices[i]
        u, v, w = normals[i]
        for k in range(3):
            points[i, k] = m[k, 0] * x + m[k, 1] * y + m[k, 2] * z + m[k, 3]
            directions[i, k] = m[k, 0] * u + m[k, 1] * v + m[k, 2] * w


@compiled
def light(
    points: Singles,
    normals: Singles,
    colours: Singles,
    eye: Singles,
    lamp: Singles,
    lit: Singles,
    away: NDArray[np.bool_],
) -> None:
    """Light vertices by a lamp, the sky and the floor, and mark those that face away."""
    for i in range(len(points)):
        nx, ny, nz = normals[i]
        length = np.sqrt(nx * nx + ny * ny + nz * nz) + 1e-12
        vx, vy, vz = eye[0] - points[i, 0], eye[1] - points[i, 1], eye[2] - points[i, 2]
        far = np.sqrt(vx * vx + vy * vy + vz * vz) + 1e-12
        facing = (nx * vx + ny * vy + nz * vz) / (length * far)
        away[i] = facing < 0.0
        if facing < 0.0:
            length = -length  # A thin surface is lit on its visible side.
        nx, ny, nz = nx / length, ny / length, nz / length
        hx, hy, hz = lamp[0] + vx / far, lamp[1] + vy / far, lamp[2] + vz / far
        half = np.sqrt(hx * hx + hy * hy + hz * hz) + 1e-12
        direct = max(nx * lamp[0] + ny * lamp[1] + nz * lamp[2], 0.0)
        shine = max((nx * hx + ny * hy + nz * hz) / half, 0.0) ** 30 * 0.16
        rim = 1.0 - abs(facing)
        diffuse = 0.46 + 0.14 * ny + 0.58 * direct - 0.16 * rim * rim
        for k in range(3):
            lit[i, k] = min(colours[i, k] * diffuse + shine, 1.0)


@compiled
def project(points: Singles, view: Singles, height: int, width: int, seen: Singles) -> None:
    """Project points to the screen: column, row and inverse of the depth, negative before NEAR."""
    focal = view[4, 0]
    for i in range(len(points)):
        x, y, z = points[i, 0] - view[0, 0], points[i, 1] - view[0, 1], points[i, 2] - view[0, 2]
        depth = x * view[3, 0] + y * view[3, 1] + z * view[3, 2]
        if depth < NEAR:
            seen[i, 2] = -1.0
            continue
        scale = focal / depth
        across = x * view[1, 0] + y * view[1, 1] + z * view[1, 2]
        upward = x * view[2, 0] + y * view[2, 1] + z * view[2, 2]
        seen[i, 0] = 0.5 * width + scale * across
        seen[i, 1] = 0.5 * height - scale * upward
        seen[i, 2] = 1.0 / depth


@compiled
def _span(value: float, step: float, first: int, last: int) -> tuple[int, int]:
    """Return the part of a range of whole numbers in which ``value + n * step`` is not below 0."""
    if step > 0.0:
        edge = -value / step
        if edge > last:
            return first, first - 1
        return max(first, int(np.ceil(edge))), last
    if step < 0.0:
        edge = -value / step
        if edge < first:
            return first, first - 1
        return first, min(last, int(np.floor(edge)))
    return (first, last) if value >= 0.0 else (first, first - 1)


@compiled
def fill(
    triangles: Integers,
    opacities: Singles,
    closed: NDArray[np.bool_],
    seen: Singles,
    lit: Singles,
    away: NDArray[np.bool_],
    depths: Singles,
    pixels: Singles,
    touched: Integers,
) -> None:
    """Draw triangles; the transparent ones come last.

    Args:
        triangles: ``(triangles, 3)`` numbers of vertices.
        opacities: ``(triangles,)``.
        closed: ``(triangles,)`` whether each is part of a surface whose far side cannot be seen.
        seen: ``(vertices, 3)`` from ``project``.
        lit: ``(vertices, 3)`` colours.
        away: ``(vertices,)``; only the near side of closed or transparent surfaces is drawn.
        depths: ``(rows, columns)`` inverse depths so far; 0 where nothing is drawn.
        pixels: ``(rows, columns, 4)`` colours times their cover, and the cover.
        touched: first and last row, first and last column that are drawn on; widened.
    """
    rows, columns = depths.shape
    for t in range(len(triangles)):
        a, b, c = triangles[t]
        alpha = opacities[t]
        if away[a] and away[b] and away[c] and (closed[t] or alpha < 1.0):
            continue
        ax, ay, az = seen[a]
        bx, by, bz = seen[b]
        cx, cy, cz = seen[c]
        if az <= 0.0 or bz <= 0.0 or cz <= 0.0:
            continue
        # Samples lie at whole numbers plus one half.
        left = max(int(np.ceil(min(ax, bx, cx) - 0.5)), 0)
        right = min(int(np.floor(max(ax, bx, cx) - 0.5)), columns - 1)
        top = max(int(np.ceil(min(ay, by, cy) - 0.5)), 0)
        bottom = min(int(np.floor(max(ay, by, cy) - 0.5)), rows - 1)
        if left > right or top > bottom:
            continue
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if abs(area) < 1e-6:
            continue
        touched[0], touched[1] = min(touched[0], top), max(touched[1], bottom)
        touched[2], touched[3] = min(touched[2], left), max(touched[3], right)
        # The weights of b and c are linear along a row, as are depth and colour.
        step_b, step_c = (cy - ay) / area, (ay - by) / area
        depth_b, depth_c = bz - az, cz - az
        a0, a1, a2 = lit[a]
        b0, b1, b2 = lit[b, 0] - a0, lit[b, 1] - a1, lit[b, 2] - a2
        c0, c1, c2 = lit[c, 0] - a0, lit[c, 1] - a1, lit[c, 2] - a2
        bare = np.float32(1.0) - alpha
        for row in range(top, bottom + 1):
            x, y = np.float32(left) + HALF - ax, np.float32(row) + HALF - ay
            weight_b = (x * (cy - ay) - y * (cx - ax)) / area
            weight_c = (y * (bx - ax) - x * (by - ay)) / area
            first, last = _span(weight_b, step_b, 0, right - left)
            first, last = _span(weight_c, step_c, first, last)
            first, last = _span(1.0 - weight_b - weight_c, -step_b - step_c, first, last)
            deep, drawn = depths[row], pixels[row]
            for n in range(first, last + 1):
                p = weight_b + np.float32(n) * step_b
                q = weight_c + np.float32(n) * step_c
                depth = az + p * depth_b + q * depth_c
                column = left + n
                if depth > deep[column]:
                    deep[column] = depth
                    red, green = a0 + p * b0 + q * c0, a1 + p * b1 + q * c1
                    blue = a2 + p * b2 + q * c2
                    if alpha >= 1.0:
                        drawn[column, 0], drawn[column, 1] = red, green
                        drawn[column, 2], drawn[column, 3] = blue, 1.0
                    else:
                        drawn[column, 0] = alpha * red + bare * drawn[column, 0]
                        drawn[column, 1] = alpha * green + bare * drawn[column, 1]
                        drawn[column, 2] = alpha * blue + bare * drawn[column, 2]
                        drawn[column, 3] = alpha + bare * drawn[column, 3]


@compiled
def cast_shadow(
    triangles: Integers,
    opacities: Singles,
    closed: NDArray[np.bool_],
    points: Singles,
    lamp: Singles,
    centre: Singles,
    cell: float,
    shadow: Singles,
) -> None:
    """Mark the shadow on the floor, in [0, 1] on a square grid about ``centre`` (x, z)."""
    size = len(shadow)
    shadow[:] = 0.0
    half, cells = HALF * np.float32(size), np.float32(1.0 / cell)
    places = np.empty((len(points), 2), dtype=np.float32)
    for i in range(len(points)):
        down = points[i, 1] / lamp[1]
        places[i, 0] = (points[i, 0] - lamp[0] * down - centre[0]) * cells + half
        places[i, 1] = (points[i, 2] - lamp[2] * down - centre[1]) * cells + half
    for t in range(len(triangles)):
        a, b, c = triangles[t]
        if opacities[t] < 0.5:
            continue
        ax, ay = places[a]
        bx, by = places[b]
        cx, cy = places[c]
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        # The lit side of a closed surface casts the same shadow as the other side.
        if (closed[t] and area < 0.0) or abs(area) < 1e-9:
            continue
        if points[a, 1] < 0.0 and points[b, 1] < 0.0 and points[c, 1] < 0.0:
            continue
        left = max(int(np.ceil(min(ax, bx, cx) - 0.5)), 1)
        right = min(int(np.floor(max(ax, bx, cx) - 0.5)), size - 2)
        top = max(int(np.ceil(min(ay, by, cy) - 0.5)), 1)
        bottom = min(int(np.floor(max(ay, by, cy) - 0.5)), size - 2)
        if left > right or top > bottom:
            continue
        for row in range(top, bottom + 1):
            for column in range(left, right + 1):
                x, y = np.float32(column) + HALF - ax, np.float32(row) + HALF - ay
                weight_b = (x * (cy - ay) - y * (cx - ax)) / area
                weight_c = (y * (bx - ax) - x * (by - ay)) / area
                if weight_b >= 0.0 and weight_c >= 0.0 and weight_b + weight_c <= 1.0:
                    shadow[row, column] = 1.0


@compiled
def soften(shadow: Singles, spare: Singles, reach: int) -> None:
    """Replace each cell by the mean over ``reach`` cells on either side, along both axes, twice."""
    size = len(shadow)
    share = np.float32(1.0 / (2 * reach + 1))
    for _ in range(4):  # Each round transposes the grid, so four give the first order back.
        for row in range(size):
            total = np.float32(0.0)
            for column in range(size + reach):
                if column < size:
                    total += shadow[row, column]
                if column > 2 * reach:
                    total -= shadow[row, column - 2 * reach - 1]
                if column >= reach:
                    spare[column - reach, row] = total * share
        shadow, spare = spare, shadow


@compiled
def _stripes(at: np.float32, half: np.float32) -> np.float32:
    """Return the integral of stripes of -1 and 1, each 1/2 wide, over ``half`` on either side."""
    low, high = at - half, at + half
    integral: np.float32 = abs(high - np.floor(high) - HALF) - abs(low - np.floor(low) - HALF)
    return integral


@compiled
def _cover(
    depths: Singles, pixels: Singles, row: int, column: int, hidden: np.float32, colour: Singles
) -> None:
    """Blend the samples of a pixel over its colour, and clear them."""
    red = green = blue = covered = np.float32(0.0)
    for i in range(row, row + SAMPLES):
        for j in range(column, column + SAMPLES):
            if depths[i, j] > 0.0:
                if depths[i, j] >= hidden:
                    red += pixels[i, j, 0]
                    green += pixels[i, j, 1]
                    blue += pixels[i, j, 2]
                    covered += pixels[i, j, 3]
                depths[i, j] = 0.0
                pixels[i, j, 0] = pixels[i, j, 1] = pixels[i, j, 2] = pixels[i, j, 3] = 0.0
    share = np.float32(1.0 / (SAMPLES * SAMPLES))
    bare = 1 - covered * share
    colour[0] = colour[0] * bare + red * share
    colour[1] = colour[1] * bare + green * share
    colour[2] = colour[2] * bare + blue * share


@compiled
def resolve(
    depths: Singles,
    pixels: Singles,
    touched: Integers,
    view: Singles,
    sky: Singles,
    tiles: Singles,
    floor: bool,
    centre: Singles,
    shadow: Singles,
    image: NDArray[np.uint8],
) -> None:
    """Blend the drawn pixels over floor and sky into an image, and clear them.

    The floor's tiles are averaged over each pixel: A. Quilez, Box-filtering the checkerboard
    pattern (2016).

    Args:
        depths: inverse depths from ``fill``; 0 afterwards.
        pixels: colours and cover from ``fill``; 0 afterwards.
        touched: rows and columns from ``fill``.
        view: ``(5, 3)`` view of the camera.
        sky: ``(2, 3)`` colours at the lower and upper edge.
        tiles: ``(2, 3)`` colours of the floor's tiles.
        floor: whether there is a floor at y = 0.
        centre: x and z of the middle of the shadow, m.
        shadow: ``(cells, cells)`` in [0, 1].
        image: ``(height, width, 3)``, written.
    """
    height, width = image.shape[:2]
    focal, cell = view[4, 0] / SAMPLES, view[4, 1]
    eye = view[0, 1]
    cells = len(shadow)
    flat = np.empty(3 * width, dtype=np.float32)
    row_colours = flat.reshape(width, 3)
    for row in range(height):
        blend = np.float32(row) / np.float32(max(height - 1, 1))
        red = sky[0, 0] * blend + sky[1, 0] * (1 - blend)
        green = sky[0, 1] * blend + sky[1, 1] * (1 - blend)
        blue = sky[0, 2] * blend + sky[1, 2] * (1 - blend)
        for column in range(width):
            row_colours[column, 0] = red
            row_colours[column, 1] = green
            row_colours[column, 2] = blue
        upward = (HALF * np.float32(height - 2 * row - 1)) / focal
        slope = view[3, 1] + upward * view[2, 1]
        hidden = np.float32(0.0)
        if floor and slope < -1e-4 and eye > 0.0:
            far = -eye / slope
            # The inverse of the depth beyond which the floor hides drawn pixels.
            hidden = np.float32(0.998) / far
            haze = min(max((far - HAZE[0]) / (HAZE[1] - HAZE[0]), 0.0), 1.0)
            haze = np.float32(haze * haze * (3.0 - 2.0 * haze))
            if haze < 1.0:
                level, along = far / focal, far * far / (eye * focal)
                begin = -HALF * np.float32(width - 1) * level
                x = view[0, 0] + far * (view[3, 0] + upward * view[2, 0]) + begin * view[1, 0]
                z = view[0, 2] + far * (view[3, 2] + upward * view[2, 2]) + begin * view[1, 2]
                step_x, step_z = level * view[1, 0], level * view[1, 2]
                pair = np.float32(2.0 * TILE)
                # Half the extent of a pixel on the floor, in pairs of tiles.
                half_x = (abs(step_x) + abs(along * view[3, 0]) + np.float32(1e-4)) * HALF / pair
                half_z = (abs(step_z) + abs(along * view[3, 2]) + np.float32(1e-4)) * HALF / pair
                scale = np.float32(0.125) / (half_x * half_z)
                corner_x = HALF * np.float32(cells - 1) - centre[0] / cell
                corner_z = HALF * np.float32(cells - 1) - centre[1] / cell
                most = np.float32(cells - 1)
                tile0, tile1, tile2 = tiles[0]
                rise0, rise1, rise2 = tiles[1, 0] - tile0, tiles[1, 1] - tile1, tiles[1, 2] - tile2
                clear = 1 - haze
                red, green, blue = red * haze, green * haze, blue * haze
                for column in range(width):
                    at_x, at_z = x + np.float32(column) * step_x, z + np.float32(column) * step_z
                    part = HALF + scale * _stripes(at_x / pair, half_x) * _stripes(
                        at_z / pair, half_z
                    )
                    dark = clear
                    u, v = at_x / cell + corner_x, at_z / cell + corner_z
                    if 0.0 <= u < most and 0.0 <= v < most:
                        i, j = np.uint32(v), np.uint32(u)
                        p, q = v - np.float32(i), u - np.float32(j)
                        below, beside = i + np.uint32(1), j + np.uint32(1)
                        near = shadow[i, j] + q * (shadow[i, beside] - shadow[i, j])
                        next_row = shadow[below, j] + q * (shadow[below, beside] - shadow[below, j])
                        dark *= 1 - DARKEST * (near + p * (next_row - near))
                    row_colours[column, 0] = red + dark * (tile0 + part * rise0)
                    row_colours[column, 1] = green + dark * (tile1 + part * rise1)
                    row_colours[column, 2] = blue + dark * (tile2 + part * rise2)
        if touched[0] <= row * SAMPLES + SAMPLES - 1 and row * SAMPLES <= touched[1]:
            for column in range(touched[2] // SAMPLES, touched[3] // SAMPLES + 1):
                _cover(depths, pixels, row * SAMPLES, column * SAMPLES, hidden, row_colours[column])
        line = image[row].reshape(-1)
        for n in range(3 * width):
            line[n] = np.uint8(np.float32(255.0) * flat[n] + HALF)
