"""Bodies that lack muscles, for controllers of the whole body."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from osimexp.arrays import Floats
from osimexp.errors import ConfigError, near_matches
from osimexp.tasks.scene import Frame, Scene

_NOTHING = {
    "activations": 0.0,
    "fibre_length": 1.0,  # optimal fibre lengths
    "fibre_velocity": 0.0,
    "tendon_force": 0.0,
}
"""Values of the fields of a muscle that the model lacks."""


class WholeBody:
    """A map between a model that lacks muscles and the whole body with all of them.

    Attributes:
        scene: fixed facts of the task, with the muscles of the whole body.

    Raises:
        ConfigError: the model has a muscle that the whole body does not have.
    """

    def __init__(self, scene: Scene, muscles: Sequence[str]) -> None:
        own = scene.names
        for name in own.muscles:
            if name not in muscles:
                raise ConfigError(
                    f"model.muscles leaves out {name}, which the model has; "
                    f"{near_matches(name, muscles)}"
                )
        self._own = np.array([muscles.index(name) for name in own.muscles], dtype=np.intp)
        self._size = len(muscles)
        forces = self._spread(own.maximum_isometric_force[None], 1.0)[0]
        names = replace(own, muscles=tuple(muscles), maximum_isometric_force=forces)
        self.scene = replace(scene, names=names)

    def frame(self, frame: Frame) -> Frame:
        """Return the moment with a place for every muscle of the whole body."""
        state = frame.state
        changed: dict[str, Any] = {
            name: self._spread(values, nothing)
            for name, nothing in _NOTHING.items()
            if len(values := getattr(state, name))  # A field that no term reads has no rows.
        }
        muscles = len(self._own)
        excitations = self._spread(state.controls[:, :muscles], 0.0)
        changed["controls"] = np.hstack([excitations, state.controls[:, muscles:]])
        return replace(frame, scene=self.scene, state=replace(state, **changed))

    def own(self, controls: Floats) -> Floats:
        """Return the model's own controls from controls ``(B, controls)`` of the whole body."""
        return np.hstack([controls[:, self._own], controls[:, self._size :]])

    def whole(self, controls: Floats) -> Floats:
        """Return the whole body's controls from the model's own, with NaN for missing muscles."""
        muscles = len(self._own)
        return np.hstack([self._spread(controls[:, :muscles], np.nan), controls[:, muscles:]])

    def _spread(self, values: Floats, nothing: float) -> Floats:
        spread = np.full((len(values), self._size), nothing)
        spread[:, self._own] = values
        return spread
