"""Scenes made up by hand, for tests that need no model."""

import numpy as np

from osimexp.models.names import Actuator, Names
from osimexp.models.settings import ModelSettings
from osimexp.tasks.scene import Scene


def scene_of(muscles: tuple[str, ...], *actuators: Actuator) -> Scene:
    """Return a scene of muscles and actuators, and a coordinate for each actuator's."""
    coordinates = tuple(dict.fromkeys(a.coordinate for a in actuators if a.coordinate is not None))
    names = Names(
        coordinates=coordinates,
        rotational=np.ones(len(coordinates), dtype=bool),
        ranges=np.tile([-1.0, 1.0], (len(coordinates), 1)),
        default_pose=np.zeros(len(coordinates)),
        muscles=muscles,
        maximum_isometric_force=np.full(len(muscles), 1000.0),
        bodies=(),
        feet=(),
        points=(),
        mass=50.0,
        actuators=actuators,
    )
    return Scene(names, ModelSettings(path="made_up.osim"), 0.01)
