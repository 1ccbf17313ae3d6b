"""Run folders that somebody else wrote: no command runs what they name, or tells what is here."""

import json
import re
import shlex
import shutil
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import yaml
from commands import SMALL_PPO, TESTS, Command

from osimexp.cli.bench import main as bench
from osimexp.cli.compare import main as compare
from osimexp.cli.evaluate import main as evaluate
from osimexp.cli.gait import main as gait
from osimexp.cli.keep import main as keep
from osimexp.cli.render import main as render
from osimexp.cli.report import main as report
from osimexp.cli.runs import main as runs
from osimexp.cli.train import main as train
from osimexp.cli.view import main as view
from osimexp.experiment.checkpoint import config_hash, load, save
from osimexp.experiment.run_folder import RunFolder
from osimexp.files import csv_text

Change = Callable[[dict[str, Any]], None]

BUILDING: dict[str, tuple[Callable[[], None], tuple[str, ...]]] = {
    "evaluate": (evaluate, ("run=given", "episodes=1")),
    "evaluate_constant": (evaluate, ("run=given", "controller=constant", "episodes=1")),
    "evaluate_changed": (evaluate, ("run=given", "physics=opensim", "episodes=1")),
    "resume": (train, ("resume=given", "run.steps=1280")),
    "render": (render, ("run=given", "-o", "a.png")),
    "view": (view, ("run=given", "--export", "a.html")),
    "gait": (gait, ("run=given",)),
    "movement": (render, ("run=given", "movement=nothing.mot", "-o", "a.png")),
    "bench": (bench, ("walking", "runs=[given]")),
    "compare_walks": (compare, ("given", "movement.walks=1", "resamples=100")),
    "report_pushed": (report, ("given", "movement.pushed=1", "resamples=100")),
}
"""Commands that build what a run's config names."""

READING: dict[str, tuple[Callable[[], None], tuple[str, ...]]] = {
    "runs": (runs, ("given",)),
    "compare": (compare, ("given", "resamples=100")),
    "report": (report, ("given", "resamples=100")),
    "keep": (keep, ("run=given", "to=kept")),
}
"""Commands that read a run's config and build nothing."""

EVIL = {"_target_": "stranger.evil.Evil", "weight": 1.0}


def reward(config: dict[str, Any]) -> None:
    config["reward"]["evil"] = dict(EVIL)


def in_a_list(config: dict[str, Any]) -> None:
    config["algo"]["hidden_sizes"] = [64, {"inside": [dict(EVIL)]}]


def in_a_value(config: dict[str, Any]) -> None:
    config["task"]["action"]["rest"] = dict(EVIL)


def in_the_model(config: dict[str, Any]) -> None:
    config["model"]["base"] = dict(EVIL)


def environment(config: dict[str, Any]) -> None:
    config["task"] = {
        "_target_": "osimexp.tasks.adapters.gym.GymTask",
        "id": "stranger.evil:Evil-v0",
        "mode": "sync",
        "arguments": {},
    }


def environment_by_its_old_name(config: dict[str, Any]) -> None:
    environment(config)
    config["task"]["_target_"] = "osimexp.tasks.gym.GymTask"


def nearly_ours(config: dict[str, Any]) -> None:
    config["reward"]["evil"] = {"_target_": "osimexp_stranger.Evil"}


def relative(config: dict[str, Any]) -> None:
    config["reward"]["evil"] = {"_target_": "osimexp..stranger.evil.Evil"}


@pytest.fixture
def given(place: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Change], Path]:
    """Return a function that makes the folder ``given``, with code and a secret beside it."""
    code = "from pathlib import Path\nPath('ran').touch()\nclass Evil: pass\n"
    (place / "stranger").mkdir()
    (place / "stranger/__init__.py").write_text("")
    (place / "stranger/evil.py").write_text(code)
    (place / "osimexp_stranger.py").write_text(code)
    monkeypatch.syspath_prepend(str(place))
    monkeypatch.setenv("TOKEN", "very_secret")
    shutil.copytree(TESTS / "written_by_0_1/arm_ppo", place / "given")

    def change(by: Change) -> Path:
        folder = RunFolder(place / "given")
        config = folder.values()
        by(config)
        folder.config_file.write_text(yaml.safe_dump(config))
        for name in ("latest", "best"):  # As if the run had been made with it.
            file = folder.checkpoint_file(name)
            saved = load(file)
            save(file, type(saved)(saved.steps, config_hash(config), saved.state))
        return folder.path

    return change


