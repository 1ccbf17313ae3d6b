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
        rewards: ``(N,)``, discounted sums over ``steps`` steps.
        next_observations: ``(N, observations)`` raw, after ``steps`` steps.
        continues: ``(N,)`` 0 if the episode terminated, else 1; truncated episodes have 1.
        steps: ``(N,)`` number of steps from the observations to the next observations.
    """

    observations: Tensor
    actions: Tensor
    rewards: Tensor
    next_observations: Tensor
    continues: Tensor
    steps: Tensor


class Replay:
    """A ring buffer of the latest transitions, one in each row, so that sampling is one gather.

    Each batch that is added has a row for each environment, so that the next step of a row's
    environment is a whole batch further. Its memory doubles as it fills, up to ``capacity`` rows.
    """

    def __init__(
        self, capacity: int, observation_size: int, action_size: int, device: str | torch.device
    ) -> None:
        self.capacity = capacity
        self.added = 0
        self._widths = [observation_size, action_size, observation_size, 1, 1, 1]
        self._batch = 0
        allocated = min(capacity, _FIRST_ALLOCATION)
        self._rows = torch.empty(allocated, sum(self._widths), device=device)

    def __len__(self) -> int:
        """Return the number of transitions held."""
        return min(self.added, self.capacity)

    def add(self, transition: Transition) -> None:
        """Store a batch of transitions; if the buffer is full, they replace the oldest ones.

        Raises:
            ValueError: the batch is larger than the capacity, or not as large as the ones before.
        """
        device = self._rows.device
        columns = (
            transition.observations,
            transition.actions,
            transition.next_observations,
            transition.rewards[:, None],
            ~transition.terminated[:, None],
            (transition.terminated | transition.truncated)[:, None],
        )
        rows = torch.cat([tensor(column, device) for column in columns], dim=1)
        if len(rows) > self.capacity:
            raise ValueError(f"{len(rows)} transitions do not fit a replay of {self.capacity}")
        if self._batch not in (0, len(rows)):
            raise ValueError(f"the batches of a replay are of one size, {self._batch}")
        self._batch = len(rows)
        self._reserve(self.added + len(rows))
        places = torch.arange(self.added, self.added + len(rows), device=device) % self.capacity
        self._rows[places] = rows
        self.added += len(rows)

    def sample(
        self, count: int, generator: torch.Generator, horizon: int = 1, discount: float = 1.0
    ) -> Batch:
        """Return transitions over up to ``horizon`` steps, drawn uniformly, with replacement.

        A transition ends earlier where its episode ended, or where the replay has no later step.

        Args:
            count: number of transitions, ``N``.
            generator: random generator of the draw.
            horizon: greatest number of steps of a transition.
            discount: discount of rewards within a transition, per step.
        """
        device = self._rows.device
        first = torch.randint(len(self), (count,), generator=generator, device=device)
        first += self.added - len(self)
        rows = self._rows.index_select(0, first % self.capacity)
        observations, actions, next_observations, rewards, continues, ended = torch.split(
            rows, self._widths, dim=1
        )
        steps = torch.ones(count, device=device)
        for step in range(1, horizon):
            place = first + step * self._batch
            going = (ended.squeeze(1) == 0.0) & (place < self.added)
            rows = self._rows.index_select(0, torch.where(going, place, first) % self.capacity)
            _, _, reached, reward, going_on, end = torch.split(rows, self._widths, dim=1)
            there = going[:, None]
            rewards = rewards + there * discount**step * reward
            next_observations = torch.where(there, reached, next_observations)
            continues = torch.where(there, going_on, continues)
            ended = torch.where(there, end, 1.0)
            steps += going
        return Batch(
            observations,
            actions,
            rewards.squeeze(1),
            next_observations,
            continues.squeeze(1),
            steps,
        )

    def state_dict(self) -> dict[str, Any]:
        """Return a copy of the rows that are filled."""
        rows = self._rows[: len(self)].clone()
        return {"rows": rows, "added": self.added, "batch": self._batch}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore saved transitions.

        Raises:
            ValueError: the saved sizes or capacity are not those of this replay.
        """
        rows, added = state["rows"], int(state["added"])
        if "batch" not in state:
            # Before there was a horizon, rows did not say where episodes ended; so each ends here.
            rows = torch.cat([rows, torch.ones(len(rows), 1)], dim=1)
        if rows.shape[1] != self._rows.shape[1] or len(rows) != min(added, self.capacity):
            raise ValueError(
                f"the saved replay holds {tuple(rows.shape)} values, which does not fit "
                f"{self.capacity} rows of {self._rows.shape[1]}"
            )
        self.added, self._batch = added, int(state.get("batch", 0))
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
