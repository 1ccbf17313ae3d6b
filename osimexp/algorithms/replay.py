"""The replay of past transitions for off-policy algorithms."""

from typing import Any, NamedTuple

import torch
from torch import Tensor

from osimexp.algorithms.algorithm import Transition
from osimexp.controllers.policy import tensor

_FIRST_ALLOCATION = 4096


class Batch(NamedTuple):
    """Transitions sampled from the replay, float32.

    Attributes:
        observations: ``(N, observations)`` raw, not normalised.
        actions: ``(N, actions)``.
        rewards: ``(N,)``.
        next_observations: ``(N, observations)`` raw.
        continues: ``(N,)`` 0 if the episode terminated, else 1; truncated episodes have 1.
    """

    observations: Tensor
    actions: Tensor
    rewards: Tensor
    next_observations: Tensor
    continues: Tensor


class Replay:
    """A ring buffer of the latest transitions, one in each row, so that sampling is one gather.

    Its memory doubles as it fills, up to ``capacity`` rows.
    """

    def __init__(
        self, capacity: int, observation_size: int, action_size: int, device: str | torch.device
    ) -> None:
        self.capacity = capacity
        self.added = 0
        self._widths = [observation_size, action_size, observation_size, 1, 1]
        allocated = min(capacity, _FIRST_ALLOCATION)
        self._rows = torch.empty(allocated, sum(self._widths), device=device)

    def __len__(self) -> int:
        """Return the number of transitions held."""
        return min(self.added, self.capacity)

    def add(self, transition: Transition) -> None:
        """Store a batch of transitions; if the buffer is full, they replace the oldest ones.

        Raises:
            ValueError: the batch is larger than the capacity.
        """
        device = self._rows.device
        columns = (
            transition.observations,
            transition.actions,
            transition.next_observations,
            transition.rewards[:, None],
            ~transition.terminated[:, None],
        )
        rows = torch.cat([tensor(column, device) for column in columns], dim=1)
        if len(rows) > self.capacity:
            raise ValueError(f"{len(rows)} transitions do not fit a replay of {self.capacity}")
        self._reserve(self.added + len(rows))
        places = torch.arange(self.added, self.added + len(rows), device=device) % self.capacity
        self._rows[places] = rows
        self.added += len(rows)

    def sample(self, count: int, generator: torch.Generator) -> Batch:
        """Return transitions drawn uniformly, with replacement."""
        places = torch.randint(len(self), (count,), generator=generator, device=self._rows.device)
        rows = self._rows.index_select(0, places)
        observations, actions, next_observations, rewards, continues = torch.split(
            rows, self._widths, dim=1
        )
        return Batch(
            observations, actions, rewards.squeeze(1), next_observations, continues.squeeze(1)
        )

    def state_dict(self) -> dict[str, Any]:
        """Return a copy of the rows that are filled."""
        return {"rows": self._rows[: len(self)].clone(), "added": self.added}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore saved transitions.

        Raises:
            ValueError: the saved sizes or capacity are not those of this replay.
        """
        rows, added = state["rows"], int(state["added"])
        if rows.shape[1] != self._rows.shape[1] or len(rows) != min(added, self.capacity):
            raise ValueError(
                f"the saved replay holds {tuple(rows.shape)} values, which does not fit "
                f"{self.capacity} rows of {self._rows.shape[1]}"
            )
        self.added = added
        self._reserve(len(rows))
        self._rows[: len(rows)] = rows.to(self._rows.device)

    def _reserve(self, needed: int) -> None:
        needed = min(needed, self.capacity)
        allocated = len(self._rows)
        if needed <= allocated:
            return
        while allocated < needed:
            allocated = min(2 * allocated, self.capacity)
        larger = torch.empty(allocated, self._rows.shape[1], device=self._rows.device)
        larger[: len(self._rows)] = self._rows
        self._rows = larger
