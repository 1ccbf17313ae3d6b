"""Files that others wrote, read as OpenSim reads them or refused in a sentence."""

import logging
from pathlib import Path

import numpy as np
import opensim
import pytest
from tasks import prepared

from osimexp.errors import MovementError
from osimexp.models.muscle_sets import MuscleSet
from osimexp.models.names import StatePaths
from osimexp.models.prepare import prepare, quiet
from osimexp.models.settings import ModelSettings
from osimexp.motion.files import read_controls, read_movement
from osimexp.motion.tables import Table, read_table, write_table
from osimexp.physics.posing.state_paths import state_paths

GOOD = "version=1\ninDegrees=yes"

KNEE = (-5.0, -62.0, -30.0)
"""Degrees, which no knee bends in radians."""


@pytest.fixture(scope="module")
def paths() -> StatePaths:
    return state_paths(prepared("model=gait2d", "reward=velocity"))


def written(folder: Path, header: str, columns: str = "", rows: str = "") -> Path:
    """Write a file of a knee's angle and the pelvis's height, or of other columns and rows."""
    columns = columns or "time\tknee_angle_r\tpelvis_ty"
    rows = rows or "".join(f"{0.1 * t:g}\t{angle}\t0.9\n" for t, angle in enumerate(KNEE))
    file = folder / "theirs.mot"
    file.write_text(f"walk\n{header}\nendheader\n{columns}\n{rows}", encoding="utf-8")
    return file


def knee_of(file: Path, paths: StatePaths) -> np.ndarray:
    return np.rad2deg(read_movement(file, paths).coordinate("knee_angle_r"))


# Headers that Storage and we read alike.
ALIKE = (
    "version=1\ninDegrees=yes",
    "version=1\ninDegrees=no",
    "version=1\ninDegrees=YES",
    "version=1\ninDegrees=y",
    "version=1\ninDegrees = yes",
    "version=1\ninDegrees yes",
    "inDegrees=yes\nversion=3\nOpenSimVersion=4.5",
    "version=1",
    "version=3\nDataType=double",
    "nRows=3\nnColumns=3\n\nUnits are S.I. units (second, meters)\nAngles are in degrees.",
    "datacolumns 3\ndatarows 3\nrange 0 0.2",
    "version=1\ninDegrees=yes\nAngles are in radians.",
    "version=1\ninDegrees=no\nAngles are in degrees.",
    "version=1\nAngles are in radians.",
)


@pytest.mark.parametrize("header", ALIKE)
def test_the_unit_of_angles_is_that_of_opensims_storage(tmp_path: Path, header: str) -> None:
    quiet()
    file = written(
        tmp_path, header if "row" in header.lower() else f"nRows=3\nnColumns=3\n{header}"
    )
    assert read_table(file).degrees == opensim.Storage(str(file)).isInDegrees()


@pytest.mark.parametrize(
    ("header", "degrees"),
    [
        # OpenSim takes these for radians, whatever they say.
        ("version=1\nAngles are in degrees.", True),
        ("version=1\nInDegrees=yes", True),
        # And these for degrees, because they have no version.
        ("inDegrees=no", False),
        ("Angles are in radians.", False),
    ],
)
def test_what_a_header_states_counts_and_is_noted_where_opensim_differs(
    tmp_path: Path, header: str, degrees: bool, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "osimexp"):
        assert read_table(written(tmp_path, header)).degrees == degrees
    if "InDegrees" not in header:
        assert "OpenSim itself takes them" in caplog.text


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("version=1\ninDegrees=maybe", "line 3: inDegrees=maybe is neither yes nor no"),
        ("version=1\ninDegrees=no\ninDegrees=yes", "inDegrees is both yes and no"),
        # -62 radians are -3552 degrees.
        ("version=1\ninDegrees=no", r"line 7: knee_angle_r would be -3552 degrees.*inDegrees=yes"),
    ],
)
def test_a_unit_that_cannot_be_is_refused(
    tmp_path: Path, paths: StatePaths, header: str, said: str
) -> None:
    with pytest.raises(MovementError, match=said):
        read_movement(written(tmp_path, header), paths)


def test_a_model_may_turn_round_but_its_knee_may_not(tmp_path: Path, paths: StatePaths) -> None:
    rows = "0\t0\n0.1\t900\n0.2\t1000\n"
    tilted = written(tmp_path, GOOD, "time\tpelvis_tilt", rows)
    found = read_movement(tilted, paths).coordinate("pelvis_tilt")
    np.testing.assert_allclose(np.rad2deg(found), [0.0, 900.0, 1000.0])
    with pytest.raises(MovementError, match="knee_angle_r would be 1000 degrees"):
        read_movement(written(tmp_path, GOOD, "time\tknee_angle_r", rows), paths)


