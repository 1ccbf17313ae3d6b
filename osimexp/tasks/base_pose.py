"""The base body of a batch: position, heading and lean, for planar and 3D models."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from osimexp.arrays import Floats


@dataclass
class BasePose:
    """The base body and the trunk of each model of a batch at one moment.

    The axes of a body are x forward, y up and z to the right. The frame of the heading has its z
    axis along the body's axis to the right, projected to the floor, and its y axis up; a planar
    model always heads along x of the ground.

    Attributes:
        position: ``(B, 3)`` origin of the base body in ground, m.
        angles: ``(B, 3)`` body-fixed X-Y-Z angles of the base body in ground, rad.
        trunk_angles: ``(B, 3)`` body-fixed X-Y-Z angles of the trunk in ground, rad.
        planar: whether bodies turn about the axis to the right alone, which needs less work.
    """

    position: Floats
    angles: Floats
    trunk_angles: Floats
    planar: bool = False

    @cached_property
    def rotation(self) -> Floats:
        """Rotations ``(B, 3, 3)`` from the axes of the base body to those of the ground."""
        return rotation_matrices(self.angles)

    @cached_property
    def heading(self) -> Floats:
        """Rotations ``(B, 3, 3)`` from the frame of the heading to the axes of the ground."""
        heading = np.tile(np.eye(3), (len(self.angles), 1, 1))
        if self.planar:
            return heading
        right = self.rotation[:, :, 2].copy()
        right[:, 1] = 0.0
        length = np.hypot(right[:, 0], right[:, 2])
        # A body that lies on its side has no heading, and the ground's axes are used.
        lost = length < 1e-6
        right[lost] = 0.0, 0.0, 1.0
        right /= np.where(lost, 1.0, length)[:, None]
        heading[:, 0, 0], heading[:, 2, 0] = right[:, 2], -right[:, 0]
        heading[:, :, 2] = right
        return heading

    def seen(self, vectors: Floats) -> Floats:
        """Return vectors ``(B, ..., 3)`` of the ground's axes in the frame of the heading."""
        if self.planar:
            return vectors
        seen: Floats = np.einsum("bji,b...j->b...i", self.heading, vectors)
        return seen

    @cached_property
    def tilt(self) -> Floats:
        """Tilt of the base body about the axis to the right, ``(B,)`` rad; positive backwards."""
        if self.planar:
            return self.angles[:, 2]
        up = self.seen(self.rotation[:, :, 1])
        return np.asarray(np.arctan2(-up[:, 0], up[:, 1]))

    @cached_property
    def list(self) -> Floats:
        """Lean of the base body to the right, ``(B,)`` rad: its rotation about the forward axis."""
        up = self.seen(self.rotation[:, :, 1])
        return np.asarray(np.arctan2(up[:, 2], up[:, 1]))

    @cached_property
    def lean(self) -> Floats:
        """Angle of the trunk from upright in any direction, ``(B,)`` rad in [0, pi]."""
        if self.planar:
            return np.abs(self.trunk_angles[:, 2])
        up = rotation_matrices(self.trunk_angles)[:, :, 1]
        return np.asarray(np.arctan2(np.hypot(up[:, 0], up[:, 2]), up[:, 1]))


def rotation_matrices(angles: Floats) -> Floats:
    """Return the rotations ``(..., 3, 3)`` of body-fixed X-Y-Z angles ``(..., 3)`` in rad."""
    (a, b, c), (x, y, z) = np.moveaxis(np.cos(angles), -1, 0), np.moveaxis(np.sin(angles), -1, 0)
    rows = [
        [b * c, -b * z, y],
        [a * z + x * y * c, a * c - x * y * z, -x * b],
        [x * z - a * y * c, x * c + a * y * z, a * b],
    ]
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)
