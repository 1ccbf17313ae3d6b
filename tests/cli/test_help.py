"""The help of each command says what its settings say, of every key."""

from dataclasses import dataclass, fields
from importlib import import_module
from pathlib import Path

import pytest
import yaml
from commands import Command

from osimexp.analysis.gait.settings import (
    AngleSettings,
    ContactSettings,
    CostSettings,
    GaitSettings,
)
from osimexp.bench import algorithms, learning, physics, walking
from osimexp.bench.commands import CommandsBenchSettings
from osimexp.bench.faults import campaign
from osimexp.cli import bench, compare, evaluate, keep, models, render, report, runs, train, view
from osimexp.cli.help import Key, first_line, help_text, keys, meanings
from osimexp.cli.verbs import VERBS, commands
from osimexp.cli.verbs import main as osimexp
from osimexp.composition import compose
from osimexp.config import config_groups
from osimexp.experiment.settings import (
    CheckpointSettings,
    EvaluationSettings,
    LogSettings,
    RunSettings,
)
from osimexp.experiment.showing import ShownSettings
from osimexp.experiment.whole import ExperimentSettings
from osimexp.results.movement import MovementSettings

MAIN = (
    train.TrainSettings,
    ExperimentSettings,
    RunSettings,
    CheckpointSettings,
    EvaluationSettings,
    LogSettings,
)
# Of each command: the config, and the settings whose words its help is to have.
COMMANDS: dict[str, tuple[str, tuple[type, ...]]] = {
    "train": ("config", MAIN),
    "describe": ("command/describe", MAIN),
    "evaluate": ("command/evaluate", (evaluate.EvaluateSettings,)),
    "gait": (
        "command/gait",
        (ShownSettings, GaitSettings, ContactSettings, AngleSettings, CostSettings),
    ),
    "render": ("command/render", (ShownSettings, render.RenderSettings)),
    "view": ("command/view", (ShownSettings, view.ViewSettings)),
    "runs": ("command/runs", (runs.RunsSettings,)),
    "compare": ("command/compare", (compare.CompareSettings, MovementSettings)),
    "report": ("command/report", (report.ReportSettings, MovementSettings)),
    "keep": ("command/keep", (keep.KeepSettings,)),
    "models": ("command/models", (models.ListingSettings,)),
    "bench physics": (
        "command/bench_physics",
        (physics.PhysicsBenchSettings, physics.BenchTask),
    ),
    "bench learning": ("command/bench_learning", (learning.LearningBenchSettings,)),
    "bench algorithms": ("command/bench_algorithms", (algorithms.AlgorithmBenchSettings,)),
    "bench faults": ("command/bench_faults", (campaign.FaultsBenchSettings,)),
    "bench commands": ("command/bench_commands", (CommandsBenchSettings,)),
    "bench walking": ("command/bench_walking", (walking.WalkingBenchSettings,)),
}
# ``task`` is said by the task itself, which knows more of it.
ELSEWHERE = {(ExperimentSettings, "task")}


def words(text: str) -> str:
    return " ".join(text.replace("``", "").split())


