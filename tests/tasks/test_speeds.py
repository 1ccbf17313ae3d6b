"""Speeds that are asked for, against their own plan."""

from dataclasses import replace

import numpy as np
import pytest
from options import made
from tasks import environment

from osimexp.errors import ConfigError
from osimexp.tasks.goals.speeds import VelocityAsked, wanted_speed

TASK = (
    "reward=speeds", "observation=speed", "physics=compiled", "workers=none", "termination=none",
    "target.every=0.1", "target.count=3",
)  # fmt: skip


def test_each_speed_is_asked_for_in_its_turn_and_the_last_to_the_end() -> None:
    batch = environment(3, *TASK)
    observations, _ = batch.reset(seed=0)
    planned = batch.frame.targets.copy()
    assert ((planned >= 0.6) & (planned <= 1.8)).all()
    assert len(np.unique(planned)) == 9
    for step in range(24):
        turn = min(step // 5, 2)  # 0.1 s are five control periods.
        np.testing.assert_array_equal(wanted_speed(batch.frame), planned[:, turn])
        np.testing.assert_allclose(observations[:, -1], planned[:, turn], rtol=1e-6)
        velocity = batch.frame.state.centre_of_mass_velocity[:, 0]
        expected = np.exp(-(((velocity - planned[:, turn]) / 0.5) ** 2))
        np.testing.assert_allclose(VelocityAsked(weight=1.0, width=0.5)(batch.frame), expected)
        observations, *_ = batch.step(np.zeros((3, 18), np.float32))
    batch.close()


def test_what_cannot_be_asked_for_is_said() -> None:
    with pytest.raises(ConfigError, match="follows a speed, and there is none"):
        environment(1, "observation=speed", "physics=compiled", "workers=none")
    speeds = made("target/speeds")
    with pytest.raises(ValueError, match="low must not be above high"):
        replace(speeds, low=2.0)
    with pytest.raises(ValueError, match="at least 1"):
        replace(speeds, count=0)