@pytest.mark.parametrize("name", BUILDING)
@pytest.mark.parametrize(
    "change",
    [
        reward,
        in_a_list,
        in_a_value,
        in_the_model,
        environment,
        environment_by_its_old_name,
        nearly_ours,
        relative,
    ],
)
def test_no_command_runs_the_code_of_a_folder(
    command: Command, given: Callable[[Change], Path], name: str, change: Change
) -> None:
    given(change)
    main, words = BUILDING[name]
    answer = command(*words, main=main)
    assert not Path("ran").exists()
    assert answer.refuses("given/config.yaml would run code of", "trust=", "OSIMEXP_TRUST=")


@pytest.mark.parametrize("name", READING)
@pytest.mark.parametrize("change", [reward, environment])
def test_commands_that_only_read_a_folder_run_nothing(
    command: Command, given: Callable[[Change], Path], name: str, change: Change
) -> None:
    given(change)
    main, words = READING[name]
    answer = command(*words, main=main)
    assert answer.code == 0, answer.err
    assert not Path("ran").exists()


def test_a_policy_to_begin_with_runs_nothing(
    command: Command, given: Callable[[Change], Path]
) -> None:
    given(in_a_value)
    answer = command("model=arm", "reward=reach", "algo=ppo", "init_from=given", "workers=none")
    assert answer.refuses("would run code of stranger (task.action.rest._target_)")
    assert not Path("ran").exists()


@pytest.mark.parametrize("name", [*BUILDING, *READING])
def test_interpolations_of_a_folder_stay_text(
    command: Command, given: Callable[[Change], Path], name: str
) -> None:
    def secret(config: dict[str, Any]) -> None:
        config["run"]["name"] = "${oc.env:TOKEN}"
        config["model"]["anatomy"] = "${oc.env:TOKEN}"
        config["reward"]["reach"]["weight"] = "${oc.decode:${oc.env:TOKEN}}"

    given(secret)
    main, words = {**BUILDING, **READING}[name]
    answer = command(*words, main=main)
    assert "Traceback" not in answer.err
    assert answer.code == (0 if name in READING else 2), answer.err
    written = [file.read_text(errors="ignore") for file in Path().rglob("*") if file.is_file()]
    assert not any("very_secret" in text for text in (answer.out, answer.err, *written))


BOMB = "\n".join(
    ["a0: &a0 [x, x]", *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9))]
)
FILES = {
    "aliases": (BOMB, "aliases (*) are not read in line 2"),
    "one": ("seed: &a 1\nrun: *a\n", "aliases (*) are not read in line 2"),
    "deep": ("seed: " + "[" * 5000, "nested more than 50 deep"),
    "flow": ("{a: " * 5000, "nested more than 50 deep"),
    "large": ("seed: 1\n" + "# " + "x" * 1_100_000, "larger than 1 MB"),
    "by_sixties": ("seed: 1" + ":59" * 300_000, "a number has 900001 characters in line 1"),
    "digits": ("seed: " + "9" * 900_000, "a number has 900000 characters"),
    "tagged": ("seed: !!int '1" + ":59" * 300_000 + "'", "a number has 900001 characters"),
    "object": ("seed: !!python/object/apply:os.system ['touch ran']\n", "config.yaml"),
    "path": ("seed: !!python/object/apply:pathlib.Path ['x']\n", "PosixPath"),
    "bytes": ("seed: !!binary aGVsbG8=\n", "no bytes"),
    "dates": ("seed: !!timestamp 2001-99-99\n", "config.yaml"),
}


@pytest.mark.parametrize("kind", FILES)
@pytest.mark.parametrize("name", ["evaluate", "resume", "render", "view", "keep", "compare"])
def test_files_that_are_no_plain_configs_are_refused_at_once(
    command: Command, given: Callable[[Change], Path], name: str, kind: str
) -> None:
    text, said = FILES[kind]
    (given(lambda config: None) / "config.yaml").write_text(text)
    main, words = {**BUILDING, **READING}[name]
    assert command(*words, main=main).refuses("given/config.yaml", said)
    assert not Path("ran").exists()


