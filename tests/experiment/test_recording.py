"""Episodes as movements, and what commands are given to show."""

from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from commands import Command
from tasks import prepared, specification

from osimexp.cli.evaluate import main as evaluate
from osimexp.composition import compose
from osimexp.controllers.scripted import Constant, Uniform
from osimexp.errors import ConfigError
from osimexp.experiment.recording import record, recording_environment
from osimexp.experiment.showing import shown
from osimexp.motion.files import read_movement, write_movement
from osimexp.physics.posing.state_paths import state_paths


@pytest.mark.parametrize("physics", ["compiled", "opensim"])
def test_a_recorded_episode_holds_every_moment(physics: str) -> None:
    task = specification("model=gait2d", "reward=velocity", f"physics={physics}")
    with closing(recording_environment(task)) as environment:
        controller = Uniform(environment.single_action_space.shape[0], np.random.default_rng(0))
        movement = record(environment, controller, 3)
        mass = environment.scene.names.mass
    moments = len(movement)
    assert moments > 10
    np.testing.assert_allclose(np.diff(movement.time), 0.02)
    assert movement.mass == mass
    for name in ("activations", "excitations", "fibre_lengths", "tendon_forces"):
        assert getattr(movement, name).shape == (moments, 18)
    assert movement.ground_reaction.shape == movement.foot_positions.shape == (moments, 2, 3)
    # Activations rise where excitations held from there on are above them, and fall where below.
    towards = movement.excitations[:-1] - movement.activations[:-1]
    assert (np.sign(np.diff(movement.activations, axis=0)) == np.sign(towards)).mean() > 0.99
    # The pelvis's height, which no jolt moves far, rises at its speed.
    height = movement.coordinate("pelvis_ty")
    speed = movement.speeds[:, movement.coordinates.index("pelvis_ty")]
    climbed = np.sum((speed[1:] + speed[:-1]) / 2) * 0.02
    assert height[-1] - height[0] == pytest.approx(climbed, rel=0.05)


def test_a_reach_is_recorded_with_its_target() -> None:
    task = specification("model=arm", "reward=reach")
    with closing(recording_environment(task)) as environment:
        movement = record(environment, Constant(6, -0.5), 0)
    assert movement.duration == pytest.approx(2.0)
    (target,) = movement.targets.values()
    assert target.shape == (len(movement), 3)
    assert (target == target[0]).all()


def test_a_written_episode_is_shown_from_its_file_alone(tmp_path: Path) -> None:
    task = specification("model=arm", "reward=reach")
    with closing(recording_environment(task)) as environment:
        movement = record(environment, Constant(6, 0.0), 0)
        file = write_movement(tmp_path / "reach", movement, state_paths(environment.model))[0]
    made, rest = shown(compose("command/shown", [f"movement={file}", "model=arm"]).values)
    assert not rest
    assert made.name == "reach_states"
    np.testing.assert_array_equal(made.movement.positions, movement.positions)
    assert made.poses.bodies.shape[0] == len(movement)
    assert made.figure.bodies == ("humerus", "forearm")


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        ([], "give a run"),
        (["movement=walk.mot"], "needs the model that moves"),
        (["run=outputs/x", "ground_reactions=g.mot"], "belong to a movement"),
    ],
)
def test_what_cannot_be_shown_is_told(overrides: list[str], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        shown(compose("command/shown", overrides).values)


def test_evaluation_writes_movements(command: Command, place: Path) -> None:
    trained = command(
        "model=arm", "reward=reach", "algo=ppo", "run.folder=run", "run.steps=100",
        "run.evaluation.final_episodes=1", "run.threads=1", "workers=none",
        "algo.environments=2", "algo.rollout_steps=8", "algo.minibatch_size=8",
    )  # fmt: skip
    assert trained.code == 0, trained.err
    answer = command(
        "run=run", "episodes=2", "movements=2", "seed=5", "workers=none", main=evaluate
    )
    assert answer.code == 0, answer.err
    files = sorted(file.name for file in (place / "run" / "movements").iterdir())
    assert files == [
        f"latest_s{seed}{ending}"
        for seed in (5, 6)
        for ending in (".mot", "_controls.sto", "_states.sto")
    ]
    paths = state_paths(prepared("model=arm", "reward=reach"))
    movement = read_movement(place / "run" / "movements" / files[2], paths)
    made, _ = shown(compose("command/shown", ["run=run", "seed=5"]).values)
    np.testing.assert_array_equal(made.movement.positions, movement.positions)
