"""Every term against values worked by hand, on a state made up for it."""

import dataclasses
from typing import ClassVar

import numpy as np
import pytest
from numpy.testing import assert_allclose

from osimexp.arrays import Mask
from osimexp.errors import ConfigError
from osimexp.models.names import BaseBody, Names
from osimexp.models.settings import ModelSettings
from osimexp.physics.simulation import State
from osimexp.tasks.scene import GRAVITY, Frame, Scene
from osimexp.tasks.terms import observations, rewards, terminations

COORDINATES = ("pelvis_tilt", "pelvis_tx", "pelvis_ty", "lumbar", "knee_r")


def made_up(target_size: int = 0, based: bool = True) -> Frame:
    """Return two environments: the second is what the first is not."""
    names = Names(
        coordinates=COORDINATES,
        rotational=np.array([True, False, False, True, True]),
        ranges=np.array([[-1.5, 1.5], [-10, 10], [0, 2], [-0.8, 0.8], [-2.0, 0.1]]),
        default_pose=np.zeros(5),
        muscles=("soleus_r", "soleus_l"),
        maximum_isometric_force=np.array([1000.0, 2000.0]),
        bodies=("pelvis", "torso"),
        feet=("right", "left"),
        points=("hand",),
        mass=50.0,
        base=BaseBody(0, 1, {"tilt": 0, "forward": 1, "height": 2}, True) if based else None,
    )
    state = State(
        time=np.array([0.1, 0.2]),
        coordinates=np.array([[0.1, 3.0, 0.95, 0.2, -0.4], [0.9, 4.0, 0.5, 0.3, -2.7]]),
        speeds=np.array([[1.0, 2.0, 0.0, 0.0, -4.0], [0.0] * 5]),
        controls=np.zeros((2, 2)),
        activations=np.array([[0.5, 0.1], [1.0, 0.0]]),
        fibre_length=np.array([[0.9, 1.1], [1.0, 1.0]]),
        fibre_velocity=np.array([[-0.1, 0.1], [0.0, 0.0]]),
        tendon_force=np.array([[500.0, 500.0], [0.0, 3000.0]]),
        body_positions=np.array([[[3.0, 0.95, 0], [0, 0, 0]], [[4.0, 0.5, 0], [0, 0, 0]]]),
        body_orientations=np.array([[[0, 0, 0.1], [0, 0, 0.3]], [[0, 0, 0.9], [0, 0, 1.2]]]),
        body_angular_velocities=np.array([[[0, 0, 1.0], [0, 0, 1]], [[0, 0, 0], [0, 0, 0]]]),
        point_positions=np.array([[[0.3, 0.4, 0.0]], [[0.0, 0.0, 0.0]]]),
        centre_of_mass=np.zeros((2, 3)),
        centre_of_mass_velocity=np.array([[1.5, -0.2, 0.0], [0.0, 0.0, 0.0]]),
        ground_reaction=np.array([[[0, 50 * GRAVITY, 0], [0, 0, 0]], [[0, 0, 0], [0, 0, 0]]]),
        limit_torque=np.array([[0, 0, 0, 0, 20.0], [0, 0, 0, 0, -1000.0]]),
        failed=np.zeros(2, dtype=bool),
        lost=np.zeros(2, dtype=bool),
    )
    model = ModelSettings(path="made_up.osim")
    return Frame(
        Scene(names, model, 0.01, target_size),
        state,
        actions=np.array([[0.5, -0.5], [0.0, 0.0]]),
        previous_actions=np.array([[0.0, 0.5], [0.0, 0.0]]),
        targets=np.zeros((2, target_size)),
    )


@pytest.mark.parametrize(
    ("term", "expected"),
    [
        (observations.JointAngles(("*",)), [0.1, 0.95, 0.2, -0.4]),  # without the way forward
        (observations.JointAngles(("knee_*",)), [-0.4]),
        (observations.JointSpeeds(("*",), scale=0.1), [0.1, 0.2, 0.0, 0.0, -0.4]),
        (observations.Pelvis(), [0.95, 0.1]),
        (observations.CentreOfMassVelocity(), [1.5, -0.2, 0.0]),
        (observations.PelvisTurning(scale=0.1), [0.1]),
        (observations.Activations(), [0.5, 0.1]),
        (observations.FibreLength(), [0.9, 1.1]),
        (observations.FibreVelocity(), [-0.1, 0.1]),
        (observations.TendonForce(), [0.5, 0.25]),
        (observations.GroundReaction(), [0, 1, 0, 0, 0, 0]),  # body weights
        (observations.Points(("hand",)), [-2.7, -0.55, 0.0]),  # from the pelvis
        (observations.Target(), [0.0, 0.0, 0.0]),
        (observations.TargetOffset("hand"), [-0.3, -0.4, 0.0]),
        (observations.PreviousActions(), [0.5, -0.5]),
    ],
    ids=lambda value: type(value).__name__ if dataclasses.is_dataclass(value) else "",
)
def test_observations(term: observations.ObservationTerm, expected: list[float]) -> None:
    observed = term(made_up(target_size=3))
    assert observed.shape == (2, len(expected))
    assert_allclose(observed[0], expected)


