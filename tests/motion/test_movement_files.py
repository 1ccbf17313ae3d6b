"""Movement files: what is written is what is read, and OpenSim opens it."""

from pathlib import Path

import numpy as np
import opensim
import pytest
from tasks import prepared

from osimexp.errors import MovementError
from osimexp.models.names import StatePaths
from osimexp.models.prepare import PreparedModel, loaded
from osimexp.motion.files import read_movement, with_ground_reactions, write_movement
from osimexp.motion.movement import Movement
from osimexp.motion.tables import Table, read_table, write_table
from osimexp.physics.posing.state_paths import state_paths

MOMENTS = 31


@pytest.fixture(scope="module")
def walker() -> PreparedModel:
    return prepared("model=gait2d", "reward=velocity")


@pytest.fixture(scope="module")
def paths(walker: PreparedModel) -> StatePaths:
    return state_paths(walker)


@pytest.fixture
def movement(paths: StatePaths) -> Movement:
    """A swing of every coordinate about its default."""
    names, generator = paths.names, np.random.default_rng(0)
    time = np.arange(MOMENTS) * 0.02
    phase = np.outer(time, generator.uniform(1.0, 3.0, len(names.coordinates)))
    muscles, feet = len(names.muscles), len(names.feet)
    return Movement(
        time=time,
        coordinates=names.coordinates,
        rotational=names.rotational,
        positions=names.default_pose + 0.1 * np.sin(phase),
        speeds=0.1 * phase / np.maximum(time, 1e-9)[:, None] * np.cos(phase),
        muscles=names.muscles,
        controls=names.controls,
        control_values=generator.uniform(size=(MOMENTS, muscles)),
        activations=generator.uniform(0.01, 1.0, (MOMENTS, muscles)),
        fibre_lengths=generator.uniform(0.6, 1.4, (MOMENTS, muscles)),
        feet=names.feet,
        ground_reaction=generator.normal(size=(MOMENTS, feet, 3)) * 100.0,
        foot_positions=generator.normal(size=(MOMENTS, feet, 3)),
        mass=names.mass,
    )


def test_the_rest_of_a_movement_begins_where_it_is_told(movement: Movement) -> None:
    rest = movement.since(0.2)
    assert len(rest) == MOMENTS - 10
    np.testing.assert_array_equal(rest.time, movement.time[10:])
    for name in ("positions", "speeds", "activations", "ground_reaction", "fibre_lengths"):
        np.testing.assert_array_equal(getattr(rest, name), getattr(movement, name)[10:])
    assert (rest.coordinates, rest.mass) == (movement.coordinates, movement.mass)
    assert len(movement.since(9.0)) == 0


def test_states_read_back_are_the_same(
    tmp_path: Path, movement: Movement, paths: StatePaths
) -> None:
    files = write_movement(tmp_path / "new" / "walk", movement, paths)
    assert [file.name for file in files] == [
        *("walk_states.sto", "walk.mot", "walk_controls.sto", "walk_grf.mot")
    ]
    found = read_movement(files[0], paths, files[3])
    for name in ("time", "positions", "speeds", "activations", "ground_reaction", "foot_positions"):
        np.testing.assert_array_equal(getattr(found, name), getattr(movement, name), name)
    np.testing.assert_allclose(found.fibre_lengths, movement.fibre_lengths, rtol=1e-15)
    assert (found.coordinates, found.muscles, found.feet, found.mass) == (
        *(movement.coordinates, movement.muscles, movement.feet, movement.mass),
    )
    np.testing.assert_array_equal(read_table(files[2]).values, movement.excitations)


def test_a_motion_in_degrees_reads_back_in_radians(
    tmp_path: Path, movement: Movement, paths: StatePaths
) -> None:
    file = write_movement(tmp_path / "walk", movement, paths)[1]
    found = read_movement(file, paths)
    np.testing.assert_allclose(found.positions, movement.positions, rtol=0, atol=1e-15)
    # Differences of second order over 20 ms.
    np.testing.assert_allclose(found.speeds[2:-2], movement.speeds[2:-2], atol=2e-3)
    assert not found.muscles
    assert not found.feet


