import numpy as np
import pytest
import torch

from osimexp.algorithms.algorithm import Transition
from osimexp.algorithms.replay import Replay


def numbered(first: int, count: int) -> Transition:
    """Transitions that carry their own number in every field."""
    numbers = np.arange(first, first + count)
    column = numbers[:, None].astype(np.float32)
    return Transition(
        np.repeat(column, 3, axis=1),
        column + 0.25,
        numbers.astype(np.float64),
        np.repeat(column, 3, axis=1) + 0.5,
        numbers % 2 == 0,
        numbers % 2 == 1,
    )


def held(replay: Replay) -> set[int]:
    batch = replay.sample(4000, torch.Generator().manual_seed(0))
    return {int(reward) for reward in batch.rewards}


def test_a_row_keeps_its_fields_together() -> None:
    replay = Replay(100, 3, 1, "cpu")
    replay.add(numbered(0, 10))
    batch = replay.sample(64, torch.Generator().manual_seed(1))
    assert batch.observations.shape == batch.next_observations.shape == (64, 3)
    assert batch.actions.shape == (64, 1)
    assert torch.equal(batch.observations[:, 2], batch.rewards)
    assert torch.equal(batch.actions[:, 0], batch.rewards + 0.25)
    assert torch.equal(batch.next_observations[:, 1], batch.rewards + 0.5)
    # Only a termination ends the value; odd rows were truncated and go on.
    assert torch.equal(batch.continues, batch.rewards % 2)


def test_the_oldest_rows_are_replaced_around_the_end() -> None:
    replay = Replay(10, 3, 1, "cpu")
    for first in range(0, 24, 4):
        replay.add(numbered(first, 4))
    assert len(replay) == 10
    assert held(replay) == set(range(14, 24))


def test_memory_grows_without_losing_rows() -> None:
    replay = Replay(10_000, 3, 1, "cpu")
    for first in range(0, 9000, 1500):
        replay.add(numbered(first, 1500))
    assert len(replay) == 9000
    generator = torch.Generator().manual_seed(0)
    rewards = replay.sample(200_000, generator).rewards
    assert len(rewards.unique()) == 9000
    assert rewards.mean().item() == pytest.approx(4499.5, rel=0.01)


def test_a_batch_larger_than_the_capacity_is_refused() -> None:
    with pytest.raises(ValueError, match="12 transitions do not fit a replay of 10"):
        Replay(10, 3, 1, "cpu").add(numbered(0, 12))


def test_a_saved_replay_goes_on_alike() -> None:
    replay, other = Replay(10, 3, 1, "cpu"), Replay(10, 3, 1, "cpu")
    replay.add(numbered(0, 7))
    state = replay.state_dict()
    assert len(state["rows"]) == 7
    other.load_state_dict(state)
    for each in (replay, other):
        each.add(numbered(7, 7))
    assert held(replay) == held(other) == set(range(4, 14))
    with pytest.raises(ValueError, match="does not fit"):
        Replay(5, 3, 1, "cpu").load_state_dict(state)


def test_transitions_over_several_steps_end_where_their_episodes_do() -> None:
    """Two environments for six steps: one is truncated after its third, one terminates there."""
    replay = Replay(12, 1, 1, "cpu")
    for step in range(6):
        last = np.array([step == 2, step == 2])
        seen = np.array([[step], [100 + step]], dtype=np.float32)
        terminated, truncated = last & [False, True], last & [True, False]
        replay.add(Transition(seen, seen, seen[:, 0] + 1.0, seen + 0.5, terminated, truncated))
    batch = replay.sample(500, torch.Generator().manual_seed(0), horizon=3, discount=0.5)
    seen = {int(first): row for row, first in enumerate(batch.observations[:, 0])}
    assert len(seen) == 12

    def found(first: int) -> tuple[float, float, float, float]:
        row = seen[first]
        reached = batch.next_observations[row, 0]
        return tuple(
            map(float, (batch.rewards[row], reached, batch.continues[row], batch.steps[row]))
        )

    assert found(0) == (1.0 + 0.5 * 2.0 + 0.25 * 3.0, 2.5, 1.0, 3.0)
    assert found(1) == (2.0 + 0.5 * 3.0, 2.5, 1.0, 2.0)
    assert found(101) == (102.0 + 0.5 * 103.0, 102.5, 0.0, 2.0)
    assert found(3) == (4.0 + 0.5 * 5.0 + 0.25 * 6.0, 5.5, 1.0, 3.0)
    assert found(4) == (5.0 + 0.5 * 6.0, 5.5, 1.0, 2.0)
    assert found(105) == (106.0, 105.5, 1.0, 1.0)


def test_a_replay_of_one_step_that_was_saved_before_can_be_read() -> None:
    replay = Replay(10, 3, 1, "cpu")
    replay.add(numbered(0, 7))
    state = replay.state_dict()
    old = {"rows": state["rows"][:, :-1], "added": state["added"]}
    other = Replay(10, 3, 1, "cpu")
    other.load_state_dict(old)
    assert held(other) == set(range(7))
    batch = other.sample(100, torch.Generator().manual_seed(0), horizon=3, discount=0.5)
    assert batch.steps.eq(1.0).all()
