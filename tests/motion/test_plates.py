"""Force plates and the feet that stand on them, on a made-up walk."""

import logging
from pathlib import Path

import gait_walker as walker
import numpy as np
import pytest
from gait_plates import AHEAD, BOTH, WALK, feet, forces, written

from osimexp.errors import MovementError
from osimexp.models.sides import side_of
from osimexp.motion.files import with_ground_reactions
from osimexp.motion.plates import read_plates
from osimexp.motion.standing import on_feet
from osimexp.motion.tables import Table, write_table


def same(file: Path, planar: bool = False) -> None:
    found = with_ground_reactions(WALK, file, feet(planar))
    order = [[side_of(name) for name in found.feet].index(side) for side in ("right", "left")]
    np.testing.assert_allclose(found.ground_reaction[:, order], WALK.ground_reaction, atol=1e-9)
    loaded = WALK.ground_reaction[:, 0, 1] > 30.0
    place = (walker.feet(WALK.time) + AHEAD)[loaded, 0]
    np.testing.assert_allclose(found.foot_positions[loaded, order[0]], place, atol=1e-9)


@pytest.mark.parametrize(
    "stems",
    [
        BOTH,
        ("ground_force1_", "ground_force2_"),
        ("ground_force_1_", "ground_force_2_"),
        ("1_ground_force_", "2_ground_force_"),
        ("R_ground_force_", "L_ground_force_"),
        ("ground_force_r_", "l_ground_force_"),
        ("right_foot_force_", "left_foot_force_"),
        ("ground_force_calcn_r_", "ground_force_calcn_l_"),
        ("FP1_", "FP2_"),
        ("GRF_1_", "grf_2_"),
    ],
)
def test_plates_are_known_by_many_names(tmp_path: Path, stems: tuple[str, str]) -> None:
    same(written(tmp_path, stems, forces()))
    if "_" not in stems[0].removesuffix("_"):
        same(written(tmp_path, stems, forces(), point=""))  # FP1_x, as some name the point.


@pytest.mark.parametrize("planar", [False, True])
def test_plates_in_another_order_are_those_of_their_feet(
    tmp_path: Path, planar: bool, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "osimexp"):
        same(written(tmp_path, BOTH, forces()[::-1]), planar)
    assert "ground_force: left; 1_ground_force: right" in caplog.text


def test_a_third_plate_belongs_to_the_foot_that_steps_on_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    right, left = forces()
    third = right.copy()
    second = (WALK.time > 1.6) & (WALK.time < 2.8)
    third[~second, :3], right[second, :3] = 0.0, 0.0
    with caplog.at_level(logging.INFO, "osimexp"):
        same(written(tmp_path, (*BOTH, "2_ground_force_"), [left, right, third]))
    assert "ground_force: left; 1_ground_force: right; 2_ground_force: right" in caplog.text


def test_a_plate_may_bear_one_foot_and_later_the_other(tmp_path: Path) -> None:
    right, left = forces()
    # The right foot steps elsewhere after 2.5 s, and the left one to its first plate after 3.2 s.
    steps, after = (WALK.time > 2.5)[:, None], (WALK.time > 3.2)[:, None]
    first = np.where(after, left, np.where(steps, 0.0, right))
    second, third = np.where(after, 0.0, left), np.where(steps, right, 0.0)
    file = written(tmp_path, (*BOTH, "2_ground_force_"), [first, second, third])
    found = with_ground_reactions(WALK, file, feet())
    np.testing.assert_allclose(found.ground_reaction, WALK.ground_reaction, atol=1e-9)


def test_a_name_of_a_side_gives_way_to_the_foot_that_stands_there(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "osimexp"):
        file = written(tmp_path, ("L_ground_force_", "R_ground_force_"), forces())
        found = with_ground_reactions(WALK, file, feet())
    assert found.feet == ("right", "left")
    np.testing.assert_allclose(found.ground_reaction, WALK.ground_reaction, atol=1e-9)
    assert "the movement decides" in caplog.text


