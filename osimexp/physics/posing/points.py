"""Positions of a model's named points in poses."""

from osimexp.arrays import Floats
from osimexp.models.prepare import PreparedModel
from osimexp.physics.reference.engine import Engine
from osimexp.physics.settings import OpenSimSettings


def point_positions(model: PreparedModel, positions: Floats) -> dict[str, Floats]:
    """Return the position ``(T, 3)`` in ground (m) of each named point, by its name.

    Args:
        model: model to pose.
        positions: ``(T, coordinates)`` rad or m, in the model's order.
    """
    engine = Engine(model, OpenSimSettings(), 0.01, frozenset())
    found = engine.kinematics(positions).point_positions
    return {name: found[:, number] for number, name in enumerate(engine.names.points)}
