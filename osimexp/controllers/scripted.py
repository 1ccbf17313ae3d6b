"""Controllers that look at nothing: what a trained policy is compared with."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from osimexp.controllers.controller import Actions, Observations
from osimexp.errors import ConfigError


class Constant:
    """The same action always, as constant excitations are.

    Attributes:
        action: ``(actions,)`` in [-1, 1]; -1 is the lowest excitation, 1 the highest.
    """

    def __init__(self, action_size: int, value: ArrayLike = 0.0) -> None:
        """Hold one value for all actions, or one each ``(actions,)``.

        Raises:
            ConfigError: a value is outside [-1, 1], or there are not as many as actions.
        """
        values = _checked(value)
        if values.shape not in ((), (1,), (action_size,)):
            raise ConfigError(
                f"A constant action has one value or one for each of {action_size} actions, "
                f"not {values.size}."
            )
        self.action = np.broadcast_to(values, (action_size,)).copy()

    def reset(self, which: NDArray[np.bool_]) -> None:
        """Do nothing: there is nothing to forget."""

    def act(self, observations: Observations) -> Actions:
        """Return the action in every row, ``(B, actions)``."""
        return np.tile(self.action, (len(observations), 1))


class Uniform:
    """Each action drawn uniformly from [-1, 1] at each step."""

    def __init__(self, action_size: int, generator: np.random.Generator) -> None:
        """Draw from ``generator``, which the caller's seed made."""
        self.action_size = action_size
        self._generator = generator

    def reset(self, which: NDArray[np.bool_]) -> None:
        """Do nothing: draws are independent."""

    def act(self, observations: Observations) -> Actions:
        """Return new draws ``(B, actions)``."""
        shape = (len(observations), self.action_size)
        return 2.0 * self._generator.random(shape, dtype=np.float32) - 1.0


class OpenLoop:
    """A sequence of actions played from the start of each episode.

    Attributes:
        sequence: ``(steps, actions)`` in [-1, 1].
        repeat: begin again after the last action; otherwise the last one is held.
    """

    def __init__(self, sequence: ArrayLike, repeat: bool = False) -> None:
        """Check and hold the sequence.

        Raises:
            ConfigError: it is not ``(steps, actions)`` with a step at least, or leaves [-1, 1].
        """
        self.sequence = _checked(sequence)
        if self.sequence.ndim != 2 or not self.sequence.size:
            raise ConfigError(
                f"An open-loop sequence is of shape (steps, actions), not {self.sequence.shape}."
            )
        self.repeat = repeat
        self._steps = np.zeros(0, dtype=np.int64)

    def reset(self, which: NDArray[np.bool_]) -> None:
        """Begin again in the environments of ``which``, ``(B,)``."""
        if len(self._steps) != len(which):
            self._steps = np.zeros(len(which), dtype=np.int64)
        self._steps[which] = 0

    def act(self, observations: Observations) -> Actions:
        """Return each environment's next action ``(B, actions)``."""
        if len(self._steps) != len(observations):
            self._steps = np.zeros(len(observations), dtype=np.int64)
        length = len(self.sequence)
        places = self._steps % length if self.repeat else np.minimum(self._steps, length - 1)
        self._steps += 1
        actions: Actions = self.sequence[places]
        return actions


def _checked(values: ArrayLike) -> NDArray[np.float32]:
    checked = np.asarray(values, dtype=np.float32)
    if not (np.abs(checked) <= 1.0).all():
        raise ConfigError("Actions lie in [-1, 1]; a scripted one does not.")
    return checked
