import gymnasium
import numpy as np
import pytest
from gymnasium.spaces import Box
from options import made

from osimexp.errors import ConfigError, SimulationError
from osimexp.tasks.adapters.gym import GymTask

ACTIONS = np.random.default_rng(0).uniform(-1.0, 1.0, (450, 2, 1)).astype(np.float32)


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_a_batch_is_a_list_of_single_environments(mode: str) -> None:
    batch = made("task/gym.task", id="Pendulum-v1", mode=mode).create(2)
    singles = [gymnasium.make("Pendulum-v1") for _ in range(2)]
    try:
        observations, _ = batch.reset(seed=3)
        expected = np.stack([single.reset(seed=3 + i)[0] for i, single in enumerate(singles)])
        sums = np.zeros(2)
        for actions in ACTIONS:
            np.testing.assert_array_equal(observations, expected)
            observations, rewards, terminated, truncated, infos = batch.step(actions)
            # The pendulum's torque goes from -2 to 2.
            steps = [s.step(2.0 * a) for s, a in zip(singles, actions, strict=True)]
            expected = np.stack([step[0] for step in steps])
            sums += rewards
            np.testing.assert_allclose(rewards, [step[1] for step in steps], rtol=1e-6)
            assert not terminated.any()
            assert truncated.tolist() == [step[3] for step in steps]
            assert ("episode" in infos) == truncated.any()
            if truncated.any():
                np.testing.assert_array_equal(infos["final_obs"], expected)
                np.testing.assert_allclose(infos["episode"]["return"], sums)
                assert infos["episode"]["length"].tolist() == [200, 200]
                sums[:] = 0.0
                expected = np.stack([single.reset()[0] for single in singles])
    finally:
        batch.close()
        batch.close()


def test_spaces_are_flat_and_actions_within_one() -> None:
    batch = made("task/gym.task", id="MountainCarContinuous-v0").create(3)
    assert batch.single_action_space == Box(-1.0, 1.0, (1,), np.float32)
    assert batch.single_observation_space.shape == (2,)
    assert batch.reset(seed=0)[0].dtype == np.float32
    assert batch.snapshot() is None
    assert batch.counts() == {}
    batch.close()


def test_arguments_reach_the_environment() -> None:
    batch = made("task/gym.task", id="Pendulum-v1", arguments={"g": 0.0}).create(1)
    batch.reset(seed=0)
    # Without gravity an undriven pendulum keeps its speed.
    first = batch.step(np.zeros((1, 1), dtype=np.float32))[0][0, 2]
    second = batch.step(np.zeros((1, 1), dtype=np.float32))[0][0, 2]
    assert first == second != 0.0
    batch.close()


@pytest.mark.parametrize(
    ("task", "word"),
    [
        (made("task/gym.task", id="Pendulum-v7"), "Pendulum-v7"),
        (made("task/gym.task", id="Pendulm-v1"), "did you mean Pendulum-v1"),
        (made("task/gym.task", id="nowhere/Foo-v0"), "nowhere/Foo-v0"),
        (made("task/gym.task", id="CartPole-v1"), "action space of CartPole-v1 is Discrete"),
        (made("task/gym.task", id="FrozenLake-v1"), "only Box spaces"),
        (made("task/gym.task", id="Pendulum-v1", arguments={"nonsense": 1}), "nonsense"),
    ],
)
def test_what_cannot_be_used_is_named(task: GymTask, word: str) -> None:
    with pytest.raises(ConfigError, match=word) as caught:
        task.create(1)
    assert "\n" not in str(caught.value)


class Spoilt(gymnasium.Env):
    """An environment that forgets its numbers after three steps."""

    observation_space = Box(-1.0, 1.0, (2,), np.float64)
    action_space = Box(-1.0, 1.0, (1,), np.float32)

    def __init__(self, reward: str, place: str) -> None:
        self.late = float(reward), float(place)
        self.steps = 0

    def reset(self, *, seed=None, options=None):
        self.steps = 0
        return np.zeros(2), {}

    def step(self, action):
        self.steps += 1
        reward, place = self.late if self.steps == 3 else (1.0, 0.0)
        return np.array([0.0, place]), reward, False, False, {}


@pytest.mark.parametrize(
    ("reward", "place", "kind"),
    [("nan", "0", "reward"), ("inf", "0", "reward"), ("1", "nan", "observation")],
)
def test_numbers_that_are_not_finite_end_it_by_name(reward: str, place: str, kind: str) -> None:
    gymnasium.register("Spoilt-v0", entry_point=Spoilt, order_enforce=False)
    try:
        arguments = {"reward": reward, "place": place}
        batch = made("task/gym.task", id="Spoilt-v0", arguments=arguments).create(2)
    finally:
        del gymnasium.registry["Spoilt-v0"]
    batch.reset(seed=0)
    still = np.zeros((2, 1), np.float32)
    batch.step(still), batch.step(still)
    said = f"The {kind} of Spoilt-v0 gave (nan|inf) in environment 0, 3 steps into its episode"
    with pytest.raises(SimulationError, match=said):
        batch.step(still)
    with pytest.raises(SimulationError, match="The controller gave nan in environment 1"):
        batch.step(np.array([[0.0], [np.nan]], np.float32))
