"""Signals of force plates that no foot gives: refused with their cause, or mended with a note."""

from pathlib import Path

import gait_walker as walker
import numpy as np
import pytest
from gait_plates import BOTH, WALK, forces, written

from osimexp.errors import MovementError
from osimexp.motion.plates import read_plates


@pytest.mark.parametrize("weight", [0.0, walker.WEIGHT])
def test_a_plate_upside_down_is_named_with_what_would_be_right(
    tmp_path: Path, weight: float
) -> None:
    plates = forces()
    plates[1][:, :3] *= -1.0
    file = written(tmp_path, BOTH, plates)
    with pytest.raises(
        MovementError,
        match=r"line \d+: 1_ground_force_vy \(column 9\) is -686.\d+ N at .* change the sign",
    ):
        read_plates(file, weight)


@pytest.mark.parametrize("weight", [0.0, walker.WEIGHT])
@pytest.mark.parametrize("spike", [1e5, -1e5, 8000.0])
@pytest.mark.parametrize("column", [0, 1])
def test_a_spike_is_named(tmp_path: Path, spike: float, weight: float, column: int) -> None:
    plates = forces()
    plates[0][80, column] = spike
    label = f"ground_force_v{'xy'[column]}"
    with pytest.raises(
        MovementError,
        match=rf"line 88: {label} \(column {column + 2}\) is {spike:g} N at 0.8 s.* a spike",
    ):
        read_plates(written(tmp_path, BOTH, plates), weight)


def test_forces_in_another_unit_than_newtons_are_no_spike(tmp_path: Path) -> None:
    plates = forces()
    for plate in plates:
        plate[:, :3] *= 1000.0
    with pytest.raises(MovementError, match="in another unit than N"):
        read_plates(written(tmp_path, BOTH, plates), walker.WEIGHT)


def test_landings_and_pulls_at_a_rail_are_ordinary(tmp_path: Path) -> None:
    plates = forces()
    plates[0][80:84, 1] = walker.WEIGHT * np.array([4.0, 12.0, 9.0, 3.0])
    rail = np.zeros((len(WALK), 6))
    rail[:, 1], rail[:, 4] = -150.0, 1.0
    file = written(tmp_path, (*BOTH, "rail_force_"), [*plates, rail])
    found = read_plates(file, walker.WEIGHT)
    np.testing.assert_allclose(found.forces[:, 0], plates[0][:, :3])
