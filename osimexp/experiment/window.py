"""Means of the metrics since the last row."""

from typing import Any

import numpy as np


class Window:
    """Sums and counts by name, from which a row of means is made."""

    def __init__(self) -> None:
        self._sums: dict[str, float] = {}
        self._counts: dict[str, int] = {}

    def add(self, name: str, total: float, count: int = 1) -> None:
        """Add ``count`` values whose sum is ``total``."""
        self._sums[name] = self._sums.get(name, 0.0) + float(total)
        self._counts[name] = self._counts.get(name, 0) + count

    def add_episodes(self, infos: dict[str, Any]) -> int:
        """Add the metrics of the episodes that ended in a step, and return their number.

        A metric with a group in its name, such as ``reward/velocity``, keeps the name; others
        become ``episode/return`` and so on.
        """
        if "episode" not in infos:
            return 0
        ended = np.asarray(infos["_episode"], dtype=bool)
        for name, values in infos["episode"].items():
            if not name.startswith("_"):
                rows = np.asarray(values, dtype=np.float64)[ended]
                self.add(name if "/" in name else f"episode/{name}", rows.sum(), len(rows))
        return int(ended.sum())

    def means(self) -> dict[str, float]:
        """Return the mean of each name's values."""
        return {name: total / self._counts[name] for name, total in self._sums.items()}

    def clear(self) -> None:
        """Remove all values."""
        self._sums.clear()
        self._counts.clear()

    def state_dict(self) -> dict[str, Any]:
        """Return the sums and counts as plain data."""
        return {"sums": dict(self._sums), "counts": dict(self._counts)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore saved sums and counts.

        Raises:
            ValueError: they are no numbers, or not of the same names.
        """
        sums, counts = dict(state["sums"]), dict(state["counts"])
        sound = sums.keys() == counts.keys()
        sound = sound and all(isinstance(total, int | float) for total in sums.values())
        if not sound or not all(isinstance(n, int) and 0 < n < 2**63 for n in counts.values()):
            raise ValueError("the sums of its metrics are no sums")
        self._sums, self._counts = sums, counts
