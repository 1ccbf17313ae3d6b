"""A movement's excitations, played back from the same start, make the same movement."""

import shutil
from contextlib import closing
from pathlib import Path
from typing import Any

import biped
import numpy as np
import pytest
from commands import SMALL_SAC, Command
from options import values as values_of
from scenes import scene_of
from tasks import ARM, environment, specification

from osimexp.cli.evaluate import main as evaluate
from osimexp.cli.render import main as render
from osimexp.controllers.scripted import Uniform
from osimexp.errors import ConfigError, MovementError
from osimexp.experiment.open_loop import held, open_loop
from osimexp.experiment.recording import record, recording_environment
from osimexp.experiment.trained import trained
from osimexp.models.muscle_sets import MuscleSet
from osimexp.models.names import Actuator
from osimexp.motion.files import write_movement
from osimexp.motion.tables import Table, read_table, write_table
from osimexp.physics.posing.state_paths import state_paths
from osimexp.tasks.actions import ActionMap, ActionSettings
from osimexp.tasks.actuators import ActuatorSet

INFINITE = (-np.inf, np.inf)
SCENE = scene_of(
    ("soleus_r", "soleus_l", "tib_ant_r"),
    Actuator("elbow_r", "elbow_flex_r", 20.0, INFINITE),
    Actuator("trunk", "lumbar", 50.0, (-0.5, 2.0)),
)
NOWHERE = np.zeros((50, 2)), np.zeros((50, 2)), np.zeros(50)

HALF = {"rest": 0.5, "gain": 0.5}


def action_map(actuators: ActuatorSet | None = None, **values: Any) -> ActionMap:
    actuators = actuators or ActuatorSet(held={"*": 0.0})
    given = {name: values.pop(name) for name in ("rest", "gain", "lowest") if name in values}
    settings = ActionSettings(**(values_of("task/movement.action") | HALF | given))
    return ActionMap(settings, MuscleSet(**values), actuators, SCENE)


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"rest": 0.2, "gain": 0.9, "lowest": 0.05},
        {"gain": -0.4},
        {"driven": ("soleus_*",), "held": 0.3},
        {"mirror": True},
        {"synergies": ({"soleus_*": 0.5}, {"tib_ant_*": 2.0})},
        {"actuators": ActuatorSet(driven={"trunk": None}, held={"elbow_r": 0.5})},
        {"actuators": ActuatorSet(driven={"*": 3.0}), "driven": ("tib_ant_*",)},
        {"actuators": ActuatorSet(driven={"*": 0.0})},
    ],
)
def test_the_inverse_gives_the_controls_back(values: dict[str, Any]) -> None:
    chosen = action_map(**values)
    actions = np.random.default_rng(0).uniform(-1.0, 1.0, (50, chosen.size))
    controls = chosen(actions, *NOWHERE)
    again = chosen.inverse(controls)
    assert np.abs(again).max() <= 1.0
    np.testing.assert_allclose(chosen(again, *NOWHERE), controls, atol=1e-12)


@pytest.mark.parametrize(
    ("values", "excitations", "says"),
    [
        ({"gain": 0.0}, [0.5, 0.5, 0.5], r"task\.action\.gain is 0"),
        ({}, [0.5, 0.001, 0.5], "No actions give soleus_l the excitation 0.001: .* 0.01"),
        ({"gain": 0.3}, [0.9, 0.5, 0.5], r"soleus_r the excitation 0.9: .* give 0\.8"),
        ({"mirror": True}, [0.5, 0.7, 0.5], "No actions give soleus_l the excitation 0.7"),
        ({"driven": ("soleus_*",)}, [0.5, 0.5, 0.5], "give tib_ant_r the excitation 0.5: .* 0.01"),
        ({"synergies": ({"*": 0.5}, {"tib_ant_*": 1.0})}, [0.5] * 3, "several actions drive tib"),
    ],
)
def test_excitations_that_no_actions_give_are_said(
    values: dict[str, Any], excitations: list[float], says: str
) -> None:
    with pytest.raises(ConfigError, match=says):
        action_map(**values).inverse(np.array([[*excitations, 0.0, 0.0]]))


@pytest.mark.parametrize("control", [2.5, np.nan])
def test_a_control_that_no_action_gives_is_said(control: float) -> None:
    chosen = action_map(ActuatorSet(driven={"trunk": None}))
    with pytest.raises(ConfigError, match=r"No action gives trunk .*: .* from -0\.5 to 2; see act"):
        chosen.inverse(np.array([[0.5, 0.5, 0.5, 9.0, 1.0], [0.5, 0.5, 0.5, 9.0, control]]))


def test_an_empty_place_may_have_any_excitation() -> None:
    actions = action_map().inverse(np.array([[0.25, np.nan, 1.0, 0.0, 0.0]]))
    np.testing.assert_allclose(actions, [[-0.5, 0.0, 1.0]])
    both = action_map(mirror=True).inverse(np.array([[np.nan, 0.75, 0.5, 0.0, 0.0]]))
    np.testing.assert_allclose(both, [[0.5, 0.0]])


