"""Metrics of running episodes, summed step by step for the whole batch."""

from collections.abc import Mapping

import numpy as np

from osimexp.arrays import Floats, Indices, Mask
from osimexp.tasks.scene import Frame


class Episodes:
    """The sums of each running episode, from which its metrics are made.

    Args:
        size: number of environments in the batch, ``B``.
        terms: names of the reward terms.
        point: name of the point whose distance to the target is measured; None measures none.
    """

    def __init__(self, size: int, terms: tuple[str, ...], point: str | None) -> None:
        self._terms = terms
        self._point = point
        self.length = np.zeros(size, dtype=np.int64)
        names = ("return", "effort", *map(term_metric, terms))
        self._table = np.zeros((len(names), size))
        self.sums: dict[str, Floats] = dict(zip(names, self._table, strict=True))
        self.origin = np.zeros((size, 3))
        self.way = np.zeros((size, 3))

    def begin(self, rows: Indices, frame: Frame) -> None:
        """Reset the sums of the episodes that begin."""
        self.length[rows] = 0
        self._table[:, rows] = 0.0
        if frame.base is not None:
            self.origin[rows] = frame.base.position[rows]
            self.way[rows] = frame.base.heading[rows, :, 0]

    def add(self, rewards: Floats, terms: Mapping[str, Floats], frame: Frame) -> None:
        """Add a step of every episode to its sums."""
        self.length += 1
        self.sums["return"] += rewards
        self.sums["effort"] += frame.effort
        for name, values in terms.items():
            self.sums[term_metric(name)] += values

    def metrics(self, frame: Frame, fallen: Mask, failed: Mask) -> dict[str, Floats]:
        """Return the metrics ``(B,)`` of every episode so far, by name.

        ``effort`` is the mean over time and muscles of the squared activation; ``distance`` is the
        distance of the base body along the heading that it had when the episode began, m.
        """
        steps = np.maximum(self.length, 1)
        time = steps * frame.scene.control_period
        sums = dict(zip(self.sums, self._table.copy(), strict=True))
        metrics = {
            "return": sums["return"],
            "length": self.length.astype(float),
            "time": time,
            "effort": sums["effort"] / steps,
            "failed": failed.astype(float),
        }
        if frame.base is not None:
            metrics["fallen"] = fallen.astype(float)
            gone = frame.base.position - self.origin
            metrics["distance"] = (gone * self.way).sum(axis=1)
            metrics["speed"] = metrics["distance"] / time
        if self._point is not None:
            position = frame.state.point_positions[:, frame.scene.point(self._point)]
            metrics["final_target_distance"] = np.linalg.norm(frame.targets - position, axis=1)
        for name in self._terms:
            metrics[term_metric(name)] = sums[term_metric(name)]
        return metrics

    def snapshot(self) -> dict[str, object]:
        """Return the sums as plain data."""
        return {
            "length": self.length.copy(),
            "origin": self.origin.copy(),
            "way": self.way.copy(),
            "sums": {name: values.copy() for name, values in self.sums.items()},
        }

    def restore(self, snapshot: Mapping[str, object]) -> None:
        """Restore saved sums."""
        self.length[:] = snapshot["length"]  # type: ignore[call-overload]
        origin = np.asarray(snapshot["origin"])
        if origin.ndim == 1:  # Version 0.1.0 had planar models alone, and saved their x.
            self.origin[:, 0], self.way[:] = origin, (1.0, 0.0, 0.0)
        else:
            self.origin[:], self.way[:] = origin, np.asarray(snapshot["way"])
        for name, values in snapshot["sums"].items():  # type: ignore[attr-defined]
            self.sums[name][:] = values


def term_metric(term: str) -> str:
    """Return the name of the metric that is a reward term's sum over an episode."""
    return f"reward/{term}"