def test_degrees_without_in_degrees_are_the_same_angles(tmp_path: Path, paths: StatePaths) -> None:
    for header in ("version=1\ninDegrees=yes", "nRows=3\n\nAngles are in degrees."):
        np.testing.assert_allclose(knee_of(written(tmp_path, header), paths), KNEE)


@pytest.mark.parametrize("cell", ["nan", "NaN", "-nan(ind)", "1.#QNAN", "-1.#IND", "", "inf"])
def test_a_gap_is_named_with_line_and_column(tmp_path: Path, paths: StatePaths, cell: str) -> None:
    rows = f"0\t-5\t0.9\n0.1\t{cell}\t0.9\n0.2\t{cell}\t0.9\n0.3\t-5\t0.9\n"
    with pytest.raises(MovementError, match=r"line 7: knee_angle_r \(column 2\) is .* at 0\.1 s"):
        read_movement(written(tmp_path, GOOD, rows=rows), paths)


def test_a_gap_in_a_column_that_is_not_used_is_no_matter(tmp_path: Path, paths: StatePaths) -> None:
    columns = "time\tknee_angle_r\tmarker_error"
    rows = "0\t-5\tnan\n0.1\t-62\t\n0.2\t-30\t1\n"
    np.testing.assert_allclose(knee_of(written(tmp_path, GOOD, columns, rows), paths), KNEE)


def test_a_time_that_is_no_number_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MovementError, match="line 7: its time is not a number"):
        read_table(written(tmp_path, GOOD, rows="0\t1\t2\nnan\t1\t2\n0.2\t1\t2\n"))


def test_two_columns_of_one_name_are_refused(tmp_path: Path, paths: StatePaths) -> None:
    rows = "0\t1\t2\n0.1\t1\t2\n"
    for second in ("knee_angle_r", "/jointset/knee_r/knee_angle_r/value"):
        file = written(tmp_path, GOOD, f"time\tknee_angle_r\t{second}", rows)
        with pytest.raises(MovementError, match=r"2 columns .*knee_angle_r.*numbers 2 and 3"):
            read_movement(file, paths)
    # Columns that the model does not know may be called as they like.
    file = written(tmp_path, GOOD, "time\tknee_angle_r\tx\tx", "0\t1\t2\t3\n0.1\t1\t2\t3\n")
    assert len(read_movement(file, paths)) == 2


def test_the_last_row_of_a_time_counts_as_in_opensim(
    tmp_path: Path, paths: StatePaths, caplog: pytest.LogCaptureFixture
) -> None:
    rows = "0\t-1\t0.9\n0.1\t-2\t0.9\n0.1\t-3\t0.9\n0.2\t-4\t0.9\n0.2\t-5\t0.9\n"
    file = written(tmp_path, "nRows=5\nnColumns=3\n" + GOOD, rows=rows)
    with caplog.at_level(logging.INFO, "osimexp"):
        np.testing.assert_allclose(knee_of(file, paths), [-1.0, -3.0, -5.0])
    assert "2 rows of a time that the next row has as well" in caplog.text
    quiet()
    storage = opensim.Storage(str(file))
    states = [storage.getStateVector(i) for i in range(storage.getSize())]
    assert [state.getData().get(0) for state in states] == [-1.0, -3.0, -5.0]
    with pytest.raises(MovementError, match="line 8: its time is not after the one before"):
        read_table(written(tmp_path, GOOD, rows="0\t1\t2\n0.2\t1\t2\n0.1\t1\t2\n"))


def test_labels_are_read_as_by_opensim_and_what_is_left_out_is_said(
    tmp_path: Path, paths: StatePaths, caplog: pytest.LogCaptureFixture
) -> None:
    columns = "time\tleft knee\tknee_angle_r\tgenou_é\t"
    rows = "".join(f"{0.1 * t:g}\t7\t{angle}\t8\t\n" for t, angle in enumerate(KNEE))
    file = written(tmp_path, GOOD, columns, rows)
    file.write_bytes(file.read_text(encoding="utf-8").encode("latin-1"))
    with caplog.at_level(logging.INFO, "osimexp"):
        np.testing.assert_allclose(knee_of(file, paths), KNEE)
    assert "does not know, which are left out: left knee, genou_é." in caplog.text
    assert "read as Latin-1" in caplog.text
    assert "no column of" in caplog.text
    assert "pelvis_ty" in caplog.text
    file.write_text(file.read_text(encoding="latin-1").replace("é", "e"), encoding="utf-8")
    quiet()
    assert read_table(file).columns == tuple(opensim.TimeSeriesTable(str(file)).getColumnLabels())


