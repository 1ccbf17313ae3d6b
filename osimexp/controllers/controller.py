"""What every controller offers: observation in, action out, for a batch."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Actions = NDArray[np.float32]
Observations = NDArray[np.float32]


class Controller(Protocol):
    """Acts on a batch of environments; trained, scripted or random, all look the same."""

    def reset(self, which: NDArray[np.bool_]) -> None:
        """Forget what belongs to the episodes that ended; ``which`` is ``(B,)``."""
        ...

    def act(self, observations: Observations) -> Actions:
        """Return actions ``(B, actions)`` in [-1, 1] for observations ``(B, observations)``."""
        ...
