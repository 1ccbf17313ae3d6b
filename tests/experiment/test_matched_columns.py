"""Saved controllers meet tasks whose columns stand otherwise than those that they know."""

import json
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from commands import SMALL_PPO, SMALL_SAC, Command
from options import classical
from tasks import ARM, composed
from toy import ToyEnvironment

from osimexp.cli.evaluate import main as evaluate
from osimexp.cli.keep import main as keep
from osimexp.controllers.controller import Controller
from osimexp.controllers.labels import Labels
from osimexp.controllers.networks import MLP
from osimexp.controllers.normaliser import Normaliser
from osimexp.controllers.policy import Policy
from osimexp.controllers.saved import Saved, restored
from osimexp.controllers.scripted import Constant, OpenLoop, Uniform
from osimexp.errors import ConfigError
from osimexp.experiment import checkpoint
from osimexp.experiment.checkpoint import Checkpoint, config_hash
from osimexp.experiment.initial import begin
from osimexp.experiment.run_folder import RunFolder
from osimexp.tasks.make import make, task_of

TURNED = ("activations", "joint_speeds", "target_offset", "fibre_velocity", "joint_angles",
          "fibre_length", "ground_reaction")  # fmt: skip
"""The terms of the default observation in another order."""

TWO = ("algo.environments=2", "algo.minibatch_size=64")

Config = dict[str, Any]


def arm(*overrides: str) -> Config:
    names = ("run.name=any", "run.folder=any", "algo=ppo", *TWO)
    return composed(*ARM, "physics=compiled", *names, *overrides)


def turned(config: Config, terms: tuple[str, ...] = TURNED) -> Config:
    """Return a config with some terms of its observation, in another order."""
    return {**config, "observation": {name: config["observation"][name] for name in terms}}


def labels_of(config: Config) -> Labels:
    with closing(make(task_of(config), 1)) as environment:
        return Labels.of(environment)


def policy(labels: Labels, blind_to: str = "nothing") -> Policy:
    """Return a random policy, one that ignores columns whose names begin with ``blind_to``."""
    generator = torch.Generator().manual_seed(3)
    size, actions = len(labels.observations), len(labels.actions)
    network = MLP([size, 16, actions], "tanh", generator)
    ignored = [name.startswith(blind_to) for name in labels.observations]
    network.weights[0].data[:, torch.tensor(ignored)] = 0.0
    normaliser = Normaliser(size)
    normaliser.update(torch.randn(50, size, generator=generator) * 2.0 + 0.5)
    return Policy(network, normaliser, actions, "clip")


def made_run(path: Path, config: Config, controller: Controller, labels: Labels | None) -> None:
    folder = RunFolder.create(path, config, [], {"versions": {}})
    data = {"controller": Saved(controller, labels).data()}
    checkpoint.save(folder.checkpoint_file("best"), Checkpoint(7, config_hash(config), data))
    folder.mark("finished")


def returns(command: Command, run: str, *more: str) -> list[float]:
    arguments = (f"run={run}", "episodes=2", "seed=4", "workers=none", *more)
    answer = command(*arguments, main=evaluate)
    assert answer.code == 0, answer.err
    (file,) = (Path(run) / "evaluations").glob("best_2_s4*.json")
    each: Mapping[str, Any] = json.loads(file.read_text())["each"]
    return each["return"]


def test_permuted_terms_are_evaluated_to_the_same(command: Command, place: Path) -> None:
    config = arm()
    labels = labels_of(config)
    made_run(place / "run", config, policy(labels), labels)
    made_run(place / "turned", turned(config), policy(labels), labels)
    made_run(place / "nameless", turned(config), policy(labels), None)
    expected = returns(command, "run")
    assert returns(command, "turned") == expected
    # By its size alone it would be taken, and act on the wrong columns.
    assert returns(command, "nameless") != expected


def test_a_missing_column_is_refused_by_name_and_can_be_filled(
    command: Command, place: Path
) -> None:
    config = arm()
    labels = labels_of(config)
    without = turned(config, tuple(name for name in TURNED if name != "activations"))
    made_run(place / "run", config, policy(labels, "activations/"), labels)
    made_run(place / "less", without, policy(labels, "activations/"), labels)
    answer = command("run=less", "episodes=1", "workers=none", main=evaluate)
    assert answer.refuses("observes activations/TRIlong and 5 more", "fill={activations/TRIlong")
    assert returns(command, "less", "fill={activations/*: 0.5}") == returns(command, "run")
    wrong = command("run=less", "workers=none", "fill={activation/*: 0.5}", main=evaluate)
    assert wrong.refuses("neither the controller nor the task has 'activation/*'")
    none = command("run=less", "controller=random", "fill={activations/*: 0}", main=evaluate)
    assert none.refuses("controller=random is made for the task")


