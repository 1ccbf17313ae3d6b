"""Drawing of a model: bones, muscles, forces, targets, their shadow, a floor and the sky."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from osimexp.arrays import Floats
from osimexp.physics.posing.figure import Figure
from osimexp.visual import raster
from osimexp.visual.camera import FIELD_OF_VIEW, ViewSettings, eye_and_axes, framing
from osimexp.visual.shapes import Look, Surface, cone, cylinder, sphere
from osimexp.visual.tubes import SIDES, STATIONS, profile, tube_triangles, tubes

Singles = NDArray[np.float32]
Image = NDArray[np.uint8]

REST = np.array([0.48, 0.57, 0.74])
ACTIVE = np.array([0.93, 0.10, 0.11])
FORCE = (0.13, 0.62, 0.36)
TARGET = (0.98, 0.66, 0.10)
SKY = np.array([[0.95, 0.96, 0.97], [0.80, 0.87, 0.94]])
TILES = np.array([[0.93, 0.935, 0.94], [0.83, 0.845, 0.865]])

BODY_WEIGHT = 0.6
"""Length of the arrow of a force of one body weight, m."""

SHAFT, HEAD = 0.011, 0.028  # radii of an arrow, m
TARGET_RADIUS = 0.03  # m
TALL = 1.0  # height above which a model is drawn on a floor, m
SHADOW_CELLS, SHADOW_EXTENT = 256, 3.6  # cells along an edge of the shadow's grid; its length, m


@dataclass(frozen=True)
class Moment:
    """The contents of one picture.

    Attributes:
        bodies: ``(bodies, 4, 4)`` transforms from each body's frame to the ground's.
        muscles: ``(muscles, STATIONS, 3)`` points at equal distances along each path, m; all points
            of a muscle without a path are in one place.
        activations: ``(muscles,)`` in [0, 1].
        forces: ``(forces, 3)`` in body weights.
        points: ``(forces, 3)`` points at which the forces act, m.
        targets: ``(targets, 3)`` m.
        aim: ``(3,)`` point that the camera looks at, m.
    """

    bodies: Singles
    muscles: Singles
    activations: Singles
    forces: Singles
    points: Singles
    targets: Singles
    aim: Singles

    def towards(self, other: "Moment", part: float) -> "Moment":
        """Return the moment between this one and another, at a share ``part`` of the way."""
        both = ((name, getattr(self, name), getattr(other, name)) for name in vars(self))
        return Moment(**{name: (a + np.float32(part) * (b - a)) for name, a, b in both})


class Drawing:
    """A renderer of pictures of one model, all of one size.

    Args:
        look: appearance of the model.
        width: width of a picture, pixels.
        height: height of a picture, pixels.
        view: settings of the camera.
        extent: height of the scene that fills the picture, m.
        floor: whether there is a floor, at y = 0.
        forces: number of forces in each moment.
        targets: number of targets in each moment.
    """

    def __init__(
        self,
        look: Look,
        width: int,
        height: int,
        view: ViewSettings,
        extent: float,
        floor: bool,
        forces: int = 0,
        targets: int = 0,
    ) -> None:
        self._view, self._floor = view, floor
        self._distance = framing(extent, width / height)
        self._size = (height, width)
        self._bodies = len(look.figure.bodies)
        figure = look.figure
        rigid = [
            (one, piece.body, piece.colour, piece.opacity)
            for piece, one in zip(figure.pieces, look.surfaces, strict=True)
        ]
        # The order is bodies, ground, shafts and heads of arrows, targets.
        self._frames = self._bodies + 1 + 2 * forces + targets
        after = self._bodies + 1
        for f in range(forces):
            rigid.append((cylinder(), after + 2 * f, FORCE, 1.0))
            rigid.append((cone(), after + 2 * f + 1, FORCE, 1.0))
        rigid += [(sphere(), after + 2 * forces + k, TARGET, 1.0) for k in range(targets)]
        self._gather(rigid, len(figure.muscles))
        self._radii = np.outer(figure.muscle_radii, profile()).astype(np.float32)
        rows, columns = height * raster.SAMPLES, width * raster.SAMPLES
        self._depths = np.zeros((rows, columns), dtype=np.float32)
        self._pixels = np.zeros((rows, columns, 4), dtype=np.float32)
        self._shadow = np.zeros((SHADOW_CELLS, SHADOW_CELLS), dtype=np.float32)
        self._spare = np.zeros_like(self._shadow)

    def _gather(
        self, rigid: list[tuple[Surface, int, tuple[float, float, float], float]], muscles: int
    ) -> None:
        """Join all surfaces in one set of arrays, with the transparent ones last."""
        rigid = sorted(rigid, key=lambda one: one[3] < 1.0)
        solid = [one for one in rigid if one[3] >= 1.0]
        sizes = [len(one[0].vertices) for one in rigid]
        firsts = np.concatenate([[0], np.cumsum(sizes)]).astype(int)
        count = int(firsts[-1])
        total = count + muscles * STATIONS * SIDES
        self._rigid = count
        triangles = [one[0].triangles + first for one, first in zip(rigid, firsts, strict=False)]
        triangles.insert(len(solid), tube_triangles(muscles) + count)
        opacities = [np.full(len(one[0].triangles), one[3]) for one in rigid]
        opacities.insert(len(solid), np.ones(len(triangles[len(solid)])))
        closed = [np.full(len(one[0].triangles), one[0].closed) for one in rigid]
        closed.insert(len(solid), np.ones(len(triangles[len(solid)]), dtype=bool))
        self._closed = np.concatenate(closed)
        self._triangles = np.concatenate(triangles).astype(np.int32)
        self._opacities = np.concatenate(opacities).astype(np.float32)
        empty = np.zeros((0, 3))
        self._vertices = _singles([empty, *(one[0].vertices for one in rigid)])
        self._normals = _singles([empty, *(one[0].normals for one in rigid)])
        self._colours = np.zeros((total, 3), dtype=np.float32)
        bodies = [one[1] if one[1] >= 0 else self._bodies for one in rigid]
        self._frame = np.repeat(np.array(bodies, dtype=np.int32), sizes)
        self._colours[:count] = np.repeat(
            np.array([one[2] for one in rigid], dtype=np.float32).reshape(-1, 3), sizes, axis=0
        )
        self._points = np.zeros((total, 3), dtype=np.float32)
        self._directions = np.zeros((total, 3), dtype=np.float32)
        self._lit = np.zeros((total, 3), dtype=np.float32)
        self._seen = np.zeros((total, 3), dtype=np.float32)
        self._away = np.zeros(total, dtype=bool)

    def picture(self, moment: Moment) -> Image:
        """Return the picture of a moment, a new array ``(height, width, 3)``."""
        height, width = self._size
        rows, columns = self._depths.shape
        focal = 0.5 * rows / np.tan(np.radians(FIELD_OF_VIEW / 2))
        seen_from = eye_and_axes(self._view, moment.aim.astype(float), self._distance)
        cell = SHADOW_EXTENT / SHADOW_CELLS
        view = np.vstack([seen_from, [focal, cell, 0.0]]).astype(np.float32)
        # The lamp is in front of the picture, up and to the left.
        lamp = -0.45 * seen_from[1] + 1.0 * np.array([0.0, 1.0, 0.0]) - 0.75 * _level(seen_from[3])
        lamp = (lamp / np.linalg.norm(lamp)).astype(np.float32)
        rigid = self._rigid
        raster.place(
            self._vertices,
            self._normals,
            self._frame,
            self._transforms(moment),
            self._points,
            self._directions,
        )
        tubes(moment.muscles, self._radii, self._points[rigid:], self._directions[rigid:])
        self._colours[rigid:] = np.repeat(
            activation_colour(moment.activations), STATIONS * SIDES, 0
        )
        raster.light(
            self._points,
            self._directions,
            self._colours,
            view[0],
            lamp,
            self._lit,
            self._away,
        )
        raster.project(self._points, view, rows, columns, self._seen)
        touched = np.array([rows, -1, columns, -1], dtype=np.int32)
        raster.fill(
            self._triangles,
            self._opacities,
            self._closed,
            self._seen,
            self._lit,
            self._away,
            self._depths,
            self._pixels,
            touched,
        )
        centre = (moment.aim - 0.6 * lamp / lamp[1])[[0, 2]].astype(np.float32)
        if self._floor:
            raster.cast_shadow(
                self._triangles,
                self._opacities,
                self._closed,
                self._points,
                lamp,
                centre,
                cell,
                self._shadow,
            )
            raster.soften(self._shadow, self._spare, 2)
        image = np.empty((height, width, 3), dtype=np.uint8)
        raster.resolve(
            self._depths,
            self._pixels,
            touched,
            view,
            SKY.astype(np.float32),
            TILES.astype(np.float32),
            self._floor,
            centre,
            self._shadow,
            image,
        )
        return image

    def _transforms(self, moment: Moment) -> Singles:
        """Return the transforms ``(frames, 4, 4)`` of bodies, ground, arrows and targets."""
        result = np.zeros((self._frames, 4, 4), dtype=np.float32)
        result[: self._bodies] = moment.bodies
        result[self._bodies] = np.eye(4)
        at = self._bodies + 1
        for force, point in zip(moment.forces, moment.points, strict=True):
            result[at : at + 2] = _arrow(BODY_WEIGHT * force.astype(float), point.astype(float))
            at += 2
        for target in moment.targets:
            result[at] = np.diag([TARGET_RADIUS, TARGET_RADIUS, TARGET_RADIUS, 1.0])
            result[at, :3, 3] = target
            at += 1
        return result


def activation_colour(activations: Singles) -> Singles:
    """Return muscle colours ``(muscles, 3)``: blue-grey at rest, red at full activation."""
    part = np.clip(activations, 0.0, 1.0)[:, None]
    colour: Singles = (REST + part * (ACTIVE - REST)).astype(np.float32)
    return colour


def stands(figure: Figure) -> bool:
    """Return whether a model is drawn on a floor: it has feet, or is as tall as one that has."""
    return bool(figure.feet) or figure.height > TALL


def _arrow(arrow: Floats, point: Floats) -> Floats:
    """Return the transforms ``(2, 4, 4)`` of the shaft and the head of an arrow from ``point``."""
    length = float(np.linalg.norm(arrow))
    result = np.zeros((2, 4, 4))
    if length < 0.01:
        return result
    along = arrow / length
    aside = np.cross(along, np.eye(3)[int(np.abs(along).argmin())])
    aside /= np.linalg.norm(aside)
    axes = np.column_stack([aside, along, np.cross(aside, along)])
    head = min(3.0 * HEAD, length)
    small = head / (3.0 * HEAD)
    result[0, :3, :3] = axes * [SHAFT * small, length - head, SHAFT * small]
    result[1, :3, :3] = axes * [HEAD * small, head, HEAD * small]
    result[0, :3, 3], result[1, :3, 3] = point, point + (length - head) * along
    return result


def _level(direction: Floats) -> Floats:
    flat = direction * [1.0, 0.0, 1.0]
    return np.asarray(flat / max(float(np.linalg.norm(flat)), 1e-9))


def _singles(parts: list[Floats]) -> Singles:
    return np.concatenate(parts).astype(np.float32)
