"""The appearance of a model: meshes if their files are found, else shapes sized by its bodies."""

import logging
import os
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import opensim

from osimexp.arrays import Floats
from osimexp.errors import ModelError
from osimexp.models.muscle_sets import MuscleSet
from osimexp.models.prepare import PreparedModel, loaded, prepare
from osimexp.physics.posing.figure import Figure, Piece
from osimexp.physics.reference.engine import Engine
from osimexp.physics.settings import OpenSimSettings

log = logging.getLogger("osimexp")

DENSITY = 1060.0
"""Density of muscle, kg/m^3: J. Mendez and A. Keys, Metabolism 9 (1960)."""

SPECIFIC_TENSION = 60.0
"""Specific tension of muscle, N/cm^2, as in A. Rajagopal et al., IEEE Transactions on Biomedical
Engineering 63 (2016).
"""

_SLIM = 0.5
"""Share of a muscle's radius that is drawn, so that neighbours can be told apart."""

_RADII = (0.015, 0.11)
"""Smallest and greatest radius of a limb, m."""

_BARE = 0.4
"""Share of a limb's radius that is drawn, so that the muscles around it are visible."""

_BONE = (0.9, 0.87, 0.8)
_SOLE = (0.45, 0.5, 0.55)


def figure(model: PreparedModel) -> Figure:
    """Return the appearance of a model.

    Meshes are searched beside the model's file, in ``Geometry`` there, and in the folders that the
    environment variable ``OPENSIM_GEOMETRY_PATH`` lists. A body without any mesh is drawn as bones
    from joint to joint, whose thickness grows with its mass.

    Raises:
        ModelError: OpenSim cannot make the model.
    """
    names = Engine(model, OpenSimSettings(), 0.01, frozenset()).names
    with loaded(model.xml) as described:
        try:
            state = described.initSystem()
        except RuntimeError as error:
            raise ModelError("OpenSim cannot make the model that is to be drawn.") from error
        described.realizePosition(state)
        bodies = {name: number for number, name in enumerate(names.bodies)}
        pieces = list(_meshes(described, bodies, _folders(model)))
        meshed = {piece.body for piece in pieces}
        for body, number in bodies.items():
            if number not in meshed:
                pieces += _limbs(described, state, body, number, names.mass)
        pieces += _contacts(described, bodies, shown=not meshed)
        heights = [_origin(described, state, name)[1] for name in names.bodies]
        strengths = names.maximum_isometric_force
        area = strengths / SPECIFIC_TENSION * 1e-4
        return Figure(
            bodies=names.bodies,
            pieces=tuple(pieces),
            muscles=names.muscles,
            muscle_radii=_SLIM * np.sqrt(area / np.pi),
            feet=names.feet,
            foot_bodies=tuple(model.foot_bodies(names.bodies)),
            height=float(max(heights) - min(heights)) + 0.4,
        )


def with_points(model: PreparedModel) -> PreparedModel:
    """Return the model with the points of its muscles' paths, if polynomials replaced them."""
    if model.settings.paths != "fitted":
        return model
    return prepare(replace(model.settings, paths="geometry"), MuscleSet())


# Meshes


def _folders(model: PreparedModel) -> list[Path]:
    listed = os.environ.get("OPENSIM_GEOMETRY_PATH", "").split(os.pathsep)
    folders = [Path(folder) for folder in listed if folder]
    if model.settings.path is not None:
        beside = Path(model.settings.path).expanduser().parent
        folders = [beside, beside / "Geometry", *folders]
    return folders


def _meshes(model: opensim.Model, bodies: dict[str, int], folders: list[Path]) -> Iterator[Piece]:
    missing: dict[str, None] = {}
    for component in model.getComponentsList():
        mesh = opensim.Mesh.safeDownCast(component)
        if mesh is None:
            continue
        name = mesh.get_mesh_file()
        file = next((f / name for f in folders if (f / name).is_file()), None)
        frame = mesh.getFrame()
        body = bodies.get(frame.findBaseFrame().getName(), -1)
        if file is None:
            missing[name] = None
            continue
        look, scale = mesh.get_Appearance(), mesh.get_scale_factors()
        yield Piece(
            body=body,
            kind="mesh",
            size=(scale.get(0), scale.get(1), scale.get(2)),
            placement=matrix(frame.findTransformInBaseFrame()),
            colour=_colour(look.get_color()),
            opacity=float(look.get_opacity()),
            file=file,
        )
    if missing:
        more = f" and {len(missing) - 4} more" if len(missing) > 4 else ""
        log.info(
            "The meshes %s%s are neither beside the model, in a folder Geometry there, nor in one "
            "of OPENSIM_GEOMETRY_PATH; bodies without any mesh are drawn as plain bones.",
            ", ".join(list(missing)[:4]), more,
        )  # fmt: skip


def _colour(colour: opensim.Vec3) -> tuple[float, float, float]:
    """Return a colour; the default white of a mesh becomes the colour of bone."""
    found = tuple(float(colour.get(i)) for i in range(3))
    return _BONE if found == (1.0, 1.0, 1.0) else found  # type: ignore[return-value]


# Shapes