@pytest.mark.parametrize("term", [None, "fibre_length"])
def test_learning_begins_with_exactly_the_policy_of_another_order(
    place: Path, term: str | None
) -> None:
    config = arm()
    own = labels_of(config)
    made = policy(own)
    made_run(place / "run", config, made, own)
    terms = tuple(name for name in TURNED if name != term)
    other = turned(config, terms)
    other["observation"]["previous_actions"] = {
        "_target_": "osimexp.tasks.terms.observations.PreviousActions"
    }
    labels, task = labels_of(other), task_of(other)
    algorithm = classical("ppo", hidden_sizes=(16,), environments=2).create(
        len(labels.observations), len(labels.actions), 0, "cpu"
    )
    source = str(place / "run")
    fill: dict[str, float | None] = {"previous_actions/*": None}
    with pytest.raises(ConfigError, match="previous_actions/TRIlong and 5 more") as refused:
        begin(algorithm, source, task, labels, {} if term is None else {"fibre_*": 0.9})
    assert f"init_from={source} does not fit" in str(refused.value)
    if term is not None:
        fill["fibre_length/*"] = 0.9
    begin(algorithm, source, task, labels, fill)
    shown = np.random.default_rng(0).normal(size=(9, len(labels.observations)))
    known = dict(zip(labels.observations, shown.T, strict=True))
    seen = np.stack([known.get(name, np.full(9, 0.9)) for name in own.observations], axis=1)
    np.testing.assert_allclose(
        algorithm.controller.act(shown.astype(np.float32)),
        made.act(seen.astype(np.float32)),
        atol=2e-6,
    )


def test_a_policy_without_names_is_begun_with_and_kept_as_it_stands(
    command: Command, place: Path
) -> None:
    config = arm()
    labels = labels_of(config)
    made = policy(labels)
    made_run(place / "old", config, made, None)
    algorithm = classical("ppo", hidden_sizes=(16,), environments=2).create(
        len(labels.observations), len(labels.actions), 0, "cpu"
    )
    begin(algorithm, "old", task_of(config), labels, {})
    shown = np.random.default_rng(0).normal(size=(5, len(labels.observations)))
    np.testing.assert_array_equal(
        algorithm.controller.act(shown.astype(np.float32)), made.act(shown.astype(np.float32))
    )
    assert command("run=old", "to=kept", main=keep).code == 0
    assert returns(command, "kept") == returns(command, "old")


def test_a_run_begins_with_a_policy_whose_columns_stand_otherwise(
    command: Command, place: Path
) -> None:
    toy = Labels.of(ToyEnvironment(1))
    assert command(*SMALL_SAC, "run.folder=first", "run.steps=60").code == 0
    file = Path("first/checkpoints/latest.pt")
    saved = checkpoint.load(file)
    assert restored(saved.controller, "it").labels == toy
    data = saved.controller | {"observations": ["age", "place"]}
    checkpoint.save(file, Checkpoint(saved.steps, saved.config_hash, {"controller": data}))
    Path("first/checkpoints/best.pt").unlink(missing_ok=True)
    still = ("run.steps=8", "run.checkpoint.every=8", "algo.environments=4", "seed=9")
    answer = command(*SMALL_SAC, "run.folder=second", "init_from=first", *still)
    assert answer.code == 0, answer.err
    before, after = (
        checkpoint.load(f).controller["state"]["network"]["weights.0"]
        for f in (file, Path("second/checkpoints/latest.pt"))
    )
    assert torch.equal(after, before[:, [1, 0]])
    kept = command(*SMALL_SAC, "run.folder=third", "fill={a: 1}")
    assert kept.refuses("fill is for the policy of init_from")
    wrong = command(*SMALL_SAC, "run.folder=third", "init_from=first", "fill={age: many}")
    assert wrong.refuses("fill.age must be a finite number or null, not 'many'")


def test_a_run_does_not_go_on_with_other_columns(command: Command, place: Path) -> None:
    assert command(*SMALL_PPO, "run.steps=64").code == 0
    file = Path("run/checkpoints/latest.pt")
    saved = checkpoint.load(file)
    saved.state["controller"]["observations"] = ["age", "place"]
    checkpoint.save(file, saved)
    answer = command("resume=run", "run.steps=128", SMALL_PPO[0])
    assert answer.refuses("run was trained with age, and its task has place now", "init_from=run")


PUSHES = {
    "constant": Constant(1, 0.5),
    "random": Uniform(1, np.random.default_rng(5)),
    "open_loop": OpenLoop([[0.5], [-0.5], [0.25]]),
}


@pytest.mark.parametrize("kind", PUSHES)
def test_a_run_may_hold_any_controller(command: Command, place: Path, kind: str) -> None:
    assert command(*SMALL_SAC, "run.folder=learned", "run.steps=60").code == 0
    config = RunFolder.open(place / "learned").config()
    made_run(place / "made", config, PUSHES[kind], Labels.of(ToyEnvironment(1)))
    assert len(returns(command, "made")) == 2
    answer = command("run=made", "to=kept", main=keep)
    assert answer.code == 0, answer.err
    data = checkpoint.load(Path("kept/checkpoints/best.pt")).controller
    assert (data["kind"], data["actions"]) == (kind, ["push"])
    refused = command(*SMALL_SAC, "run.folder=second", "init_from=made")
    assert refused.refuses("init_from=made does not fit", f"of kind {kind}")
