"""A gait out of a file, against the gait that the file was written from."""

import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from options import made
from tasks import environment, normal_gait, written_gait

from osimexp.errors import ConfigError
from osimexp.motion.tables import read_table, write_table
from osimexp.tasks.goals.gait import MidGait
from osimexp.tasks.goals.recorded_gait import RecordedGait


@pytest.mark.parametrize(("degrees", "paths"), [(True, False), (False, True)])
def test_the_gait_that_was_written_is_found(tmp_path: Path, degrees: bool, paths: bool) -> None:
    gait, found = (
        normal_gait(),
        made("target/recorded", movement=str(written_gait(tmp_path, 2.0, degrees, paths))),
    )
    assert found.period == pytest.approx(gait.period, abs=0.01)
    assert found.speed == pytest.approx(gait.speed, rel=1e-6)
    phases = np.linspace(0.0, 1.0, 40)
    columns = [gait.coordinates.index(name) for name in found.coordinates]
    assert len(columns) == 6
    # Straight lines between 100 samples a second, and a period to the nearest 5 ms.
    np.testing.assert_allclose(
        found.angles(phases), gait.angles(0.3 + phases)[:, columns], atol=np.deg2rad(1.5)
    )


def test_a_short_file_needs_to_be_told_its_stride(tmp_path: Path) -> None:
    file, gait = str(written_gait(tmp_path, 1.2)), normal_gait()
    found = made("target/recorded", movement=file, stride=(0.05, 0.05 + gait.period))
    assert found.period == pytest.approx(gait.period)
    with pytest.raises(ConfigError, match="within"):
        made("target/recorded", movement=file, stride=(0.5, 2.0))
    with pytest.raises(ConfigError, match="too short to find a stride"):
        made("target/recorded", movement=str(written_gait(tmp_path, 0.6)))


def test_the_walk_follows_a_file(tmp_path: Path) -> None:
    task = (
        "experiment=walk", "target=recorded", f"target.movement={written_gait(tmp_path, 2.0)}",
        "physics=compiled", "workers=none",
    )  # fmt: skip
    batch = environment(4, *task, "start.standing=0.0")
    start = batch.specification.start
    assert isinstance(start, MidGait)
    assert isinstance(start.gait, RecordedGait)
    batch.reset(seed=0)
    *_, terminated, _, _ = batch.step(np.zeros((4, 18), np.float32))
    assert not terminated.any()
    batch.close()
    with pytest.raises(ConfigError, match="cannot be read"):
        environment(1, *task[:2], "target.movement=none.mot", *task[3:])


def task_of(file: Path, *more: str) -> tuple[str, ...]:
    return (
        "experiment=walk", "target=recorded", f"target.movement={file}", "physics=compiled",
        "workers=none", *more,
    )  # fmt: skip


@pytest.mark.parametrize("degrees", [True, False])
def test_lengths_are_no_angles_whatever_the_unit_of_angles(tmp_path: Path, degrees: bool) -> None:
    file = written_gait(tmp_path, 2.0, degrees, pelvis_ty=0.95)
    followed = "target.coordinates_followed=[knee_angle_*,pelvis_ty]"
    batch = environment(2, *task_of(file, followed, "start.standing=0.0"))
    gait, start = batch.specification.target, batch.specification.start
    assert isinstance(gait, RecordedGait)
    assert isinstance(start, MidGait)
    for found in (gait, start.gait, made("target/recorded", movement=str(file),
                                         coordinates_followed=["pelvis_ty"])):  # fmt: skip
        height = found.angles(np.linspace(0.0, 1.0, 5))[:, found.coordinates.index("pelvis_ty")]
        np.testing.assert_allclose(height, 0.95, atol=1e-9)
    knees = normal_gait()
    column = knees.coordinates.index("knee_angle_r")
    reach = knees.angles(np.linspace(0.0, 1.0, 50))[:, column]
    mine = gait.angles(np.linspace(0.0, 1.0, 50))[:, gait.coordinates.index("knee_angle_r")]
    assert np.ptp(mine) == pytest.approx(np.ptp(reach), abs=0.03)
    batch.close()


def test_the_speed_on_a_treadmill_is_that_over_its_belt(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    batch = environment(1, *task_of(written_gait(tmp_path, 4.0, treadmill=True)))
    with caplog.at_level(logging.INFO, "osimexp"):
        again = batch.specification.on_model(batch.model, batch.scene.names)
    gait, start = batch.specification.target, batch.specification.start
    assert isinstance(gait, RecordedGait)
    assert isinstance(start, MidGait)
    # The feet of this gait slip a little, as its angles and its speed are of different people.
    assert 0.9 < gait.speed < 1.3
    assert start.gait.speed == gait.speed
    assert again.target == gait
    assert "taken for a walk on a treadmill" in caplog.text
    batch.close()


def test_a_walk_backwards_on_a_treadmill_is_found_and_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = written_gait(tmp_path, 4.0, treadmill=True)
    table = read_table(file)
    write_table(file, replace(table, values=table.values[::-1]))
    with caplog.at_level(logging.INFO, "osimexp"):
        batch = environment(1, *task_of(file))
    gait = batch.specification.target
    assert isinstance(gait, RecordedGait)
    assert -1.3 < gait.speed < -0.9
    assert "a walk backwards on a treadmill" in caplog.text
    batch.close()


def test_coordinates_that_the_model_does_not_know_are_left_out_and_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = written_gait(tmp_path, 2.0, hip_flexion_z=3.0)
    with caplog.at_level(logging.INFO, "osimexp"):
        batch = environment(1, *task_of(file))
    assert "does not know, which are not followed: hip_flexion_z" in caplog.text
    batch.reset(seed=0)
    batch.close()
    with pytest.raises(ConfigError, match="none of the coordinates hip_flexion_z"):
        environment(1, *task_of(file, "target.coordinates_followed=[hip_flexion_z]"))


def test_a_gap_or_an_impossible_unit_is_refused_as_in_other_commands(tmp_path: Path) -> None:
    file = written_gait(tmp_path, 2.0)
    text = file.read_text()
    file.write_text(text.replace("inDegrees=yes", "inDegrees=no"))
    with pytest.raises(ConfigError, match="which no joint can turn"):
        environment(1, *task_of(file))
    lines = text.splitlines()
    cells = lines[20].split("\t")
    place = lines[6].split("\t").index("knee_angle_r")
    lines[20] = "\t".join([*cells[:place], "nan", *cells[place + 1 :]])
    file.write_text("\n".join(lines))
    with pytest.raises(ConfigError, match=rf"line 21: knee_angle_r \(column {place + 1}\) is nan"):
        environment(1, *task_of(file))
