"""Meshes with no more triangles than a page should carry."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from osimexp.arrays import Floats

Integers = NDArray[np.int64]

FINEST = 1024  # cells along a mesh's longest side
COARSEST = 4
FINER = 1.25  # factor between the numbers of cells that are tried


@dataclass(frozen=True)
class Triangles:
    """A surface.

    Attributes:
        vertices: ``(vertices, 3)`` m.
        corners: ``(triangles, 3)`` numbers of vertices.
    """

    vertices: Floats
    corners: Integers


def lightened(meshes: Sequence[Triangles], limit: int) -> list[Triangles]:
    """Return meshes that have together about ``limit`` triangles at most, each its share of them.

    Each keeps a share in proportion to the root of how many it had, so that a small bone beside a
    large one keeps its shape.
    """
    roots = np.sqrt([len(mesh.corners) for mesh in meshes])
    shares = limit * roots / max(roots.sum(), 1.0)
    return [clustered(mesh, int(share)) for mesh, share in zip(meshes, shares, strict=True)]


def clustered(mesh: Triangles, limit: int) -> Triangles:
    """Return a mesh of ``limit`` triangles at most, where a coarse one of so few can be made.

    Vertices in the same cell of a grid become one, at their mean, and triangles that lose a corner
    so are left out (J. Rossignac, P. Borrel: Multi-resolution 3D approximations for rendering
    complex scenes. Modeling in Computer Graphics, 455-465, 1993). The finest grid joins vertices
    that were written once for each triangle, so that shading is smooth across them.
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
    # Of triangles on the same corners, whichever way round they are written, one stays.
    _, first = np.unique(np.sort(corners, axis=1), axis=0, return_index=True)
    return Triangles(vertices, corners[np.sort(first)])
