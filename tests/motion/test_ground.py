"""The belt under a movement, found from where feet are."""

import gait_walker as walker
import numpy as np
import pytest

from osimexp.motion.ground import facing, velocity_under


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
    assert velocity_under(walker.movement().time, points(belt)) == pytest.approx(
        [-belt, 0.0], abs=1e-9
    )


def test_still_ground_has_no_belt() -> None:
    time = walker.movement().time
    assert not velocity_under(time, points(0.0)).any()
    assert not velocity_under(time, points(0.1)).any()
    assert not velocity_under(time[:2], points(1.0)[:2]).any()


def test_a_belt_may_move_in_any_direction() -> None:
    time, turned = walker.movement().time, points(1.1)
    turned[:, :, [0, 2]] = turned[:, :, [2, 0]]
    assert velocity_under(time, turned) == pytest.approx([0.0, -1.1], abs=1e-9)
    assert velocity_under(time, points(-1.1)) == pytest.approx([1.1, 0.0], abs=1e-9)


def test_a_model_faces_where_its_bodies_point() -> None:
    bodies = np.tile(np.eye(4), (3, 2, 1, 1))
    assert facing(bodies) == pytest.approx([1.0, 0.0])
    bodies[:, :, :3, :3] = [[0.0, 0.0, 1.0], [0.0, 1.0, 0.0], [-1.0, 0.0, 0.0]]
    assert facing(bodies) == pytest.approx([0.0, -1.0])
