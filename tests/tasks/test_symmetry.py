"""A mirror of the sagittal plane, against swaps made by hand and against the physics itself."""

from contextlib import closing
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from biped import task
from options import made
from tasks import ARM, WALKER, environment

from osimexp.errors import ConfigError
from osimexp.models.sides import counterparts, other_side, without_side
from osimexp.physics.simulation import State
from osimexp.tasks.goals.gait import HalfCycle, MidGait
from osimexp.tasks.mirror import FIELDS
from osimexp.tasks.terms.starts import Poses

FREE = ("physics=compiled", "workers=none", "reward=walk_free", "start=striding")
MIRRORED = (*FREE, "symmetry=where_possible")
STILL = ("start.angle_noise=0.0", "start.speed_noise=0.0")


def test_names_tell_the_other_side() -> None:
    names = ("hip_r", "hip_l", "pelvis", "r_arm", "l_arm", "right", "left", "lone_r")
    assert [other_side(n) for n in names] == [
        "hip_l", "hip_r", "pelvis", "l_arm", "r_arm", "left", "right", "lone_l",
    ]  # fmt: skip
    assert counterparts(names).tolist() == [1, 0, 2, 4, 3, 6, 5, 7]
    assert without_side("hip_r") == without_side("hip_l") == "hip"


def test_a_mirrored_episode_looks_like_its_mirror_image() -> None:
    """A policy that is shown the mirror cannot tell a stride of the one leg from the other's."""
    batch = environment(16, *FREE, *STILL, "symmetry=leading_leg")
    observations, _ = batch.reset(seed=0)
    state = batch.frame.state
    hips = [batch.scene.coordinate(f"hip_flexion_{side}") for side in "rl"]
    left = state.coordinates[:, hips[1]] > state.coordinates[:, hips[0]]
    assert 0 < left.sum() < 16
    generator = np.random.default_rng(0)
    # The same actions for all: mirror images stay mirror images, in the physics as in what is seen.
    for _ in range(25):
        np.testing.assert_allclose(
            observations, np.tile(observations[0], (16, 1)), rtol=1e-5, atol=1e-5
        )
        action = generator.uniform(-1.0, 1.0, 18).astype(np.float32)
        observations, rewards, *_ = batch.step(np.tile(action, (16, 1)))
        np.testing.assert_allclose(rewards, rewards[0], rtol=1e-6)
    away = batch.frame.state.coordinates
    assert np.abs(away[left][0] - away[~left][0]).max() > 0.1
    batch.close()


def test_without_symmetry_they_differ() -> None:
    batch = environment(16, *FREE, *STILL, "~symmetry")
    observations, _ = batch.reset(seed=0)
    assert np.abs(observations - observations[0]).max() > 0.1
    batch.close()


def test_the_second_half_of_the_cycle_is_mirrored_and_its_phase_with_it() -> None:
    walk = ("physics=compiled", "workers=none", "reward=imitate", "start=mid_gait")
    still = ("start.standing=0.0", *STILL, "observation=phase")
    batch = environment(30, *walk, *still, "symmetry=half_cycle")
    observations, _ = batch.reset(seed=1)
    phases = batch.frame.targets[:, 0]
    np.testing.assert_array_equal(HalfCycle(reversed=None)(batch.frame), phases >= 0.5)
    # Cosine and sine of the phase come last; mirrored, it lies in the first half.
    seen = np.arctan2(observations[:, -1], observations[:, -2]) / (2.0 * np.pi) % 1.0
    np.testing.assert_allclose(seen, phases % 0.5, atol=1e-6)
    batch.close()


def test_a_restored_batch_takes_actions_as_before() -> None:
    batch = environment(4, *FREE, "symmetry=leading_leg")
    batch.reset(seed=0)
    action = np.random.default_rng(1).uniform(-1.0, 1.0, (4, 18)).astype(np.float32)
    batch.step(action)
    saved = batch.snapshot()
    expected = batch.step(action)[0]
    again = environment(4, *FREE, "symmetry=leading_leg")
    again.restore(saved)
    np.testing.assert_array_equal(again.step(action)[0], expected)
    batch.close()
    again.close()


def test_coordinates_out_of_the_plane_turn_their_sign() -> None:
    overrides = (*FREE, "symmetry=leading_leg", "symmetry.reversed=[pelvis_tilt]")
    batch = environment(2, *overrides)
    batch.reset(seed=0)
    tilt = batch.scene.coordinate("pelvis_tilt")
    frame = batch.frame
    assert batch.mirror is not None
    seen = batch.mirror.frame(frame, np.array([True, False]))
    expected = frame.state.coordinates[:, tilt] * [-1.0, 1.0]
    np.testing.assert_array_equal(seen.state.coordinates[:, tilt], expected)
    np.testing.assert_array_equal(
        seen.state.ground_reaction[0], frame.state.ground_reaction[0, ::-1] * [1.0, 1.0, -1.0]
    )
    batch.close()