def test_values_are_held_until_the_next_is_given() -> None:
    time = 3.0 + np.array([0.0, 0.01, 0.02, 0.03, 0.04])
    values = np.arange(5.0)[:, None]
    assert held(time, values, 0.01)[:, 0].tolist() == [0.0, 1.0, 2.0, 3.0]
    assert held(time, values, 0.02)[:, 0].tolist() == [0.0, 2.0]
    assert held(time, values, 0.005)[:, 0].tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    assert held(time, values, 0.015)[:, 0].tolist() == [0.0, 1.0, 3.0]


def coordinates(stem: str) -> np.ndarray:
    return read_table(Path(f"{stem}_states.sto")).values


def test_a_walk_is_played_back(command: Command, place: Path) -> None:
    shutil.copytree(trained("walk").path, place / "walk")
    played = ("run=walk", "episodes=1", "seed=11", "movements=1", "workers=none", "threads=1")
    assert command(*played, main=evaluate).code == 0
    file = "walk/movements/best_s11_controls.sto"
    again = command(*played, "controller=open_loop", f"excitations={file}", main=evaluate)
    assert again.code == 0, again.err
    first, second = (coordinates(f"walk/movements/{name}_s11") for name in ("best", "open_loop"))
    assert len(first) == 501
    assert first[-1].max() > 10.0  # m, of the way
    np.testing.assert_allclose(second, first, atol=1e-6)


def test_a_reach_of_opensim_itself_is_played_back(command: Command, place: Path) -> None:
    batch = environment(1, *ARM, "physics=opensim", "workers=none")
    batch.close()
    tasks = (*ARM, "physics=opensim", "algo=ppo", "algo.environments=1", "algo.hidden_sizes=[4]")
    small = ("algo.rollout_steps=8", "algo.minibatch_size=4", "run.steps=8", "run.folder=run")
    evaluations = ("run.evaluation.episodes=1", "run.evaluation.final_episodes=1")
    assert command(*tasks, *small, *evaluations, "target.within=0.2").code == 0
    played = ("run=run", "episodes=1", "seed=2", "movements=1", "workers=none")
    assert command(*played, "controller=random", main=evaluate).code == 0
    file = "excitations=run/movements/random_s2_controls.sto"
    again = command(*played, "controller=open_loop", file, main=evaluate)
    assert again.code == 0, again.err
    first, second = (coordinates(f"run/movements/{name}_s2") for name in ("random", "open_loop"))
    assert np.ptp(first[:, 0]) > 1e-3
    np.testing.assert_allclose(second, first, atol=1e-6)
    clip = command("run=run", "controller=open_loop", file, "seed=2", "-o", "a.png", main=render)
    assert clip.code == 0, clip.err


def test_torques_are_played_back(tmp_path: Path) -> None:
    drives = (
        "+actuators.driven={lumbar_bending_torque: 0.5}",
        "+actuators.held={lumbar_*n_torque: 0.2}",
    )
    task = specification(*biped.task(tmp_path, *drives, "~symmetry", "task.duration=0.2"))
    with closing(recording_environment(task)) as batch:
        random = Uniform(batch.single_action_space.shape[0], np.random.default_rng(0))
        first = record(batch, random, 3)
        write_movement(tmp_path / "a", first, state_paths(batch.model))
        assert batch.action_names[-1] == "lumbar_bending_torque"
        second = record(batch, open_loop(tmp_path / "a_controls.sto", batch), 3)
    assert np.ptp(first.coordinate("lumbar_bending")) > 1e-3
    np.testing.assert_allclose(second.control_values, first.control_values, atol=1e-9)
    np.testing.assert_allclose(second.positions, first.positions, atol=1e-6)


def test_a_file_without_a_muscle_is_refused(place: Path) -> None:
    table = Table("some", ("/forceset/TRIlong",), np.array([0.0, 0.1]), np.full((2, 1), 0.5))
    write_table(place / "some.sto", table)
    batch = environment(1, *ARM, "physics=opensim")
    with pytest.raises(MovementError, match="no control of TRIlat"):
        open_loop(place / "some.sto", batch)
    batch.close()


def test_a_mirrored_task_is_refused(place: Path) -> None:
    batch = environment(
        1, "physics=opensim", "workers=none", "symmetry=leading_leg", "symmetry.reversed=[]"
    )
    with pytest.raises(ConfigError, match="symmetry would mirror them"):
        open_loop(place / "some.sto", batch)
    batch.close()


def test_what_an_open_loop_needs_is_said(command: Command, place: Path) -> None:
    assert command(*SMALL_SAC, "run.steps=60").code == 0
    given = ("run=run", "episodes=1")
    alone = command(*given, "controller=open_loop", main=evaluate)
    assert alone.refuses("controller=open_loop plays excitations from a file", "excitations=")
    other = command(*given, "excitations=a.sto", main=evaluate)
    assert other.refuses("given with controller=open_loop alone")
    toy = command(*given, "controller=open_loop", "excitations=a.sto", main=evaluate)
    assert toy.refuses("moves no model, so that it has no excitations")
