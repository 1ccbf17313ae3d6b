"""Normalisation of observations by their running mean and variance."""

from typing import Any

import torch
from torch import Tensor

_SMALLEST_VARIANCE = 1e-8


class Normaliser:
    """A normaliser that brings each dimension to mean 0 and variance 1 over all values seen.

    Batches are merged in float64 by the pairwise formula of Chan, Golub and LeVeque (1983), The
    American Statistician 37(3):242-247, so the order and size of batches do not matter. Before the
    first update values are not changed; this is also the way to switch normalisation off.

    Attributes:
        size: number of dimensions.
        clip: bound of normalised values.
        count: number of values seen.
        mean: ``(size,)`` float64.
        squares: ``(size,)`` float64, sum of squared deviations from the mean.
    """

    def __init__(self, size: int, clip: float = 10.0, device: str | torch.device = "cpu") -> None:
        self.size = size
        self.clip = clip
        self.count = 0
        self.mean = torch.zeros(size, dtype=torch.float64, device=device)
        self.squares = torch.zeros(size, dtype=torch.float64, device=device)
        self._refresh()

    @property
    def variance(self) -> Tensor:
        """Variance of all values seen, ``(size,)``; 1 before the first value."""
        return self.squares / self.count if self.count else torch.ones_like(self.squares)

    def update(self, batch: Tensor) -> None:
        """Update the statistics with a batch ``(B, size)``."""
        batch = batch.double()
        added = len(batch)
        if not added:
            return
        batch_mean = batch.mean(0)
        difference = batch_mean - self.mean
        total = self.count + added
        self.mean = self.mean + difference * (added / total)
        self.squares = (
            self.squares
            + (batch - batch_mean).square().sum(0)
            + difference.square() * (self.count * added / total)
        )
        self.count = total
        self._refresh()

    def normalise(self, values: Tensor) -> Tensor:
        """Return normalised values ``(..., size)``."""
        if not self.count:
            return values
        return ((values - self._offset) * self._scale).clamp(-self.clip, self.clip)

    def state_dict(self) -> dict[str, Any]:
        """Return the statistics as tensors and numbers."""
        return {
            "clip": self.clip,
            "count": self.count,
            "mean": self.mean,
            "squares": self.squares,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore saved statistics.

        Raises:
            ValueError: they have another number of dimensions, or are of no values.
        """
        if len(state["mean"]) != self.size:
            raise ValueError(f"the state has {len(state['mean'])} dimensions, not {self.size}")
        if state["count"] < 0 or not state["clip"] > 0 or bool((state["squares"] < 0).any()):
            raise ValueError("its count, its bound or its squares are negative")
        self.clip = float(state["clip"])
        self.count = int(state["count"])
        self.mean = state["mean"].to(self.mean)
        self.squares = state["squares"].to(self.squares)
        self._refresh()

    def _refresh(self) -> None:
        self._offset = self.mean.float()
        self._scale = (self.variance + _SMALLEST_VARIANCE).rsqrt().float()