def test_a_name_of_a_side_may_be_right_in_some_contacts_only(tmp_path: Path) -> None:
    right, left = forces()
    late = (WALK.time > 2.55)[:, None]  # Both feet stand, and the plates change owners.
    plates = [np.where(late, left, right), np.where(late, right, left)]
    numbered = with_ground_reactions(WALK, written(tmp_path, BOTH, plates), feet())
    stems = ("R_ground_force_", "L_ground_force_")
    named = with_ground_reactions(WALK, written(tmp_path, stems, plates), feet())
    assert named.feet == ("right", "left")
    np.testing.assert_allclose(named.ground_reaction, numbered.ground_reaction)
    moving = WALK.time > 3.2
    np.testing.assert_allclose(
        named.ground_reaction[moving], WALK.ground_reaction[moving], atol=1e-9
    )


@pytest.mark.parametrize("stems", [BOTH, ("R_ground_force_", "L_ground_force_")])
def test_a_handrail_bears_no_foot(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, stems: tuple[str, str]
) -> None:
    push = 25.0 + 10.0 * np.sin(40.0 * WALK.time)
    rail = np.tile([0.0, 25.0, 0.0, 0.5, 1.0, 0.3], (len(WALK.time), 1))
    rail[:, 1] = push
    file = written(tmp_path, (*stems, "handrail_force_"), [*forces(), rail])
    with caplog.at_level(logging.INFO, "osimexp"):
        found = with_ground_reactions(WALK, file, feet())
    np.testing.assert_allclose(found.ground_reaction, WALK.ground_reaction, atol=1e-9)
    assert "handrail_force: no foot, as it acts 1.0 m above" in caplog.text


def test_sides_that_are_swapped_are_seen_where_points_lie_beside_the_feet(tmp_path: Path) -> None:
    plates = forces()
    for plate in plates:
        plate[:, 5] += 0.09  # As far as the centre of pressure may be from a foot under it.
    stems = ("L_ground_force_", "R_ground_force_")
    found = with_ground_reactions(WALK, written(tmp_path, stems, plates), feet())
    assert found.feet == ("right", "left")
    np.testing.assert_allclose(found.ground_reaction, WALK.ground_reaction, atol=1e-9)


def test_noise_of_a_plate_without_a_foot_is_left_out(tmp_path: Path) -> None:
    noise = np.zeros((len(WALK), 6))
    noise[:, :3] = np.random.default_rng(0).normal(0.0, 3.0, (len(WALK), 3))
    file = written(tmp_path, (*BOTH, "2_ground_force_"), [*forces(), noise])
    found = with_ground_reactions(WALK, file, feet())
    np.testing.assert_allclose(found.ground_reaction, WALK.ground_reaction, atol=1e-9)


@pytest.mark.parametrize("planar", [False, True])
@pytest.mark.parametrize("stems", [BOTH, ("R_ground_force_", "L_ground_force_")])
@pytest.mark.parametrize("name", ["cart_force_", "crutch_r_force_"])
def test_a_force_far_aside_on_the_floor_bears_no_foot(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    stems: tuple[str, str],
    name: str,
    planar: bool,
) -> None:
    cart = np.zeros((len(WALK.time), 6))
    cart[:, 1] = 100.0 + 60.0 * np.sin(9.0 * WALK.time)
    cart[:, 3] = walker.feet(WALK.time).mean(axis=1)[:, 0]
    cart[:, 5] = 1.5  # Beside the walker all the way.
    file = written(tmp_path, (*stems, name), [*forces(), cart])
    with caplog.at_level(logging.INFO, "osimexp"):
        found = with_ground_reactions(WALK, file, feet(planar))
    np.testing.assert_allclose(found.ground_reaction, WALK.ground_reaction, atol=1e-9)
    assert f"{name.strip('_')}: no foot, as it acts 1." in caplog.text


