"""Signals of force plates that no foot gives: refused with their cause, or mended with a note."""

import logging
from pathlib import Path

import gait_walker as walker
import numpy as np
import pytest
from gait_plates import BOTH, WALK, feet, forces, written

from osimexp.errors import MovementError
from osimexp.motion.files import with_ground_reactions
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


def test_forces_with_another_axis_up_are_named(tmp_path: Path) -> None:
    plates = [plate[:, [0, 2, 1, 3, 5, 4]] for plate in forces()]
    with pytest.raises(MovementError, match=r"ground_force_vz \(column .* until y is up"):
        read_plates(written(tmp_path, BOTH, plates), walker.WEIGHT)


def test_landings_and_pulls_at_a_rail_are_ordinary(tmp_path: Path) -> None:
    plates = forces()
    plates[0][80:84, 1] = walker.WEIGHT * np.array([4.0, 12.0, 9.0, 3.0])
    rail = np.zeros((len(WALK), 6))
    rail[:, 1], rail[:, 4] = -150.0, 1.0
    file = written(tmp_path, (*BOTH, "rail_force_"), [*plates, rail])
    found = read_plates(file, walker.WEIGHT)
    np.testing.assert_allclose(found.forces[:, 0], plates[0][:, :3])


def dense() -> list[np.ndarray]:
    """Return the forces of the walk with noise of the measurement on unloaded plates, too."""
    generator = np.random.default_rng(0)
    plates = forces()
    for plate in plates:
        plate[:, :3] += generator.normal(0.0, 1.0, (len(plate), 3))
    return plates


@pytest.mark.parametrize("offset", [15.0, 40.0, -40.0, 100.0])
def test_an_offset_of_a_plate_is_taken_off_with_a_note(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, offset: float
) -> None:
    plates = dense()
    plates[0][:, 1] += offset
    file = written(tmp_path, BOTH, plates)
    with caplog.at_level(logging.WARNING, "osimexp"):
        found = with_ground_reactions(WALK, file, feet())
    np.testing.assert_allclose(found.ground_reaction, WALK.ground_reaction, atol=5.0)
    (note,) = caplog.messages
    assert f"ground_force_vy is {offset:.0f} N while nothing stands on the plate" in note


def test_a_drift_of_a_plate_is_followed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    plates = dense()
    plates[1][:, 1] += np.linspace(0.0, 40.0, len(WALK))
    with caplog.at_level(logging.WARNING, "osimexp"):
        found = with_ground_reactions(WALK, written(tmp_path, BOTH, plates), feet())
    np.testing.assert_allclose(found.ground_reaction, WALK.ground_reaction, atol=8.0)
    assert "1_ground_force_vy is " in caplog.text
    assert " to 3" in caplog.text


def test_plates_without_an_offset_are_as_they_are(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for plates in (dense(), forces()):
        with caplog.at_level(logging.WARNING, "osimexp"):
            found = read_plates(written(tmp_path, BOTH, plates), walker.WEIGHT)
        np.testing.assert_allclose(found.forces[:, 0], plates[0][:, :3], atol=1e-12)
        assert not caplog.messages


def test_a_light_foot_is_no_offset(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    plates = dense()
    stands = plates[0][:, 1] > 30.0
    # A crutch's plate bears 10% of the weight, flat, whenever the right foot stands.
    crutch = plates[1] * 0.0
    crutch[:, 1] = np.where(stands, 0.1 * walker.WEIGHT, 0.0)
    crutch[:, 1] += np.random.default_rng(1).normal(0.0, 1.0, len(WALK))
    with caplog.at_level(logging.WARNING, "osimexp"):
        found = read_plates(written(tmp_path, (*BOTH, "c_force_"), [*plates, crutch]))
    np.testing.assert_allclose(found.loads[:, 2], crutch[:, 1])
    assert not caplog.messages
