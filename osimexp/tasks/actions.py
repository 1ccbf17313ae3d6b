"""The map from a policy's actions to the controls of the model."""

from dataclasses import dataclass

import numpy as np

from osimexp.arrays import Floats
from osimexp.errors import ConfigError
from osimexp.models.muscle_sets import MuscleSet
from osimexp.tasks.actuators import ActuatorMap, ActuatorSet
from osimexp.tasks.scene import Scene

_SAME = 1e-6
"""Difference of excitations that rounding in files can cause."""


@dataclass(frozen=True)
class ActionSettings:
    """Settings of the map to drives: ``drive = clip(rest + gain * action, lowest, 1)``.

    Attributes:
        rest: drive at an action of 0.
        gain: change of the drive per unit of action.
        lowest: lowest excitation of a driven muscle; resting muscles have about 0.01.
    """

    rest: float
    gain: float
    lowest: float

    def __post_init__(self) -> None:
        if not 0.0 <= self.lowest < 1.0:
            raise ValueError("lowest is an excitation and must be in [0, 1)")


class ActionMap:
    """The map from actions ``(B, actions)`` to controls ``(B, controls)``.

    The first actions become drives of muscles (see ``ActionSettings``). The weights of the muscle
    set spread each drive over its muscles, the sums are clipped to [lowest, 1], and muscles that no
    action drives have the held excitation of the muscle set. The other actions drive the actuators
    that the actuator set names; external forces are 0.

    Args:
        settings: settings of the map from actions to drives.
        muscle_set: muscle set of the model.
        actuator_set: use of the other actuators.
        scene: fixed facts of the task.

    Attributes:
        weights: ``(actions, controls)`` share of each action's drive in each control.
        ranges: ``(actions, 2)`` lowest and highest drive of each action, an excitation or another
            control.
        size: number of actions.
        names: names of the actions.
        controls: names of the controls.
        driven: numbers of the actuators that actions drive.
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
        self._muscles = muscles
        self._spread = muscle_set.weights(muscles)
        self._held = np.flatnonzero(~self._spread.any(axis=0))
        self._excitation = muscle_set.held
        self._plain = np.array_equal(self._spread, np.eye(len(muscles)))
        self._actuators = ActuatorMap(actuator_set, scene)
        self.controls = names.controls
        drives, driven = len(self._spread), self._actuators.driven
        self.size = drives + len(driven)
        self.weights = np.zeros((self.size, len(self.controls)))
        self.weights[:drives, : len(muscles)] = self._spread
        self.weights[np.arange(drives, self.size), len(muscles) + driven] = 1.0
        ends = np.sort(self._drives(np.array([-1.0, 1.0])))
        self.ranges = np.vstack([np.tile(ends, (drives, 1)), self._actuators.bounds])
        self.driven = driven
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
            coordinates: ``(B, coordinates)`` coordinates at the beginning of the step, rad or m.
            speeds: ``(B, coordinates)`` speeds at the beginning of the step, rad/s or m/s.
            time: ``(B,)`` time since the beginning of the episode, s.
        """
        drives, muscles = len(self._spread), self._spread.shape[1]
        excitations = self.excitations(actions[:, :drives])
        if muscles == len(self.controls):
            return excitations
        others = self._actuators(actions[:, drives:], coordinates, speeds, time)
        controls = np.zeros((len(actions), len(self.controls)))
        controls[:, :muscles] = excitations
        controls[:, muscles : muscles + others.shape[1]] = others
        return controls

    def excitations(self, actions: Floats) -> Floats:
        """Return excitations ``(B, muscles)`` in [0, 1] from the actions that drive muscles."""
        drives = self._drives(actions)
        if self._plain:
            return drives
        excitations = np.clip(drives @ self._spread, self._settings.lowest, 1.0)
        excitations[:, self._held] = self._excitation
        return excitations

    def inverse(self, controls: Floats) -> Floats:
        """Return actions ``(B, actions)`` that give controls ``(B, controls)``.

        A muscle whose excitation is NaN may have any excitation; an action of such muscles alone is
        0. Controls that no action drives are ignored, because actuators are held or track by
        themselves.

        Raises:
            ConfigError: no actions give the controls.
        """
        muscles = len(self._muscles)
        driving = self._driving(controls[:, :muscles])
        others = self._actuators.inverse(controls[:, muscles + self._actuators.driven])
        return np.hstack([driving, others])

    def _drives(self, actions: Floats) -> Floats:
        settings = self._settings
        return np.clip(settings.rest + settings.gain * actions, settings.lowest, 1.0)

    def _driving(self, excitations: Floats) -> Floats:
        """Return the actions that give excitations ``(B, muscles)``."""
        if self._settings.gain == 0.0:
            raise ConfigError("task.action.gain is 0, so that no action gives an excitation.")
        shared = np.flatnonzero(np.count_nonzero(self._spread, axis=0) > 1)
        if len(shared):
            raise ConfigError(
                f"muscles.synergies: several actions drive {self._muscles[shared[0]]}, so that "
                "excitations cannot be turned into actions."
            )
        actions = np.zeros((len(excitations), len(self._spread)))
        for action, weights in enumerate(self._spread):
            for muscle in np.flatnonzero(weights)[::-1]:
                drives = excitations[:, muscle] / weights[muscle]
                known = np.isfinite(drives)
                actions[known, action] = self._action_of(drives[known])
        actions = np.clip(actions, -1.0, 1.0)
        given = self.excitations(actions)
        away = np.nan_to_num(np.abs(given - excitations))
        if away.max(initial=0.0) > _SAME:
            row, muscle = np.unravel_index(away.argmax(), away.shape)
            raise ConfigError(
                f"No actions give {self._muscles[muscle]} the excitation "
                f"{excitations[row, muscle]:.4g}: the nearest are those that give "
                f"{given[row, muscle]:.4g}; see task.action and muscles."
            )
        return actions

    def _action_of(self, drives: Floats) -> Floats:
        """Return actions that give drives; at the ends of the range, actions of -1 and 1."""
        settings = self._settings
        actions = (drives - settings.rest) / settings.gain
        actions[drives <= settings.lowest] = -np.sign(settings.gain)
        actions[drives >= 1.0] = np.sign(settings.gain)
        return actions
