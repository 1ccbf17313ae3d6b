import itertools
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from commands import SMALL_PPO, SMALL_SAC, Command, metrics
from toy import ToyEnvironment, ToyTask

from osimexp.algorithms.algorithm import Transition
from osimexp.controllers.networks import MLP
from osimexp.controllers.normaliser import Normaliser
from osimexp.controllers.policy import Policy
from osimexp.errors import ConfigError, SimulationError
from osimexp.experiment.interruption import Interruption
from osimexp.experiment.logger import Logger
from osimexp.experiment.loop import Progressed, TrainingLoop
from osimexp.experiment.progress import Progress, in_words
from osimexp.experiment.run_folder import RunFolder
from osimexp.experiment.seeding import Seeds, check_device
from osimexp.experiment.settings import (
    CheckpointSettings,
    EvaluationSettings,
    LogSettings,
    RunSettings,
)


class Listener:
    """An algorithm that learns nothing and keeps all that it is told."""

    off_policy = False

    def __init__(self) -> None:
        self.calls: list[str] = []
        generator = torch.Generator().manual_seed(0)
        self.controller = Policy(MLP([2, 1], "tanh", generator), Normaliser(2), 1, "tanh")
        self.heard: list[Transition] = []

    def act(self, observations: np.ndarray) -> np.ndarray:
        self.calls.append("act")
        return np.full((len(observations), 1), 0.4, dtype=np.float32)

    def take(self, transition: Transition) -> None:
        self.calls.append("take")
        self.heard.append(transition)

    def update(self) -> dict[str, float]:
        self.calls.append("update")
        return {"heard": float(len(self.heard))}

    def state_dict(self, replay: bool = True) -> dict[str, int]:
        return {"heard": len(self.heard)}

    def load_state_dict(self, state: dict[str, int]) -> None:
        raise NotImplementedError


class Diverged(Listener):
    """An algorithm whose loss is no number from its third update on."""

    def update(self) -> dict[str, float]:
        super().update()
        return {"actor_loss": np.nan if len(self.heard) > 2 else 1.0}


class OffPolicy(Listener):
    """One that may learn while the next step is simulated."""

    off_policy = True


def train_listener(
    place: Path, steps: int = 60, listener: type[Listener] = Listener, **toy: int
) -> Listener:
    settings = RunSettings(
        steps=steps,
        folder="run",
        checkpoint=CheckpointSettings(every=20, replay=True),
        evaluation=EvaluationSettings(every=30, episodes=2, final_episodes=2, images=False),
        log=LogSettings(every=20),
        threads=1,
        table=False,
        name=None,
    )
    folder = RunFolder.create(place / "run", {"seed": 0}, [], {})
    algorithm = listener()
    with Logger(folder.metrics_file, folder.path) as logger, Progress(steps) as progress:
        loop = TrainingLoop(
            settings=settings,
            environment=ToyEnvironment(2, ToyTask(**toy)),
            algorithm=algorithm,
            judged=ToyEnvironment(2),
            evaluation_seed=0,
            logger=logger,
            folder=folder,
            config_hash="",
            progress=progress,
            interruption=Interruption(),
        )
        loop.begin(seed=5)
        loop.run()
    return algorithm


def test_rewards_and_losses_that_are_no_numbers_end_the_run(place: Path) -> None:
    with pytest.raises(SimulationError, match="The reward of environment 1 is nan at step 7 of"):
        train_listener(place, spoilt_after=7)
    (place / "other").mkdir()
    with pytest.raises(SimulationError, match="The actor_loss became nan after 4 steps"):
        train_listener(place / "other", listener=Diverged)


def test_the_loop_hands_over_the_last_observation_of_an_episode(place: Path) -> None:
    heard = train_listener(place).heard
    assert len(heard) == 30
    ends = 0
    for now, after in itertools.pairwise(heard):
        ended = now.terminated | now.truncated
        ends += ended.sum()
        # The toy moves by 0.3 times the action, whether or not the episode ends with that.
        np.testing.assert_allclose(
            now.next_observations[:, 0], now.observations[:, 0] + 0.12, atol=1e-6
        )
        np.testing.assert_array_equal(now.next_observations[~ended], after.observations[~ended])
        assert (after.observations[ended, 1] == 0.0).all()
    assert ends > 3


def test_updates_are_made_while_the_next_step_is_simulated_if_off_policy(place: Path) -> None:
    calls = train_listener(place, 6, OffPolicy).calls
    assert calls == ["act", "update", "take"] * 3
    calls = train_listener(place / "on_policy", 6).calls
    assert calls == ["act", "take", "update"] * 3


def test_rows_hold_the_means_of_their_window(place: Path) -> None:
    heard = train_listener(place).heard
    rows = metrics(place / "run")
    assert [row["steps"] for row in rows] == ["20", "40", "60"]
    # Ten calls in the first window, which heard 1 to 10; then 11 to 20.
    assert [row["learning/heard"] for row in rows] == ["5.5", "15.5", "25.5"]
    assert [row["counts/stepped"] for row in rows] == ["10", "20", "30"]
    ended = [(t.terminated | t.truncated).sum() for t in heard]
    assert [int(row["episodes"]) for row in rows] == list(np.cumsum(ended)[[9, 19, 29]])
    assert rows[0]["evaluation/return"] == ""
    evaluation = json.loads((place / "run/evaluations/30.json").read_text())
    assert float(rows[1]["evaluation/return"]) == evaluation["figures"]["return"]["mean"]


