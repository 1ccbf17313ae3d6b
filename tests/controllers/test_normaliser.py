import numpy as np
import pytest
import torch

from osimexp.controllers.normaliser import Normaliser


def batches() -> list[np.ndarray]:
    generator = np.random.default_rng(0)
    return [generator.normal([5.0, -300.0, 1e-3], [2.0, 1.0, 1e-4], (n, 3)) for n in (1, 7, 64, 2)]


def filled() -> Normaliser:
    normaliser = Normaliser(3, clip=2.0)
    for batch in batches():
        normaliser.update(torch.from_numpy(batch))
    return normaliser


def test_statistics_are_those_of_all_data_at_once() -> None:
    normaliser, data = filled(), np.concatenate(batches())
    assert normaliser.count == len(data)
    np.testing.assert_allclose(normaliser.mean.numpy(), data.mean(0), rtol=1e-12)
    np.testing.assert_allclose(normaliser.variance.numpy(), data.var(0), rtol=1e-9)


def test_a_large_offset_loses_no_precision() -> None:
    data = 1e6 + np.random.default_rng(1).normal(size=(1000, 1))
    normaliser = Normaliser(1)
    for row in data:
        normaliser.update(torch.from_numpy(row[None]))
    np.testing.assert_allclose(normaliser.variance.numpy(), data.var(0), rtol=1e-7)


def test_normalised_values_are_standard_and_clipped() -> None:
    normaliser, data = filled(), np.concatenate(batches())
    values = normaliser.normalise(torch.from_numpy(data).float()).numpy()
    deviation = np.sqrt(data.var(0) + 1e-8)
    expected = np.clip((data - data.mean(0)) / deviation, -2.0, 2.0)
    np.testing.assert_allclose(values, expected, atol=2e-4)
    assert np.abs(values).max() == 2.0


def test_before_the_first_update_nothing_changes() -> None:
    values = torch.tensor([[100.0, -3.0]])
    normaliser = Normaliser(2)
    normaliser.update(torch.empty(0, 2))
    assert torch.equal(normaliser.normalise(values), values)


def test_a_constant_dimension_becomes_zero() -> None:
    normaliser = Normaliser(1)
    normaliser.update(torch.full((10, 1), 4.0))
    assert normaliser.normalise(torch.tensor([[4.0]])).item() == 0.0


def test_saved_statistics_normalise_alike() -> None:
    normaliser, other = filled(), Normaliser(3)
    other.load_state_dict(normaliser.state_dict())
    values = torch.randn(5, 3, generator=torch.Generator().manual_seed(0))
    assert torch.equal(normaliser.normalise(values), other.normalise(values))
    other.update(torch.zeros(2, 3))
    assert normaliser.count == other.count - 2
    with pytest.raises(ValueError, match="3 dimensions, not 4"):
        Normaliser(4).load_state_dict(normaliser.state_dict())
