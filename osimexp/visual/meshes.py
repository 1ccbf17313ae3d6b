"""Reading of bone meshes: VTK's polygons (.vtp), .stl and .obj."""

import base64
import binascii
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Literal
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from osimexp.arrays import Floats
from osimexp.errors import ModelError
from osimexp.files import LARGE, read_bytes

Integers = NDArray[np.int64]

_VTK_TYPES = {
    **{f"Int{bits}": f"int{bits}" for bits in (8, 16, 32, 64)},
    **{f"UInt{bits}": f"uint{bits}" for bits in (8, 16, 32, 64)},
    **{f"Float{bits}": f"float{bits}" for bits in (32, 64)},
}


@dataclass(frozen=True)
class Mesh:
    """A triangle mesh, as its file gives it.

    Attributes:
        vertices: ``(vertices, 3)`` in the units of the file.
        triangles: ``(triangles, 3)`` numbers of vertices.
    """

    vertices: Floats
    triangles: Integers


def read_mesh(file: Path) -> Mesh:
    """Read a mesh; polygons with more than three corners are cut into triangles.

    Raises:
        ModelError: the file does not exist, or is not a .vtp, .stl or .obj that can be read.
    """
    readers: dict[str, Callable[[bytes], Mesh]] = {".vtp": _vtp, ".stl": _stl, ".obj": _obj}
    reader = readers.get(file.suffix.lower())
    if reader is None:
        raise ModelError(f"{file} is not a mesh that can be drawn; use .vtp, .stl or .obj.")
    try:
        mesh = reader(read_bytes(file, LARGE))
        if len(mesh.triangles) and not 0 <= mesh.triangles.min() <= mesh.triangles.max() < len(
            mesh.vertices
        ):
            raise ValueError("it names vertices that it does not have")
        return mesh
    except OSError as error:
        raise ModelError(f"{file} cannot be read: {error.strerror}.") from error
    except (ValueError, IndexError, ElementTree.ParseError, zlib.error, binascii.Error) as error:
        raise ModelError(f"{file} is not a valid mesh: {error}.") from error


def _vtp(content: bytes) -> Mesh:
    root = ElementTree.fromstring(content)
    vertices, triangles, before = [], [], 0
    for piece in root.iter("Piece"):
        points = piece.find("Points/DataArray")
        if points is None:
            raise ValueError("it has no points")
        vertices.append(_array(points, root).reshape(-1, 3).astype(float))
        for group, cut in (("Polys", _fans), ("Strips", _strips)):
            found = {array.get("Name"): array for array in piece.iterfind(f"{group}/DataArray")}
            if "connectivity" in found and "offsets" in found:
                corners = _array(found["connectivity"], root).astype(np.int64)
                ends = _array(found["offsets"], root).astype(np.int64)
                triangles.append(cut(corners, ends) + before)
        before += len(vertices[-1])
    if not vertices or not triangles:
        raise ValueError("it has no polygons")
    return Mesh(np.concatenate(vertices), np.concatenate(triangles))


def _array(element: ElementTree.Element, root: ElementTree.Element) -> NDArray[np.generic]:
    """Return the numbers of a VTK DataArray, written as text or as base64."""
    kind = np.dtype(_VTK_TYPES[element.get("type", "Float32")])
    text = element.text or ""
    match element.get("format"):
        case "ascii":
            return np.array(text.split(), dtype=kind)
        case "binary":
            order: Literal["<", ">"] = "<" if root.get("byte_order") != "BigEndian" else ">"
            header = np.dtype(_VTK_TYPES[root.get("header_type", "UInt32")]).newbyteorder(order)
            data = _decoded("".join(text.split()), header, root.get("compressor"))
            return np.frombuffer(data, kind.newbyteorder(order))
        case other:
            raise ValueError(f"its numbers are in format {other}, not ascii or binary")


def _decoded(text: str, header: np.dtype[np.generic], compressor: str | None) -> bytes:
    """Return the bytes of VTK's inline base64; if compressed, its header is encoded apart."""
    if compressor is None:
        return base64.b64decode(text)[header.itemsize :]
    if compressor != "vtkZLibDataCompressor":
        raise ValueError(f"it is compressed by {compressor}, which is not supported")
    blocks = int(np.frombuffer(base64.b64decode(text[:16])[: header.itemsize], header)[0])
    length = -(-header.itemsize * (3 + blocks) // 3) * 4
    sizes = np.frombuffer(
        base64.b64decode(text[:length])[: header.itemsize * (3 + blocks)], header
    )[3:].astype(int)
    data, at, parts = base64.b64decode(text[length:]), 0, []
    for size in sizes:
        parts.append(zlib.decompress(data[at : at + size]))
        at += size
    return b"".join(parts)


def _fans(corners: Integers, ends: Integers) -> Integers:
    """Return polygons cut into triangles about their first corner; they end at ``ends``."""
    starts = np.concatenate([[0], ends[:-1]])
    sizes = ends - starts
    found = [np.empty((0, 3), dtype=np.int64)]
    for size in np.unique(sizes[sizes > 2]):
        polygons = corners[starts[sizes == size][:, None] + np.arange(size)]
        found += [polygons[:, [0, i, i + 1]] for i in range(1, size - 1)]
    return np.concatenate(found)


def _strips(corners: Integers, ends: Integers) -> Integers:
    found = [np.empty((0, 3), dtype=np.int64)]
    for start, end in pairwise([0, *ends]):
        strip = corners[start:end]
        rows = np.stack([strip[:-2], strip[1:-1], strip[2:]], axis=1)
        rows[1::2] = rows[1::2, [1, 0, 2]]
        found.append(rows)
    return np.concatenate(found)


def _stl(content: bytes) -> Mesh:
    count = int.from_bytes(content[80:84], "little")
    if len(content) == 84 + 50 * count:
        facet = np.dtype([("numbers", "<f4", (4, 3)), ("rest", "<u2")])
        corners = np.frombuffer(content, facet, count, 84)["numbers"][:, 1:]
        vertices = corners.reshape(-1, 3).astype(float)
    else:
        lines = (line.split() for line in content.decode().splitlines())
        rows = [[float(word) for word in line[1:4]] for line in lines if line[:1] == ["vertex"]]
        vertices = np.array(rows).reshape(-1, 3)
    if not len(vertices) or len(vertices) % 3:
        raise ValueError("it has no triangles, or an incomplete one")
    return Mesh(vertices, np.arange(len(vertices)).reshape(-1, 3))


def _obj(content: bytes) -> Mesh:
    vertices: list[list[float]] = []
    corners: list[int] = []
    ends: list[int] = []
    for line in content.decode().splitlines():
        match line.split():
            case ["v", x, y, z, *_]:
                vertices.append([float(x), float(y), float(z)])
            case ["f", *words]:
                # Vertices are numbered from 1, or backwards from the last vertex so far.
                numbers = [int(word.split("/")[0]) for word in words]
                corners += [n - 1 if n > 0 else len(vertices) + n for n in numbers]
                ends.append(len(corners))
    if not ends:
        raise ValueError("it has no faces")
    return Mesh(np.array(vertices), _fans(np.array(corners), np.array(ends)))