def test_a_list_of_runs_goes_on_past_such_files(
    command: Command, given: Callable[[Change], Path]
) -> None:
    folder = given(lambda config: None)
    shutil.copytree(folder, "other")
    (folder / "config.yaml").write_text(BOMB)
    answer = command(".", main=runs)
    assert answer.code == 0
    assert "Damaged: given/config.yaml cannot be read as a config" in answer.out
    assert "finished" in answer.out


def test_a_cluster_that_a_folder_names_is_not_connected_to(
    command: Command, given: Callable[[Change], Path]
) -> None:
    def cluster(config: dict[str, Any]) -> None:
        config["workers"]["cluster"] = "203.0.113.7:6379"

    given(cluster)
    refused = command("resume=given", "run.steps=1280")
    assert refused.refuses("code of 203.0.113.7:6379 (workers.cluster)", "trust=203.0.113.7:6379")


@pytest.mark.parametrize("name", ["metrics.csv", "checkpoints", "evaluations/new.json"])
def test_links_that_lead_out_of_a_folder_are_not_followed(
    command: Command, given: Callable[[Change], Path], name: str
) -> None:
    folder = given(lambda config: None)
    Path("mine").mkdir()
    Path("mine/file").write_text("kept")
    target = Path("mine" if name == "checkpoints" else "mine/file").absolute()
    if name == "checkpoints":
        shutil.rmtree(folder / name)
    else:
        (folder / name).unlink(missing_ok=True)
    (folder / name).symlink_to(target)
    for words, main in (
        (("resume=given",), train),
        (("run=given", "episodes=1"), evaluate),
        (("given", "resamples=100"), report),
    ):
        assert command(*words, main=main).refuses(f"given/{name}", f"trust={target}")
    assert Path("mine/file").read_text() == "kept"


def test_a_link_to_itself_is_named(command: Command, given: Callable[[Change], Path]) -> None:
    folder = given(lambda config: None)
    link = folder / "evaluations/new.json"
    link.symlink_to("new.json")
    for words, main in (
        (("resume=given",), train),
        (("run=given", "episodes=1"), evaluate),
        (("given", "resamples=100"), report),
        (("run=given",), gait),
        (("run=given", "-o", "a.png"), render),
        (("run=given", "to=kept"), keep),
    ):
        assert command(*words, main=main).refuses("given/evaluations/new.json leads nowhere")


def test_a_report_gives_no_command_that_is_not_ours(
    command: Command, given: Callable[[Change], Path]
) -> None:
    folder = given(lambda config: None)
    record = json.loads((folder / "run.json").read_text())
    for said, shown in (
        ("curl stranger | sh", None),
        ("python -c 'import os' -m osimexp", None),
        ("python -m osimexpose", None),
        ("python -m 'osimexp", None),
        ("./stranger/python -m stranger.osimexp algo=ppo", None),
        ("python -m osimexp.report trust=stranger.evil", None),
        ("python3 -m osimexp algo=ppo; rm -rf ~", "python -m osimexp run.folder=given"),
        (
            "python3 -m osimexp algo=ppo seed=2",
            "python -m osimexp algo=ppo seed=2 run.folder=given",
        ),
        ("python bin/osimexp train seed=2", "python -m osimexp seed=2 run.folder=given"),
        ("./stranger/osimexp seed=2", "python -m osimexp seed=2 run.folder=given"),
    ):
        (folder / "run.json").write_text(json.dumps({**record, "command": said}))
        assert command("given", "resamples=100", main=report).code == 0
        again = Path("report.html").read_text().partition("Commands that repeat it")[2]
        lines = again.partition("<pre>")[2].partition("</pre>")[0].splitlines()
        assert len(lines) == (1 if shown is None else 2)
        if shown is not None:
            assert unescape(lines[0]) == shown


GRANTING = (
    "trust=stranger.evil",
    "--config-dir=stranger",
    "--config-path=/stranger",
    "hydra.run.dir=/home",
    "hydra.sweep.subdir=../../x",
    "run.name=../../x",
    "resume=stranger",
    "init_from=stranger",
    "reward.x={_target_: stranger.evil.Evil}",
    "+reward.x._target_=stranger.evil.Evil",
    "task.id=stranger.evil:X-v0",
    "workers.cluster=203.0.113.7:6379",
    "seed=${oc.env:TOKEN}",
    "reward=../stranger",
    "unknown=1",
    "$(touch ran)",
    "; touch ran #",
)
"""Words by which a command would run, read or write what is a stranger's, or which are no keys."""


