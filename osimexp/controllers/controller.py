"""The interface of a controller: from observations to actions, for a batch."""

from typing import Any, ClassVar, Protocol, Self

import numpy as np
from numpy.typing import NDArray

Actions = NDArray[np.float32]
Observations = NDArray[np.float32]


class Agent(Protocol):
    """The part of a controller that an evaluation needs: actions for a batch of environments."""

    def reset(self, which: NDArray[np.bool_]) -> None:
        """Reset the memory of the environments whose episodes ended, given as a mask ``(B,)``."""
        ...

    def act(self, observations: Observations) -> Actions:
        """Return actions ``(B, actions)`` in [-1, 1] for observations ``(B, observations)``."""
        ...


class Controller(Agent, Protocol):
    """A controller that can save itself as plain data; trained, scripted and random ones are alike.

    ``osimexp.controllers.saved.restored`` restores it from that data.

    Attributes:
        kind: name of the class in the table of ``osimexp.controllers.saved``.
    """

    kind: ClassVar[str]

    @property
    def observation_size(self) -> int | None:
        """Number of columns of the observations; None if the controller uses no observations."""
        ...

    @property
    def action_size(self) -> int:
        """Number of columns of the actions."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """Return all data of the controller: arrays, tensors, numbers, strings, lists and dicts.

        The memory of running episodes is not part of it.
        """
        ...

    @classmethod
    def from_state_dict(cls, state: dict[str, Any], device: str = "cpu") -> Self:
        """Return the controller that ``state`` was saved from."""
        ...