def test_another_person_s_step_on_a_plate_is_of_no_foot(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    right, left = forces()
    third = right.copy()
    second = ((WALK.time > 1.6) & (WALK.time < 2.8))[:, None]
    third[~second[:, 0], :3] = 0.0
    third[:, 5] += np.where(second, 2.0, 0.0)[:, 0]
    with caplog.at_level(logging.INFO, "osimexp"):
        same(written(tmp_path, (*BOTH, "2_ground_force_"), [right, left, third]))
    assert "2_ground_force: no foot, as it acts" in caplog.text


def test_points_in_another_frame_leave_it_to_the_lower_foot(tmp_path: Path) -> None:
    lifted = feet()
    for side, points in lifted.points.items():
        points[walker.since_strike(WALK.time, side)[1] > walker.STANCE, :, 1] = 0.05
    plates = forces()[::-1]
    for plate in plates:
        plate[:, 5] += 3.0
    found = on_feet(read_plates(written(tmp_path, BOTH, plates)), lifted)
    np.testing.assert_allclose(found.forces, WALK.ground_reaction, atol=1e-9)


def test_a_step_of_the_other_foot_on_a_named_plate_is_seen_within_a_longer_load(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    right, left = forces()
    # The left foot's step from 2.3 to 3.02 s is on the right one's plate, which is never unloaded.
    step = ((WALK.time > 2.2) & (WALK.time < 3.1))[:, None]
    load = right[:, 1:2] + np.where(step, left[:, 1:2], 0.0)
    both = (right[:, 3:] * right[:, 1:2] + left[:, 3:] * left[:, 1:2]) / np.maximum(load, 1e-9)
    first = np.hstack([right[:, :3] + left[:, :3], both])
    plates = [np.where(step, first, right), np.where(step, 0.0, left)]
    stems = ("R_ground_force_", "L_ground_force_")
    with caplog.at_level(logging.WARNING, "osimexp"):
        found = with_ground_reactions(WALK, written(tmp_path, stems, plates), feet())
    assert "R_ground_force is right by name" in caplog.text
    assert not found.ground_reaction[(WALK.time > 2.5) & (WALK.time < 2.8)].any()


def test_without_points_the_lower_foot_stands(tmp_path: Path) -> None:
    lifted = feet()
    for side, points in lifted.points.items():
        points[walker.since_strike(WALK.time, side)[1] > walker.STANCE, :, 1] = 0.05
    plates = [np.hstack([force[:, :3], np.zeros((len(force), 3))]) for force in forces()[::-1]]
    found = on_feet(read_plates(written(tmp_path, BOTH, plates)), lifted)
    np.testing.assert_allclose(found.forces, WALK.ground_reaction, atol=1e-9)


def test_both_feet_on_one_plate_cannot_be_told_apart(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    right, left = forces()
    load = right[:, 1:2] + left[:, 1:2]
    point = (right[:, 3:] * right[:, 1:2] + left[:, 3:] * left[:, 1:2]) / load
    one = np.hstack([right[:, :3] + left[:, :3], point])
    with caplog.at_level(logging.INFO, "osimexp"):
        found = with_ground_reactions(WALK, written(tmp_path, BOTH[:1], [one]), feet())
    assert "cannot be told apart" in caplog.text
    assert not found.ground_reaction.any()


def test_forces_that_are_no_numbers_off_the_plate_are_no_load(tmp_path: Path) -> None:
    plates = forces()
    for plate in plates:
        plate[plate[:, 1] < 10.0] = np.nan
    found = with_ground_reactions(WALK, written(tmp_path, BOTH, plates), feet())
    assert np.isfinite(found.ground_reaction).all()
    assert np.isfinite(found.foot_positions).all()
    np.testing.assert_allclose(found.ground_reaction, WALK.ground_reaction, atol=10.0)


def test_a_gap_under_a_foot_is_named(tmp_path: Path) -> None:
    plates = forces()
    # The right foot stands from 0.5 to 1.22 s; 100 moments a second, after seven lines of header.
    plates[0][80:84, 1] = np.nan
    with pytest.raises(
        MovementError, match=r"line 88: ground_force_vy \(column 3\) is nan at 0\.8"
    ):
        read_plates(written(tmp_path, BOTH, plates))
    plates = forces()
    plates[1][5, 4] = np.nan  # A point of the left foot, which stands from before the beginning on.
    assert np.isfinite(read_plates(written(tmp_path, BOTH, plates)).points).all()
    plates[1][:, 4] = np.nan
    with pytest.raises(MovementError, match=r"1_ground_force_py \(column 12\) is nan"):
        read_plates(written(tmp_path, BOTH, plates))


@pytest.mark.parametrize("both", [True, False])
def test_a_longer_gap_under_a_foot_is_unknown_and_not_no_load(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, both: bool
) -> None:
    plates = forces()
    gap = (WALK.time > 0.795) & (WALK.time < (1.305 if both else 1.005))
    for plate in plates[: 1 + both]:
        plate[gap] = np.nan
    found = with_ground_reactions(WALK, written(tmp_path, BOTH, plates), feet())
    assert np.isnan(found.ground_reaction[gap]).all()
    np.testing.assert_allclose(found.ground_reaction[~gap], WALK.ground_reaction[~gap], atol=1e-6)
    assert "has a gap from 0.79 to" in caplog.text


def test_moments_that_are_missing_are_unknown(tmp_path: Path) -> None:
    columns = [f"{stem}{kind}{axis}" for stem in BOTH for kind in "vp" for axis in "xyz"]
    gap = (WALK.time > 0.895) & (WALK.time < 1.305)
    table = Table("grf", tuple(columns), WALK.time[~gap], np.hstack(forces())[~gap])
    write_table(tmp_path / "hole.mot", table)
    found = with_ground_reactions(WALK, tmp_path / "hole.mot", feet())
    assert np.isnan(found.ground_reaction[gap]).all()
    np.testing.assert_allclose(found.ground_reaction[~gap], WALK.ground_reaction[~gap], atol=1e-6)


def test_what_forces_do_not_cover_is_unknown(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    columns = [f"{stem}{kind}{axis}" for stem in BOTH for kind in "vp" for axis in "xyz"]
    part = (WALK.time > 0.995) & (WALK.time < 4.005)
    table = Table("grf", tuple(columns), WALK.time[part], np.hstack(forces())[part])
    write_table(tmp_path / "part.mot", table)
    with caplog.at_level(logging.INFO, "osimexp"):
        found = with_ground_reactions(WALK, tmp_path / "part.mot", feet())
    inside = (WALK.time > 0.985) & (WALK.time < 4.015)
    assert np.isnan(found.ground_reaction[~inside]).all()
    assert np.isfinite(found.ground_reaction[inside]).all()
    assert "forces are unknown in the rest" in caplog.text


def test_velocities_are_no_forces(tmp_path: Path) -> None:
    columns = [f"{stem}{kind}{axis}" for stem in BOTH for kind in "vp" for axis in "xyz"]
    values = np.hstack([np.zeros((len(WALK), 1)), *forces()])
    write_table(tmp_path / "grf.mot", Table("grf", ("com_vx", *columns), WALK.time, values))
    same(tmp_path / "grf.mot")


def test_a_force_without_its_columns_is_named(tmp_path: Path) -> None:
    file = tmp_path / "grf.mot"
    write_table(file, Table("f", ("ground_force_vx",), np.array([0.0, 1.0]), np.zeros((2, 1))))
    with pytest.raises(MovementError, match="has no column ground_force_vy"):
        read_plates(file)
    write_table(file, Table("f", ("x",), np.array([0.0, 1.0]), np.zeros((2, 1))))
    with pytest.raises(MovementError, match="so it has no force"):
        read_plates(file)
