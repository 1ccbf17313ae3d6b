"""Where poses put the points that a model names."""

import numpy as np
from numpy.typing import NDArray

from osimexp.physics.engine import Engine
from osimexp.physics.model import PreparedModel
from osimexp.physics.settings import OpenSimSettings

Floats = NDArray[np.float64]


def point_positions(model: PreparedModel, positions: Floats) -> dict[str, Floats]:
    """Return ``(T, 3)`` m in ground of each named point.

    Args:
        model: what is posed.
        positions: ``(T, coordinates)`` rad or m, in the model's order.
    """
    engine = Engine(model, OpenSimSettings(), 0.01, frozenset())
    found = engine.kinematics(positions).point_positions
    return {name: found[:, number] for number, name in enumerate(engine.names.points)}