@pytest.mark.parametrize(
    ("columns", "rows"),
    [
        ("time knee_angle_r pelvis_ty", "0 -5 0.9\n0.1 -62 0.9\n0.2 -30 0.9\n"),
        ("  time\t  knee_angle_r\t pelvis_ty", "  0\t  -5\t 0.9\n 0.1\t-62\t0.9\n 0.2\t-30\t0.9\n"),
        ("time\tknee_angle_r\tpelvis_ty", "0 -5 0.9\n0.1 -62 0.9\n0.2 -30 0.9\n"),
        ("time\tknee_angle_r\tpelvis_ty\t", "0\t-5\t0.9\t\n\n0.1\t-62\t0.9\t\n0.2\t-30\t0.9\t\n"),
    ],
    ids=["blanks", "padded", "blanks in rows", "tabs at the end"],
)
def test_columns_are_parted_as_they_come(
    tmp_path: Path, paths: StatePaths, columns: str, rows: str
) -> None:
    file = written(tmp_path, GOOD, columns, rows)
    np.testing.assert_allclose(knee_of(file, paths), KNEE)
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes().replace(b"\n", b"\r\n"))
    np.testing.assert_allclose(knee_of(file, paths), KNEE)


@pytest.mark.parametrize(
    ("mark", "name"),
    [(",", "commas"), (", ", "commas"), (";", "semicolons"), (" ; ", "semicolons")],
)
@pytest.mark.parametrize("head", [True, False])
def test_a_wrong_separator_is_named_as_the_cause(
    tmp_path: Path, mark: str, name: str, head: bool
) -> None:
    columns, rows = "time\tknee_angle_r\tpelvis_ty", "0\t-5\t0.9\n0.1\t-62\t0.9\n"
    file = written(tmp_path, GOOD, columns.replace("\t", mark), rows.replace("\t", mark))
    if not head:
        file.write_text(file.read_text().split("endheader\n")[1])
    where = ", line 5" if head else ""
    with pytest.raises(MovementError, match=rf"theirs.mot{where}: {name} part its columns"):
        read_table(file)
    if head:
        file = written(tmp_path, GOOD, columns, rows.replace("\t", mark))
        with pytest.raises(MovementError, match=rf"line 6: {name} part its columns"):
            read_table(file)
        file.write_text(file.read_text().replace("endheader", f"endheader{mark}{mark}"))
        with pytest.raises(MovementError, match=f"{name} part its columns"):
            read_table(file)


def test_a_decimal_comma_is_named(tmp_path: Path) -> None:
    rows = "0\t-5,5\t0,9\n0,1\t-62\t0,9\n"
    with pytest.raises(MovementError, match=r"knee_angle_r is '-5,5', with a comma where a point"):
        read_table(written(tmp_path, GOOD, rows=rows))


def test_an_underscore_is_no_digit(tmp_path: Path) -> None:
    with pytest.raises(MovementError, match=r"line 6 has a value .*knee_angle_r is '1_0'"):
        read_table(written(tmp_path, GOOD, rows="0\t1_0\t2\n0.1\t1\t2\n"))


def test_controls_are_read_with_the_same_care(tmp_path: Path, paths: StatePaths) -> None:
    muscle = paths.names.controls[0]
    rows = "0\t0.5\t1\n0.1\tnan\t1\n"
    with pytest.raises(MovementError, match=rf"line 7: {muscle} \(column 2\) is nan at 0\.1 s"):
        read_controls(written(tmp_path, GOOD, f"time\t{muscle}\tx", rows), paths, (muscle,))
    twice = written(tmp_path, GOOD, f"time\t{muscle}\t{muscle}", "0\t0.5\t1\n0.1\t0\t1\n")
    with pytest.raises(MovementError, match="2 columns"):
        read_controls(twice, paths, (muscle,))


def test_moments_that_are_missing_are_refused_with_their_line(
    tmp_path: Path, paths: StatePaths
) -> None:
    file = tmp_path / "hole.mot"
    time = np.arange(0.0, 2.0, 0.02)
    kept = (time < 0.99) | (time > 1.39)
    write_table(file, Table("hole", ("knee_angle_r",), time[kept], np.zeros((kept.sum(), 1))))
    with pytest.raises(
        MovementError, match=r"hole.mot, line 58: no moment is between 0.98 and 1.4"
    ):
        read_movement(file, paths)
    write_table(file, Table("slow", ("knee_angle_r",), time[::10], np.zeros((10, 1))))
    read_movement(file, paths)