def _limbs(
    model: opensim.Model, state: opensim.State, name: str, number: int, total: float
) -> Iterator[Piece]:
    """Yield capsules from a body's joint to the next joints or its end, and a head for a trunk."""
    body = model.getBodySet().get(name)
    ground_to_body = np.linalg.inv(matrix(body.getTransformInGround(state)))

    def here(position: opensim.Vec3) -> Floats:
        found: Floats = (ground_to_body @ np.append(_vector(position), 1.0))[:3]
        return found

    start, ends = np.zeros(3), []
    for component in model.getComponentsList():
        if (joint := opensim.Joint.safeDownCast(component)) is None:
            continue
        # The position of the child's frame and not of the parent's, because a joint may slide.
        at = here(joint.getChildFrame().getPositionInGround(state))
        if joint.getChildFrame().findBaseFrame().getName() == name:
            start = at
        if joint.getParentFrame().findBaseFrame().getName() == name:
            ends.append(at)
    spheres = [
        here(sphere.getFrame().findStationLocationInGround(state, sphere.get_location()))
        for sphere in _spheres(model)
        if sphere.getFrame().findBaseFrame().getName() == name
    ]
    centre, mass = _vector(body.getMassCenter()), float(body.getMass())
    last = not ends and not spheres
    if last:
        ends.append(start + 2.0 * (centre - start))
    lines = [(start, end) for end in ends + spheres]
    lines += list(pairwise(spheres))
    lines = [(a, b) for a, b in lines if np.linalg.norm(b - a) > 0.01]
    if not lines or mass < 1e-6:
        return
    length = sum(float(np.linalg.norm(b - a)) for a, b in lines)
    radius = float(np.clip(np.sqrt(mass / (DENSITY * np.pi * length)), *_RADII))
    upright = np.linalg.inv(ground_to_body)[1, :3] @ (ends[0] - start) if last else 0.0
    if mass > 0.2 * total and upright > 0.2:
        yield from _trunk(number, start, centre - start)
    elif len(ends) > 2 and not spheres:
        yield _hub(number, np.array([start, *ends]))
    else:
        for a, b in lines:
            yield _capsule(number, a, b, max(_BARE * radius, _RADII[0]))


def _trunk(body: int, start: Floats, to_centre: Floats) -> Iterator[Piece]:
    """Yield a chest, a neck and a head for a body that carries them, from its centre of mass.

    The height of the shoulders is chosen such that a model of 75 kg is 1.75 m high.
    """
    size = float(np.linalg.norm(to_centre))
    up = to_centre / size
    shoulder = 1.4 * size
    chest = _along(start + 0.52 * shoulder * up, up)
    yield Piece(body, "ellipsoid", (0.095, 0.52 * shoulder, 0.15), chest, _BONE)
    neck = start + (shoulder - 0.02) * up
    yield _capsule(body, neck, neck + 0.12 * up, 0.035)
    head = _along(start + (shoulder + 0.17) * up, up)
    yield Piece(body, "ellipsoid", (0.09, 0.115, 0.075), head, _BONE)


def _hub(body: int, joints: Floats) -> Piece:
    """Return a rounded shape for a body between joints, such as a pelvis."""
    low, high = joints.min(axis=0), joints.max(axis=0)
    placement = np.eye(4)
    placement[:3, 3] = 0.5 * (low + high)
    x, y, z = (np.maximum(0.5 * (high - low), 0.02) + 0.035).tolist()
    return Piece(body, "ellipsoid", (x, y, z), placement, _BONE)


def _along(position: Floats, y: Floats) -> Floats:
    """Return the placement ``(4, 4)`` of a shape at a position, with y along a direction."""
    z = np.cross([1.0, 0.0, 0.0] if abs(y[0]) < 0.9 else [0.0, 1.0, 0.0], y)
    z /= np.linalg.norm(z)
    placement = np.eye(4)
    placement[:3, :3] = np.column_stack([np.cross(y, z), y, z])
    placement[:3, 3] = position
    return placement


def _capsule(body: int, start: Floats, end: Floats, radius: float) -> Piece:
    along = end - start
    length = float(np.linalg.norm(along))
    y = along / length
    aside = np.eye(3)[int(np.abs(y).argmin())]
    x = np.cross(aside, y)
    x /= np.linalg.norm(x)
    placement = np.eye(4)
    placement[:3, :3] = np.column_stack([x, y, np.cross(x, y)])
    placement[:3, 3] = (start + end) / 2.0
    half = max(0.5 * length - 0.5 * radius, 0.1 * length)
    return Piece(body, "capsule", (radius, half, radius), placement, _BONE)


def _spheres(model: opensim.Model) -> Iterator[opensim.ContactSphere]:
    for component in model.getComponentsList():
        if (sphere := opensim.ContactSphere.safeDownCast(component)) is not None:
            yield sphere


def _contacts(model: opensim.Model, bodies: dict[str, int], shown: bool) -> Iterator[Piece]:
    for sphere in _spheres(model):
        placement = np.eye(4)
        frame = matrix(sphere.getFrame().findTransformInBaseFrame())
        placement[:3, 3] = (frame @ np.append(_vector(sphere.get_location()), 1.0))[:3]
        radius = float(sphere.getRadius())
        body = bodies.get(sphere.getFrame().findBaseFrame().getName(), -1)
        size = (radius, radius, radius)
        opacity = 1.0 if shown else 0.3
        yield Piece(body, "ellipsoid", size, placement, _SOLE, opacity, part="contact")


# From OpenSim's types


def matrix(transform: opensim.Transform) -> Floats:
    """Return a rigid transform as a matrix ``(4, 4)``."""
    rotation, result = transform.R(), np.eye(4)
    result[:3, :3] = [[rotation.get(i, j) for j in range(3)] for i in range(3)]
    result[:3, 3] = _vector(transform.p())
    return result


def _vector(v: opensim.Vec3) -> Floats:
    return np.array([v.get(0), v.get(1), v.get(2)])


def _origin(model: opensim.Model, state: opensim.State, body: str) -> Floats:
    return _vector(model.getBodySet().get(body).getPositionInGround(state))
