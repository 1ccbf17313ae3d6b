"""Scripted controllers, which use no observations, to compare policies with."""

import json
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from osimexp.controllers.controller import Actions, Observations
from osimexp.errors import ConfigError


class Constant:
    """A controller with one constant action, such as constant excitations.

    Attributes:
        action: ``(actions,)`` in [-1, 1]; -1 is the lowest excitation, 1 the highest.
    """

    kind: ClassVar[str] = "constant"
    observation_size = None

    def __init__(self, action_size: int, value: ArrayLike = 0.0) -> None:
        """Set one value for all actions, or one for each ``(actions,)``.

        Raises:
            ConfigError: a value is outside [-1, 1], or there are more or fewer than actions.
        """
        values = _checked(value)
        if values.shape not in ((), (1,), (action_size,)):
            raise ConfigError(
                f"A constant action has one value or one for each of {action_size} actions, "
                f"not {values.size}."
            )
        self.action = np.broadcast_to(values, (action_size,)).copy()
        self.action_size = action_size

    def reset(self, which: NDArray[np.bool_]) -> None:
        """Do nothing, because the controller has no memory."""

    def act(self, observations: Observations) -> Actions:
        """Return the action in every row, ``(B, actions)``."""
        return np.tile(self.action, (len(observations), 1))

    def state_dict(self) -> dict[str, Any]:
        """Return the action."""
        return {"action": self.action}

    @classmethod
    def from_state_dict(cls, state: dict[str, Any], device: str = "cpu") -> Self:
        """Return the controller that ``state`` was saved from."""
        return cls(len(state["action"]), state["action"])


class Uniform:
    """A controller whose actions are random, uniform in [-1, 1] at each step."""

    kind: ClassVar[str] = "random"
    observation_size = None

    def __init__(self, action_size: int, generator: np.random.Generator) -> None:
        """Set the generator that actions are drawn from."""
        self.action_size = action_size
        self._generator = generator

    def reset(self, which: NDArray[np.bool_]) -> None:
        """Do nothing, because actions are independent."""

    def act(self, observations: Observations) -> Actions:
        """Return random actions ``(B, actions)``."""
        shape = (len(observations), self.action_size)
        return 2.0 * self._generator.random(shape, dtype=np.float32) - 1.0

    def state_dict(self) -> dict[str, Any]:
        """Return the number of actions and the generator's state, with long integers as text."""
        generator = json.dumps(self._generator.bit_generator.state)
        return {"action_size": self.action_size, "generator": generator}

    @classmethod
    def from_state_dict(cls, state: dict[str, Any], device: str = "cpu") -> Self:
        """Return the controller that ``state`` was saved from; its next actions are the same.

        Raises:
            ValueError: the generator is not NumPy's default one.
        """
        generator = np.random.default_rng(0)
        generator.bit_generator.state = json.loads(state["generator"])
        return cls(int(state["action_size"]), generator)


class OpenLoop:
    """A controller that plays a sequence of actions from the start of each episode.

    Attributes:
        sequence: ``(steps, actions)`` in [-1, 1].
        repeat: whether to begin again after the last action; if not, the last action is held.
        action_size: number of actions.
    """

    kind: ClassVar[str] = "open_loop"
    observation_size = None

    def __init__(self, sequence: ArrayLike, repeat: bool = False) -> None:
        """Check and store the sequence.

        Raises:
            ConfigError: it is not ``(steps, actions)`` with at least one step, or leaves [-1, 1].
        """
        self.sequence = _checked(sequence)
        if self.sequence.ndim != 2 or not self.sequence.size:
            raise ConfigError(
                f"An open-loop sequence has the shape (steps, actions), not {self.sequence.shape}."
            )
        self.repeat = repeat
        self.action_size = self.sequence.shape[1]
        self._steps = np.zeros(0, dtype=np.int64)

    def reset(self, which: NDArray[np.bool_]) -> None:
        """Begin again in the environments of the mask ``which`` ``(B,)``."""
        if len(self._steps) != len(which):
            self._steps = np.zeros(len(which), dtype=np.int64)
        self._steps[which] = 0

    def act(self, observations: Observations) -> Actions:
        """Return the next action of each environment, ``(B, actions)``."""
        if len(self._steps) != len(observations):
            self._steps = np.zeros(len(observations), dtype=np.int64)
        length = len(self.sequence)
        places = self._steps % length if self.repeat else np.minimum(self._steps, length - 1)
        self._steps += 1
        actions: Actions = self.sequence[places]
        return actions

    def state_dict(self) -> dict[str, Any]:
        """Return the sequence and whether it is repeated."""
        return {"sequence": self.sequence, "repeat": self.repeat}

    @classmethod
    def from_state_dict(cls, state: dict[str, Any], device: str = "cpu") -> Self:
        """Return the controller that ``state`` was saved from."""
        return cls(state["sequence"], bool(state["repeat"]))


def _checked(values: ArrayLike) -> NDArray[np.float32]:
    checked = np.asarray(values, dtype=np.float32)
    if not (np.abs(checked) <= 1.0).all():
        raise ConfigError("Actions must be in [-1, 1]; a scripted one is not.")
    return checked
