"""Choices that a reward and an algorithm make in other groups, and what wins over them."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from commands import SMALL_PPO, SMALL_SAC, Command
from options import classical
from tasks import composed

from osimexp.composition import compose
from osimexp.config import build

ARM = ("model=arm", "reward=reach")
FILE = ("model=file", "model.path=any.osim")


def chosen(*words: str) -> tuple[str | None, str | None]:
    """Return the options of start and symmetry that a config with some words has."""
    choices = compose("config", words).choices
    return choices.get("start"), choices.get("symmetry")


GAIT = ("gait_where_possible", "where_possible")


def test_rewards_for_walking_choose_starts_in_a_gait_and_a_mirror() -> None:
    config = composed()
    assert chosen() == chosen("reward=walk") == chosen(*FILE) == GAIT
    assert config["start"]["_target_"].endswith(".MidGait")
    assert config["symmetry"]["_target_"].endswith(".LeadingLeg")
    assert config["algo"]["_target_"].endswith(".sac.Settings")


@pytest.mark.parametrize("words", [ARM, (*FILE, "reward=reach"), ("reward=stand",)])
def test_other_rewards_keep_the_start_of_all(words: tuple[str, ...]) -> None:
    assert chosen(*words) == ("noisy", None)
    config = compose("config", words).values
    assert config["start"]["_target_"].endswith(".Poses")
    assert config.get("symmetry") is None


@pytest.mark.parametrize(
    ("words", "start", "symmetry"),
    [
        (("start=noisy",), "noisy", GAIT[1]),
        (("~symmetry",), GAIT[0], None),
        (("start=striding", "symmetry=half_cycle"), "striding", "half_cycle"),
        (("reward=stand",), "noisy", None),
        (("reward=stand", "~symmetry"), "noisy", None),
        (("reward=stand", "start=gait_poses"), "gait_poses", None),
        (("reward=stand", "symmetry=leading_leg"), "noisy", "leading_leg"),
        (("experiment=walk",), "mid_gait", "half_cycle"),
        (("experiment=stand",), "noisy", None),
        (("experiment=reach_sac",), "noisy", None),
        (("experiment=walk", "start=noisy", "~symmetry"), "noisy", None),
        ((*ARM, "start=anywhere"), "anywhere", None),
    ],
)
def test_words_and_recipes_win_over_the_choice_of_a_reward(
    words: tuple[str, ...], start: str, symmetry: str | None
) -> None:
    for order in (words, words[::-1]):
        assert chosen(*order) == (start, symmetry)
    config = composed(*words)
    assert (config.get("symmetry") is None) == (symmetry is None)


@pytest.mark.parametrize(
    ("given", "starts", "symmetric"),
    [
        ((), ["MidGait", "Poses"], [True, False]),
        (("start=noisy", "~symmetry"), ["Poses", "Poses"], [False, False]),
        (("start=gait_poses", "symmetry=leading_leg"), ["MidGait", "MidGait"], [True, True]),
    ],
)
def test_each_job_of_a_sweep_has_the_choice_of_its_reward(
    given: tuple[str, ...], starts: list[str], symmetric: list[bool], command: Command
) -> None:
    small = [word for word in SMALL_SAC if not word.startswith(("run.folder", "run.steps"))]
    several = ("reward=velocity,stand", "run.steps=16", "hydra.sweep.dir=sweep")
    answer = command("-m", *small, *several, *given)
    assert answer.code == 0, answer.err
    files = sorted(Path("sweep").glob("*/config.yaml"))
    configs = [yaml.safe_load(file.read_text()) for file in files]
    assert ["stand_still" in config["reward"] for config in configs] == [False, True]
    assert [config["start"]["_target_"].rpartition(".")[2] for config in configs] == starts
    assert [config.get("symmetry") is not None for config in configs] == symmetric


def schedule(*words: str) -> dict[str, Any]:
    """Return how long a run is and when what is due, without its name and the time of day."""
    run: dict[str, Any] = composed(*words)["run"]
    return {key: value for key, value in run.items() if key not in ("name", "folder")}


def test_ppo_brings_its_schedule_and_words_win_over_it() -> None:
    usual, more = schedule(), schedule("algo=ppo")
    assert compose("config", ["algo=ppo"]).choices["schedule"] == "on_policy"
    assert more["steps"] > usual["steps"]
    assert schedule("algo=ddpg") == usual
    for words in (("algo=ppo", "run.steps=64"), ("run.steps=64", "algo=ppo")):
        assert schedule(*words) == {**more, "steps": 64}
    assert schedule("algo=ppo", "schedule=default") == usual


@pytest.mark.parametrize("name", ["sac", "ddpg"])
@pytest.mark.parametrize(("steps", "updates"), [(500, 100), (101, 0), (100, 0), (40, 0)])
def test_updates_of_an_off_policy_run_by_hand(name: str, steps: int, updates: int) -> None:
    # (500 - 100) / 4 = 100.
    settings = classical(name, learning_starts=100, updates_per_step=0.25)
    assert settings.gradient_steps(steps) == updates


@pytest.mark.parametrize(
    ("minibatch", "steps", "updates"),
    [(16, 100, 3 * 3 * 2), (16, 31, 0), (16, 32, 3 * 2), (32, 64, 2 * 3), (20, 32, 3)],
)
def test_updates_of_an_on_policy_run_by_hand(minibatch: int, steps: int, updates: int) -> None:
    # A rollout is of 4 * 8 = 32 transitions, gone through three times.
    settings = classical("ppo", environments=4, rollout_steps=8, epochs=3, minibatch_size=minibatch)
    assert settings.gradient_steps(steps) == updates


TRY_OUT = "This is a try-out: run.steps=400 makes {} updates"


@pytest.mark.parametrize(
    ("words", "updates"),
    [
        (SMALL_SAC, "175"),  # (400 - 50) / 2
        (SMALL_PPO, "48"),  # Of 6 rollouts of 64 transitions, 4 minibatches twice.
        ((*SMALL_SAC, "algo.updates_per_step=2.85"), "997"),
        ((*SMALL_SAC, "algo.updates_per_step=2.86"), None),  # 1,001
    ],
)
def test_a_run_in_which_little_is_learned_is_said_to_be_a_try_out(
    words: tuple[str, ...], updates: str | None, command: Command
) -> None:
    answer = command(*words)
    assert answer.code == 0, answer.err
    if updates is None:
        assert "try-out" not in answer.out + answer.err
    else:
        assert TRY_OUT.format(updates) in answer.out


@pytest.mark.parametrize("words", [(), ("algo=ddpg",), ("algo=ppo",)])
def test_the_usual_number_of_steps_is_no_try_out_and_some_thousands_are(
    words: tuple[str, ...],
) -> None:
    config = composed(*words)
    settings = build(config["algo"], "algo")
    assert settings.gradient_steps(3000) == 0
    assert settings.gradient_steps(config["run"]["steps"]) >= 1000
