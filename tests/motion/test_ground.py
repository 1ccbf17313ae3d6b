"""The belt under a movement, found from where feet are."""

import gait_walker as walker
import numpy as np
import pytest

from osimexp.motion.ground import belt_under


def points(belt: float, lift: float = 0.1) -> np.ndarray:
    """Return heels and a pelvis, on ground that moves backwards; heels rise as they swing."""
    time = walker.movement().time
    feet = walker.feet(time)
    for number, side in enumerate(walker.FIRST):
        swings = walker.since_strike(time, side)[1] > walker.STANCE
        feet[swings, number, 1] = lift
    pelvis = np.tile([0.0, 0.95, 0.0], (len(time), 1, 1))
    found = np.concatenate([feet, pelvis], axis=1)
    found[:, :, 0] -= belt * time[:, None]
    return found


@pytest.mark.parametrize("belt", [0.5, 1.1, 3.0])
def test_a_belt_is_as_fast_as_the_feet_that_stand_on_it(belt: float) -> None:
    assert belt_under(walker.movement().time, points(belt)) == pytest.approx(belt, abs=1e-9)


def test_still_ground_has_no_belt() -> None:
    time = walker.movement().time
    assert belt_under(time, points(0.0)) == 0.0
    assert belt_under(time, points(0.1)) == 0.0
    assert belt_under(time[:2], points(1.0)[:2]) == 0.0