def test_radians_that_are_read_as_degrees_are_doubted(
    tmp_path: Path, paths: StatePaths, caplog: pytest.LogCaptureFixture
) -> None:
    radians = "0\t-0.1\n0.1\t-1.1\n0.2\t-0.5\n"
    still = "0\t-70\n0.1\t-71.1\n0.2\t-70.5\n"  # Degrees of a knee that is held bent.
    for header, rows, doubted in (
        ("inDegrees=yes", radians, True),
        ("inDegrees=no", radians, False),
        ("inDegrees=yes", still, False),
    ):
        caplog.clear()
        file = written(tmp_path, f"version=1\n{header}", "time\tknee_angle_r", rows)
        read_movement(file, paths)
        assert ("ordinary in radians" in caplog.text) == doubted


@pytest.mark.parametrize("unit", [1.0, 1000.0])
def test_millimetres_that_are_read_as_metres_are_doubted(
    tmp_path: Path, paths: StatePaths, caplog: pytest.LogCaptureFixture, unit: float
) -> None:
    way = unit * np.array([0.0, 0.12, 0.25, 0.38])
    rows = "".join(f"{0.1 * k:g}\t{place:g}\n" for k, place in enumerate(way))
    read_movement(written(tmp_path, GOOD, "time\tpelvis_tx", rows), paths)
    assert ("pelvis_tx would move at" in caplog.text) == (unit > 1.0)


@pytest.mark.parametrize("unit", [1.0, 100.0, 1000.0])
def test_a_model_that_stands_in_the_sky_is_refused_with_the_unit(
    tmp_path: Path, paths: StatePaths, unit: float
) -> None:
    rows = "".join(f"{0.1 * k:g}\t{0.92 * unit:g}\n" for k in range(4))
    file = written(tmp_path, GOOD, "time\tpelvis_ty", rows)
    if unit == 1.0:
        read_movement(file, paths)
        return
    with pytest.raises(MovementError, match=rf"pelvis_ty is {0.92 * unit:g}, .* in mm or cm"):
        read_movement(file, paths)


def test_the_height_of_a_model_of_ones_own_is_known(tmp_path: Path) -> None:
    own = tmp_path / "own.osim"
    own.write_text(prepared("model=gait2d").xml, encoding="utf-8")
    paths = state_paths(prepare(ModelSettings(path=str(own)), MuscleSet()))
    assert paths.names.base is None  # Nothing says that the model has a pelvis.
    assert paths.names.lifting == ("pelvis_ty",)
    file = written(tmp_path, GOOD, "time\tpelvis_ty\tpelvis_tx", "0\t920\t1\n0.1\t920\t1\n")
    with pytest.raises(MovementError, match="pelvis_ty is 920"):
        read_movement(file, paths)
    far = written(tmp_path, GOOD, "time\tpelvis_ty\tpelvis_tx", "0\t0.9\t99\n1\t0.9\t100\n")
    read_movement(far, paths)


def test_a_coordinate_that_is_missing_by_its_capitals_is_refused(
    tmp_path: Path, paths: StatePaths
) -> None:
    rows = "0\t-5\t0.9\n0.1\t-6\t0.9\n"
    for label in ("Knee_Angle_R", "/jointset/knee_r/KNEE_angle_r/value"):
        file = written(tmp_path, GOOD, f"time\t{label}\tpelvis_ty", rows)
        with pytest.raises(
            MovementError, match=r"(?i)has knee.* the model has knee_angle_r: .*cap"
        ):
            read_movement(file, paths)
    both = written(tmp_path, GOOD, "time\tKnee_Angle_R\tknee_angle_r", rows)
    np.testing.assert_allclose(knee_of(both, paths), [0.9, 0.9])


def test_other_columns_that_are_missing_by_their_capitals_are_named(
    tmp_path: Path, paths: StatePaths, caplog: pytest.LogCaptureFixture
) -> None:
    file = written(tmp_path, GOOD, "time\tpelvis_ty\tSoleus_R.activation", "0\t1\t0\n1\t1\t0\n")
    with caplog.at_level(logging.WARNING, "osimexp"):
        read_movement(file, paths)
    assert "Soleus_R.activation would be soleus_r.activation but for capitals" in caplog.text
