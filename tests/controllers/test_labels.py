"""A controller fits a task by the names of its columns, or one sentence names what is amiss."""

import numpy as np
import pytest
import torch
from toy import ToyEnvironment

from osimexp.controllers.controller import Actions, Observations
from osimexp.controllers.labels import Fill, Labels, fit
from osimexp.controllers.networks import MLP
from osimexp.controllers.normaliser import Normaliser
from osimexp.controllers.policy import Policy
from osimexp.controllers.saved import Fitted, Saved
from osimexp.controllers.scripted import Constant
from osimexp.errors import ConfigError

OWN = Labels(("a/x", "a/y", "b/0", "c/z"), ("left", "right"))
TURNED = Labels(("c/z", "a/y", "b/0", "a/x"), ("right", "left"))
RANDOM = np.random.default_rng(0)
OBSERVATIONS = RANDOM.normal(size=(6, 4)).astype(np.float32)


def policy(squash: str = "clip", outputs: int = 2, sizes: tuple[int, ...] = (8,)) -> Policy:
    generator = torch.Generator().manual_seed(0)
    normaliser = Normaliser(4)
    normaliser.update(torch.randn(100, 4, generator=generator) * torch.tensor([1, 2, 3, 4.0]) + 1.0)
    return Policy(MLP([4, *sizes, outputs], "tanh", generator), normaliser, 2, squash)


def turned(names: tuple[str, ...], into: tuple[str, ...]) -> list[int]:
    return [names.index(name) for name in into]


def test_another_order_of_columns_gives_the_same_actions() -> None:
    made = policy()
    fitted = Saved(made, OWN).fitted(TURNED, {}, "It")
    expected = made.act(OBSERVATIONS)
    shown = OBSERVATIONS[:, turned(OWN.observations, TURNED.observations)]
    np.testing.assert_array_equal(fitted.act(shown), expected[:, [1, 0]])
    # Seen in the order of the task as if it were its own, it acts otherwise.
    assert not np.allclose(made.act(shown), expected)


def test_the_same_columns_need_no_map() -> None:
    made = policy()
    assert Saved(made, OWN).fitted(OWN, {}, "It") is made


@pytest.mark.parametrize("squash", ["clip", "tanh"])
@pytest.mark.parametrize("outputs", [2, 4])
@pytest.mark.parametrize("sizes", [(), (8,), (8, 5)])
def test_a_rearranged_policy_does_as_the_policy_behind_a_map_does(
    squash: str, outputs: int, sizes: tuple[int, ...]
) -> None:
    made = policy(squash, outputs, sizes)
    task = Labels(("c/z", "d/new", "a/x", "b/0"), ("held", "left"))
    fill = {"a/y": 2.5, "d/*": None, "right": None, "held": -0.25}
    found = fit(OWN, task, fill, "It")
    shown = RANDOM.normal(size=(20, 4)).astype(np.float32)
    mapped, rearranged = Fitted(made, found).act(shown), made.rearranged(found)
    np.testing.assert_allclose(rearranged.act(shown), mapped, atol=2e-6)
    np.testing.assert_allclose(mapped[:, 0], -0.25)
    assert rearranged.network.sizes == [4, *sizes, outputs]
    # What it cannot know yet changes nothing, but can be learned.
    assert rearranged.normaliser.count == made.normaliser.count
    np.testing.assert_array_equal(
        rearranged.act(shown), rearranged.act(shown * [1.0, 7.0, 1.0, 1.0])
    )
    assert rearranged.normaliser.variance[1] == 1.0


def test_what_is_seen_in_the_place_of_a_missing_column_is_what_was_asked_for() -> None:
    made = policy()
    task = Labels(("a/x", "b/0", "c/z"), OWN.actions)
    fitted = Saved(made, OWN).fitted(task, {"a/*": 0.75}, "It")
    whole = OBSERVATIONS.copy()
    whole[:, 1] = 0.75
    np.testing.assert_array_equal(fitted.act(OBSERVATIONS[:, [0, 2, 3]]), made.act(whole))


@pytest.mark.parametrize(
    ("task", "fill", "says"),
    [
        (Labels(("a/x", "b/0", "c/z"), OWN.actions), {},
         "it observes a/y, which the task does not show; .* as fill={a/y: 0.0}"),
        (Labels(("c/z",), OWN.actions), {}, "it observes a/x and 2 more, which"),
        (Labels(("a/x", "b/0", "c/z"), OWN.actions), {"a/y": None}, "it observes a/y, which"),
        (Labels((*OWN.observations, "d/0"), OWN.actions), {},
         "the task shows d/0, which it does not observe; .* fill={d/0: null}"),
        (Labels((*OWN.observations, "d/0"), OWN.actions), {"d/*": 1.0}, "the task shows d/0"),
        (Labels(OWN.observations, ("left",)), {}, "gives the action right, .* fill={right: null}"),
        (Labels(OWN.observations, ("left", "right", "up")), {},
         "the task takes the action up, .* fill={up: 0.0}"),
        (Labels(OWN.observations, ("left", "right", "up")), {"up": -2.0},
         "holds the action up at 2 beyond"),
        (OWN, {"e/*": 0.0}, "neither the controller nor the task has 'e/\\*'"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_said_by_its_name(task: Labels, fill: Fill, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        Saved(policy(), OWN).fitted(task, fill, "It")


def test_the_first_pattern_counts() -> None:
    task = Labels(("a/x", "b/0"), OWN.actions)
    found = fit(OWN, task, {"c/*": 3.0, "*": 1.0}, "It")
    assert found.filled.tolist() == [0.0, 1.0, 0.0, 3.0]


def test_who_looks_at_nothing_fits_any_observation() -> None:
    saved = Saved(Constant(2, [0.25, -0.5]), OWN)
    fitted = saved.fitted(Labels(("other/0",), ("right", "left")), {}, "It")
    assert fitted.act(np.zeros((3, 1), np.float32)).tolist() == [[-0.5, 0.25]] * 3


def test_without_names_the_sizes_must_agree() -> None:
    saved = Saved(policy(), None)
    assert saved.fitted(TURNED, {}, "It") is saved.controller
    with pytest.raises(ConfigError, match=r"takes 4 numbers and gives 2 actions, .* shows 1"):
        saved.fitted(Labels(("a/x",), OWN.actions), {}, "It")
    with pytest.raises(ConfigError, match=r"version 0\.1\.0"):
        saved.fitted(TURNED, {"a/x": 1.0}, "It")


def test_a_map_hands_on_which_episodes_ended() -> None:
    class Hearing(Constant):
        def reset(self, which: np.ndarray) -> None:
            self.heard = which

        def act(self, observations: Observations) -> Actions:
            return super().act(observations)

    inner = Hearing(2, 0.0)
    Saved(inner, OWN).fitted(TURNED, {}, "It").reset(np.array([True, False]))
    assert inner.heard.tolist() == [True, False]


@pytest.mark.parametrize(
    ("names", "says"),
    [((), "0 observation_names for 2 columns"), (("place", "place"), "have place twice")],
)
def test_an_environment_names_each_column_once(names: tuple[str, ...], says: str) -> None:
    toy = ToyEnvironment(1)
    assert Labels.of(toy) == Labels(("place", "age"), ("push",))
    toy.observation_names = names
    with pytest.raises(ConfigError, match=says):
        Labels.of(toy)
