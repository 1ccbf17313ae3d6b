"""What a model looks like: its bodies' shapes, and where poses put them and its muscles."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from osimexp.arrays import Floats


@dataclass(frozen=True)
class Piece:
    """A rigid shape fixed to a body.

    Attributes:
        body: number of the body; -1 is the ground.
        kind: ``mesh`` is in ``file``; ``capsule`` lies along the local y axis, its half spheres
            beyond ``size[1]``; ``box`` and ``ellipsoid`` are centred.
        size: m, along the local axes: radius, half length, radius of a capsule; half edges of a
            box; radii of an ellipsoid; factors of a mesh.
        placement: ``(4, 4)`` from the piece's frame to the body's.
        colour: red, green, blue in [0, 1].
        opacity: in [0, 1].
        file: of a mesh (.vtp, .stl, .obj).
        part: ``bone``, ``contact`` (a sphere that touches the floor) or ``wrap``.
    """

    body: int
    kind: Literal["mesh", "capsule", "box", "ellipsoid"]
    size: tuple[float, float, float]
    placement: Floats
    colour: tuple[float, float, float] = (0.9, 0.87, 0.8)
    opacity: float = 1.0
    file: Path | None = None
    part: Literal["bone", "contact", "wrap"] = "bone"


@dataclass(frozen=True)
class Figure:
    """What does not move with the pose.

    Attributes:
        bodies: names.
        pieces: of all bodies.
        muscles: names.
        muscle_radii: ``(muscles,)`` m, of a muscle's belly drawn as a tube, from its strength.
        feet: names, in the order of a movement's ground reactions.
        foot_bodies: number of the body that each foot's force is drawn from.
        height: m, of the model's bodies in its default pose, for the camera.
    """

    bodies: tuple[str, ...]
    pieces: tuple[Piece, ...]
    muscles: tuple[str, ...]
    muscle_radii: Floats
    feet: tuple[str, ...]
    foot_bodies: tuple[int, ...]
    height: float


@dataclass(frozen=True)
class Poses:
    """What moves.

    Attributes:
        bodies: ``(T, bodies, 4, 4)`` from each body's frame to ground.
        paths: for each muscle, ``(T, points, 3)`` m in ground: the points of its path from origin
            to insertion, wrapping included; where a moment has fewer points than another, the last
            is repeated.
        centre_of_mass: ``(T, 3)`` m.
    """

    bodies: Floats
    paths: tuple[Floats, ...]
    centre_of_mass: Floats
