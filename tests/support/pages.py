import gzip
import json
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from osimexp.visual.page.triangles import Triangles


def unpack(block: bytes) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """What the page's data.js does, said once more."""
    data = gzip.decompress(block)
    (length,) = struct.unpack_from("<I", data)
    header = json.loads(data[4 : 4 + length])
    offset, arrays = 4 + length, {}
    for entry in header["arrays"]:
        count = int(np.prod(entry["shape"]))
        if entry["kind"] == "integers":
            values = np.frombuffer(data, "<u4", count, offset).reshape(entry["shape"])
            size = 4 * count
        else:
            columns = max(len(entry["low"]), 1)
            planes = np.frombuffer(data, np.uint8, 2 * count, offset).reshape(2, columns, -1)
            change = planes[0].astype(np.uint16) + 256 * planes[1].astype(np.uint16)
            levels = np.cumsum(change, axis=1, dtype=np.uint16).T.astype(np.float64)
            low, step = np.array(entry["low"]), np.array(entry["step"])
            values = (low + levels * step if count else levels).reshape(entry["shape"])
            size = 2 * count
        arrays[entry["name"]] = values
        offset += size + -size % 4
    assert offset == len(data)
    return header, arrays


def sphere(rings: int) -> Triangles:
    """A unit sphere whose triangles share no vertices."""
    down, round_ = np.meshgrid(np.linspace(0, np.pi, rings), np.linspace(0, 2 * np.pi, 2 * rings))
    points = np.stack([np.sin(down) * np.cos(round_), np.cos(down), np.sin(down) * np.sin(round_)])
    grid = np.moveaxis(points, 0, -1)
    a, b, c, d = grid[:-1, :-1], grid[1:, :-1], grid[1:, 1:], grid[:-1, 1:]
    vertices = np.stack([a, b, c, a, c, d], axis=2).reshape(-1, 3)
    return Triangles(vertices, np.arange(len(vertices)).reshape(-1, 3))
