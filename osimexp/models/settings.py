"""Settings of a model, as in ``conf/model``."""

from dataclasses import dataclass, field
from typing import Literal

MuscleModel = Literal["millard", "degroote_fregly", "thelen"]
Tendon = Literal["elastic", "rigid"]
Paths = Literal["fitted", "geometry"]


@dataclass(frozen=True)
class Base:
    """The base body of a model and its coordinates; all null for a model that cannot fall.

    One name is enough: the others are found by the motion of the body. Name a coordinate if another
    one should be used than the one that is found.

    Attributes:
        body: name of the body, usually the pelvis; its axes are x forward, y up, z to the right.
        forward: name of the coordinate of its position forward, m.
        height: name of the coordinate of its height, m.
        lateral: name of the coordinate of its position to the right, m.
        list: name of the coordinate of its rotation about the forward axis, rad.
        rotation: name of the coordinate of its heading, the rotation about the vertical, rad.
        tilt: name of the coordinate of its rotation about the lateral axis, rad, 0 upright.
    """

    body: str | None = None
    forward: str | None = None
    height: str | None = None
    lateral: str | None = None
    list: str | None = None
    rotation: str | None = None
    tilt: str | None = None


@dataclass(frozen=True)
class Point:
    """A point that is fixed to a body.

    Attributes:
        body: name of the body.
        location: position in the body's frame, m.
    """

    body: str
    location: tuple[float, float, float]


@dataclass(frozen=True)
class ModelSettings:
    """Settings of a model.

    Attributes:
        anatomy: name of one of the project's own models; null if ``path`` is given.
        path: path of an OpenSim model file.
        copy: path of a copy of that file which is read in its place, as a run keeps one; null reads
            the file itself.
        muscle_model: class of the muscles of an own model; null for a file, which keeps its own.
        tendon: elastic or rigid tendons of an own model; null for a file, which keeps its own.
        paths: ``fitted`` replaces each muscle's path by a polynomial of its length over the
            coordinates; ``geometry`` keeps points and wrapping.
        base: base body and its coordinates.
        feet: for each foot, patterns of the bodies whose contact forces make up its ground
            reaction.
        points: named points, in addition to the model's markers.
        trunk: names of the coordinates between the base body and the trunk; the lean of the body
            that the last one moves is judged; if empty, that of the base body.
        workspace: range of a coordinate from which poses and targets are drawn, rad or m; without
            an entry, the whole range of the coordinate.
        muscles: names of the muscles of the whole body, in order, if the model lacks some of them;
            observations and actions then have a place for each, so that a controller of the whole
            body can act in this model; empty for the model's own muscles.
        poses: named poses, each with values of coordinates, rad or m; other coordinates keep the
            model's default.
    """

    anatomy: str | None = None
    path: str | None = None
    muscle_model: MuscleModel | None = None
    tendon: Tendon | None = None
    paths: Paths = "geometry"
    base: Base = field(default_factory=Base)
    feet: dict[str, tuple[str, ...]] = field(default_factory=dict)
    points: dict[str, Point] = field(default_factory=dict)
    trunk: tuple[str, ...] = ()
    workspace: dict[str, tuple[float, float]] = field(default_factory=dict)
    poses: dict[str, dict[str, float]] = field(default_factory=dict)
    muscles: tuple[str, ...] = ()
    copy: str | None = None

    def __post_init__(self) -> None:
        if (self.anatomy is None) == (self.path is None):
            raise ValueError("give either anatomy or path (model=file model.path=my.osim)")
        if self.anatomy is not None and (self.muscle_model is None or self.tendon is None):
            raise ValueError("muscle_model and tendon must be named for a model of our own")
        if self.path is not None and (self.muscle_model is not None or self.tendon is not None):
            raise ValueError("muscle_model and tendon of a model file cannot be changed; use null")