def test_every_command_is_looked_at_here() -> None:
    assert {name.partition(" ")[0] for name in COMMANDS} == set(VERBS)
    assert {name.partition(" ")[2] for name in COMMANDS if " " in name} == set(bench.KINDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_has_every_key_with_its_default_and_its_docstrings_words(
    command: Command, place: Path, name: str
) -> None:
    config, settings = COMMANDS[name]
    answer = command(*name.split(), "--help", main=osimexp)
    assert answer.code == 0, answer.err
    assert not list(place.iterdir())
    lines = answer.out.splitlines()
    for key, value in compose(config).values.items():
        begin = f"{key}={yaml.safe_dump(value).splitlines()[0]}"
        if isinstance(value, list | dict):
            begin = key
        assert any(line.startswith(begin) for line in lines), key
    said = words(answer.out)
    for kind in settings:
        known = meanings(kind)
        for field in fields(kind):
            if (kind, field.name) not in ELSEWHERE:
                assert words(known[field.name]) in said, f"{kind.__name__}.{field.name}"


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_begins_with_what_the_module_says(command: Command, name: str) -> None:
    verb, _, kind = name.partition(" ")
    module = import_module(f"osimexp.bench.{kind}" if kind else f"osimexp.cli.{verb}")
    answer = command(*name.split(), "--help", main=osimexp)
    assert answer.out.startswith(first_line(module.__doc__) + "\n\nUsage: osimexp " + name)


def test_the_help_of_all_lists_the_commands(command: Command) -> None:
    for arguments in (("--help",), ("-h",), ("train", "--help")):
        answer = command(*arguments, main=osimexp)
        assert answer.code == 0
        assert commands() in answer.out
    for verb in VERBS:
        module = import_module(f"osimexp.cli.{verb}")
        assert f"\n{verb:12}{first_line(module.__doc__)}" in answer.out


def test_the_help_of_the_benchmarks_lists_them(command: Command) -> None:
    answer = command("bench", "--help", main=osimexp)
    assert answer.code == 0
    for kind in bench.KINDS:
        assert f"\n{kind:12}" in answer.out


@pytest.mark.parametrize(
    ("group", "option"),
    [(group, option) for group, found in config_groups().items() for option in found],
)
def test_every_key_of_every_option_has_a_meaning(group: str, option: str) -> None:
    needed = ["reward=imitate"] if group in ("target", "start") else []
    values = compose("config", [*needed, f"{group}={option}"]).values
    unsaid = [
        key.name
        for key in keys(values, train.settings_of_main())
        if not key.meaning and key.value != "null"  # A term that an option takes away.
    ]
    assert not unsaid


def test_the_help_is_of_what_was_chosen(command: Command, place: Path) -> None:
    (place / "mine/reward").mkdir(parents=True)
    (place / "mine/reward/soft.yaml").write_text("defaults: [walk]\nalive: { weight: 9.0 }\n")
    for flag in (["--config-dir=mine"], ["--config-dir", "mine"], ["-cd", "mine"]):
        answer = command(*flag, "reward=soft", "algo=ppo", "algo.epochs=3", "--help")
        assert answer.code == 0, answer.err
        assert "reward: imitate, reach, run, soft, speeds" in answer.out
        assert "(now soft)" in answer.out
        assert "reward.alive.weight=9.0" in answer.out
        assert "algo.epochs=3" in answer.out
        assert "learn_temperature" not in answer.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("reward=velocty",), "did you mean velocity?"),
        (("run.stepz=3",), "did you mean steps?"),
        (("--config-dir=nowhere",), "nowhere"),
    ],
)
def test_a_mistake_beside_the_flag_is_a_sentence(
    command: Command, arguments: tuple[str, ...], said: str
) -> None:
    assert command(*arguments, "--help").refuses(said)


@dataclass(frozen=True)
class Inner:
    """What is inside.

    Attributes:
        depth: m.
    """

    depth: float = 1.0


@dataclass(frozen=True)
class Outer:
    """Settings of a made-up command.

    Attributes:
        width: how wide it is, in m, which takes
            two lines.
        inner: what is in it.
        named: by name.
        any: ``yes`` or ``no``.

    Raises:
        ValueError: never.
    """

    width: float
    inner: Inner
    named: dict[str, Inner]
    any: bool


def test_keys_are_named_down_to_the_last_with_what_the_docstrings_say() -> None:
    assert meanings(Outer) == {
        "width": "how wide it is, in m, which takes two lines.",
        "inner": "what is in it.",
        "named": "by name.",
        "any": "``yes`` or ``no``.",
    }
    values = {"width": 2.0, "inner": {"depth": 3.0}, "named": {"a": {"depth": 1}}, "any": True}
    assert list(keys({**values, "other": None}, [Outer])) == [
        Key("width", "2.0", "how wide it is, in m, which takes two lines."),
        Key("inner", None, "what is in it."),
        Key("inner.depth", "3.0", "m."),
        Key("named", "{a:{depth:1}}", "by name."),
        Key("named.NAME.depth", None, "m."),
        Key("any", "true", "``yes`` or ``no``."),
        Key("other", "null", ""),
    ]


def test_the_text_keeps_to_its_width_and_says_single_values_first() -> None:
    values = {"inner": {"depth": 3.0}, "width": 2.0, "any": list(range(40))}
    text = help_text("Do it.", values, [Outer], {"size": ["small", "large"]}, {"size": None})
    lines = text.splitlines()
    assert lines[0] == "Do it."
    assert lines[lines.index("size: small, large") + 1] == "    (now null)"
    assert max(map(len, lines)) <= 100
    assert text.index("width=2.0") < text.index("any=[...]") < text.index("inner.depth=3.0")
