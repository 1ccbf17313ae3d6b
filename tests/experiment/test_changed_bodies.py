"""Controllers on bodies they were not trained on: other strengths, and muscles that are gone."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from commands import SMALL_PPO, SMALL_SAC, Command
from options import classical
from tasks import environment

from osimexp.cli.evaluate import main as evaluate
from osimexp.cli.gait import main as gait
from osimexp.controllers.labels import Labels
from osimexp.errors import ConfigError, ModelError
from osimexp.experiment import checkpoint
from osimexp.experiment.initial import begin
from osimexp.experiment.trained import trained
from osimexp.models import anatomy
from osimexp.tasks.specification import Specification

WHOLE = (
    "physics=compiled",
    "workers=none",
    "observation=full",
    "start=default",
    "~symmetry",
    "task.action.rest=0.5",
    "task.action.gain=0.5",
)
LACKING = ("gastroc_r", "soleus_r", "tib_ant_r")


def test_the_prosthesis_differs_from_the_walker_below_the_right_knee_alone() -> None:
    whole, changed = anatomy.load("gait2d"), anatomy.load("gait2d_prosthesis")
    assert set(whole.muscles) - set(changed.muscles) == set(LACKING)
    assert {n for n in whole.bodies if whole.bodies[n] != changed.bodies[n]} == {
        "tibia_r", "foot_r",
    }  # fmt: skip
    assert {n for n in whole.joints if whole.joints[n] != changed.joints[n]} == {"ankle_r"}
    # 3.7075 + 1.5666 kg on the left, 2.6 + 0.7 kg on the right.
    assert whole.mass - changed.mass == pytest.approx(1.9741)
    spring = changed.coordinates["ankle_angle_r"].spring
    assert spring is not None
    assert spring.stiffness == 375
    assert changed.coordinates["ankle_angle_r"].range == (-45, 30)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("basis: gait3d", "no basis 'gait3d'; did you mean gait2d"),
        ("basis: gait2d\nbodies: {tibia_r: null}", "there is no body 'tibia_r'"),
        ("basis: gait2d\njoints: {ankle_r: {sprong: 1}}", "sprong"),
    ],
)
def test_what_does_not_fit_a_basis_is_said(text: str, message: str) -> None:
    with pytest.raises((ModelError, ConfigError), match=message):
        anatomy.parse("changed", text)


def test_muscles_that_are_gone_keep_their_places() -> None:
    whole = environment(2, *WHOLE)
    changed = environment(2, *WHOLE, "model=gait2d_prosthesis")
    names = whole.scene.names.muscles
    own = [names.index(name) for name in changed.scene.names.muscles]
    gone = [names.index(name) for name in LACKING]
    assert sorted([*own, *gone]) == list(range(18))
    assert changed.single_observation_space == whole.single_observation_space
    assert changed.single_action_space == whole.single_action_space
    seen, _ = changed.reset(seed=0)
    generator = np.random.default_rng(0)
    for _ in range(5):
        actions = generator.uniform(-1.0, 1.0, (2, 18)).astype(np.float32)
        seen, *_ = changed.step(actions)
        np.testing.assert_allclose(
            changed.frame.state.controls, np.maximum(0.5 + 0.5 * actions[:, own], 0.01), 1e-6
        )
    # Where each muscle's activation stands in what is seen, by the whole body's own layout.
    _, _ = whole.reset(seed=0)
    everything, *_ = whole.step(np.linspace(-1.0, 1.0, 36, dtype=np.float32).reshape(2, 18))
    felt = whole.frame.state.activations.astype(np.float32)
    columns = [int(np.flatnonzero((everything == felt[:, [m]]).all(axis=0))[0]) for m in range(18)]
    np.testing.assert_allclose(
        seen[:, np.array(columns)[own]], changed.frame.state.activations, rtol=1e-6
    )
    assert (seen[:, np.array(columns)[gone]] == 0.0).all()
    # An action in an empty place moves nothing.
    results = []
    for value in (-1.0, 1.0):
        changed.reset(seed=3)
        actions = np.zeros((2, 18), np.float32)
        actions[:, gone] = value
        changed.step(actions)
        results.append(changed.frame.state.coordinates.copy())
    np.testing.assert_array_equal(*results)
    whole.close()
    changed.close()


def test_the_mirror_shows_a_lacking_side_on_the_other() -> None:
    """With the left leg in front the prosthesis is seen on the left, and its places are empty."""
    words = tuple(word for word in WHOLE if word not in ("start=default", "~symmetry"))
    words = (*words, "start=striding", "symmetry=leading_leg")
    batch = environment(8, *words, "model=gait2d_prosthesis")
    batch.reset(seed=0)
    generator = np.random.default_rng(0)
    seen, *_ = batch.step(generator.uniform(-1.0, 1.0, (8, 18)).astype(np.float32))
    state, scene = batch.frame.state, batch.scene
    right, left = (state.coordinates[:, scene.coordinate(f"hip_flexion_{s}")] for s in "rl")
    mirrored = left > right
    assert 0 < mirrored.sum() < 8
    columns = dict(zip(batch.observation_names, seen.T, strict=True))
    for name in LACKING:
        other = name.replace("_r", "_l")
        felt = state.activations[:, scene.names.muscles.index(other)]
        shown = [columns[f"activations/{n}"] for n in (name, other)]
        np.testing.assert_allclose(shown[0], np.where(mirrored, felt, 0.0), rtol=1e-6)
        np.testing.assert_allclose(shown[1], np.where(mirrored, 0.0, felt), rtol=1e-6)
    batch.close()


def test_a_muscle_without_a_place_is_named() -> None:
    with pytest.raises(ConfigError, match=r"model\.muscles leaves out bifemsh_r"):
        environment(1, *WHOLE, "model.muscles=[hamstrings_r]")


@pytest.mark.parametrize("body", [("model=gait2d_prosthesis",), ("muscles=weak_plantarflexors",)])
def test_a_controller_is_evaluated_on_a_changed_body(
    body: tuple[str, ...], command: Command
) -> None:
    plain = ("controller=walk", "episodes=2", "workers=none", "threads=1", "seed=5")
    returns = []
    for arguments in (plain, (*plain, *body)):
        answer = command(*arguments, main=evaluate)
        assert answer.code == 0, answer.err
    files = sorted((Path("outputs/trained/walk/evaluations")).glob("*.json"), key=lambda f: f.name)
    assert len(files) == 2  # The one does not take the place of the other.
    returns = [json.loads(file.read_text())["each"]["return"] for file in files]
    assert returns[0] != returns[1]


def test_the_gait_of_a_controller_on_a_changed_body(command: Command) -> None:
    # As conf/muscles/weak_plantarflexors.yaml, which is compiled for other tests, too.
    weak = ("gastroc_r", "gastroc_l", "soleus_r", "soleus_l")
    strength = (f"+muscles.strength.{name}=0.3" for name in weak)
    arguments = ("controller=walk", "muscles=all", *strength)
    answer = command(*arguments, "output=weak", main=gait)
    assert answer.code == 0, answer.err


@pytest.mark.parametrize("small", [SMALL_SAC, SMALL_PPO, (*SMALL_SAC, "algo=ddpg")])
def test_a_run_begins_with_the_policy_of_another(small: tuple[str, ...], command: Command) -> None:
    assert command(*small, "run.folder=first", "run.steps=100").code == 0
    # No update is made in so few steps, so that the policy is still the one it began with.
    still = ("run.steps=8", "run.checkpoint.every=8", "algo.environments=4", "seed=9")
    starts = () if "algo=ppo" in small else ("algo.learning_starts=50",)
    answer = command(*small, "run.folder=second", "init_from=first", *still, *starts)
    assert answer.code == 0, answer.err
    record = json.loads(Path("second/run.json").read_text())
    assert record["init_from"]["source"] == "first"
    kept = "best" if Path("first/checkpoints/best.pt").is_file() else "latest"
    assert record["init_from"]["checkpoint"] == kept
    policies = [
        checkpoint.load(Path(folder) / "checkpoints" / f"{name}.pt").controller["state"]["network"]
        for folder, name in (("first", kept), ("second", "latest"))
    ]
    for name, values in policies[0].items():
        assert torch.equal(values, policies[1][name])


def test_drives_stay_what_they_were_where_actions_mean_others() -> None:
    data = checkpoint.load(trained("walk").checkpoint_file("best")).controller
    labels = Labels(tuple(data["observations"]), tuple(data["actions"]))
    sizes = data["state"]["sizes"]
    before = Specification.from_config(trained("walk").config())
    action = replace(before.task.action, rest=0.2, gain=0.9)
    after = replace(before, task=replace(before.task, action=action))
    drives = []
    observations = np.random.default_rng(0).normal(size=(20, sizes[0]))
    for task in (before, after):
        settings = classical("ppo", hidden_sizes=tuple(sizes[1:-1]), activation="relu")
        algorithm = settings.create(sizes[0], sizes[-1], 0, "cpu")
        begin(algorithm, "walk", task, labels, {})
        outputs = algorithm.controller.outputs(torch.tensor(observations, dtype=torch.float32))
        action = task.task.action
        drives.append(action.rest + action.gain * outputs.detach().numpy())
    np.testing.assert_allclose(drives[0], drives[1], atol=1e-4)
    squashed = classical("sac", hidden_sizes=(8,)).create(4, 2, 0, "cpu").controller
    with pytest.raises(ValueError, match="cannot be rescaled"):
        squashed.rescale(2.0, 0.0)


def test_what_a_run_cannot_begin_with_is_said(command: Command) -> None:
    assert command(*SMALL_SAC, "init_from=wolk").refuses("wolk", "did you mean walk?")
    assert command(*SMALL_SAC, "init_from=walk").refuses("init_from=walk does not fit")
    assert not Path("run").exists()
