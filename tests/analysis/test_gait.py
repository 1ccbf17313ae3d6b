"""A gait's figures against those worked by hand on a made-up walk."""

import csv
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import gait_walker as walker
import numpy as np
import pytest
from matplotlib.image import imread
from PIL import Image

from osimexp.analysis.gait import measure as measuring
from osimexp.analysis.gait.cost import muscle_masses, muscle_power
from osimexp.analysis.gait.cycles import PERCENT, mean_between
from osimexp.analysis.gait.measure import Gait, measure
from osimexp.analysis.gait.norms import Normal, norms
from osimexp.analysis.gait.parameters import BOTH
from osimexp.analysis.gait.report import report
from osimexp.analysis.gait.settings import SIDES, ContactSettings, CostSettings, default_settings
from osimexp.analysis.gait.spatiotemporal import symmetry_index
from osimexp.analysis.gait.strides import find_contacts, strides_of
from osimexp.analysis.shown import Shown
from osimexp.errors import ModelError, MovementError
from osimexp.models.sides import side_of
from osimexp.physics.posing.muscle_states import MuscleStates

CONTACT = ContactSettings(0.05, 0.03, 0.1, 0.1, 3.0)


@pytest.fixture(scope="module")
def gait() -> Gait:
    return measure(walker.shown(), default_settings())


def value(gait: Gait, key: str, column: str = BOTH) -> float:
    found = gait.parameter(key)
    assert found is not None, key
    mean = found.mean(column)
    assert mean is not None
    return mean


def test_strides_begin_and_end_where_the_load_passes_its_thresholds(gait: Gait) -> None:
    # Strikes at 0.5, 1.7, 2.9, 4.1, 5.3 s and 1.1, 2.3, 3.5, 4.7, 5.9 s: four strides a side. The
    # left foot stands from the first moment on until 0.62 s, which is no stride.
    for side in SIDES:
        strikes = walker.FIRST[side] + walker.STRIDE * np.arange(5) + walker.LATE
        mine = [stride for stride in gait.strides if stride.side == side]
        np.testing.assert_allclose([s.start for s in mine], strikes[:-1], atol=1e-9)
        np.testing.assert_allclose([s.end for s in mine], strikes[1:], atol=1e-9)
        offs = strikes[:-1] - walker.LATE + walker.STANCE - walker.EARLY
        np.testing.assert_allclose([s.toe_off for s in mine], offs, atol=1e-9)


def test_times_lengths_and_speed(gait: Gait) -> None:
    stance = walker.STANCE - walker.LATE - walker.EARLY
    expected = {
        "stride_time": 1.2,
        "step_time": 0.6,
        "stance_share": 100 * stance / 1.2,
        # Each foot strikes 0.6 s into the other's stride, so both stand for stance - 0.6 s twice.
        "double_support": 100 * 2 * (stance - 0.6) / 1.2,
        "stride_length": 1.4,
        "step_length": 0.7,
        "step_width": 0.1,
    }
    for key, right in expected.items():
        for side in SIDES:
            assert value(gait, key, side) == pytest.approx(right, abs=1e-9), key
    assert value(gait, "speed") == pytest.approx(1.4 / 1.2, abs=1e-9)
    assert value(gait, "cadence") == pytest.approx(100.0, abs=1e-9)
    for key in ("step_length", "step_time", "stance_time"):
        assert value(gait, f"symmetry_{key}") == pytest.approx(0.0, abs=1e-9)
    assert gait.belt == 0.0


def test_a_treadmill_is_found_and_allowed_for(gait: Gait) -> None:
    moved = measure(walker.shown(belt=1.1), default_settings())
    assert moved.belt == pytest.approx(1.1, abs=1e-9)
    for number in gait.parameters:
        for column in (*SIDES, BOTH):
            if (mean := number.mean(column)) is not None:
                assert value(moved, number.key, column) == pytest.approx(mean, abs=1e-8)


def test_angles_are_anatomical_and_over_the_cycle(gait: Gait) -> None:
    for side in SIDES:
        assert value(gait, "hip_at_strike", side) == pytest.approx(30.0, abs=1e-9)
        assert value(gait, "hip_least", side) == pytest.approx(-10.0, abs=1e-9)
        assert value(gait, "knee_at_strike", side) == pytest.approx(5.0, abs=1e-9)
        assert value(gait, "knee_most_in_swing", side) == pytest.approx(62.0, abs=1e-9)
        curve = gait.angles["knee"][side]
        assert curve.strides.shape == (4, 101)
        np.testing.assert_allclose(curve.deviation, 0.0, atol=1e-9)
        # Straight between samples 10 ms apart, so a few hundredths off at the corners.
        phase = (PERCENT / 100.0 * walker.STRIDE + walker.LATE) % walker.STRIDE
        expected = np.interp(phase, *np.array(walker.KNEE).T)
        np.testing.assert_allclose(curve.mean, expected, atol=0.6)
    assert "ankle" not in gait.angles
    assert "pelvis" not in gait.angles


