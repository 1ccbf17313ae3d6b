"""Controllers as plain data with the labels of their columns, restored without running code."""

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
    """A controller and the labels that it was saved with.

    Attributes:
        controller: what acts.
        labels: of its columns; None for what version 0.1.0 saved, which has the columns of the
            task of its own run.
    """

    controller: Controller
    labels: Labels | None

    def data(self) -> dict[str, Any]:
        """Return it as arrays, tensors, numbers, strings, lists and dicts."""
        data = {"kind": self.controller.kind, "state": self.controller.state_dict()}
        if self.labels is None:
            return data
        names = {key: list(getattr(self.labels, key)) for key in ("observations", "actions")}
        return data | names

    def fit(self, task: Labels, fill: Fill, who: str) -> Fit:
        """Return how the controller fits the columns of a task.

        Args:
            task: labels of the task.
            fill: see ``osimexp.controllers.labels.fit``.
            who: the controller, as the beginning of a sentence.

        Raises:
            ConfigError: it does not fit; of a controller without labels the sizes must agree.
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
        """Return the controller with a task's columns brought into its own order.

        Raises:
            ConfigError: see ``fit``.
        """
        found = self.fit(task, fill, who)
        return self.controller if found.same else Fitted(self.controller, found)


class Fitted:
    """A controller behind a map of columns: it observes and does what a task calls the same.

    Attributes:
        controller: what acts.
        fit: how it fits the task.
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
        """Columns of the task's observations; None where the controller looks at nothing."""
        return None if self.controller.observation_size is None else self.fit.shown

    def reset(self, which: NDArray[np.bool_]) -> None:
        """Forget what belongs to the episodes that ended."""
        self.controller.reset(which)

    def act(self, observations: Observations) -> Actions:
        """Return the task's actions ``(B, actions)`` for its observations."""
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
        """Make the controller that ``state`` was taken from."""
        controller = restored(state["controller"], "A fitted controller", device).controller
        return cls(controller, Fit(**state["fit"]))


KINDS: Mapping[str, type[Controller]] = {
    kind.kind: kind for kind in (Policy, Constant, Uniform, OpenLoop, Fitted)
}
"""Kinds that a file may hold. It names one of these and no import path: a checkpoint of someone
else's brings no code with it."""


def restored(data: Any, where: str, device: str = "cpu") -> Saved:
    """Return the controller that ``Saved.data`` gave, whatever its kind.

    Args:
        data: plain data.
        where: the file that it stands in, as the beginning of a sentence.
        device: what a policy runs on.

    Raises:
        RunFolderError: it is no controller, or of a kind that is not known.
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