def test_a_run_leaves_a_whole_folder(command: Command, place: Path) -> None:
    answer = command(*SMALL_SAC)
    assert answer.code == 0, answer.err
    assert "Run folder: run" in answer.out
    assert "python -m osimexp.evaluate run=run episodes=5 checkpoint=best" in answer.out
    folder = RunFolder.open(place / "run")
    record = folder.record()
    assert record["state"] == "finished"
    assert record["versions"]["torch"] == torch.__version__
    assert record["machine"]["cores"] >= 1
    assert folder.config()["algo"]["hidden_sizes"] == [8]
    assert "- algo.batch_size=16" in folder.overrides_file.read_text()
    assert folder.model_file.read_text() == ToyEnvironment.model_xml
    assert sorted(f.stem for f in (place / "run/evaluations").iterdir()) == [
        *("100", "200", "300", "400"),
        "final",
    ]
    names = set(metrics(place / "run")[-1])
    assert {"episode/return", "reward/near", "learning/critic_loss", "counts/stepped"} <= names
    assert list((place / "run").glob("events.out.tfevents.*"))
    assert not list(place.rglob("*.part"))


def test_tensorboard_shows_the_csv_and_the_config(command: Command, place: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    command(*SMALL_SAC)
    events = EventAccumulator(str(place / "run"))
    events.Reload()
    shown = {str(event.step): event.value for event in events.Scalars("episode/return")}
    written = {r["steps"]: float(r["episode/return"]) for r in metrics(place / "run")}
    assert shown == pytest.approx(written, rel=1e-6)
    text = events.Tensors("config/text_summary")[0].tensor_proto.string_val[0].decode()
    assert "batch_size: 16" in text


@pytest.mark.parametrize("small", [SMALL_SAC, SMALL_PPO], ids=["sac", "ppo"])
def test_the_same_seed_gives_the_same_metrics(
    command: Command, place: Path, small: tuple[str, ...]
) -> None:
    for folder in ("a", "b"):
        assert command(*small, f"run.folder={folder}").code == 0
    assert command(*small, "run.folder=c", "seed=1").code == 0
    assert metrics(place / "a") == metrics(place / "b")
    assert metrics(place / "a") != metrics(place / "c")


def test_sweeps_have_a_folder_for_each_job(command: Command, place: Path) -> None:
    answer = command("-m", *SMALL_SAC, "run.steps=100", "seed=0,1")
    assert answer.code == 0, answer.err
    folders = sorted(file.parent for file in (place / "outputs/sweeps").rglob("run.json"))
    assert [RunFolder.open(f).config()["seed"] for f in folders] == [0, 1]
    assert not (place / "run").exists()


def test_seeds_of_parts_differ_and_repeat() -> None:
    seeds = Seeds.of(0)
    assert seeds == Seeds.of(0)
    assert len({*vars(seeds).values(), *vars(Seeds.of(1)).values()}) == 8


@pytest.mark.parametrize("seed", [-1, "three", 1.5, True])
def test_a_seed_is_a_whole_number(seed: object) -> None:
    with pytest.raises(ConfigError, match="seed must be a whole number"):
        Seeds.of(seed)


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without a GPU")
def test_a_gpu_that_is_not_there_is_named() -> None:
    with pytest.raises(ConfigError, match="device=cuda needs a GPU"):
        check_device("cuda")


def test_the_table_shows_metrics_beside_what_they_were(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress(100, table=True) as progress:
        progress.show({"evaluation/return": 1.5})
        assert capsys.readouterr().out.split() == [
            *("metric", "now", "before"),
            *("evaluation/return", "1.5", "-"),
        ]
        progress.show({"evaluation/return": 2.5, "episodes": 7})
        assert capsys.readouterr().out.split()[3:] == [
            *("evaluation/return", "2.5", "1.5"),
            *("episodes", "7", "-"),
        ]
    with Progress(100) as progress:
        progress.show({"episodes": 7.0})
        assert not capsys.readouterr().out


@pytest.mark.parametrize(
    ("metrics", "words"),
    [
        ({}, "no episode ended yet"),
        ({"return": 84.06}, "return 84.06"),
        ({"return": 84.0, "distance": 0.63, "time": 3.02}, "return 84, 0.6 m in 3.0 s"),
        (
            {"return": 9.0, "final_target_distance": 0.0312, "distance": 0.0, "time": 4.0},
            "return 9, 0.031 m from the target",
        ),
    ],
)
def test_the_progress_tells_how_far_and_how_long(metrics: dict[str, float], words: str) -> None:
    assert in_words(metrics) == words


def test_progress_of_the_first_version_has_a_return_alone() -> None:
    old = {"steps": 8, "episodes": 1, "last_return": 2.5}
    assert Progressed.of(old).last == {"return": 2.5}
    assert Progressed.of({"steps": 8, "last_return": None}).last == {}
