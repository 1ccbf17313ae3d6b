"""OpenSim's paths of a model's states and controls, for files that its own tools read."""

import numpy as np

from osimexp.models.actuators import actuator_controls
from osimexp.models.names import StatePaths, force_controls
from osimexp.models.prepare import PreparedModel, loaded
from osimexp.physics.reference.engine import Engine
from osimexp.physics.settings import OpenSimSettings


def state_paths(model: PreparedModel) -> StatePaths:
    """Return OpenSim's paths of the states and controls of a model.

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
        actuators = described.getActuators()
        forces = (name for force in model.forces for name in force_controls(force.name))
        others = [
            *(one.component for one in actuator_controls(described, model.forces)),
            *(actuators.get(name) for name in forces),
        ]
        return StatePaths(
            names,
            tuple(coordinates.get(name).getAbsolutePathString() for name in names.coordinates),
            paths,
            (*paths, *(component.getAbsolutePathString() for component in others)),
            np.array([f"{path}/fiber_length" in known for path in paths], dtype=bool),
            np.array([f"{path}/activation" in known for path in paths], dtype=bool),
            np.array([muscle.getOptimalFiberLength() for muscle in muscles]),
        )