def test_opensim_opens_what_is_written(
    tmp_path: Path, movement: Movement, walker: PreparedModel, paths: StatePaths
) -> None:
    files = write_movement(tmp_path / "walk", movement, paths)
    for file in files:
        table = opensim.TimeSeriesTable(str(file))
        mine = read_table(file)
        assert tuple(table.getColumnLabels()) == mine.columns
        np.testing.assert_array_equal(table.getMatrix().to_numpy(), mine.values)
        np.testing.assert_array_equal(np.array(table.getIndependentColumn()), mine.time)
    in_degrees = opensim.TimeSeriesTable(str(files[1])).getTableMetaDataString("inDegrees")
    assert in_degrees == "yes"
    with loaded(walker.xml) as model:
        model.initSystem()
        table = opensim.TimeSeriesTable(str(files[0]))
        # Neither columns that are missing nor any too many are allowed.
        trajectory = opensim.StatesTrajectory.createFromStatesTable(model, table, False, False)
        assert trajectory.getSize() == MOMENTS
        state = trajectory.get(7)
        coordinate = model.getCoordinateSet().get("knee_angle_r")
        place = movement.coordinates.index("knee_angle_r")
        assert coordinate.getValue(state) == movement.positions[7, place]
        assert coordinate.getSpeedValue(state) == movement.speeds[7, place]
        activation = model.getMuscles().get("soleus_l").getAbsolutePathString() + "/activation"
        place = movement.muscles.index("soleus_l")
        found = model.getStateVariableValue(state, activation)
        assert found == movement.activations[7, place]


def test_a_file_of_opensims_own_is_read(tmp_path: Path, paths: StatePaths) -> None:
    table = opensim.TimeSeriesTable()
    table.setColumnLabels(["pelvis_ty", "knee_angle_r", "knee_angle_r_u", "something_else"])
    for i, row in enumerate(([0.9, -30.0, 60.0, 1.0], [0.95, -24.0, 60.0, 2.0])):
        table.appendRow(0.1 * i, opensim.RowVector(row))
    table.addTableMetaDataString("inDegrees", "yes")
    opensim.STOFileAdapter.write(table, str(tmp_path / "theirs.sto"))
    found = read_movement(tmp_path / "theirs.sto", paths)
    knee = found.coordinates.index("knee_angle_r")
    np.testing.assert_allclose(found.positions[:, knee], np.deg2rad([-30.0, -24.0]))
    np.testing.assert_allclose(found.speeds[:, knee], np.deg2rad([60.0, 60.0]))
    np.testing.assert_allclose(found.coordinate("pelvis_ty"), [0.9, 0.95])
    np.testing.assert_allclose(found.speeds[:, found.coordinates.index("pelvis_ty")], 0.5)
    left_out = found.coordinates.index("hip_flexion_l")
    np.testing.assert_array_equal(found.positions[:, left_out], paths.names.default_pose[left_out])


def test_force_plates_are_right_and_left(tmp_path: Path, movement: Movement) -> None:
    columns = [
        f"{plate}ground_force_{kind}{axis}"
        for plate in ("", "1_")
        for kind in ("v", "p")
        for axis in "xyz"
    ]
    time = np.linspace(0.0, 0.6, 601)
    values = np.outer(time, np.arange(12.0))
    file = tmp_path / "plates.mot"
    write_table(file, Table("plates", tuple(columns), time, values))
    found = with_ground_reactions(movement, file)
    assert found.feet == ("right", "left")
    np.testing.assert_allclose(found.ground_reaction[10], 0.2 * np.array([[0, 1, 2], [6, 7, 8]]))
    np.testing.assert_allclose(found.foot_positions[10], 0.2 * np.array([[3, 4, 5], [9, 10, 11]]))


GOOD = "walk\nversion=1\ninDegrees=no\nendheader\ntime\tpelvis_ty\n0\t0.9\n0.1\t0.91\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (GOOD.replace("endheader", ""), "no line 'endheader'"),
        (GOOD.split("time")[0], "ends with its header"),
        (GOOD.replace("time", "moment"), "line 5: the first column is not called time"),
        (GOOD.replace("0.91", "0.91\t3"), "line 7: 3 numbers, not 2"),
        (GOOD.replace("0.91", "high"), "line 7 has a value that is not a number"),
        (GOOD.replace("0.1\t", "0\t"), "line 7: its time is not after the one before"),
        (GOOD.replace("0.1\t0.91\n", ""), "fewer than two moments"),
        (GOOD.replace("pelvis_ty", "pelvis_ti"), "has no coordinate of the model"),
    ],
)
def test_a_malformed_file_is_told_in_a_sentence(
    tmp_path: Path, paths: StatePaths, text: str, said: str
) -> None:
    file = tmp_path / "bad.mot"
    file.write_text(text)
    with pytest.raises(MovementError, match=said):
        read_movement(file, paths)


def test_files_that_are_not_there_or_not_text(tmp_path: Path, movement: Movement) -> None:
    with pytest.raises(MovementError, match=r"none\.mot cannot be read: No such file"):
        read_table(tmp_path / "none.mot")
    (tmp_path / "picture.mot").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(MovementError, match="is not a text file"):
        read_table(tmp_path / "picture.mot")
    labels = tuple(f"ground_force_{kind}{axis}" for kind in "vp" for axis in "xyz")
    late = Table("f", labels, np.array([2.0, 2.1]), np.zeros((2, 6)))
    write_table(tmp_path / "late.mot", late)
    with pytest.raises(MovementError, match=r"covers 2 to 2\.1 s and not the movement's 0 to 0\.6"):
        with_ground_reactions(movement, tmp_path / "late.mot")
