"""Encoding of figures and movements for the page."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from osimexp.arrays import Floats
from osimexp.motion.movement import Movement
from osimexp.physics.posing.figure import Figure, Poses
from osimexp.visual.page.packing import pack
from osimexp.visual.page.triangles import Triangles, lightened

FRAMES_PER_SECOND = 50  # least rate of a page's moments, if the movement has as many
TRIANGLES = 100_000  # of all meshes of a figure together


def encode_figure(figure: Figure, read: Callable[[Path], Triangles]) -> bytes:
    """Return the parts of a figure that do not move with time, packed for the page.

    Args:
        figure: appearance of the model.
        read: function that reads the file of a mesh.

    Raises:
        ModelError: a mesh cannot be read.
    """
    files = list(dict.fromkeys(piece.file for piece in figure.pieces if piece.file is not None))
    meshes = lightened([read(file) for file in files], TRIANGLES)
    arrays: dict[str, NDArray[Any]] = {}
    for number, mesh in enumerate(meshes):
        arrays[f"vertices {number}"] = mesh.vertices
        arrays[f"triangles {number}"] = mesh.corners
    pieces = [
        {
            "body": piece.body,
            "kind": piece.kind,
            "size": [float(size) for size in piece.size],
            # three.js stores matrices column by column.
            "placement": np.asarray(piece.placement).T.ravel().round(7).tolist(),
            "colour": [float(part) for part in piece.colour],
            "opacity": float(piece.opacity),
            "part": piece.part,
            "mesh": None if piece.file is None else files.index(piece.file),
        }
        for piece in figure.pieces
    ]
    header = {
        "bodies": list(figure.bodies),
        "pieces": pieces,
        "muscles": list(figure.muscles),
        "muscleRadii": [float(radius) for radius in figure.muscle_radii],
        "height": float(figure.height),
    }
    return pack(header, arrays)


def encode_movement(movement: Movement, poses: Poses) -> bytes:
    """Return a movement, packed for the page, with no more moments than a page can show.

    Raises:
        ModelError: the movement has values that are not finite.
    """
    if movement.plates:  # Forces that are not known are not shown.
        movement = replace(
            movement,
            ground_reaction=np.nan_to_num(movement.ground_reaction),
            foot_positions=np.nan_to_num(movement.foot_positions),
        )
    chosen = _chosen(movement.time)
    bodies = poses.bodies[chosen]
    paths = [path[chosen] for path in poses.paths]
    moments = len(bodies)
    unknown = np.zeros((moments, 0))
    activations = movement.activations[chosen] if movement.activations.size else unknown
    targets = [points[chosen] for points in movement.targets.values()]
    arrays: dict[str, NDArray[Any]] = {
        "time": movement.time[chosen] - movement.time[0],
        "positions": bodies[:, :, :3, 3],
        "rotations": quaternions(bodies[:, :, :3, :3]),
        "paths": np.concatenate([*paths, np.zeros((moments, 0, 3))], axis=1),
        "activations": activations,
        "centre": poses.centre_of_mass[chosen],
        "forces": movement.ground_reaction[chosen] if movement.feet else np.zeros((moments, 0, 3)),
        "soles": movement.foot_positions[chosen] if movement.feet else np.zeros((moments, 0, 3)),
        "targets": np.stack(targets, axis=1) if targets else np.zeros((moments, 0, 3)),
    }
    curves = []
    for number, (title, unit, names, values) in enumerate(_curves(movement)):
        curves.append({"title": title, "unit": unit, "names": list(names)})
        arrays[f"curves {number}"] = values[chosen]
    header = {
        "pathPoints": [path.shape[1] for path in paths],
        "muscles": list(movement.muscles),
        "targetNames": list(movement.targets),
        "weight": movement.weight,
        "curves": curves,
    }
    return pack(header, arrays)


def quaternions(rotations: Floats) -> Floats:
    """Return quaternions x, y, z, w ``(T, bodies, 4)`` of rotations ``(T, bodies, 3, 3)``.

    Signs do not jump in time. Each quaternion is worked out from its greatest component, which is
    never near 0 (S. W. Shepperd: Quaternion from rotation matrix. Journal of Guidance and Control
    1, 223-224, 1978).
    """
    r = rotations
    x, y, z = r[..., 0, 0], r[..., 1, 1], r[..., 2, 2]
    # These are four times the products of each pair of components.
    products = np.empty((*r.shape[:-2], 4, 4))
    for i, square in enumerate((1 + x - y - z, 1 - x + y - z, 1 - x - y + z, 1 + x + y + z)):
        products[..., i, i] = square
    for i, j, k in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        products[..., i, j] = products[..., j, i] = r[..., i, j] + r[..., j, i]
        products[..., k, 3] = products[..., 3, k] = r[..., j, i] - r[..., i, j]
    greatest = np.diagonal(products, axis1=-2, axis2=-1).argmax(axis=-1)
    found = np.take_along_axis(products, greatest[..., None, None], axis=-2)[..., 0, :]
    found = found / np.linalg.norm(found, axis=-1, keepdims=True)
    turned = np.where((found[1:] * found[:-1]).sum(axis=-1) < 0.0, -1.0, 1.0)
    found[1:] *= turned.cumprod(axis=0)[..., None]
    return np.asarray(found, np.float64)


def _chosen(time: Floats) -> slice:
    """Return the moments to give to a page: every one, or every second, and so on."""
    if len(time) < 2:
        return slice(None)
    rate = (len(time) - 1) / float(time[-1] - time[0])
    return slice(None, None, max(1, int(rate / FRAMES_PER_SECOND + 1e-6)))


def _curves(movement: Movement) -> Iterator[tuple[str, str, tuple[str, ...], Floats]]:
    """Yield the title, unit, names and values ``(T, names)`` of each curve of a movement."""
    rotational = np.asarray(movement.rotational, bool)
    angles = tuple(n for n, turns in zip(movement.coordinates, rotational, strict=True) if turns)
    lengths = tuple(n for n in movement.coordinates if n not in angles)
    if angles:
        yield "Joint angles", "°", angles, np.rad2deg(movement.positions[:, rotational])
        yield "Joint speeds", "°/s", angles, np.rad2deg(movement.speeds[:, rotational])
    if lengths:
        yield "Displacements", "m", lengths, movement.positions[:, ~rotational]
        yield "Speeds", "m/s", lengths, movement.speeds[:, ~rotational]
    for title, unit, values in (
        ("Activations", "", movement.activations),
        ("Excitations", "", movement.excitations),
        ("Fibre lengths", "optimal", movement.fibre_lengths),
        ("Tendon forces", "N", movement.tendon_forces),
    ):
        if values.size:
            yield title, unit, movement.muscles, values
    if movement.feet:
        weight = movement.weight
        unit, forces = "N", movement.ground_reaction
        if weight > 0.0:
            unit, forces = "body weights", movement.ground_reaction / weight
        names = tuple(
            f"{foot} {direction}"
            for foot in movement.feet
            for direction in ("forward", "up", "sideways")
        )
        yield "Ground forces", unit, names, forces.reshape(len(forces), -1)
