"""A gait out of a file, against the gait that the file was written from."""

from pathlib import Path

import numpy as np
import pytest
from options import made
from tasks import environment, normal_gait, written_gait

from osimexp.errors import ConfigError
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
