"""Vectors of recorded scalars: products, lengths and sums, which NumPy lacks for objects."""

from collections.abc import Iterable

import numpy as np

from osimexp.physics.compiled.ir.trace import Array, Scalar, sqrt

X, Y, Z = (row.astype(object) for row in np.eye(3))
ZERO: Array = np.zeros(3).astype(object)


def cross(a: Array, b: Array) -> Array:
    """Return the cross product ``(3,)`` of two vectors ``(3,)``."""
    return np.array(
        [
            a[1] * b[2] - a[2] * b[1],
            a[2] * b[0] - a[0] * b[2],
            a[0] * b[1] - a[1] * b[0],
        ],
        dtype=object,
    )


def norm(a: Array) -> Scalar:
    """Return the length of a vector ``(3,)``."""
    return sqrt(a @ a)


def total(vectors: Iterable[Array]) -> Array:
    """Return the sum ``(3,)`` of vectors ``(3,)``; 0 if there are none."""
    result = ZERO
    for vector in vectors:
        result = result + vector
    return result
