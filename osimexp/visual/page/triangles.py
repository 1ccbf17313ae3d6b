"""Reduction of meshes to no more triangles than a page can carry."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from osimexp.arrays import Floats

Integers = NDArray[np.int64]

FINEST = 1024  # greatest number of cells along a mesh's longest side
COARSEST = 4
FINER = 1.25  # ratio of the numbers of cells that are tried one after the other


@dataclass(frozen=True)
class Triangles:
    """A triangle mesh in metres.

    Attributes:
        vertices: ``(vertices, 3)`` m.
        corners: ``(triangles, 3)`` numbers of vertices.
    """

    vertices: Floats
    corners: Integers


def lightened(meshes: Sequence[Triangles], limit: int) -> list[Triangles]:
    """Return meshes with about ``limit`` triangles at most, all together.

    Each mesh gets triangles in proportion to the square root of the number that it had, so that a
    small bone beside a large one keeps its shape.
    """
    roots = np.sqrt([len(mesh.corners) for mesh in meshes])
    shares = limit * roots / max(roots.sum(), 1.0)
    return [clustered(mesh, int(share)) for mesh, share in zip(meshes, shares, strict=True)]


def clustered(mesh: Triangles, limit: int) -> Triangles:
    """Return a mesh with ``limit`` triangles at most, if a coarse mesh with so few can be made.

    Vertices in the same cell of a grid become one vertex at their mean, and triangles that lose a
    corner by this are left out (J. Rossignac, P. Borrel: Multi-resolution 3D approximations for
    rendering complex scenes. Modeling in Computer Graphics, 455-465, 1993). The finest grid joins
    vertices that the file has once for each triangle, so that shading is smooth across triangles.
    """
    cells = float(FINEST)
    made = _joined(mesh, cells)
    while len(made.corners) > limit and cells > COARSEST:
        cells /= FINER
        made = _joined(mesh, cells)
    return made


def _joined(mesh: Triangles, cells: float) -> Triangles:
    low = mesh.vertices.min(axis=0)
    edge = max(float((mesh.vertices.max(axis=0) - low).max()), 1e-9) / cells
    cell = np.floor((mesh.vertices - low) / edge).astype(np.int64)
    _, group = np.unique(cell, axis=0, return_inverse=True)
    group = group.ravel()
    count = np.bincount(group)
    vertices = np.stack(
        [np.bincount(group, mesh.vertices[:, axis]) / count for axis in range(3)], axis=1
    )
    corners = group[mesh.corners]
    a, b, c = corners.T
    corners = corners[(a != b) & (b != c) & (a != c)]
    # Of triangles with the same corners, in any order, one is kept.
    _, first = np.unique(np.sort(corners, axis=1), axis=0, return_index=True)
    return Triangles(vertices, corners[np.sort(first)])
