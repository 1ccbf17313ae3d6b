"""Every option of every group composes and steps once."""

from collections.abc import Iterable

import numpy as np
import pytest
import tasks

from osimexp.config import build, config_directory
from osimexp.tasks.make import make, task_of

# What an option needs beside itself to be whole.
BESIDE = {
    ("task", "gym"): (),
    ("algo", "ppo"): ("algo.minibatch_size=128",),  # of a rollout of two environments
    ("model", "arm"): ("reward=reach",),
    ("model", "file"): (
        "reward=reach",
        "+model.points.hand={body: forearm, location: [0, -0.3, 0]}",
    ),
    ("muscles", "subset"): ("muscles.driven=[soleus_*]",),
    # Another strength alone, for which weak_plantarflexors is fitted and compiled already.
    ("muscles", "sarcopenia"): ("physics=opensim", "model.paths=geometry"),
    ("reward", "reach"): ("model=arm",),
    ("target", "reach"): ("model=arm", "reward=reach"),
    ("target", "gait"): ("reward=imitate",),
    ("observation", "full"): (),
    ("observation", "phase"): ("reward=imitate",),
    ("termination", "strayed"): ("reward=imitate",),
    ("start", "mid_gait"): ("reward=imitate",),
    ("target", "recorded"): ("reward=imitate",),
    ("target", "speeds"): ("reward=speeds",),
    ("observation", "speed"): ("reward=speeds",),
    ("symmetry", "half_cycle"): ("reward=imitate",),
}
GROUPS = (
    "model",
    "muscles",
    "actuators",
    "physics",
    "observation",
    "reward",
    "termination",
    "start",
    "target",
    "symmetry",
    "push",
    "task",
)
# Where the options of other groups stand in the config.
PLACES = {"workers": "workers", "schedule": "run"}
TESTED_ELSEWHERE = {"sweep", "hydra", "command"}


def options(groups: Iterable[str]) -> list[tuple[str, str]]:
    found = []
    for group in groups:
        files = sorted((config_directory() / group).glob("*.yaml"))
        assert files, f"no option of {group}"
        found += [(group, file.stem) for file in files]
    return found


def test_no_group_is_left_out() -> None:
    groups = {folder.name for folder in config_directory().iterdir() if folder.is_dir()}
    assert groups - TESTED_ELSEWHERE == {*GROUPS, *PLACES, "algo", "experiment"}


@pytest.mark.parametrize(("group", "option"), options(GROUPS))
def test_every_option_steps_once(
    group: str, option: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    overrides = [*BESIDE.get((group, option), ()), f"{group}={option}", "workers=none"]
    if (group, option) == ("target", "recorded"):
        file = tasks.written_gait(tmp_path_factory.mktemp("gait"), 2.0)
        overrides.append(f"target.movement={file}")
    if (group, option) == ("model", "file"):
        path = tmp_path_factory.mktemp("model") / "arm.osim"
        path.write_text(tasks.prepared(*tasks.ARM).xml)
        overrides.append(f"model.path={path}")
    env = make(task_of(tasks.composed(*overrides)), 2)
    observations, _ = env.reset(seed=0)
    actions = np.zeros((2, *env.single_action_space.shape), np.float32)
    following, rewards, *_ = env.step(actions)
    env.close()
    assert observations.shape == following.shape
    assert np.isfinite(following).all()
    assert np.isfinite(rewards).all()


@pytest.mark.parametrize(("group", "option"), options(("algo",)))
def test_every_algorithm_acts_on_a_model(group: str, option: str) -> None:
    config = tasks.composed(
        *tasks.ARM,
        f"{group}={option}",
        "algo.environments=2",
        *BESIDE.get((group, option), ()),
    )
    env = make(task_of(config), 2)
    size = env.single_observation_space.shape[0]
    algorithm = build(config["algo"], "algo").create(size, 6, 0, "cpu")
    observations, _ = env.reset(seed=0)
    actions = algorithm.act(observations)
    assert actions.shape == (2, 6)
    assert np.abs(actions).max() <= 1.0


@pytest.mark.parametrize(("group", "option"), options(("experiment",)))
def test_every_recipe_composes_and_steps(group: str, option: str) -> None:
    config = tasks.composed(f"experiment={option}", "workers=none")
    build(config["algo"], "algo")
    env = make(task_of(config), 1)
    env.reset(seed=0)
    env.step(np.zeros((1, *env.single_action_space.shape), np.float32))
    env.close()


@pytest.mark.parametrize(("group", "option"), options(PLACES))
def test_every_other_option_composes(group: str, option: str) -> None:
    config = tasks.composed(f"{group}={option}")
    assert isinstance(config[PLACES[group]], dict)


def test_config_files_are_short_and_hold_no_code() -> None:
    for file in config_directory().rglob("*.yaml"):
        lines = file.read_text().splitlines()
        assert len(lines) <= 60, file
        targets = [line for line in lines if "_target_" in line]
        assert all("osimexp." in line for line in targets), file
