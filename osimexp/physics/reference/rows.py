"""Some rows of a batch, each simulated by an OpenSim engine of its own in this process."""

from collections.abc import Sequence

from osimexp.arrays import Floats
from osimexp.physics.arrays import Block
from osimexp.physics.reference.engine import Engine


class Rows:
    """Steps the rows ``numbers`` of a batch, writing into the batch's arrays.

    Args:
        engines: one for each row.
        numbers: which rows of the batch they are.
        block: the batch's arrays.
    """

    def __init__(
        self,
        engines: Sequence[Engine],
        numbers: Sequence[int],
        block: Block,
    ) -> None:
        self._engines = dict(zip(numbers, engines, strict=True))
        self._state = block.state
        self._start = block.start

    def reset(self, numbers: Sequence[int]) -> None:
        """Begin episodes in some rows from the start arrays."""
        for b in numbers:
            engine = self._engines[b]
            start = self._start
            engine.reset(start.coordinates[b], start.speeds[b], start.activations[b])
            self._state.failed[b] = self._state.lost[b] = False
            engine.read(self._state, b)

    def step(self, numbers: Sequence[int] | None = None) -> None:
        """Step all rows, or some, with the batch's controls; failed ones keep their state."""
        state = self._state
        for b in self._engines if numbers is None else numbers:
            engine = self._engines[b]
            if state.failed[b] or state.lost[b]:
                continue
            try:
                sound = engine.step(state.controls[b])
                if sound:
                    engine.read(state, b)
            except RuntimeError:
                sound = False
            state.failed[b] = not sound

    def replay(self, b: int, controls: Floats) -> None:
        """Begin row ``b`` again and go through controls ``(steps, controls)``."""
        self.reset([b])
        for row in controls:
            self._state.controls[b] = row
            self.step([b])