def test_forces_are_in_body_weights(gait: Gait) -> None:
    for side in SIDES:
        assert value(gait, "first_peak", side) == pytest.approx(1.0, abs=1e-9)
        assert value(gait, "second_peak", side) == pytest.approx(1.0, abs=1e-9)
        assert value(gait, "braking_peak", side) == pytest.approx(-0.2, abs=1e-9)
        assert value(gait, "propulsion_peak", side) == pytest.approx(0.18, abs=1e-9)
        assert gait.forces["vertical"][side].mean[0] == pytest.approx(0.05, abs=1e-9)


def constant_states(moments: int) -> MuscleStates:
    """One muscle that shortens at 0.1 m/s with 500 N."""
    row = np.ones((moments, 1))
    return MuscleStates(
        muscles=("soleus_r",),
        maximum_isometric_force=np.array([1000.0]),
        optimal_fibre_length=np.array([0.1]),
        excitation=0.5 * row,
        activation=0.6 * row,
        fibre_length=0.75 * row,
        fibre_velocity=-0.1 * row,
        active_force=480.0 * row,
        passive_force=20.0 * row,
        force_length=0.8 * row,
    )


# 1000 N / 0.25 MPa * 0.1 m * 1059.7 kg/m^3 = 0.42388 kg; at excitation 1/2 slow fibres are
# 0.5 sin 45 = 0.3535534 and fast ones 0.5 (1 - cos 45) = 0.1464466 of it; halfway from 0.5 to 1
# optimal length maintenance is 0.75; shortening 0.1 (0.16 * 0.6 * 0.8 * 1000 + 0.18 * 500) W.
BY_HAND = (
    0.42388 * (40 * 0.3535534 + 133 * 0.1464466)
    + 0.42388 * 0.75 * (74 * 0.3535534 + 111 * 0.1464466)
    + 0.1 * (76.8 + 90.0)
    + 48.0
)


def test_the_power_of_a_muscle_by_hand() -> None:
    states = constant_states(3)
    assert muscle_masses(states, CostSettings())[0] == pytest.approx(0.42388)
    np.testing.assert_allclose(muscle_power(states, CostSettings()), BY_HAND, rtol=1e-6)
    simple = CostSettings(force_dependent_shortening=False)
    expected = BY_HAND - 16.68 + 0.1 * 0.25 * 500.0
    np.testing.assert_allclose(muscle_power(states, simple), expected, rtol=1e-6)


def test_a_muscle_at_rest_gives_off_a_watt_a_kilogram() -> None:
    states = replace(
        constant_states(1), excitation=np.zeros((1, 1)), fibre_velocity=np.zeros((1, 1))
    )
    assert muscle_power(states, CostSettings())[0, 0] == pytest.approx(0.42388)


def test_the_cost_of_transport_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring, "muscle_states", lambda _, m: constant_states(len(m)))
    gait = measure(walker.shown(), default_settings())
    # 1.2 W/kg at rest and the one muscle, over the speed of 1.4 m in 1.2 s.
    expected = (1.2 + BY_HAND / 70.0) / (1.4 / 1.2)
    assert value(gait, "cost_of_transport") == pytest.approx(expected, rel=1e-6)


def test_without_muscles_the_cost_is_left_out_and_said_so(gait: Gait) -> None:
    assert gait.parameter("cost_of_transport") is None
    assert any("excitations and activations" in note for note in gait.notes)


def test_activations_over_the_cycle() -> None:
    time = walker.movement().time
    rising = np.clip((time - 0.5 - walker.LATE) % 1.2 / 1.2, 0.0, 1.0)
    activations = np.stack([rising, np.full(len(time), 0.25)], axis=1)
    made = walker.shown(muscles=("soleus_r", "soleus_l"), activations=activations)
    gait = measure(made, default_settings())
    assert set(gait.activations) == {"soleus"}
    curves = gait.activations["soleus"]
    np.testing.assert_allclose(curves["right"].mean[2:-2], PERCENT[2:-2] / 100.0, atol=1e-9)
    np.testing.assert_allclose(curves["left"].mean, 0.25)


def load(*spans: tuple[float, float]) -> np.ndarray:
    time = np.arange(401) / 100.0
    return np.any([(time > a) & (time < b) for a, b in spans], axis=0).astype(float)


def test_flicker_is_no_step() -> None:
    time = np.arange(401) / 100.0
    # A gap of 50 ms within a stance is closed, a touch of 40 ms is dropped.
    found = find_contacts(time, load((0.5, 0.8), (0.85, 1.2), (1.6, 1.64), (2.0, 2.6)), CONTACT)
    np.testing.assert_allclose(found.strikes, [0.5, 2.0], atol=0.011)
    np.testing.assert_allclose(found.offs, [1.2, 2.6], atol=0.011)
    # Between the thresholds nothing changes.
    wavering = load((0.5, 1.2)) * np.where(np.arange(401) % 2, 0.04, 1.0)
    assert len(find_contacts(time, wavering, CONTACT).strikes) == 1