@pytest.mark.parametrize("word", GRANTING)
@pytest.mark.parametrize("kind", ["run", "sweep"])
def test_a_report_gives_no_word_that_grants_anything(
    command: Command, given: Callable[[Change], Path], word: str, kind: str
) -> None:
    folder = given(lambda config: None)
    harmless = "run.name=a b;$(touch ran)"
    record = json.loads((folder / "run.json").read_text())
    said = shlex.join(["python", "-m", "osimexp", word, "seed=3", harmless])
    (folder / "run.json").write_text(json.dumps({**record, "command": said}))
    where = "run.folder=all/given"
    folder.parent.joinpath("all").mkdir()
    folder.rename("all/given")
    if kind == "sweep":
        flag = word.removeprefix("--config-dir=")
        sources = [{"path": flag, "provider": "command-line"}] if flag != word else []
        task = ["seed=3", harmless] + ([] if sources else [word])
        plan = {"overrides": {"hydra": [], "task": task}, "runtime": {"config_sources": sources}}
        Path("all/multirun.yaml").write_text(yaml.safe_dump({"hydra": plan}))
        where = "hydra.sweep.dir=all"
    assert command("all/given", "resamples=100", main=report).code == 0
    page = unescape(Path("report.html").read_text())
    again = page.partition("Commands that repeat it")[2]
    first, _, _ = again.partition("<pre>")[2].partition("\n")
    words = shlex.split(first)
    assert words[:3] == ["python", "-m", "osimexp"]
    assert [w for w in words[3:] if w not in ("-m", harmless)] == ["seed=3", where]
    assert "lacks words that the folder holds" in again
    assert word in again.partition("lacks words")[2]
    for row in re.findall("<td>command</td><td>(.*?)</td>", page):
        assert word not in row


def test_a_refusal_quotes_what_it_tells_to_type(
    command: Command, given: Callable[[Change], Path]
) -> None:
    def change(config: dict[str, Any]) -> None:
        config["reward"]["x"] = {**EVIL, "_target_": "$(touch ran)"}

    given(change)
    assert command("run=given", main=evaluate).refuses("trust='.$(touch ran)' to the command")


def test_own_terms_play_with_one_word_more(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OSIMEXP_TRUST", raising=False)
    assert command(*SMALL_PPO, "run.steps=200").code == 0
    words = ("run=run", "episodes=2")
    refused = command(*words, main=evaluate)
    assert refused.refuses("run/config.yaml would run code of toy (task._target_)", "trust=toy")
    assert command(*words, "trust=toys,to", main=evaluate).code == 2
    assert command(*words, "trust=toy", main=evaluate).code == 0
    assert command("resume=run", "run.steps=264").refuses("trust=toy")
    assert command("resume=run", "run.steps=264", "trust=[my_other,toy]").code == 0
    # The user's own options name it, too.
    again = command(SMALL_PPO[0], "task=toy", "resume=run", "run.steps=328")
    assert again.code == 0, again.err
    monkeypatch.setenv("OSIMEXP_TRUST", "my_other,toy")
    assert command(*words, main=evaluate).code == 0
    assert "trust" not in json.loads(Path("run/run.json").read_text())["choices"]


def test_a_literal_text_stays_what_it_was(place: Path) -> None:
    config = {"seed": 1, "name": "${not.resolved", "list": ["${a}", "1e-3", "yes", "2001-01-01"]}
    folder = RunFolder.create(place / "run", config, ["a=${b}"], {})
    assert folder.values() == config
    shared = [1, 2]
    folder.write_config({"one": shared, "two": shared, "three": (1.0, 1e-5)})
    assert folder.values() == {"one": [1, 2], "two": [1, 2], "three": [1.0, 1e-5]}


def test_no_cell_of_a_table_is_a_formula() -> None:
    rows = [("=1+1", "+a", "-a", "@a", "\ta", "-1.5", "+2", -1.5, "a=1", "")]
    assert csv_text(rows) == "'=1+1,'+a,'-a,'@a,'\ta,-1.5,+2,-1.5,a=1,\n"
