"""What OpenSim calls the states and controls of a model, for files that its own tools read."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from osimexp.physics.engine import Engine
from osimexp.physics.model import PreparedModel, loaded
from osimexp.physics.settings import OpenSimSettings
from osimexp.physics.simulation import Names


@dataclass(frozen=True)
class StatePaths:
    """Paths of the components that hold a model's states.

    Attributes:
        names: what they are called for short, in the order of the paths.
        coordinates: of each coordinate, to which ``/value`` and ``/speed`` are added.
        muscles: of each muscle, to which ``/activation`` and ``/fiber_length`` are added.
        elastic: ``(muscles,)`` whether its fibre length is a state.
        activated: ``(muscles,)`` whether its activation is a state.
        optimal_fibre_lengths: ``(muscles,)`` m.
    """

    names: Names
    coordinates: tuple[str, ...]
    muscles: tuple[str, ...]
    elastic: NDArray[np.bool_]
    activated: NDArray[np.bool_]
    optimal_fibre_lengths: NDArray[np.float64]


def state_paths(model: PreparedModel) -> StatePaths:
    """Return what OpenSim calls the states of a model.

    Raises:
        ModelError: OpenSim cannot make the model.
    """
    names = Engine(model, OpenSimSettings(), 0.01, frozenset()).names
    with loaded(model.xml) as described:
        described.initSystem()
        states = described.getStateVariableNames()
        known = {states.get(i) for i in range(states.getSize())}
        coordinates = described.getCoordinateSet()
        muscles = [described.getMuscles().get(name) for name in names.muscles]
        paths = tuple(muscle.getAbsolutePathString() for muscle in muscles)
        return StatePaths(
            names,
            tuple(coordinates.get(name).getAbsolutePathString() for name in names.coordinates),
            paths,
            np.array([f"{path}/fiber_length" in known for path in paths], dtype=bool),
            np.array([f"{path}/activation" in known for path in paths], dtype=bool),
            np.array([muscle.getOptimalFiberLength() for muscle in muscles]),
        )
