import numpy as np
import pytest
import torch
from algorithm_helpers import through_file

from osimexp.controllers.networks import MLP
from osimexp.controllers.normaliser import Normaliser
from osimexp.controllers.policy import Policy
from osimexp.controllers.scripted import Constant, OpenLoop, Uniform
from osimexp.errors import ConfigError

OBSERVATIONS = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)


def policy(squash: str = "tanh") -> Policy:
    generator = torch.Generator().manual_seed(0)
    normaliser = Normaliser(3)
    normaliser.update(torch.randn(100, 3, generator=generator) * 4.0 + 1.0)
    return Policy(MLP([3, 8, 4], "elu", generator), normaliser, 2, squash)


def test_policy_is_its_network_on_normalised_observations() -> None:
    made = policy()
    w, b = [[p.detach().numpy() for p in ps] for ps in (made.network.weights, made.network.biases)]
    statistics = made.normaliser
    deviation = np.sqrt(statistics.variance.numpy() + 1e-8)
    hidden = ((OBSERVATIONS - statistics.mean.numpy()) / deviation) @ w[0].T + b[0]
    hidden = np.where(hidden > 0, hidden, np.expm1(hidden))
    expected = np.tanh((hidden @ w[1].T + b[1])[:, :2])
    actions = made.act(OBSERVATIONS)
    assert actions.dtype == np.float32
    np.testing.assert_allclose(actions, expected, atol=1e-6)


def test_clipped_policy_stays_in_bounds() -> None:
    made = policy("clip")
    made.network.biases[1].data += 100.0
    assert (made.act(OBSERVATIONS) == 1.0).all()


def test_policy_is_made_from_its_state_alone() -> None:
    made = policy()
    again = Policy.from_state_dict(through_file(made.state_dict()))
    np.testing.assert_array_equal(made.act(OBSERVATIONS), again.act(OBSERVATIONS))


def test_policy_refuses_weights_of_another_shape() -> None:
    generator = torch.Generator().manual_seed(0)
    wider = Policy(MLP([3, 16, 4], "elu", generator), Normaliser(3), 2, "tanh")
    with pytest.raises(ValueError, match="sizes"):
        wider.load_state_dict(policy().state_dict())


def test_networks_leave_the_global_generator_alone() -> None:
    before = torch.get_rng_state()
    made = MLP([3, 8, 4], "tanh", torch.Generator().manual_seed(0))
    made.initialise_orthogonal(1.0, 0.01, torch.Generator().manual_seed(0))
    assert torch.equal(before, torch.get_rng_state())
    weight = made.weights[0].detach()
    torch.testing.assert_close(weight.T @ weight, torch.eye(3))


def test_constant_repeats_its_action() -> None:
    np.testing.assert_array_equal(Constant(4, -1.0).act(OBSERVATIONS), np.full((5, 4), -1.0))
    np.testing.assert_array_equal(Constant(2, [0.5, 0.25]).act(OBSERVATIONS)[3], [0.5, 0.25])
    with pytest.raises(ConfigError, match=r"\[-1, 1\]"):
        Constant(2, 1.5)
    with pytest.raises(ConfigError, match="4 actions, not 3"):
        Constant(4, [0.0, 0.0, 0.0])


def test_uniform_fills_the_range_by_its_generator() -> None:
    observations = np.zeros((1000, 3), dtype=np.float32)
    actions = Uniform(6, np.random.default_rng(3)).act(observations)
    assert actions.dtype == np.float32
    assert actions.mean() == pytest.approx(0.0, abs=0.03)
    assert actions.var() == pytest.approx(1.0 / 3.0, rel=0.03)
    again = Uniform(6, np.random.default_rng(3)).act(observations)
    np.testing.assert_array_equal(actions, again)


@pytest.mark.parametrize(
    ("repeat", "expected"), [(False, [0.1, 0.2, 0.3, 0.3]), (True, [0.1, 0.2, 0.3, 0.1])]
)
def test_open_loop_plays_its_sequence(repeat: bool, expected: list[float]) -> None:
    controller = OpenLoop([[0.1], [0.2], [0.3]], repeat)
    observations = np.zeros((2, 3), dtype=np.float32)
    played = [controller.act(observations)[1, 0] for _ in range(4)]
    np.testing.assert_allclose(played, expected, rtol=1e-6)
    controller.reset(np.array([False, True]))
    np.testing.assert_allclose(controller.act(observations)[1], [0.1])
    with pytest.raises(ConfigError, match="shape"):
        OpenLoop([0.1, 0.2])
