"""The one map from what a policy does to the controls of the model."""

from dataclasses import dataclass

import numpy as np

from osimexp.arrays import Floats
from osimexp.models.muscle_sets import MuscleSet
from osimexp.tasks.actuators import ActuatorMap, ActuatorSet
from osimexp.tasks.scene import Scene


@dataclass(frozen=True)
class ActionSettings:
    """How actions in [-1, 1] become drives: ``drive = clip(rest + gain * action, lowest, 1)``.

    Attributes:
        rest: drive of an action of 0.
        gain: drive per action.
        lowest: least excitation of a driven muscle; resting muscles have about 0.01.
    """

    rest: float = 0.5
    gain: float = 0.5
    lowest: float = 0.01

    def __post_init__(self) -> None:
        if not 0.0 <= self.lowest < 1.0:
            raise ValueError("lowest is an excitation and must lie in [0, 1)")


class ActionMap:
    """Turns actions ``(B, actions)`` into controls ``(B, controls)``.

    The first actions become drives of muscles (see ``ActionSettings``), the muscle set's weights
    spread the drives over the muscles they belong to, the sum is clipped to [lowest, 1], and
    muscles that no action drives are held at the muscle set's excitation. The other actions drive
    the actuators that the actuator set names; external forces are 0.

    Args:
        settings: how actions become drives.
        muscle_set: what drives the muscles.
        actuator_set: what the other actuators do.
        scene: the fixed facts of the task.

    Attributes:
        weights: ``(actions, controls)``, how much of each action's drive each control takes.
        size: actions.
        names: names of the actions.
    """

    def __init__(
        self,
        settings: ActionSettings,
        muscle_set: MuscleSet,
        actuator_set: ActuatorSet,
        scene: Scene,
    ) -> None:
        names = scene.names
        muscles = names.muscles
        self._settings = settings
        self._spread = muscle_set.weights(muscles)
        self._held = np.flatnonzero(~self._spread.any(axis=0))
        self._excitation = muscle_set.held
        self._plain = np.array_equal(self._spread, np.eye(len(muscles)))
        self._actuators = ActuatorMap(actuator_set, scene)
        self._controls = len(names.controls)
        drives, driven = len(self._spread), self._actuators.driven
        self.size = drives + len(driven)
        self.weights = np.zeros((self.size, self._controls))
        self.weights[:drives, : len(muscles)] = self._spread
        self.weights[np.arange(drives, self.size), len(muscles) + driven] = 1.0
        self.names = (
            *muscle_set.action_names(muscles),
            *(names.actuators[number].name for number in driven),
        )

    def __call__(
        self, actions: Floats, coordinates: Floats, speeds: Floats, time: Floats
    ) -> Floats:
        """Return controls ``(B, controls)``.

        Args:
            actions: ``(B, actions)`` in [-1, 1].
            coordinates: ``(B, coordinates)`` at the beginning of the step, rad or m.
            speeds: likewise, rad/s or m/s.
            time: ``(B,)`` s since the beginning of the episode.
        """
        drives, muscles = len(self._spread), self._spread.shape[1]
        excitations = self.excitations(actions[:, :drives])
        if muscles == self._controls:
            return excitations
        others = self._actuators(actions[:, drives:], coordinates, speeds, time)
        controls = np.zeros((len(actions), self._controls))
        controls[:, :muscles] = excitations
        controls[:, muscles : muscles + others.shape[1]] = others
        return controls

    def excitations(self, actions: Floats) -> Floats:
        """Return excitations ``(B, muscles)`` in [0, 1] for the actions that drive muscles."""
        lowest = self._settings.lowest
        drives = np.clip(self._settings.rest + self._settings.gain * actions, lowest, 1.0)
        if self._plain:
            return drives
        excitations = np.clip(drives @ self._spread, lowest, 1.0)
        excitations[:, self._held] = self._excitation
        return excitations
