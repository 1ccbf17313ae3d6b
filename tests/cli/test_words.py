"""Words of a command line: what is typed is what Hydra reads, whatever a folder is called."""

import json
import shlex
from pathlib import Path

import pytest
from commands import SMALL_SAC, Command
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

from osimexp.cli.compare import main as compare
from osimexp.cli.describe import main as describe
from osimexp.cli.evaluate import main as evaluate
from osimexp.cli.gait import main as gait
from osimexp.cli.keep import main as keep
from osimexp.cli.render import main as render
from osimexp.cli.runs import main as runs
from osimexp.cli.train import main as train
from osimexp.cli.view import main as view
from osimexp.composition import readable
from osimexp.words import quoted, setting, word_of

NAMES = [
    "outputs/lr=0.1", "a b", "a,b", "x'y", "\\", "a\\", "a\\'b", "\\'", "${oc.env:HOME}",
    "\\${x}", "\\\\${x}", "a${x}\\", "$x", "{a: 1}", "[1]", "'", "''", "2025-01-31", "null", "a#b",
]  # fmt: skip


def read(word: str) -> object:
    """Return the value that a word has in the composed config."""
    value = OverridesParser.create().parse_override(word).value()
    return OmegaConf.create({"key": value, "x": 5})["key"]


@pytest.mark.parametrize("name", NAMES)
def test_a_quoted_text_is_read_as_it_is(name: str) -> None:
    assert read(f"key={quoted(name)}") == name
    assert read(setting("key", name)) == name
    (typed,) = shlex.split(word_of("key", name))
    assert read(typed) == name


FOREIGN = [
    "läufer.mot", "中文/a b (1)", "a;b", "~/x", "a&b#c!", "a'b", 'a"b', "a[1]", "a]", "a}", "^`<>",
    "$(x)", "out (1)", "a\nb", "ö 'x,y'",
]  # fmt: skip
"""Names of files that Hydra's grammar has no place for."""


@pytest.mark.parametrize("name", ["lr=0.1", "a/lr=0.1/b", "a=b=c", "./=", "a:b=c d", *FOREIGN])
def test_a_value_may_have_any_character(name: str) -> None:
    assert read(readable(f"key={name}")) == name


@pytest.mark.parametrize(
    "word",
    ["seed=0,1", "x={a=b}", "x='a=b'", "x=[a=b]", "+x=1", "~x", "x=${a}", "-m", "x=\"a=b\"", "x=",
     "x==", "seed=range(1,3)", "algo=glob(*)", "x=a b", "x=1_0", "x=a\\,b", "x=[ä]", "x={a:ä}",
     "x=ä${seed}", "größe=ä", "x='ä"],
)  # fmt: skip
def test_what_is_meant_for_hydra_is_left_to_it(word: str) -> None:
    assert readable(word) == word


def test_several_values_stay_several() -> None:
    assert readable("-m") == "-m"
    assert readable("model.path=ä.osim,b.osim") == "model.path='ä.osim',b.osim"
    assert readable("model.path=(ä),b") == "model.path='(ä),b'"


@pytest.mark.parametrize("name", FOREIGN[:4])
def test_every_command_looks_for_the_file_that_is_typed(command: Command, name: str) -> None:
    shown = name.removeprefix("~/").replace("\n", " ")
    arm = ("model=arm", "reward=reach")
    for main, words in (
        (train, (f"resume={name}",)),
        (train, (*arm, f"init_from={name}", "algo=ppo", "workers=none")),
        (train, ("model=file", f"model.path={name}")),
        (describe, ("model=file", f"model.path={name}")),
        (evaluate, (f"run={name}",)),
        (gait, (f"run={name}",)),
        (gait, ("model=arm", f"movement={name}")),
        (render, (f"run={name}", "-o", "a.png")),
        (render, ("model=arm", f"movement={name}", "-o", "a.png")),
        (view, (f"run={name}", "--export", "a.html")),
        (keep, (f"run={name}", "to=kept")),
    ):
        answer = command(*words, main=main)
        assert answer.refuses(shown), (words, answer)
        assert "cannot be read as key=value" not in answer.err


