"""Saved controllers: plain data with the names of columns, restored without running code."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from osimexp.controllers.controller import Actions, Controller, Observations
from osimexp.controllers.labels import Fill, Fit, Labels, fit
from osimexp.controllers.policy import Policy
from osimexp.controllers.scripted import Constant, OpenLoop, Uniform
from osimexp.errors import ConfigError, RunFolderError, near_matches


@dataclass(frozen=True)
class Saved:
    """A controller with the names of its columns.

    Attributes:
        controller: the controller.
        labels: names of its columns; None if version 0.1.0 saved it, which then has the columns of
            the task of its own run.
    """

    controller: Controller
    labels: Labels | None

    def data(self) -> dict[str, Any]:
        """Return the controller and its names as plain data: arrays, tensors, numbers, strings."""
        data = {"kind": self.controller.kind, "state": self.controller.state_dict()}
        if self.labels is None:
            return data
        names = {key: list(getattr(self.labels, key)) for key in ("observations", "actions")}
        return data | names

    def fit(self, task: Labels, fill: Fill, who: str) -> Fit:
        """Return the map between the controller's columns and a task's.

        Args:
            task: names of the task's columns.
            fill: values for columns that only one side has, see ``osimexp.controllers.labels.fit``.
            who: name of the controller, as the beginning of a sentence.

        Raises:
            ConfigError: the controller does not fit; without names the sizes must be equal.
        """
        controller = self.controller
        blind = controller.observation_size is None
        if self.labels is not None:
            return fit(self.labels, task, fill, who, blind)
        if fill:
            raise ConfigError(
                f"{who} was saved by version 0.1.0, without names that fill could speak of."
            )
        takes, gives = controller.observation_size, controller.action_size
        shows, wants = len(task.observations), len(task.actions)
        if (not blind and takes != shows) or gives != wants:
            raise ConfigError(
                f"{who} takes {takes} numbers and gives {gives} actions, and this task shows "
                f"{shows} and takes {wants}; keep the muscles and the joints that it was trained "
                "with."
            )
        return Fit(
            np.arange(shows), np.zeros(shows), np.arange(wants), np.zeros(wants), shows, gives
        )

    def fitted(self, task: Labels, fill: Fill, who: str) -> Controller:
        """Return the controller for a task's columns.

        Raises:
            ConfigError: the controller does not fit, see ``fit``.
        """
        found = self.fit(task, fill, who)
        return self.controller if found.same else Fitted(self.controller, found)


class Fitted:
    """A controller with a map of columns, which acts on the columns of another task.

    Attributes:
        controller: the controller.
        fit: map between its columns and the task's.
    """

    kind: ClassVar[str] = "fitted"

    def __init__(self, controller: Controller, fit: Fit) -> None:
        self.controller = controller
        self.fit = fit
        self.action_size = len(fit.done)
        self._filled = fit.filled.astype(np.float32)
        self._held = fit.held.astype(np.float32)

    @property
    def observation_size(self) -> int | None:
        """Number of columns of the task's observations; None if none are used."""
        return None if self.controller.observation_size is None else self.fit.shown

    def reset(self, which: NDArray[np.bool_]) -> None:
        """Reset the memory of the environments whose episodes ended, given as a mask ``(B,)``."""
        self.controller.reset(which)

    def act(self, observations: Observations) -> Actions:
        """Return the task's actions ``(B, actions)`` for its observations ``(B, observations)``."""
        seen, done = self.fit.seen, self.fit.done
        own = np.where(seen >= 0, observations[:, seen], self._filled)
        # Rounded as the controller's own observations are, which lie row by row.
        actions = self.controller.act(np.ascontiguousarray(own))
        return np.where(done >= 0, actions[:, done], self._held)

    def state_dict(self) -> dict[str, Any]:
        """Return the controller's own data and the map."""
        return {"controller": Saved(self.controller, None).data(), "fit": vars(self.fit)}

    @classmethod
    def from_state_dict(cls, state: dict[str, Any], device: str = "cpu") -> Self:
        """Return the controller that ``state`` was saved from."""
        controller = restored(state["controller"], "A fitted controller", device).controller
        return cls(controller, Fit(**state["fit"]))


KINDS: Mapping[str, type[Controller]] = {
    kind.kind: kind for kind in (Policy, Constant, Uniform, OpenLoop, Fitted)
}
"""Classes of controllers by the names in files. A file has one of these names and no import path,
so that a checkpoint of somebody else brings no code with it.
"""


def restored(data: Any, where: str, device: str = "cpu") -> Saved:
    """Return the controller that ``Saved.data`` returned.

    Args:
        data: plain data.
        where: file with the data, as the beginning of a sentence.
        device: device of a policy.

    Raises:
        RunFolderError: the data is not a controller, or one of an unknown kind.
    """
    kind = str(data.get("kind")) if isinstance(data, Mapping) else "nothing"
    if kind not in KINDS:
        raise RunFolderError(
            f"{where} holds no controller of a known kind but {kind}; {near_matches(kind, KINDS)}"
        )
    try:
        controller = KINDS[kind].from_state_dict(data["state"], device)
        labels = None
        if "actions" in data:
            labels = Labels(tuple(data["observations"]), tuple(data["actions"]))
    except (AttributeError, IndexError, KeyError, RuntimeError, TypeError, ValueError) as error:
        raise RunFolderError(f"{where} holds a {kind} that cannot be restored.") from error
    if labels is not None and (
        controller.action_size != len(labels.actions)
        or controller.observation_size not in (None, len(labels.observations))
    ):
        raise RunFolderError(f"{where} holds a {kind} with names for other columns than it has.")
    return Saved(controller, labels)
