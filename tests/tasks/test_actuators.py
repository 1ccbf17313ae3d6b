"""Actuators that are no muscles: driven, held and tracking, against values worked by hand."""

from pathlib import Path

import numpy as np
import pytest
from biped import TRUNK, task
from scenes import scene_of
from tasks import environment

from osimexp.errors import ConfigError
from osimexp.models.names import Actuator
from osimexp.motion.tables import Table, write_table
from osimexp.tasks.actuators import ActuatorMap, ActuatorSet, Tracking

INFINITE = (-np.inf, np.inf)
MOTORS = (
    Actuator("elbow_r", "elbow_flex_r", 20.0, INFINITE),
    Actuator("elbow_l", "elbow_flex_l", 20.0, INFINITE),
    Actuator("trunk", "lumbar", 50.0, (-0.5, 2.0)),
    Actuator("thrust", None, 10.0, INFINITE),
)
SCENE = scene_of(("soleus_r",), *MOTORS)
NOWHERE = np.zeros((2, 3)), np.zeros((2, 3)), np.zeros(2)


def test_driven_actuators_go_from_their_lowest_to_their_highest_control() -> None:
    actuators = ActuatorMap(ActuatorSet(driven={"elbow_*": None, "trunk": None}), SCENE)
    assert actuators.driven.tolist() == [0, 1, 2]
    controls = actuators(np.array([[-1.0, 0.0, 1.0], [1.0, 0.5, -1.0]]), *NOWHERE)
    # Without bounds of the model, a control of 1 is the optimal force.
    np.testing.assert_allclose(controls, [[-1.0, 0.0, 2.0, 0.0], [1.0, 0.5, -0.5, 0.0]])


def test_a_limit_takes_the_place_of_the_bounds() -> None:
    actuators = ActuatorMap(ActuatorSet(driven={"trunk": 3.0}), SCENE)
    controls = actuators(np.array([[-1.0], [0.5]]), *NOWHERE)
    np.testing.assert_allclose(controls[:, 2], [-3.0, 1.5])


def test_held_actuators_keep_the_control_of_the_last_pattern_that_names_them() -> None:
    actuators = ActuatorMap(ActuatorSet(held={"*": 0.1, "elbow_l": -0.4}), SCENE)
    controls = actuators(np.zeros((2, 0)), *NOWHERE)
    np.testing.assert_allclose(controls, [[0.1, -0.4, 0.1, 0.1]] * 2)


def test_tracking_is_a_spring_and_a_damper_within_the_bounds() -> None:
    tracked = {"elbow_r": Tracking(stiffness=40.0, damping=2.0), "trunk": Tracking(500.0, 0.0)}
    actuators = ActuatorMap(ActuatorSet(tracked=tracked), SCENE)
    coordinates = np.array([[0.2, 0.0, 0.3], [-0.1, 0.0, -0.3]])
    speeds = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    controls = actuators(np.zeros((2, 0)), coordinates, speeds, np.zeros(2))
    np.testing.assert_allclose(controls[:, 0], [-(40.0 * 0.2 + 2.0 * 1.0) / 20.0, 4.0 / 20.0])
    np.testing.assert_allclose(controls[:, 2], [-0.5, 2.0])  # -3 and 3, but for the bounds


def test_tracking_follows_a_recording_and_holds_its_end(tmp_path: Path) -> None:
    time = np.linspace(5.0, 6.0, 101)
    file = tmp_path / "arms.mot"
    values = np.rad2deg(0.5 * (time - 5.0))[:, None]
    write_table(file, Table("arms", ("elbow_flex_r",), time, values, degrees=True))
    tracking = Tracking(stiffness=20.0, damping=4.0, movement=str(file))
    actuators = ActuatorMap(ActuatorSet(tracked={"elbow_r": tracking}), SCENE)
    at = np.array([0.5, 7.0])
    controls = actuators(np.zeros((2, 0)), np.zeros((2, 3)), np.zeros((2, 3)), at)
    np.testing.assert_allclose(controls[:, 0], [(20.0 * 0.25 + 4.0 * 0.5) / 20.0, 0.5], rtol=1e-9)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (ActuatorSet(driven={"elbw_r": None}), r"actuators\.driven.*'elbw_r'.*elbow_r"),
        (ActuatorSet(driven={"elbow_r": None}, held={"elbow_*": 0.0}), "names elbow_r, which"),
        (ActuatorSet(tracked={"thrust": Tracking(1.0, 1.0)}), "thrust acts on no coordinate"),
        (ActuatorSet(tracked={"trunk": Tracking(1.0, 1.0, "sitting")}), "no pose 'sitting'"),
        (ActuatorSet(tracked={"trunk": Tracking(1.0, 1.0, movement="no.mot")}), "no.mot"),
    ],
)
def test_what_does_not_fit_is_said(settings: ActuatorSet, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        ActuatorMap(settings, SCENE)


def test_actuators_that_nothing_names_are_said_to_be_at_0(
    caplog: pytest.LogCaptureFixture,
) -> None:
    ActuatorMap(ActuatorSet(held={"elbow_*": 0.0}), SCENE)
    assert "held at 0" in caplog.text
    assert "trunk, thrust" in caplog.text


def test_a_policy_drives_what_the_config_names(tmp_path: Path) -> None:
    env = environment(2, *task(tmp_path, "+actuators.driven={lumbar_bending_torque: 2.0}"))
    assert env.single_action_space.shape == (5,)
    env.reset(seed=0)
    actions = np.zeros((2, 5), np.float32)
    actions[:, 4] = [1.0, -0.25]
    env.step(actions)
    np.testing.assert_allclose(env.frame.state.controls[:, 5], [2.0, -0.5])
    bending = env.scene.coordinate("lumbar_bending")
    assert (np.sign(env.frame.state.speeds[:, bending]) == [1.0, -1.0]).all()
    env.close()


def test_a_tracked_trunk_stays_where_a_limp_one_does_not(tmp_path: Path) -> None:
    spring = "{lumbar_*: {stiffness: 400.0, damping: 20.0}}"
    ends = []
    for overrides in ((), (f"+actuators.tracked={spring}",)):
        env = environment(1, *task(tmp_path, *overrides, "start.speed_noise=0.5"))
        env.reset(seed=3)
        for _ in range(30):
            env.step(np.full((1, 4), -1.0, np.float32))
        columns = [env.scene.coordinate(name) for name in TRUNK]
        ends.append(np.abs(env.frame.state.coordinates[0, columns]).max())
        env.close()
    assert ends[1] < 0.3 * ends[0]
