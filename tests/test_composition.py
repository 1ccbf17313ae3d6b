"""Composing from Python: within any program, in any thread."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import get_origin, get_type_hints

import pytest
import yaml
from commands import TESTS

from osimexp.composition import check_given, compose, parsed, value_of
from osimexp.config import selected
from osimexp.errors import ConfigError
from osimexp.models.muscle_sets import MuscleSet
from osimexp.models.settings import ModelSettings
from osimexp.tasks.actuators import ActuatorSet
from osimexp.tasks.adapters.gym import GymTask
from osimexp.tasks.compose import composed, single
from osimexp.tasks.goals.gait import Gait
from osimexp.words import OPEN, Override

PROGRAM = """
import hydra
from omegaconf import DictConfig, OmegaConf
from hydra.core.hydra_config import HydraConfig
from osimexp.tasks.compose import composed, vector

@hydra.main(version_base={base!r}, config_path="mine", config_name="main")
def main(config: DictConfig) -> None:
    before = OmegaConf.to_yaml(HydraConfig.get())
    env = vector(2, "model=arm", "reward=reach", "workers=none", f"algo={{config.algo}}")
    env.reset(seed=config.seed)
    env.close()
    print("run", composed("model=arm", "algo=ppo")["run"]["name"])
    mine = hydra.compose("other")
    print("mine", mine.number, HydraConfig.get().job.name)
    assert OmegaConf.to_yaml(HydraConfig.get()) == before

main()
"""


@pytest.mark.parametrize("base", ["1.3", None, "1.1"])
def test_environments_are_made_within_a_program_of_hydras(place: Path, base: str | None) -> None:
    (place / "mine").mkdir()
    (place / "mine/main.yaml").write_text("seed: 3\nalgo: ppo\n")
    (place / "mine/other.yaml").write_text("number: 7\n")
    (place / "program.py").write_text(PROGRAM.format(base=base))
    answer = subprocess.run(
        [sys.executable, "program.py", "hydra.output_subdir=null", "hydra.run.dir=."],
        cwd=place,
        env=os.environ | {"PYTHONPATH": str(TESTS.parent)},
        capture_output=True,
        text=True,
    )
    assert answer.returncode == 0, answer.stderr
    # What is compiled for the first time is logged before.
    assert answer.stdout.splitlines()[-2:] == ["run arm_velocity_ppo_s0", "mine 7 program"]


def test_threads_compose_side_by_side() -> None:
    words = [
        ("model=arm", f"algo={algo}", f"seed={s}") for algo in ("ppo", "sac") for s in range(4)
    ]
    one_by_one = [composed(*own) for own in words]
    with ThreadPoolExecutor(8) as threads:
        at_once = list(threads.map(lambda own: composed(*own), words))
    for one, other in zip(one_by_one, at_once, strict=True):
        one["run"].pop("folder"), other["run"].pop("folder")  # It has the time in it.
        assert one == other


def test_values_are_plain_and_hydras_part_is_left_out() -> None:
    found = compose("config", ["model=arm", "task.duration=3", "run.folder=x"])
    assert yaml.safe_load(yaml.safe_dump(found.values)) == found.values
    assert "hydra" not in found.values
    assert found.values["run"]["name"] == "arm_velocity_sac_s0"
    assert found.choices["model"] == "arm"
    assert found.choices["experiment"] is None


def test_folders_of_the_users_own_are_looked_into(place: Path) -> None:
    (place / "mine/reward").mkdir(parents=True)
    (place / "mine/reward/soft.yaml").write_text("defaults: [walk]\nalive: { weight: 9.0 }\n")
    reward = compose("config", ["reward=soft"], ["mine"]).values["reward"]
    assert reward["alive"]["weight"] == 9.0
    with pytest.raises(
        ConfigError, match="nowhere, the folder of your own options, does not exist"
    ):
        compose("config", [], ["nowhere"])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["reward=velocty"], "did you mean velocity?"),
        (["run.stepz=3"], "run.stepz is not a known key; did you mean steps?"),
        (["seed"], "cannot be read as key=value"),
        (["model=file"], "model.path must be given, as model.path=value."),
        (
            ["physics=[1]"],
            r"physics is chosen by the name of an option, not by \[1\]; known are auto",
        ),
        (["target=[null]"], "target is chosen by the name of an option"),
        (["algo=null"], "algo is chosen by the name of an option, not by null"),
        (["reward.velocty.weight=1"], "reward.velocty is not a known key; did you mean velocity"),
    ],
)
def test_what_cannot_be_composed_is_said_in_a_sentence(words: list[str], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        single(*words)


@pytest.mark.parametrize(
    ("word", "key", "value"),
    [
        ("model.feet={heel: [foot_r]}", "model.feet.heel", ["foot_r"]),
        ("model.feet.heel=[foot_r]", "model.feet.heel", ["foot_r"]),
        ("model.points={hand: {body: b, location: [0,0,0]}}", "model.points.hand.body", "b"),
        ("model.points.hand={body: b, location: [0,0,0]}", "model.points.hand.body", "b"),
        ("+model.points.hand={body: b, location: [0,0,0]}", "model.points.hand.body", "b"),
        ("muscles.strength.soleus_r=0.5", "muscles.strength.soleus_r", 0.5),
        ("reward.mine={_target_: a.B}", "reward.mine._target_", "a.B"),
    ],
)
def test_open_mappings_take_names_as_they_are_written(word: str, key: str, value: object) -> None:
    assert selected(compose("config", [word]).values, key) == value


def test_the_open_mappings_are_those_of_the_settings() -> None:
    kinds = {
        "actuators": ActuatorSet, "model": ModelSettings, "muscles": MuscleSet, "target": Gait,
        "task": GymTask,
    }  # fmt: skip
    found = {
        f"{group}.{name}"
        for group, kind in kinds.items()
        for name, hint in get_type_hints(kind).items()
        if get_origin(hint) is dict
    }
    assert {*found, "fill"} == {*OPEN}


def test_the_first_that_must_be_given_is_named() -> None:
    check_given({"a": 1, "b": {"c": None}})
    with pytest.raises(ConfigError, match=r"b\.c must be given, as b\.c=value\."):
        check_given({"z": "???", "b": {"d": "???", "c": "???"}})


def test_words_of_a_command_line_are_read_as_hydra_reads_them() -> None:
    assert parsed(["a.b=1", "~c", "+d=[1,2]", "model=arm"]) == (
        Override("a.b=1", "a.b"),
        Override("~c", "c", deletes=True),
        Override("+d=[1,2]", "d"),
        Override("model=arm", "model"),
    )
    assert value_of("rate", "3e-4") == 0.0003
    assert value_of("rate", "[ 8 ]") == [8]
    assert value_of("rate", "[") == "["
