"""A gait to follow, against its own curves and what is known of walking."""

from dataclasses import replace

import numpy as np
import pytest
from options import made
from tasks import environment

from osimexp.errors import ConfigError
from osimexp.tasks.goals.gait import Gait, Imitation, Phase, Strayed, astray, followed

WALK = (
    "reward=imitate", "observation=phase", "start=mid_gait", "termination=strayed",
    "physics=compiled", "workers=none",
)  # fmt: skip


def swing() -> Gait:
    """A hip that swings as a cosine of 30 degrees about 10, the right leg first."""
    share = np.arange(8) / 8.0
    curve = 10.0 + 30.0 * np.cos(2.0 * np.pi * share)
    return Gait(1.2, 1.0, {"hip_flexion_$": tuple(curve), "pelvis_tilt": (0.0, 0.0, 0.0)}, None)


def test_curves_are_their_harmonics_and_the_left_leg_follows_half_a_cycle_later() -> None:
    gait = swing()
    assert gait.coordinates == ("hip_flexion_r", "hip_flexion_l", "pelvis_tilt")
    phases = np.array([0.0, 0.1, 0.33, 0.8])
    right = 10.0 + 30.0 * np.cos(2.0 * np.pi * phases)
    left = 10.0 - 30.0 * np.cos(2.0 * np.pi * phases)
    angles = np.rad2deg(gait.angles(phases))
    np.testing.assert_allclose(angles, np.stack([right, left, 0 * right], axis=1), atol=1e-12)
    rate = -30.0 * np.sin(2.0 * np.pi * phases) * 2.0 * np.pi / 1.2
    speeds = np.rad2deg(gait.speeds(phases))
    np.testing.assert_allclose(speeds, np.stack([rate, -rate, 0 * rate], axis=1), atol=1e-11)


@pytest.mark.parametrize("count", [3, 8, 9, 25])
def test_curves_pass_through_what_was_given(count: int) -> None:
    values = tuple(np.random.default_rng(count).uniform(-20.0, 20.0, count))
    gait = Gait(1.0, 1.0, {"knee_angle_r": values}, None)
    found = np.rad2deg(gait.angles(np.arange(count) / count))[:, 0]
    np.testing.assert_allclose(found, values, atol=1e-12)


def test_an_episode_goes_on_from_the_phase_in_which_it_begins() -> None:
    batch = environment(6, *WALK, "start.standing=0.0", "start.angle_noise=0.0")
    batch.reset(seed=3)
    frame = batch.frame
    # Drawn in the gait, so that nothing but the grid of phases keeps it from the curves.
    assert astray(frame).max() < 1e-3
    np.testing.assert_allclose(
        Imitation(weight=1.0, scale=3.0)(frame), np.exp(-3.0 * astray(frame))
    )
    assert not Strayed(limit=1.2)(frame).any()
    assert (frame.state.speeds[:, frame.scene.base("forward")] > 0.5).all()
    began = np.arctan2(*Phase()(frame).T[::-1])
    batch.step(np.zeros(batch.action_space.shape, dtype=np.float32))
    turned = np.arctan2(*Phase()(batch.frame).T[::-1]) - began
    # A control period of 0.02 s in a stride of 1.1 s.
    np.testing.assert_allclose(turned % (2 * np.pi), 2 * np.pi * 0.02 / 1.1, atol=1e-9)
    batch.close()


def test_feet_begin_on_the_floor_and_standing_episodes_at_rest() -> None:
    batch = environment(40, *WALK, "start.speed_noise=0.0", "start.angle_noise=0.0")
    batch.reset(seed=0)
    state, names = batch.frame.state, batch.scene.names
    clearance = batch.simulation.kinematics(state.coordinates).clearance
    standing = (state.speeds == 0.0).all(axis=1)
    assert 8 <= standing.sum() <= 32
    np.testing.assert_allclose(clearance[~standing], 0.0, atol=1e-9)
    upright = np.tile(names.default_pose, (int(standing.sum()), 1))
    np.testing.assert_array_equal(state.coordinates[standing], upright)
    batch.close()


def test_episodes_may_begin_faster_than_the_gait() -> None:
    quiet = ("start.speed_noise=0.0", "start.angle_noise=0.0", "start.standing=0.0")
    usual = environment(40, *WALK, *quiet)
    faster = environment(40, *WALK, *quiet, "start.fastest=3.0")
    usual.reset(seed=0)
    faster.reset(seed=0)
    forward = usual.scene.base("forward")
    np.testing.assert_array_equal(usual.frame.state.speeds[:, forward], followed(usual.scene).speed)
    paces = faster.frame.state.speeds[:, forward] / followed(usual.scene).speed
    assert 1.0 <= paces.min() < 1.5
    assert 2.5 < paces.max() <= 3.0
    np.testing.assert_allclose(
        faster.frame.state.speeds, paces[:, None] * usual.frame.state.speeds, rtol=1e-12
    )
    np.testing.assert_array_equal(faster.frame.state.coordinates, usual.frame.state.coordinates)
    usual.close()
    faster.close()


def test_a_walk_that_strays_ends() -> None:
    batch = environment(4, *WALK, "termination.strayed.limit=0.05", "start.angle_noise=0.0")
    batch.reset(seed=0)
    ended = False
    for _ in range(40):
        *_, terminated, _, _ = batch.step(np.ones(batch.action_space.shape, dtype=np.float32))
        ended |= bool(terminated.any())
    assert ended
    batch.close()


def test_terms_of_a_gait_need_one() -> None:
    with pytest.raises(ConfigError, match="follows a gait, and there is none"):
        environment(1, "observation=phase", "physics=compiled", "workers=none")
    with pytest.raises(ConfigError, match="hip_flexion_r"):
        environment(1, "model=arm", *WALK, "~reward.velocity")
    with pytest.raises(ValueError, match="three values"):
        Gait(1.0, 1.0, {"hip_flexion_r": (1.0, 2.0)}, None)
    start = made("start/gait_poses", gait=swing())
    with pytest.raises(ValueError, match="standing"):
        replace(start, standing=2.0)
    with pytest.raises(ValueError, match="fastest"):
        replace(start, fastest=0.5)
