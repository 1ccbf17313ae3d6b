"""The one map from what a policy does to what muscles are told."""

from dataclasses import dataclass

import numpy as np

from osimexp.arrays import Floats
from osimexp.models.muscle_sets import MuscleSet


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
    """Turns actions ``(B, actions)`` into excitations ``(B, muscles)``.

    Actions become drives (see ``ActionSettings``), the muscle set's weights spread the drives over
    the muscles they belong to, the sum is clipped to [lowest, 1], and muscles that no action
    drives are held at the muscle set's excitation.

    Attributes:
        weights: ``(actions, muscles)``, how much of each action's drive each muscle takes.
        size: actions.
    """

    def __init__(
        self, settings: ActionSettings, muscle_set: MuscleSet, muscles: tuple[str, ...]
    ) -> None:
        self._settings = settings
        self.weights = muscle_set.weights(muscles)
        self._held = np.flatnonzero(~self.weights.any(axis=0))
        self._excitation = muscle_set.held
        self._plain = np.array_equal(self.weights, np.eye(len(muscles)))
        self.size = len(self.weights)

    def __call__(self, actions: Floats) -> Floats:
        """Return excitations ``(B, muscles)`` in [0, 1]."""
        lowest = self._settings.lowest
        drives = np.clip(self._settings.rest + self._settings.gain * actions, lowest, 1.0)
        if self._plain:
            return drives
        excitations = np.clip(drives @ self.weights, lowest, 1.0)
        excitations[:, self._held] = self._excitation
        return excitations
