"""What a batch promises of its rows: drawn each by itself, and given away for good."""

from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest
import tasks
from numpy.testing import assert_array_equal

from osimexp.physics.simulation import Start
from osimexp.tasks.musculoskeletal import MusculoskeletalVectorEnv

WALKER = (*tasks.WALKER, "observation=full")
MOVING = (*tasks.WALKER, "start=standing_or_moving")
SHORT = "task.duration=0.03"


@pytest.mark.parametrize(
    "start", ["default", "noisy", "striding", "standing_or_moving", "anywhere"]
)
def test_a_start_is_drawn_from_its_own_generator_alone(start: str) -> None:
    env = tasks.environment(1, *tasks.WALKER, f"start={start}")
    term = env.specification.start
    drawn = term(env.scene, [np.random.default_rng(seed) for seed in range(6)])
    for seed in range(6):
        alone = term(env.scene, [np.random.default_rng(seed)])
        for name, values in vars(alone).items():
            assert_array_equal(getattr(drawn, name)[seed], values[0])


def test_a_target_is_drawn_from_its_own_generator_alone() -> None:
    env = tasks.environment(1, *tasks.ARM)
    term = env.specification.target
    assert term is not None
    generators = [np.random.default_rng(seed) for seed in range(6)]
    start = env.specification.start(env.scene, [np.random.default_rng(0)])
    starts = Start(*(np.repeat(values, 6, axis=0) for values in vars(start).values()))
    drawn = term(env.scene, env.simulation, generators, starts)
    for seed in range(6):
        alone = term(env.scene, env.simulation, [np.random.default_rng(seed)], start)
        assert_array_equal(drawn[seed], alone[0])


def test_anywhere_moves_joints_within_the_workspace_and_leaves_the_pelvis() -> None:
    workspace = "+model.workspace.knee_angle_r=[-1.0,-0.5]"
    env = tasks.environment(1, *tasks.WALKER, "start=anywhere", workspace)
    names, scene = env.scene.names, env.scene
    generators = [np.random.default_rng(seed) for seed in range(200)]
    poses = env.specification.start(scene, generators).coordinates
    pelvis = [scene.coordinate(name) for name in ("pelvis_tx", "pelvis_ty", "pelvis_tilt")]
    assert_array_equal(poses[:, pelvis], np.tile(names.default_pose[pelvis], (200, 1)))
    knee = poses[:, scene.coordinate("knee_angle_r")]
    assert -1.0 <= knee.min() < -0.95
    assert -0.55 < knee.max() <= -0.5


def test_some_rows_of_a_moment_are_those_rows_of_it() -> None:
    env = tasks.environment(4, *WALKER, "start=noisy")
    env.reset(seed=0)
    env.step(np.random.default_rng(0).uniform(-1, 1, env.action_space.shape))
    rows = np.array([3, 1])
    whole, some = env.frame, env.frame.at(rows)
    terms = [*env.specification.observation.values(), *env.specification.reward.values()]
    for term in terms:
        assert_array_equal(term(some), term(whole)[rows])


def test_what_a_step_returns_may_be_kept() -> None:
    env = tasks.environment(2, *WALKER, "start=noisy", SHORT)
    generator = np.random.default_rng(0)
    kept = [env.reset(seed=0)[0]]
    copies = [kept[0].copy()]
    for _ in range(8):
        actions = generator.uniform(-1, 1, env.action_space.shape).astype(np.float32)
        observations, rewards, terminated, truncated, infos = env.step(actions)
        arrays = [observations, rewards, terminated, truncated, *infos.get("episode", {}).values()]
        if "final_obs" in infos:
            arrays += [infos["final_obs"], infos["_final_obs"], infos["_episode"]]
        kept += arrays
        copies += [values.copy() for values in arrays]
    assert len(kept) > 60  # episodes ended
    for values, copy in zip(kept, copies, strict=True):
        assert_array_equal(values, copy)


def test_an_end_leaves_the_other_rows_of_the_observation_alone() -> None:
    env = tasks.environment(3, *WALKER, "start=noisy", SHORT)
    still = np.zeros(env.action_space.shape)
    env.reset(seed=0)
    for _ in range(2):
        env.step(still)
    env.reset(options={"reset_mask": [True, False, True]})
    observations, _, _, truncated, infos = env.step(still)
    assert truncated.tolist() == [False, True, False]
    assert_array_equal(observations[[0, 2]], infos["final_obs"][[0, 2]])
    assert np.abs(observations[1] - infos["final_obs"][1]).max() > 1e-3
    seen = [term(env.frame) for term in env.specification.observation.values()]
    assert_array_equal(observations, np.concatenate(seen, axis=1).astype(np.float32))


def test_noise_that_only_helps_to_learn_is_left_out_where_a_controller_is_judged() -> None:
    words = (*tasks.WALKER, "start=noisy", "start.judged_still=true")
    noisy = tasks.specification(*words)
    with closing(MusculoskeletalVectorEnv(noisy, 3)) as env:
        env.reset(seed=0)
        assert np.ptp(env.frame.state.coordinates, axis=0).max() > 0.01
    with closing(MusculoskeletalVectorEnv(noisy.for_judging(), 3)) as env:
        env.reset(seed=0)
        state, default = env.frame.state, env.scene.names.default_pose
        still = np.delete(state.coordinates, env.scene.base("height"), axis=1)
        expected = np.delete(default, env.scene.base("height"))
        np.testing.assert_array_equal(still, np.tile(expected, (3, 1)))
        assert not state.speeds.any()
    always = tasks.specification(*words[:-1])
    assert always.for_judging().start == always.start


def test_episodes_begin_standing_or_on_the_way_in_a_pose_of_the_model() -> None:
    words = (*MOVING, "start.angle_noise=0", "start.speed_noise=0")
    with closing(tasks.environment(64, *words)) as env:
        env.reset(seed=3)
        state, scene = env.frame.state, env.scene
        hip = state.coordinates[:, scene.coordinate("hip_flexion_r")]
        forward = state.speeds[:, scene.base("forward")]
    # The strides of gait2d flex the right hip by 0.4 rad or extend it by 0.25; standing it is at 0.
    assert set(np.round(hip, 3)) == {0.4, -0.25, 0.0}
    standing = np.isclose(hip, 0.0)
    assert 16 < standing.sum() < 48
    assert not state.speeds[standing].any()
    assert (forward[~standing] == 1.0).all()


def test_a_model_that_names_no_poses_begins_standing() -> None:
    words = (*MOVING, "start.speed_noise=1.0")
    found = tasks.specification(*words)
    bare = replace(found, model=replace(found.model, poses={}))
    with closing(MusculoskeletalVectorEnv(bare, 8)) as env:
        env.reset(seed=3)
        assert not env.frame.state.speeds.any()
