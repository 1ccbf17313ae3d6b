"""Walks with feet beside the force plates, with forces of a part of the time, and runs."""

from dataclasses import replace

import gait_walker as walker
import numpy as np
import pytest

from osimexp.analysis.gait.drawing import draw
from osimexp.analysis.gait.measure import Gait, measure
from osimexp.analysis.gait.parameters import BOTH
from osimexp.analysis.gait.settings import SIDES, default_settings
from osimexp.analysis.gait.tables import sources, table
from osimexp.analysis.shown import Shown
from osimexp.errors import MovementError
from osimexp.models.prepare import PreparedModel
from osimexp.models.settings import ModelSettings
from osimexp.motion.movement import Movement
from osimexp.physics.posing.figure import Figure, Poses

WALK = walker.movement()
WHOLE = measure(walker.shown(), default_settings())


def values(gait: Gait, key: str, column: str = BOTH) -> np.ndarray:
    found = gait.parameter(key)
    return np.zeros(0) if found is None else np.asarray(found.values.get(column, np.zeros(0)))


def without(foot: int, *spans: tuple[float, float]) -> Shown:
    """Return the walk with a foot beside the plates in some spans of time."""
    forces = WALK.ground_reaction.copy()
    for start, end in spans:
        forces[(WALK.time > start) & (WALK.time < end), foot] = 0.0
    return walker.shown(ground_reaction=forces, plates=True)


def test_plates_under_every_step_change_nothing() -> None:
    gait = measure(walker.shown(plates=True), default_settings())
    assert gait.notes == WHOLE.notes
    for key in ("double_support", "stride_length", "stance_share"):
        for side in SIDES:
            np.testing.assert_array_equal(values(gait, key, side), values(WHOLE, key, side))


@pytest.mark.parametrize("belt", [0.0, 1.1])
def test_a_foot_beside_its_plate_is_not_in_the_air(belt: float) -> None:
    # The left foot stands beside its plate until 0.62 s, in the first stride of the right one.
    shown = without(1, (0.0, 0.7))
    moved = walker.shown(belt, ground_reaction=shown.movement.ground_reaction, plates=True)
    gait = measure(moved, default_settings())
    right = values(gait, "double_support", "right")
    np.testing.assert_allclose(right, values(WHOLE, "double_support", "right")[1:], atol=1e-9)
    assert len(values(gait, "stance_share", "right")) == 4
    assert any("In 1 of 8 strides a foot stands beside the force plates" in n for n in gait.notes)


def test_a_foot_that_lifts_beside_its_plate_is_not_in_the_air() -> None:
    # Each foot rolls off the ground over the last 0.15 s of its stance, neither low nor still.
    forces = without(1, (0.0, 0.7)).movement.ground_reaction
    shown = walker.shown(ground_reaction=forces, plates=True)
    bodies = shown.poses.bodies
    for foot, side in enumerate(SIDES):
        phase = walker.since_strike(WALK.time, side)[1]
        bodies[:, foot, 1, 3] += np.interp(phase, [0.55, 0.6, 0.72, 1.1], [0.0, 0.06, 0.15, 0.0])
    gait = measure(shown, default_settings())
    right = values(gait, "double_support", "right")
    np.testing.assert_allclose(right, values(WHOLE, "double_support", "right")[1:], atol=1e-9)
    assert any("In 1 of 8 strides a foot stands beside the force plates" in n for n in gait.notes)


def test_a_stride_is_not_two_with_a_step_beside_the_plates() -> None:
    # The right foot strikes at 0.5, 1.7, 2.9, 4.1 and 5.3 s, and at 2.9 s beside the plates.
    gait = measure(without(0, (2.8, 3.7)), default_settings())
    np.testing.assert_allclose(values(gait, "stride_time", "right"), 1.2, atol=1e-9)
    assert len(values(gait, "stride_time", "right")) == 2
    assert any("left out" in note for note in gait.notes)
    # The left foot's strides around it have no double support that is known.
    left = values(gait, "double_support", "left")
    np.testing.assert_allclose(left, values(WHOLE, "double_support", "left")[0], atol=1e-9)
    assert len(left) < len(values(WHOLE, "double_support", "left"))