def test_in_three_dimensions_a_mirrored_episode_looks_like_its_mirror_image(
    tmp_path: Path,
) -> None:
    """Strides to either side, out of the plane in every way, cannot be told apart."""
    central = {"pelvis_list": 0.1, "pelvis_rotation": 0.2, "pelvis_tz": 0.05, "lumbar_bending": 0.2}
    legs = {"hip_flexion_r": 0.4, "hip_adduction_r": 0.1, "hip_rotation_l": 0.2}
    other = {name: -value for name, value in central.items()}
    other |= {other_side(name): value for name, value in legs.items()}
    poses = [
        f"+model.poses.{name}={{pelvis_ty: 0.9, "
        + ", ".join(f"{key}: {value}" for key, value in pose.items())
        + "}"
        for name, pose in (("one", central | legs), ("two", other))
    ]
    overrides = (
        "observation=full", "reward=walk", *poses, "start.poses=[one,two]",
        "symmetry=leading_leg", "+actuators.driven={lumbar_*: 0.3}",
    )  # fmt: skip
    batch = environment(12, *task(tmp_path, *overrides))
    observations, _ = batch.reset(seed=0)
    list_ = batch.scene.coordinate("pelvis_list")
    turned = batch.frame.state.coordinates[:, list_] < 0.0
    assert 0 < turned.sum() < 12
    generator = np.random.default_rng(0)
    for _ in range(10):
        np.testing.assert_allclose(
            observations, np.tile(observations[0], (12, 1)), rtol=1e-5, atol=1e-5
        )
        action = generator.uniform(-1.0, 1.0, 7).astype(np.float32)
        observations, rewards, *_ = batch.step(np.tile(action, (12, 1)))
        np.testing.assert_allclose(rewards, rewards[0], rtol=1e-6)
    torque = batch.scene.names.controls.index("lumbar_bending_torque")
    bending = batch.frame.state.controls[:, torque]
    np.testing.assert_allclose(bending[turned][0], -bending[~turned][0])
    batch.close()


def test_every_field_of_a_state_has_its_place_in_the_mirror() -> None:
    assert [field.name for field in fields(State)] == list(FIELDS)


def test_what_has_no_other_side_is_refused() -> None:
    one_side = "symmetry: an action drives muscles of one side.* leave the symmetry out with ~symm"
    with pytest.raises(ConfigError, match=one_side):
        environment(1, *FREE, "symmetry=leading_leg", "muscles=subset", "muscles.driven=['*_r']")
    lacking = (
        "symmetry.coordinate must name .* or ~symmetry leaves the symmetry out: the model has no "
        "coordinate 'hip_flexion_r'; did you mean shoulder_flexion or elbow_flexion"
    )
    with pytest.raises(ConfigError, match=lacking):
        environment(1, "model=arm", "reward=reach", "workers=none", "symmetry=leading_leg")
    assert made("symmetry/leading_leg").reversed is None


def test_a_muscle_without_its_other_side_is_refused_or_left_unmirrored() -> None:
    removed = (*FREE, "muscles.removed=[soleus_r]")
    with pytest.raises(ConfigError, match=r"has soleus_l and no soleus_r; leave .* ~symmetry"):
        environment(1, *removed, "symmetry=leading_leg")
    weak = (*FREE, "muscles.strength={soleus_r: 0.5}")
    body = (*FREE, "model=gait2d_prosthesis")
    for unlike in (removed, weak, body):
        with closing(environment(1, *unlike, "symmetry=where_possible")) as batch:
            assert batch.mirror is None
            (said,) = batch.left_out
            assert said == "The policy sees no mirror images, as the model's sides are not alike."
    # A recipe may ask for it, where weakness or a missing muscle is to be made up for.
    for asked in ((*weak, "symmetry=leading_leg"), (*body, "symmetry=leading_leg"), MIRRORED):
        with closing(environment(1, *asked)) as batch:
            assert batch.mirror is not None
            assert batch.left_out == ()


def test_a_pattern_that_is_a_slip_is_refused_where_the_mirror_is_optional() -> None:
    with pytest.raises(ConfigError, match=r"symmetry\.reversed"):
        environment(1, *MIRRORED, "symmetry.reversed=[no_such]")


def test_a_model_that_cannot_move_in_a_gait_begins_about_its_default_pose() -> None:
    arm = environment(1, *ARM, "start=gait_where_possible", "symmetry=where_possible")
    assert isinstance(arm.specification.start, Poses)
    assert arm.mirror is None
    pose, mirror = arm.left_out
    assert pose.endswith("and not in a gait: the model has no base body that travels.")
    assert mirror.startswith("The policy sees no mirror images")
    arm.close()
    walker = environment(1, *WALKER, "start=gait_where_possible")
    assert isinstance(walker.specification.start, MidGait)
    names = walker.scene.names
    gait = walker.specification.start.gait
    assert gait.lacking(names) is None
    others = tuple(name.replace("knee_angle", "knee_flexion") for name in names.coordinates)
    assert gait.lacking(replace(names, coordinates=others)) == (
        "the model has no coordinate knee_angle_r"
    )
    ranges = names.ranges.copy()
    knee = names.coordinates.index("knee_angle_l")
    ranges[knee] = -ranges[knee, ::-1]  # As where flexion is positive.
    assert gait.lacking(replace(names, ranges=ranges)) == (
        "the gait's knee_angle_l is beyond the range of the model's"
    )
    walker.close()
