"""Surfaces of simple shapes: spheres, capsules, boxes and the parts of an arrow."""

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from osimexp.arrays import Floats
from osimexp.physics.posing.figure import Figure, Piece
from osimexp.visual.meshes import Mesh, read_mesh
from osimexp.visual.page.triangles import Triangles, clustered

Integers = NDArray[np.int64]

AROUND, UP = 24, 13
TRIANGLES_PER_METRE, TRIANGLES = 10_000, (200, 4000)
"""Limits on the triangles of a mesh; finer meshes look the same in a clip."""

CLOSED = 0.97  # least share of edges that belong to two triangles, for a closed mesh


@dataclass(frozen=True)
class Surface:
    """A surface with normals, to be lit.

    Attributes:
        vertices: ``(vertices, 3)`` m.
        normals: ``(vertices, 3)``, of length 1.
        triangles: ``(triangles, 3)`` numbers of vertices.
        closed: whether the far side cannot be seen; it can be seen through holes of a mesh.
    """

    vertices: Floats
    normals: Floats
    triangles: Integers
    closed: bool = True

    def moved(self, placement: Floats, size: tuple[float, float, float] = (1, 1, 1)) -> "Surface":
        """Return the surface scaled along its axes by ``size``, then moved by ``(4, 4)``."""
        normals = self.normals / np.asarray(size) @ placement[:3, :3].T
        normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
        vertices = (self.vertices * size) @ placement[:3, :3].T + placement[:3, 3]
        return Surface(vertices, normals, self.triangles, self.closed)


@dataclass(frozen=True)
class Look:
    """The appearance of a model: a figure with the surfaces of its pieces, in their bodies' frames.

    Attributes:
        figure: figure of the model, without wrapping surfaces.
        surfaces: surfaces of the figure's pieces, in their order.
    """

    figure: Figure
    surfaces: tuple[Surface, ...]

    def bounds(self, bodies: Floats) -> Floats:
        """Return the lowest and highest coordinates ``(2, 3)`` (m) of a pose ``(bodies, 4, 4)``."""
        corners = [bodies[:, :3, 3]]
        for piece, one in zip(self.figure.pieces, self.surfaces, strict=True):
            if piece.body < 0 or not len(one.vertices):
                continue
            sides = np.stack([one.vertices.min(axis=0), one.vertices.max(axis=0)])
            box = np.stack(np.meshgrid(*sides.T), axis=-1).reshape(-1, 3)
            frame = bodies[piece.body]
            corners.append(box @ frame[:3, :3].T + frame[:3, 3])
        every = np.concatenate(corners)
        return np.stack([np.min(every, axis=0), np.max(every, axis=0)])


def look(figure: Figure) -> Look:
    """Return the appearance of a model from its figure.

    Raises:
        ModelError: a mesh cannot be read.
    """
    pieces = tuple(piece for piece in figure.pieces if piece.part != "wrap")
    scales = {piece.file: max(piece.size) for piece in pieces if piece.file is not None}
    found = {file: _smooth(read_mesh(file), scale) for file, scale in scales.items()}

    def surface(piece: Piece) -> Surface:
        match piece.kind:
            case "mesh":
                assert piece.file is not None
                return found[piece.file].moved(piece.placement, piece.size)
            case "capsule":
                return capsule(piece.size[0], piece.size[1]).moved(piece.placement)
            case "box":
                return box().moved(piece.placement, piece.size)
            case "ellipsoid":
                return sphere().moved(piece.placement, piece.size)

    return Look(replace(figure, pieces=pieces), tuple(map(surface, pieces)))


@cache
def sphere() -> Surface:
    """Return a sphere of radius 1."""
    polar = np.linspace(-np.pi / 2, np.pi / 2, UP)
    points = _turned(np.cos(polar), np.sin(polar))
    return Surface(points, points, _grid(UP))


