"""The figure of a model: the shapes of its bodies, and poses of bodies and muscles."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from osimexp.arrays import Floats


@dataclass(frozen=True)
class Piece:
    """A rigid shape that is fixed to a body.

    Attributes:
        body: number of the body; -1 is the ground.
        kind: ``mesh`` is in ``file``; ``capsule`` lies along the local y axis, with half spheres
            beyond ``size[1]``; ``box`` and ``ellipsoid`` are centred.
        size: along the local axes, m: radius, half length, radius of a capsule; half edges of a
            box; radii of an ellipsoid; scale factors of a mesh.
        placement: ``(4, 4)`` transform from the piece's frame to the body's.
        colour: red, green, blue in [0, 1].
        opacity: in [0, 1].
        file: file of a mesh (.vtp, .stl, .obj).
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
    """The appearance of a model, without its pose.

    Attributes:
        bodies: names of the bodies.
        pieces: shapes of all bodies.
        muscles: names of the muscles.
        muscle_radii: ``(muscles,)`` radius of a muscle's belly, drawn as a tube, from its strength,
            m.
        feet: names of the feet, in the order of a movement's ground reactions.
        foot_bodies: number of the body at which each foot's force is drawn.
        height: height of the model's bodies in its default pose, for the camera, m.
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
    """Poses of a model's bodies and muscle paths over ``T`` moments.

    Attributes:
        bodies: ``(T, bodies, 4, 4)`` transforms from each body's frame to ground.
        paths: for each muscle, ``(T, points, 3)`` points of its path from origin to insertion in
            ground, wrapping included, m; if a moment has fewer points than another, its last point
            is repeated.
        centre_of_mass: ``(T, 3)`` in ground, m.
    """

    bodies: Floats
    paths: tuple[Floats, ...]
    centre_of_mass: Floats
