"""The protocol of a controller: observation in, action out, for a batch."""

from typing import Any, ClassVar, Protocol, Self

import numpy as np
from numpy.typing import NDArray

Actions = NDArray[np.float32]
Observations = NDArray[np.float32]


class Agent(Protocol):
    """Acts on a batch of environments: all that an evaluation asks of a controller."""

    def reset(self, which: NDArray[np.bool_]) -> None:
        """Forget what belongs to the episodes that ended; ``which`` is ``(B,)``."""
        ...

    def act(self, observations: Observations) -> Actions:
        """Return actions ``(B, actions)`` in [-1, 1] for observations ``(B, observations)``."""
        ...


class Controller(Agent, Protocol):
    """An agent that saves itself as plain data; trained, scripted or random, all look the same.

    ``osimexp.controllers.saved.restored`` makes it anew from that data.

    Attributes:
        kind: its name in the table of ``osimexp.controllers.saved``.
    """

    kind: ClassVar[str]

    @property
    def observation_size(self) -> int | None:
        """Columns of the observations that it takes; None where it looks at nothing."""
        ...

    @property
    def action_size(self) -> int:
        """Columns of the actions that it gives."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """Return all that makes it, as arrays, tensors, numbers, strings, lists and dicts.

        Episodes that it is within are no part of that.
        """
        ...

    @classmethod
    def from_state_dict(cls, state: dict[str, Any], device: str = "cpu") -> Self:
        """Make the controller that ``state`` was taken from."""
        ...
