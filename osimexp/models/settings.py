"""Settings of a model, as ``conf/model`` gives them."""

from dataclasses import dataclass, field
from typing import Literal

MuscleModel = Literal["millard", "degroote_fregly", "thelen"]
Tendon = Literal["elastic", "rigid"]
Paths = Literal["fitted", "geometry"]


@dataclass(frozen=True)
class Base:
    """The base body of a model and its coordinates; all null for a model that cannot fall.

    One name is enough: the others are found by the motion of the body. Coordinates are named where
    the model's own differ from what is found.

    Attributes:
        body: name of the body, a pelvis as a rule; its axes are x forward, y up, z to the right.
        forward: coordinate of its way forward, m.
        height: coordinate of its height, m.
        lateral: coordinate of its way to the right, m.
        list: coordinate of its turn about the axis forward, rad.
        rotation: coordinate of its heading, the turn about the vertical, rad.
        tilt: coordinate of its turn about the axis across, rad, 0 upright.
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
    """A point fixed to a body, m in the body's frame."""

    body: str
    location: tuple[float, float, float]


@dataclass(frozen=True)
class ModelSettings:
    """A model, as ``conf/model`` describes it.

    Attributes:
        anatomy: one of the project's own models; null where ``path`` is given.
        path: an OpenSim model file of the user's.
        muscle_model: what the muscles of an own model are made of; null keeps a file's.
        tendon: elastic or rigid; null keeps a file's.
        paths: ``fitted`` replaces each muscle's path by a polynomial of its length over the
            coordinates, ``geometry`` keeps points and wrapping.
        base: the base body and its coordinates.
        feet: foot to patterns of the bodies whose contact forces are summed as its ground reaction.
        points: named points, beside those the model has as markers of the same name.
        trunk: coordinates between the base body and the trunk; the body that the last of them
            moves is the one whose lean is judged. Empty judges the base body itself.
        workspace: the part of coordinates' ranges that poses and targets are drawn from (rad or m);
            coordinates left out are drawn from their whole range.
        muscles: those of the whole body, in order, where the model lacks some of them: what a
            controller sees and does keeps a place for each, so that a controller of the whole body
            can act in this one; empty for the model's own.
        poses: named poses, each a mapping of coordinates to values (rad or m); coordinates left
            out keep the model's default.
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

    def __post_init__(self) -> None:
        if (self.anatomy is None) == (self.path is None):
            raise ValueError("give either anatomy or path (model=file model.path=my.osim)")
        if self.anatomy is not None and (self.muscle_model is None or self.tendon is None):
            raise ValueError("muscle_model and tendon must be named for a model of our own")
        if self.path is not None and (self.muscle_model is not None or self.tendon is not None):
            raise ValueError("muscle_model and tendon of a model file cannot be changed; use null")
