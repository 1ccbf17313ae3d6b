"""The base body of a model, such as the pelvis, whose position, heading and lean are judged."""

from collections.abc import Sequence

import numpy as np
import opensim

from osimexp.arrays import Floats
from osimexp.errors import ModelError, near_matches
from osimexp.models.names import ROLES, BaseBody
from osimexp.models.settings import ModelSettings

_STEP = 1e-3
"""Change of each coordinate (rad or m) by which its effect on the base body is found."""

_ALIGNED = 0.9
"""Least share of a motion that is along or about one axis of the ground, for a role."""


def find_base(
    model: opensim.Model,
    state: opensim.State,
    settings: ModelSettings,
    coordinates: Sequence[str],
    bodies: Sequence[str],
) -> BaseBody | None:
    """Return the base body of a model; None if its settings name none.

    The body is the one that ``settings.base.body`` names, or else the one that the joint of the
    named coordinates moves. Coordinates that the settings do not name are found by the motion of
    the body: the coordinate that moves it along x of the ground is the one forward, and so on.

    Args:
        model: a model whose system was initialised.
        state: a state of the model, which is not changed.
        settings: settings of the model.
        coordinates: names of the coordinates, in order.
        bodies: names of the bodies, in order.

    Raises:
        ModelError: the settings name a body or a coordinate that the model lacks.
    """
    base = settings.base
    named = {role: name for role in ROLES if (name := getattr(base, role)) is not None}
    if base.body is None and not named:
        return None
    for name in [*named.values(), *settings.trunk]:
        if name not in coordinates:
            raise ModelError(
                f"model.base: the model has no coordinate {name!r}; "
                f"{near_matches(name, coordinates)}"
            )
    body = base.body or _moved_by(model, next(iter(named.values())))
    if body not in bodies:
        raise ModelError(
            f"model.base.body: the model has no body {body!r}; {near_matches(body, bodies)}"
        )
    trunk = _moved_by(model, settings.trunk[-1]) if settings.trunk else body
    found = _roles(model, state, body, coordinates)
    roles = {role: coordinates.index(name) for role, name in (found | named).items()}
    turns = set(roles)
    if trunk != body:
        turns |= _roles(model, state, trunk, coordinates).keys()
    planar = not {"list", "rotation"} & turns
    return BaseBody(bodies.index(body), bodies.index(trunk), roles, planar)


def lifting(model: opensim.Model, state: opensim.State, rooted: Sequence[str]) -> tuple[str, ...]:
    """Return the names of the coordinates that lift a model as a whole, along y of the ground.

    Args:
        model: a model whose system was initialised.
        state: a state of the model, which is not changed.
        rooted: names of the coordinates of joints on the ground.
    """
    bodies = {body.getName() for body in model.getBodySet()}
    moved = {name: _moved_by(model, name) for name in rooted}
    return tuple(
        name
        for name, body in moved.items()
        if body in bodies and "height" in _roles(model, state, body, [name])
    )


def _moved_by(model: opensim.Model, coordinate: str) -> str:
    """Return the name of the body that a coordinate's joint moves."""
    joint = model.getCoordinateSet().get(coordinate).getJoint()
    return str(joint.getChildFrame().findBaseFrame().getName())


def _roles(
    model: opensim.Model, state: opensim.State, body: str, coordinates: Sequence[str]
) -> dict[str, str]:
    """Return the name of the coordinate that moves a body along or about each axis."""
    moved = opensim.State(state)
    frame = model.getBodySet().get(body)
    found: dict[str, str] = {}
    for name in coordinates:
        coordinate = model.getCoordinateSet().get(name)
        if coordinate.isConstrained(moved) or coordinate.getLocked(moved):
            continue
        before = coordinate.getValue(moved)
        place, rotation = _pose(model, moved, frame)
        coordinate.setValue(moved, before + _STEP, False)
        there, turned = _pose(model, moved, frame)
        coordinate.setValue(moved, before, False)
        shift, turn = (there - place) / _STEP, _turn(turned @ rotation.T) / _STEP
        for axis in range(3):
            if turn[axis] > _ALIGNED:
                found.setdefault(ROLES[3 + axis], name)
            elif np.abs(turn).max() < 1e-6 and shift[axis] > _ALIGNED:
                found.setdefault(ROLES[axis], name)
    return found


def _pose(model: opensim.Model, state: opensim.State, frame: opensim.Body) -> tuple[Floats, Floats]:
    """Return position ``(3,)`` m and rotation ``(3, 3)`` of a body in ground."""
    model.realizePosition(state)
    transform = frame.getTransformInGround(state)
    rotation = transform.R()
    return transform.p().to_numpy(), np.array(
        [[rotation.get(i, j) for j in range(3)] for i in range(3)]
    )


def _turn(rotation: Floats) -> Floats:
    """Return the rotation vector ``(3,)`` rad of a small rotation."""
    skew = (rotation - rotation.T) / 2.0
    return np.array([skew[2, 1], skew[0, 2], skew[1, 0]])