def test_no_stride_on_the_plates_is_said_so() -> None:
    forces = without(0, (1.6, 5.2)).movement.ground_reaction.copy()
    # Each foot steps on its plate twice, with steps beside it between.
    forces[(WALK.time > 2.2) & (WALK.time < 5.8), 1] = 0.0
    with pytest.raises(MovementError, match="no whole stride"):
        measure(walker.shown(ground_reaction=forces, plates=True), default_settings())


def test_a_walk_is_measured_where_its_forces_are_known() -> None:
    forces = WALK.ground_reaction.copy()
    forces[(WALK.time < 1.5) | (WALK.time > 4.5)] = np.nan
    gait = measure(walker.shown(ground_reaction=forces), default_settings())
    for key in ("stride_time", "stride_length", "double_support", "stance_share"):
        for side in SIDES:
            found, whole = values(gait, key, side), values(WHOLE, key, side)
            assert 0 < len(found) < len(whole)
            np.testing.assert_allclose(found, whole[0], atol=1e-9)
    assert any("known from 1.5 to 4.5 s of the movement's 0 to 6 s" in n for n in gait.notes)


# A run on a treadmill: each foot stands for 0.25 of 0.7 s, and turns about its toes meanwhile.
STRIDE, STANCE, BELT, LENGTH = 0.7, 0.25, 3.0, 0.2


def test_strides_in_a_gap_of_the_forces_are_left_out_and_others_are_as_before() -> None:
    shown = walker.shown()
    forces, time = shown.movement.ground_reaction.copy(), shown.movement.time
    forces[(time > 2.5) & (time < 2.9)] = np.nan
    gait = measure(walker.shown(ground_reaction=forces, plates=True), default_settings())
    whole = measure(shown, default_settings())
    kept = [one for one in whole.strides if one.end < 2.49 or one.start > 2.9]
    assert 0 < len(kept) < len(whole.strides)
    assert [one.start for one in gait.strides] == pytest.approx([one.start for one in kept])
    for key in ("stride_length", "stance_share", "double_support"):
        for side in ("right", "left"):
            right = values(whole, key, side).mean()
            assert values(gait, key, side) == pytest.approx(right, abs=1e-8), key
    assert any("not known from 2.5 to 2.9 s" in note for note in gait.notes)


@pytest.mark.parametrize("share", [0.6, 1.0, 1.5])
def test_forces_of_another_weight_are_noted_with_their_size(share: float) -> None:
    forces = walker.shown().movement.ground_reaction
    mean = walker.movement().ground_reaction[50:530, :, 1].sum(axis=1).mean() / walker.WEIGHT
    found = measure(walker.shown(ground_reaction=share / mean * forces), default_settings())
    notes = [note for note in found.notes if "mean vertical force" in note]
    assert bool(notes) == (share != 1.0)
    assert all(f"is {share:.2f} times the weight" in note for note in notes)


def test_forces_in_another_unit_are_named_where_there_is_no_stride() -> None:
    forces = walker.shown().movement.ground_reaction
    with pytest.raises(MovementError, match=r"force is 1.37 N, 0.002 times .* in kN"):
        measure(walker.shown(ground_reaction=forces / 1000.0), default_settings())


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("longest_stride", 1.0, r"takes 1\.2 s or more, and contact\.longest_stride=1 s leaves"),
        ("shortest_stance", 0.8, r"contacts shorter than contact\.shortest_stance=0\.8 s"),
        ("shortest_swing", 0.6, r"gaps .* shorter than contact\.shortest_swing=0\.6 s"),
        ("strike", 0.999999, r"no force of the right foot is above contact\.strike=0.999"),
    ],
)
def test_the_limit_that_leaves_no_stride_is_named(key: str, value: float, said: str) -> None:
    settings = default_settings()
    tight = replace(settings, contact=replace(settings.contact, **{key: value}))
    forces = walker.shown().movement.ground_reaction * (0.99 if key == "strike" else 1.0)
    with pytest.raises(MovementError, match=said):
        measure(walker.shown(ground_reaction=forces), tight)


def test_a_foot_that_never_leaves_the_ground_is_named() -> None:
    forces = walker.shown().movement.ground_reaction.copy()
    forces[:, 1, 1] += 0.04 * walker.WEIGHT
    with pytest.raises(MovementError, match=r"left foot never falls below contact\.release=0\.03"):
        measure(walker.shown(ground_reaction=forces), default_settings())