@pytest.mark.parametrize(
    ("term", "expected"),
    [
        (rewards.Velocity(weight=1.0, target=None, width=0.5), [1.5, 0.0]),
        (rewards.Velocity(weight=1.0, target=1.0, width=0.5), [np.exp(-1.0), np.exp(-4.0)]),
        (rewards.Effort(weight=1.0, power=2.0), [-(0.25 + 0.01) / 2, -0.5]),
        (rewards.Effort(weight=1.0, power=3.0), [-(0.125 + 0.001) / 2, -0.5]),
        (rewards.Alive(weight=1.0), [1.0, 1.0]),
        (
            rewards.JointLimits(weight=1.0, scale=10.0),
            [-4.0 / 5, -100.0 / 5],  # the second is bounded
        ),
        (rewards.Smoothness(weight=1.0), [-(0.25 + 1.0) / 2, 0.0]),
        (rewards.Upright(weight=1.0, width=0.3), [np.exp(-1.0), np.exp(-16.0)]),
        (
            rewards.Reach(weight=1.0, point="hand", broad=0.5, narrow=0.5),
            [(np.exp(-1.0) + np.exp(-1.0)) / 2, 1.0],  # 0.5 m away, and there
        ),
        (rewards.StandStill(weight=1.0, width=0.2), [np.exp(-(1.5**2 + 0.2**2) / 0.04), 1.0]),
        # Of the angles alone: 0.1, 0.2 and -0.4 rad; 0.9, 0.3 and -2.7 rad.
        (rewards.Posture(weight=1.0, width=0.5), [np.exp(-0.07 / 0.25), np.exp(-2.73 / 0.25)]),
    ],
    ids=lambda value: type(value).__name__ if dataclasses.is_dataclass(value) else "",
)
def test_rewards(term: rewards.RewardTerm, expected: list[float]) -> None:
    assert_allclose(term(made_up(target_size=3)), expected)


@pytest.mark.parametrize(
    ("term", "expected"),
    [
        (terminations.Fallen(height=0.65, lean=None), [False, True]),
        (terminations.Fallen(height=None, lean=1.0), [False, True]),
        (terminations.Fallen(height=0.3, lean=1.3), [False, False]),
        (terminations.OutOfRange(("*",), margin=0.5), [False, True]),
        (terminations.OutOfRange(("*",), margin=0.8), [False, False]),
    ],
)
def test_terminations(term: terminations.TerminationTerm, expected: list[bool]) -> None:
    assert term(made_up()).tolist() == expected


def test_a_model_without_a_pelvis_cannot_fall_and_shows_none() -> None:
    frame = made_up(based=False)
    assert not terminations.Fallen(height=0.65, lean=1.0)(frame).any()
    assert observations.Pelvis()(frame).shape == (2, 0)
    assert observations.JointAngles(("*",))(frame).shape == (2, 5)


@pytest.mark.parametrize(
    ("term", "words"),
    [
        (rewards.Upright(weight=1.0, width=0.3), "upright needs"),
        (rewards.Reach(weight=1.0, point="hand", broad=0.3, narrow=0.05), "target=reach"),
    ],
)
def test_a_term_that_does_not_fit_the_model_says_so(term: rewards.RewardTerm, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        term(made_up(based=False))


def test_unknown_names_list_the_near_ones() -> None:
    frame = made_up(target_size=3)
    with pytest.raises(ConfigError, match=r"'knee_x'.*did you mean knee_r"):
        observations.JointAngles(("knee_x",))(frame)
    with pytest.raises(ConfigError, match=r"no point 'hnd'.*did you mean hand"):
        observations.TargetOffset("hnd")(frame)


def test_what_was_found_of_a_scene_or_a_moment_does_not_outlive_it() -> None:
    frame = made_up()
    scene = frame.scene
    assert scene.coordinates(("knee_*",), "where").tolist() == [4]
    assert np.isinf(scene.bounds[0]).tolist() == [False, True, True, False, False]
    turned = dataclasses.replace(
        scene.names, coordinates=COORDINATES[::-1], rotational=scene.names.rotational[::-1]
    )
    other = dataclasses.replace(scene, names=turned)
    assert other.coordinates(("knee_*",), "where").tolist() == [0]
    assert np.isinf(other.bounds[0]).tolist() == [False, False, True, True, False]
    assert scene.coordinates(("knee_*",), "where").tolist() == [4]
    assert frame.remembered("speed", lambda: frame.state.speeds[:, 1]).tolist() == [2.0, 0.0]
    state = dataclasses.replace(frame.state, speeds=frame.state.speeds + 1.0)
    later = dataclasses.replace(frame, state=state)
    assert later.remembered("speed", lambda: later.state.speeds[:, 1]).tolist() == [3.0, 1.0]


class Bounced:
    READS: ClassVar[frozenset[str]] = frozenset()
    TRAINING_ONLY: ClassVar[bool] = False

    def __call__(self, frame: Frame) -> Mask:
        return np.ones(len(frame.state.time), dtype=bool)


class Toppled(Bounced):
    FALL: ClassVar[bool] = True


def test_a_termination_says_itself_whether_it_is_a_fall() -> None:
    assert terminations.is_fall(terminations.Fallen(height=0.65, lean=1.0))
    assert terminations.is_fall(Toppled())
    assert not terminations.is_fall(Bounced())  # A term of a user's that says nothing of it.
    assert not terminations.is_fall(terminations.OutOfRange(("*",), margin=0.5))
