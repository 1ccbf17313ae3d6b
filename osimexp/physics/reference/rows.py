"""Rows of a batch that are simulated in this process, each by its own OpenSim engine."""

from collections.abc import Sequence

from osimexp.arrays import Floats
from osimexp.physics.arrays import Block
from osimexp.physics.reference.engine import Engine


class Rows:
    """The rows ``numbers`` of a batch, which are stepped in the batch's arrays.

    Args:
        engines: engine of each row.
        numbers: numbers of the rows in the batch.
        block: arrays of the batch.
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
        """Begin episodes in some rows, from the start arrays."""
        for b in numbers:
            engine = self._engines[b]
            start = self._start
            engine.reset(start.coordinates[b], start.speeds[b], start.activations[b])
            self._state.failed[b] = self._state.lost[b] = False
            engine.read(self._state, b)

    def step(self, numbers: Sequence[int] | None = None) -> None:
        """Step all or some rows with the batch's controls; rows that fail keep their state."""
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
        """Begin the episode of row ``b`` again, and step through controls ``(steps, controls)``."""
        self.reset([b])
        for row in controls:
            self._state.controls[b] = row
            self.step([b])