def run() -> Shown:
    time = np.arange(701) / 200.0
    forces, bodies = np.zeros((len(time), 2, 3)), np.tile(np.eye(4), (len(time), 4, 1, 1))
    for foot in range(2):
        phase = (time - 0.2 - 0.35 * foot) % STRIDE
        stands = phase < STANCE
        arch = np.sin(np.pi * np.clip(phase / STANCE, 0.0, 1.0))
        forces[:, foot, 1] = 2.6 * walker.WEIGHT * np.where(stands, arch, 0.0)
        swing = np.clip((phase - STANCE) / (STRIDE - STANCE), 0.0, 1.0)
        toes = np.where(stands, -BELT * phase, -BELT * STANCE * (1.0 - swing))
        pitch = np.where(stands, 1.2 * (phase / STANCE) ** 2, 1.2 * (1.0 - swing))
        heel, toe = bodies[:, foot], bodies[:, 2 + foot]
        toe[:, 0, 3], toe[:, 1, 3] = toes, np.where(stands, 0.0, 0.2 * np.sin(np.pi * swing))
        heel[:, 0, 3] = toes - LENGTH * np.cos(pitch)
        heel[:, 1, 3] = toe[:, 1, 3] + LENGTH * np.sin(pitch)
        heel[:, 2, 3] = toe[:, 2, 3] = 0.05 - 0.1 * foot + 0.01 * swing
    movement = Movement(
        time, ("knee_angle_r",), np.array([True]), np.zeros((len(time), 1)),
        np.zeros((len(time), 1)), feet=("right", "left"), ground_reaction=forces, mass=walker.MASS,
    )  # fmt: skip
    made = Shown("run", PreparedModel("", ModelSettings(path="none.osim")), movement)
    names = ("calcn_r", "calcn_l", "toes_r", "toes_l")
    vars(made)["figure"] = Figure(names, (), (), np.zeros(0), ("right", "left"), (0, 1), 1.7)
    vars(made)["poses"] = Poses(bodies, (), np.zeros((len(time), 3)))
    return made


def test_the_belt_of_a_runner_is_found_at_the_toes() -> None:
    gait = measure(run(), default_settings())
    assert gait.running
    assert gait.belt == pytest.approx(BELT, abs=1e-6)
    assert values(gait, "speed")[0] == pytest.approx(BELT, abs=1e-6)
    np.testing.assert_allclose(values(gait, "stride_length", "right"), BELT * STRIDE, atol=0.01)


def test_a_run_is_held_to_norms_of_running() -> None:
    gait = measure(run(), default_settings())
    assert not WHOLE.running
    for key, normal in (("speed", None), ("stride_length", None), ("knee_at_strike", None)):
        found, walked = gait.parameter(key), WHOLE.parameter(key)
        assert found is not None
        assert walked is not None
        assert found.normal == normal
        assert walked.normal is not None
    cadence = gait.parameter("cadence")
    assert cadence is not None
    assert cadence.normal is not None
    assert (cadence.normal.low, cadence.normal.high) == (155.0, 203.0)
    assert gait.parameter("double_support") is gait.parameter("first_peak") is None
    np.testing.assert_allclose(values(gait, "vertical_peak", "left"), 2.6, atol=0.01)
    said = " ".join(sources(gait))
    assert "Burns" in said
    # No source that was checked gives runners' share of stance, or a range of their peak.
    peak, stance = gait.parameter("vertical_peak"), gait.parameter("stance_share")
    assert peak is not None
    assert peak.normal is not None
    assert (peak.normal.low, peak.normal.typical) == (None, 2.5)
    assert "Keller" in peak.normal.source
    assert stance is not None
    assert stance.normal is None
    assert "Bohannon" not in said
    assert "Schwartz" not in said
    assert table(gait).row_count == len(gait.parameters)
    assert gait.parameters[0].label == "Running speed"
    assert draw(gait, default_settings()).axes


def test_a_walker_that_runs_is_not_found_by_speed_alone() -> None:
    assert not measure(walker.shown(belt=3.0), default_settings()).running