def test_contacts_that_the_record_cuts_off_make_no_stride() -> None:
    time = np.arange(401) / 100.0
    found = find_contacts(time, load((-1.0, 0.4), (1.0, 1.6), (2.2, 9.0)), CONTACT)
    assert np.isnan(found.strikes[0])
    assert np.isnan(found.offs[-1])
    np.testing.assert_allclose(found.held(0.0, 4.0), [(0, 0.4), (1, 1.6), (2.2, 4)], atol=0.011)
    nothing = find_contacts(time, np.zeros(401), CONTACT)
    assert len(nothing.strikes) == len(nothing.offs) == 0


def cut(made: Shown, seconds: float) -> Shown:
    walk = made.movement
    keep = walk.time < seconds
    short = replace(
        walk,
        time=walk.time[keep],
        positions=walk.positions[keep],
        speeds=walk.speeds[keep],
        ground_reaction=walk.ground_reaction[keep],
    )
    return replace(made, movement=short)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"feet": (), "ground_reaction": np.zeros((0, 0, 3))}, "no ground reactions"),
        ({"feet": ("heel", "toe")}, "no ground reactions of a right and a left foot"),
        ({"mass": 0.0}, "mass is not known"),
    ],
    ids=["no forces", "feet without sides", "no mass"],
)
def test_what_holds_no_walk_is_said_in_a_sentence(change: dict[str, object], words: str) -> None:
    with pytest.raises(MovementError, match=words):
        strides_of(walker.shown(**change).movement, CONTACT)


def test_a_step_alone_is_no_stride() -> None:
    with pytest.raises(MovementError, match="4 contacts with the ground, no two heel strikes"):
        strides_of(cut(walker.shown(), 1.5).movement, CONTACT)


def test_hops_on_one_foot_are_no_strides() -> None:
    walk = walker.movement()
    forces = walk.ground_reaction.copy()
    forces[:, 1] = 0.0
    with pytest.raises(MovementError, match="one of the other between"):
        strides_of(replace(walk, ground_reaction=forces), CONTACT)


def test_a_model_without_the_feet_is_told_so() -> None:
    settings = replace(default_settings(), feet={"right": ("hoof",), "left": ("hoof",)})
    with pytest.raises(ModelError, match="no body hoof"):
        measure(walker.shown(), settings)


def test_sides_are_told_by_names() -> None:
    names = ("right", "left", "foot_r", "calcn_l", "R", "l_foot", "heel", "lower")
    sides = ["right", "left", "right", "left", "right", "left", None, None]
    assert [side_of(name) for name in names] == sides


def test_symmetry_and_means_by_hand() -> None:
    assert symmetry_index(1.1, 0.9) == pytest.approx(20.0)
    time, values = np.array([0.0, 1.0, 2.0]), np.array([0.0, 1.0, 1.0])
    # From 0.5 to 1.5: (0.5 + 1) / 2 * 0.5 + 1 * 0.5 = 0.875.
    assert mean_between(time, values, 0.5, 1.5) == pytest.approx(0.875)


def test_norms_have_sources_and_are_as_published() -> None:
    known = norms()
    assert all(band.source for band in known.bands.values())
    mean, spread = known.bands["knee"].at(np.array([0.0, 72.0, 100.0]))
    np.testing.assert_allclose(mean, [5.6, 59.1, 5.6])
    np.testing.assert_allclose(spread, [5.7, 5.9, 5.7])
    settings = default_settings()
    assert set(known.activity) == set(settings.emg)
    assert set(known.bands) == {"hip", "knee", "ankle", "pelvis", "vertical", "fore_aft"}
    stance = known.parameters["stance_share"]
    assert (stance.low, stance.high) == (55.0, 63.0)
    assert [stance.holds(v) for v in (54.0, 60.0, 64.0)] == [False, True, False]
    assert Normal(None, None, 3.1, "x").holds(3.0) is None


def test_files_hold_what_was_measured(tmp_path: Path, gait: Gait) -> None:
    made = report(walker.shown())
    files = made.write(tmp_path / "gait")
    assert {file.name for file in files} == {
        "gait.png", "movement.png", "parameters.csv", "cycles.csv", "strides.csv", "movement.csv",
    }  # fmt: skip
    with (tmp_path / "gait" / "parameters.csv").open(newline="") as stream:
        rows = {row["parameter"]: row for row in csv.DictReader(stream)}
    assert float(rows["stride_length"]["right_mean"]) == pytest.approx(1.4)
    assert float(rows["speed"]["normal_low"]) == 0.94
    assert "Bohannon" in rows["speed"]["source"]
    with (tmp_path / "gait" / "cycles.csv").open(newline="") as stream:
        cycle = list(csv.DictReader(stream))
    assert len(cycle) == 101
    expected = gait.angles["hip"]["left"].mean
    found = [float(row["angle_hip_left_mean"]) for row in cycle]
    np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-8)
    assert imread(tmp_path / "gait" / "gait.png").shape[1] > 1000


def test_the_figure_for_tensorboard_is_a_png() -> None:
    for shown in (walker.shown(), cut(walker.shown(), 1.5)):
        with Image.open(BytesIO(report(shown).png())) as image:
            drawn = np.asarray(image.convert("RGB"))
        assert drawn.shape[0] > 300 < drawn.shape[1]
        assert drawn.min() < 50 < 200 < drawn.max()
