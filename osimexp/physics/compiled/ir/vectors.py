"""Vectors of scalars: what NumPy does not do for arrays of objects, and constants."""

from collections.abc import Iterable

import numpy as np

from osimexp.physics.compiled.ir.trace import Array, Scalar, sqrt

X, Y, Z = (row.astype(object) for row in np.eye(3))
ZERO: Array = np.zeros(3).astype(object)


def cross(a: Array, b: Array) -> Array:
    """Return the vector product of two vectors ``(3,)``."""
    return np.array(
        [
            a[1] * b[2] - a[2] * b[1],
            a[2] * b[0] - a[0] * b[2],
            a[0] * b[1] - a[1] * b[0],
        ],
        dtype=object,
    )


def norm(a: Array) -> Scalar:
    """Return the length of a vector."""
    return sqrt(a @ a)


def total(vectors: Iterable[Array]) -> Array:
    """Return the sum of vectors ``(3,)``, which may be none."""
    result = ZERO
    for vector in vectors:
        result = result + vector
    return result