def test_the_path_of_a_file_is_that_file(place: Path) -> None:
    name = "in/a,b (1)=[c]"
    (place / "in/a,b (1)=[c]").mkdir(parents=True)
    assert read(readable(f"key={name}")) == name
    (place / "a,b.mot").touch()
    assert read(readable("key=a,b.mot")) == "a,b.mot"


@pytest.mark.parametrize(
    ("top", "more"), [("lr=0.1", ("b=c", "c=d", "g=h")), ("ö (1)", ("b;c", "中文", "g (h)"))]
)
def test_folders_may_have_any_name_in_every_command(
    command: Command, place: Path, top: str, more: tuple[str, str, str]
) -> None:
    small = [word for word in SMALL_SAC if not word.startswith(("run.folder", "run.steps"))]
    answer = command(*small, "run.steps=200", f"run.folder={top}/a=b")
    assert answer.code == 0, answer.err
    run = f"{top}/a=b"
    compared, kept, begun_in = more
    (again,) = (line for line in answer.out.splitlines() if line.startswith("Evaluate it again"))
    _, _, _, *words = shlex.split(again.partition(": ")[2])
    assert command(*words, "episodes=2", main=evaluate).code == 0
    assert command(f"resume={run}", "run.steps=300").code == 0
    assert command(run, main=runs).code == 0
    assert run in command(top, "algo=sac", main=runs).out
    assert command(run, "-o", compared, "resamples=100", main=compare).code == 0
    assert Path(compared, "scores.png").is_file()
    assert command(f"run={run}", f"to={kept}", main=keep).code == 0
    assert command(f"run={run}", "-o", f"{kept}.png", main=render).refuses(f"{run} moves no")
    begun = command(*small, "run.steps=100", f"run.folder={begun_in}", f"init_from={run}")
    assert begun.code == 0, begun.err
    assert json.loads(Path(begun_in, "run.json").read_text())["init_from"]["source"] == run


def test_a_sweep_may_be_in_a_folder_with_an_equals_sign(command: Command, place: Path) -> None:
    small = [word for word in SMALL_SAC if not word.startswith(("run.folder", "run.steps"))]
    words = (*small, "run.steps=100", "-m", "seed=0,1", "hydra.sweep.dir=lr=1")
    answer = command(*words)
    assert answer.code == 0, answer.err
    again = command(SMALL_SAC[0], "resume=lr=1")
    assert again.code == 0, again.err
    assert "Sweep lr=1: 2 finished, 0 failed." in again.out


@pytest.mark.parametrize("more", [(), ("-m", "seed=0,1", "hydra.sweep.dir=sweep")])
def test_another_working_folder_is_refused(
    command: Command, place: Path, more: tuple[str, ...]
) -> None:
    answer = command(*SMALL_SAC, "hydra.job.chdir=true", *more)
    assert answer.code == 2
    assert answer.err.splitlines()[-1].startswith("Error: hydra.job.chdir must be false")
    assert Path.cwd() == place


TEXTS = [
    "plain", "a b", "a\\b", "a\\", "a\\\\", "a\\'", "'", "''", "\\\\'x\\", "$\\frac{$", "a\nb",
    "x\\\n", '"', "a,b=[c]{d:e}", "", " a ", "#", "null", "\x1b[2J\r", "ö\u202e\udcff",
]  # fmt: skip


@pytest.mark.parametrize("text", TEXTS)
def test_a_quoted_text_comes_back(text: str) -> None:
    parser = OverridesParser.create()
    assert parser.parse_override(f"key={quoted(text)}").value() == text
    (one,) = parser.parse_override(f"key=[{quoted(text)}]").value()
    assert str(getattr(one, "text", one)) == text