def capsule(radius: float, half: float) -> Surface:
    """Return a capsule along y: a cylinder of half length ``half`` (m) with round ends."""
    quarter = np.linspace(0.0, np.pi / 2, UP // 2 + 1)
    polar = np.concatenate([-quarter[::-1], quarter])
    normals = _turned(np.cos(polar), np.sin(polar))
    vertices = radius * normals
    vertices[:, 1] += np.repeat(np.where(np.arange(len(polar)) < len(quarter), -half, half), AROUND)
    return Surface(vertices, normals, _grid(len(polar)))


@cache
def box() -> Surface:
    """Return a cube with half edges of 1."""
    corners = np.array([[1.0, -1, -1], [1, 1, -1], [1, 1, 1], [1, -1, 1]])
    sides = [np.roll(corners * sign, axis, axis=1) for axis in range(3) for sign in (1, -1)]
    normals = [
        np.roll([sign * 1.0, 0, 0], axis)[None] * np.ones((4, 1))
        for axis in range(3)
        for sign in (1, -1)
    ]
    faces = np.array([[0, 1, 2], [0, 2, 3]])
    triangles = np.concatenate([faces + 4 * side for side in range(6)])
    return Surface(np.concatenate(sides), np.concatenate(normals), triangles)


@cache
def cylinder() -> Surface:
    """Return the side of a cylinder of radius 1 from y = 0 to y = 1."""
    vertices = _turned(np.ones(2), np.array([0.0, 1.0]))
    return Surface(vertices, vertices * [1.0, 0.0, 1.0], _grid(2))


@cache
def cone() -> Surface:
    """Return a cone of radius 1 from its base at y = 0 to its tip at y = 1."""
    vertices = _turned(np.array([0.0, 1.0, 1.0, 0.0]), np.array([0.0, 0.0, 0.0, 1.0]))
    slope = np.sqrt(0.5)
    normals = _turned(np.array([0, 0, slope, slope]), np.array([-1.0, -1.0, slope, slope]))
    return Surface(vertices, normals, _grid(4))


def _turned(radii: Floats, heights: Floats) -> Floats:
    """Return the points ``(len(radii) * AROUND, 3)`` of a profile turned about the y axis."""
    angles = 2 * np.pi * np.arange(AROUND) / AROUND
    x, z = radii[:, None] * np.cos(angles), radii[:, None] * np.sin(angles)
    return np.stack([x, np.broadcast_to(heights[:, None], x.shape), z], axis=-1).reshape(-1, 3)


def _grid(rings: int) -> Integers:
    """Return the triangles that join rings of ``AROUND`` vertices."""
    ring, a = np.divmod(np.arange((rings - 1) * AROUND), AROUND)
    b = (a + 1) % AROUND
    low, high = ring * AROUND, (ring + 1) * AROUND
    one = np.stack([low + a, high + a, high + b], axis=1)
    other = np.stack([low + a, high + b, low + b], axis=1)
    return np.concatenate([one, other])


def _smooth(mesh: Mesh, scale: float) -> Surface:
    """Return a mesh with smooth shading: normals are means over the triangles of a vertex."""
    size = scale * float(np.ptp(mesh.vertices, axis=0).max())
    limit = int(np.clip(TRIANGLES_PER_METRE * size, *TRIANGLES))
    made = clustered(Triangles(mesh.vertices, mesh.triangles), limit)
    a, b, c = (made.vertices[made.corners[:, i]] for i in range(3))
    flat = np.cross(b - a, c - a)
    if np.sum(a * flat) < 0.0:  # The sum is six times the volume if triangles face outwards.
        flat = -flat
    normals = np.zeros_like(made.vertices)
    for corner in range(3):
        np.add.at(normals, made.corners[:, corner], flat)
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    return Surface(made.vertices, normals, made.corners, _closed(made.corners))


def _closed(triangles: Integers) -> bool:
    """Return whether almost every edge belongs to two triangles that face the same way."""
    begin = triangles.ravel().astype(np.int64)
    end = np.roll(triangles, -1, axis=1).ravel().astype(np.int64)
    size = len(begin) + 1
    there, back = np.sort(begin * size + end), np.sort(end * size + begin)
    return bool(len(there)) and float(np.isin(there, back).mean()) > CLOSED
