"""States of a model's muscles over a movement, as models of their energy need them."""

from dataclasses import dataclass

import numpy as np
import opensim

from osimexp.arrays import Floats
from osimexp.errors import ModelError, MovementError
from osimexp.models.prepare import PreparedModel, first_line, loaded
from osimexp.motion.movement import Movement


@dataclass(frozen=True)
class MuscleStates:
    """States of muscles over the ``T`` moments of a movement.

    Attributes:
        muscles: names of the muscles.
        maximum_isometric_force: ``(muscles,)`` N.
        optimal_fibre_length: ``(muscles,)`` m.
        excitation: ``(T, muscles)`` in [0, 1].
        activation: ``(T, muscles)`` in [0, 1].
        fibre_length: ``(T, muscles)`` in optimal fibre lengths.
        fibre_velocity: ``(T, muscles)`` m/s, negative when shortening.
        active_force: ``(T, muscles)`` active force of the fibres, N.
        passive_force: ``(T, muscles)`` passive force of the fibres, N.
        force_length: ``(T, muscles)`` factor of the active force for the fibre length.
    """

    muscles: tuple[str, ...]
    maximum_isometric_force: Floats
    optimal_fibre_length: Floats
    excitation: Floats
    activation: Floats
    fibre_length: Floats
    fibre_velocity: Floats
    active_force: Floats
    passive_force: Floats
    force_length: Floats


_READ = {
    "fibre_length": "getNormalizedFiberLength",
    "fibre_velocity": "getFiberVelocity",
    "active_force": "getActiveFiberForce",
    "passive_force": "getPassiveFiberForce",
    "force_length": "getActiveForceLengthMultiplier",
}


def muscle_states(model: PreparedModel, movement: Movement) -> MuscleStates:
    """Return OpenSim's states of a model's muscles at the moments of a movement.

    Raises:
        MovementError: the movement lacks activations or excitations, or fibre lengths that do not
            follow from the pose.
        ModelError: OpenSim cannot put the model into a pose of the movement.
    """
    if not movement.activations.size or not movement.excitations.size:
        raise MovementError(
            "The metabolic energy of muscles needs their excitations and activations over time."
        )
    with loaded(model.xml) as described:
        state = described.initSystem()
        muscles = [described.getMuscles().get(name) for name in movement.muscles]
        coordinates = [described.getCoordinateSet().get(name) for name in movement.coordinates]
        for coordinate in coordinates:
            coordinate.setLocked(state, False)
        elastic = _elastic(described, muscles, movement)
        optimal = np.array([muscle.getOptimalFiberLength() for muscle in muscles])
        read = {name: np.empty((len(movement), len(muscles))) for name in _READ}
        for t in range(len(movement)):
            for number, coordinate in enumerate(coordinates):
                coordinate.setValue(state, float(movement.positions[t, number]), False)
                coordinate.setSpeedValue(state, float(movement.speeds[t, number]))
            for number, muscle in enumerate(muscles):
                muscle.setActivation(state, float(movement.activations[t, number]))
                if path := elastic[number]:
                    length = float(movement.fibre_lengths[t, number] * optimal[number])
                    described.setStateVariableValue(state, path, length)
            try:
                described.realizeDynamics(state)
            except RuntimeError as error:
                raise ModelError(
                    f"OpenSim cannot put the model into the pose of moment {t}: {first_line(error)}"
                ) from error
            for name, method in _READ.items():
                read[name][t] = [getattr(muscle, method)(state) for muscle in muscles]
        strength = np.array([muscle.getMaxIsometricForce() for muscle in muscles])
    return MuscleStates(
        muscles=movement.muscles,
        maximum_isometric_force=strength,
        optimal_fibre_length=optimal,
        excitation=movement.excitations,
        activation=movement.activations,
        **read,
    )


def _elastic(
    model: opensim.Model, muscles: list[opensim.Muscle], movement: Movement
) -> list[str | None]:
    """Return the path of each muscle's fibre length; None if it follows from the pose."""
    variables = model.getStateVariableNames()
    known = {variables.get(i) for i in range(variables.getSize())}
    paths: list[str | None] = []
    for muscle in muscles:
        where = muscle.getAbsolutePathString()
        if f"{where}/normalized_tendon_force" in known:
            raise MovementError(
                f"The metabolic energy of {muscle.getName()} is not known, because its state is "
                "the force of its tendon and not the length of its fibres."
            )
        held = f"{where}/fiber_length" in known
        if held and not movement.fibre_lengths.size:
            raise MovementError("The metabolic energy of muscles needs their fibre lengths.")
        paths.append(f"{where}/fiber_length" if held else None)
    return paths
