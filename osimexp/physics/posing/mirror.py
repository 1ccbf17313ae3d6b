"""Signs of a model's coordinates under reflection in its sagittal plane."""

import numpy as np
import opensim

from osimexp.arrays import Floats
from osimexp.models.prepare import PreparedModel, loaded
from osimexp.models.sides import counterparts
from osimexp.physics.reference.engine import Engine
from osimexp.physics.settings import OpenSimSettings

_STEP = 0.05
"""Change of each coordinate by which its sign is found, rad or m."""

_ACROSS = np.array([1.0, 1.0, -1.0])


def mirror_signs(model: PreparedModel) -> Floats:
    """Return the sign ``(coordinates,)``, 1 or -1, of each coordinate's mirror image.

    Each coordinate is changed, and its counterpart on the other side is changed by as much in both
    directions: the sign is that of the motion nearer to the mirror image of the first. Coordinates
    that move nothing, such as locked ones, have the sign 1.

    Args:
        model: prepared model; sides are in the names of its coordinates and bodies.
    """
    names = Engine(model, OpenSimSettings(), 0.01, frozenset()).names
    with loaded(model.xml) as described:
        state = described.initSystem()
        coordinates = [described.getCoordinateSet().get(name) for name in names.coordinates]
        bodies = [described.getBodySet().get(name) for name in names.bodies]
        others, sides = counterparts(names.coordinates), counterparts(names.bodies)
        for number, coordinate in enumerate(coordinates):
            coordinate.setLocked(state, False)
            # Both sides alike, and nothing out of the plane that is told from it.
            first = min(number, int(others[number]))
            coordinate.setValue(state, float(names.default_pose[first]), False)

        def places(number: int, change: float) -> Floats:
            coordinate = coordinates[number]
            before = coordinate.getValue(state)
            coordinate.setValue(state, before + change, False)
            found = _places(described, state, bodies)
            coordinate.setValue(state, before, False)
            return found

        rest = _places(described, state, bodies)
        signs = np.ones(len(coordinates))
        for number, other in enumerate(others):
            moved = (places(number, _STEP) - rest)[sides] * _ACROSS
            same, turned = (places(int(other), sign * _STEP) - rest for sign in (1.0, -1.0))
            if np.linalg.norm(turned - moved) < 0.99 * np.linalg.norm(same - moved):
                signs[number] = -1.0
        return signs


def _places(model: opensim.Model, state: opensim.State, bodies: list[opensim.Body]) -> Floats:
    """Return three points of each body, ``(bodies, 3, 3)`` m: its origin, and one each on x and y.

    The points on the axes show a rotation that leaves the origin in place. The mirror images of a
    body's x and y axes are the axes of its counterpart.
    """
    model.realizePosition(state)
    found = []
    for body in bodies:
        for station in ((0.0, 0.0, 0.0), (1.0, 0.0, 0.0), (0.0, 1.0, 0.0)):
            place = body.findStationLocationInGround(state, opensim.Vec3(*station))
            found.append(place.to_numpy())
    return np.array(found).reshape(len(bodies), 3, 3)
