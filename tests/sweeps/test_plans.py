"""Plans of sweeps are read as they were typed, and a stranger's code in them is not run."""

import os
import shlex
from html import escape
from pathlib import Path
from typing import Any

import pytest
import yaml
from commands import SMALL_SAC, SUPPORT, Command

from osimexp.cli.report import main as report
from osimexp.errors import RunFolderError, UntrustedError
from osimexp.experiment.run_folder import RunFolder
from osimexp.sweeps.command import continued
from osimexp.sweeps.repeating import command_of_sweep

OPTIONS = str(SUPPORT / "conf")
JOBS = ("-m", *(word for word in SMALL_SAC if not word.startswith(("run.folder", "run.steps"))))


def plan(*words: str, folder: str | None = None, name: str = "sweep") -> None:
    """Write the plan of a sweep as Hydra does."""
    source = {"path": folder, "schema": "file", "provider": "command-line"}
    hydra = [word for word in words if word.startswith("hydra")]
    content: dict[str, Any] = {
        "overrides": {"hydra": hydra, "task": [w for w in words if w not in hydra]},
        "runtime": {"config_sources": [] if folder is None else [source]},
    }
    Path(name).mkdir()
    Path(name, "multirun.yaml").write_text(yaml.safe_dump({"hydra": content}))


@pytest.mark.parametrize(
    "word",
    [
        "hydra.launcher._target_=stranger.Launcher",
        "hydra.callbacks.x={_target_: stranger.X}",
        "+hydra.callbacks.x._target_=stranger.X",
        "hydra.searchpath=[file:///stranger]",
        "hydra.job.env_set.OSIMEXP_TRUST=stranger",
        "hydra.job_logging.handlers.x.class=stranger.X",
        "hydra/job_logging=stranger",
        "hydra.launcher.setup=[touch ran]",
        "hydra.launcher.submitit_folder=/stranger",
        "hydra.launcher.address=203.0.113.7:6379",
        "hydra.sweeper.space={algo._target_: {choices: [a, b]}}",
        "hydra.sweeper.space={hydra.job.env_set.A: {choices: [a, b]}}",
        "hydra.sweeper.space={experiment: {choices: [walk, ../../stranger]}}",
        "reward.x=${oc.decode:'{_target_: stranger.X}'}",
        "reward.x=${oc.create:${y}}",
        "run.name=${oc.env:TOKEN}",
        "run.name=a,${oc.env:TOKEN}",
        "reward.x._target_=${y}",
        "+reward={x: {_target_: '${y}'}}",
        "experiment=../../../../tmp/stranger",
        "experiment=walk,../../stranger",
        "+experiment='/tmp/stranger'",
        "reward@x=../stranger",
        "experiment=${x}",
        "task.id=${x}",
        "workers.cluster=${x}",
        "trust=stranger",
        "trust=[stranger]",
        "+trust=stranger",
        "  trust=stranger",
        "OSIMEXP_TRUST=stranger",
        "@=1",
        "~stranger",
        "command=render",
        "resume=mine",
        "+resume=mine",
        "resume=a,b",
        "init_from=../outputs/run",
        "init_from=mine",
        "+init_from=walk,./mine",
        "init_from=[walk]",
        "init_from=${run.name}",
        "push@hydra.callbacks.x=random",
        "push@hydra=random",
        "+push@_global_=random",
        "push@=random",
        "push@init_from=random",
        "hydra/launcher@hydra.job_logging=ray",
        "hydra/launcher@push=ray",
        "+reward=" + "[" * 3000 + "]" * 3000,
    ],
)
def test_words_that_may_run_anything_have_to_be_given_again(place: Path, word: str) -> None:
    plan(word, "seed=0,1")
    with pytest.raises(RunFolderError, match="give this word yourself beside resume"):
        continued(["resume=sweep"])
    if word.startswith(("hydra.", "+hydra", "hydra/")):
        assert word in continued(["resume=sweep", word])


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("reward.x={_target_: stranger.evil.X, weight: 1}", "stranger"),
        ("reward.x._target_=stranger.evil.X", "stranger"),
        ("++reward.x._target_='stranger.evil.X'", "stranger"),
        ("reward={a: {b: [{_target_: stranger.X}]}}", "stranger"),
        ("reward={x: {_target_: osimexp.tasks.X}},{x: {_target_: stranger.X}}", "stranger"),
        ("reward.x._target_=choice(osimexp.x.X,stranger.X)", "stranger"),
        ("task.id=stranger.evil:X-v0", "stranger"),
        ("task.id=Pendulum-v1,'stranger.evil:X-v0'", "stranger"),
        ("task={_target_: osimexp.x.X, id: stranger:X}", "stranger"),
        ("hydra.sweeper._target_=stranger.X", "stranger"),
        ("workers.cluster=203.0.113.7:6379", "203.0.113.7:6379"),
        ("workers={cluster: '203.0.113.7:6379'}", "203.0.113.7:6379"),
    ],
)
def test_code_that_a_plan_names_is_asked_for(place: Path, word: str, name: str) -> None:
    plan(word, "seed=0,1")
    with pytest.raises(UntrustedError, match=f"trust={name}"):
        continued(["resume=sweep"])
    assert continued(["resume=sweep", f"trust={name}"]) == [
        "-m", word, "seed=0,1", f"trust={name}", "hydra.sweep.dir=sweep"
    ]  # fmt: skip


def test_a_folder_of_options_that_a_plan_names_is_asked_for(place: Path) -> None:
    plan("seed=0,1", folder="/stranger/options")
    with pytest.raises(RunFolderError, match="add --config-dir=/stranger/options to the command"):
        continued(["resume=sweep"])
    given = ["resume=sweep", "--config-dir=/mine"]
    assert continued(given) == ["-m", "seed=0,1", "--config-dir=/mine", "hydra.sweep.dir=sweep"]
    trusted = continued(["resume=sweep", "trust=/stranger/options"])
    assert trusted[:2] == ["-m", "--config-dir=/stranger/options"]
    plan("reward.x._target_=mine.X", "seed=0,1", folder="/mine/a b", name="both")
    with pytest.raises(RunFolderError) as refused:
        continued(["resume=both"])
    # The words that it tells to type are all that it takes.
    told = str(refused.value).partition(" add ")[2].removesuffix(" to the command.")
    assert shlex.split(told) == ["--config-dir=/mine/a b", "trust=mine"]
    assert continued(["resume=both", *shlex.split(told)])[:1] == ["-m"]


@pytest.mark.parametrize(
    "word",
    [
        "hydra/launcher=cores",
        "hydra.launcher.n_jobs=2",
        "hydra/sweeper=search",
        "hydra.sweeper.space={algo.discount: {choices: [0.9, 0.95]}}",
        "hydra.sweeper.trials=4",
        "hydra.sweep.subdir=${hydra.job.num}_${seed}",
        "hydra.sweep.subdir='${hydra:job.num}'",
        "run.name=${task.id}_${now:%H-%M}",
        "algo=sac,ppo",
        "seed=range(3)",
        "reward.effort.weight=0.5,1",
        "init_from=walk",
        "init_from=null,walk",
        "schedule@run=default",
        "run.folder=../elsewhere/run",
        "hydra.sweep.subdir=a.b/${task.id}",
        "~push",
        "model.path=/mine/my.osim",
        "task.id=Pendulum-v1",
        "workers.cluster=local",
    ],
)
def test_other_words_are_taken_as_they_were_typed(place: Path, word: str) -> None:
    plan(word)
    assert continued(["resume=sweep"]) == ["-m", word, "hydra.sweep.dir=sweep"]


@pytest.mark.parametrize(
    "words",
    [
        ("hydra.sweep.subdir=../mine",),
        ("hydra.sweep.subdir={place}/mine/deep",),
        ("hydra.sweep.subdir='{place}/mine/deep'",),
        ("hydra.sweep.subdir=~/mine",),
        ("hydra.sweep.subdir=a/../../mine",),
        ("hydra.sweep.subdir=x,../mine",),
        ("hydra.sweep.subdir=${run.name}", "run.name={place}/mine/deep"),
        ("hydra.sweep.subdir=${run[name]}", "run={name: '{place}/mine/deep'}"),
        ("hydra.sweep.subdir=.${seed}/mine", "seed=."),
        ("hydra.sweep.subdir=${hydra:runtime.cwd}/mine/deep",),
        ("hydra.sweep.subdir=${now:{place}/mine}",),
        ("hydra.sweep.subdir=${hydra:job.override_dirname}", "model.path=x/../../../mine"),
        ("run.name=x/../../mine",),
        ("run.name=${model.path}", "model.path=x/../../mine"),
        ("run.name=${now:../../mine}",),
    ],
)
def test_a_plan_makes_nothing_outside_of_its_sweep(
    command: Command, place: Path, words: tuple[str, ...]
) -> None:
    words = tuple(word.replace("{place}", str(place)) for word in words)
    plan(*words, "seed=0", "run.steps=1")
    refused = command("resume=sweep")
    assert refused.refuses("sweep/multirun.yaml sets", "give this word yourself beside resume")
    assert [file.name for file in place.iterdir()] == ["sweep"]


def test_other_runs_and_places_are_the_user_s_to_give(place: Path) -> None:
    plan("init_from=../mine", "resume=mine", "hydra.sweep.subdir=../mine", "seed=0,1")
    given = ["init_from=../mine", "resume=mine", "hydra.sweep.subdir=../mine"]
    assert continued(["resume=sweep", *given]) == [
        "-m", "seed=0,1", *given, "hydra.sweep.dir=sweep"
    ]  # fmt: skip
    for left in given:
        with pytest.raises(RunFolderError, match=f"sets {left}, which"):
            continued(["resume=sweep", *(word for word in given if word != left)])


@pytest.mark.parametrize(
    "name", ["multirun.yaml", "study.log", "experiment", "trials.csv", "0_x/metrics.csv"]
)
def test_links_that_lead_out_of_a_sweep_are_not_followed(
    command: Command, place: Path, name: str
) -> None:
    plan("seed=0")
    mine = place / "mine"
    mine.mkdir()
    (mine / "file").write_text(Path("sweep/multirun.yaml").read_text())
    target = mine if name == "experiment" else mine / "file"
    link = place / "sweep" / name
    link.parent.mkdir(exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to(target)
    assert command("resume=sweep").refuses(f"sweep/{name}", f"trust={target}")
    # So it is where the words of the plan are typed.
    typed = command(*JOBS, "run.steps=100", "seed=0", "hydra.sweep.dir=sweep")
    assert typed.refuses(f"sweep/{name}", f"trust={target}")
    assert (mine / "file").read_text().startswith("hydra:")
    assert [file.name for file in mine.iterdir()] == ["file"]
    trusted = continued(["resume=sweep", f"trust={target}"])
    assert trusted == ["-m", "seed=0", f"trust={target}", "hydra.sweep.dir=sweep"]


@pytest.mark.parametrize("folder", [".", "project"])
def test_a_sweep_in_the_folder_of_a_project_is_told_of_one_of_its_own(
    command: Command, place: Path, folder: str
) -> None:
    environment = Path(folder, ".venv")
    environment.mkdir(parents=True)
    (environment / "python").symlink_to("/usr/bin/python3")
    answer = command(*JOBS, "run.steps=100", "seed=0", f"hydra.sweep.dir={folder}")
    assert answer.refuses(f"{folder} holds no sweep", "hydra.sweep.dir=outputs/sweeps/", ".venv")
    assert not Path(folder, "multirun.yaml").exists()


def test_a_pipe_in_a_sweep_is_refused(command: Command, place: Path) -> None:
    plan("seed=0")
    os.mkfifo("sweep/study.log")
    assert command("resume=sweep").refuses("sweep/study.log is neither a file nor a folder")


def test_a_plan_is_read_as_plain_values(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "very_secret")
    plan("run.name=${oc.env:TOKEN}")
    assert "very_secret" not in str(command_of_sweep(Path("sweep")))
    text = Path("sweep/multirun.yaml").read_text()
    Path("sweep/multirun.yaml").write_text("a: &a [x]\nb: *a\n" + text)
    with pytest.raises(RunFolderError, match="aliases"):
        continued(["resume=sweep"])


def test_interpolations_of_a_sweep_are_kept_as_typed(command: Command, place: Path) -> None:
    subdir = "hydra.sweep.subdir=${hydra.job.num}_of_${seed}"
    words = (*JOBS, "run.steps=100", "seed=3,4", "algo.batch_size=${seed}", subdir)
    answer = command(*words, "hydra.sweep.dir=sweep")
    assert answer.code == 0, answer.err
    jobs = [RunFolder.open(Path(job)) for job in ("sweep/0_of_3", "sweep/1_of_4")]
    assert [job.config()["algo"]["batch_size"] for job in jobs] == [3, 4]
    before = [job.metrics_file.read_text() for job in jobs]
    kept = command("resume=sweep")
    assert kept.code == 0, kept.err
    assert "Kept: sweep/0_of_3 is finished" in kept.out
    assert [job.metrics_file.read_text() for job in jobs] == before
    longer = command("resume=sweep", "run.steps=200")
    assert longer.code == 0, longer.err
    assert [job.config()["algo"]["batch_size"] for job in jobs] == [3, 4]
    assert [job.record()["resumed"][0]["steps"] for job in jobs] == [100, 100]
    shown = command("sweep", "resamples=100", main=report)
    assert shown.code == 0, shown.err
    page = Path("report.html").read_text()
    assert escape(shlex.quote(subdir)) in page
    assert escape(shlex.quote("algo.batch_size=${seed}")) in page


@pytest.mark.parametrize("subdir", [".", "..", "../mine", "{place}/mine", "a/../../mine"])
def test_jobs_belong_below_their_sweep(command: Command, place: Path, subdir: str) -> None:
    mine = place / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("years of work")
    (mine / "failure.json").write_text('{"of": "me"}')
    words = (*JOBS, "run.steps=100", "seed=0", "hydra.sweep.dir=sweep")
    answer = command(*words, f"hydra.sweep.subdir={subdir.format(place=place)}")
    assert answer.code == 2
    assert "hydra.sweep.subdir names" in answer.err.splitlines()[-1]
    assert (mine / "thesis.txt").read_text() == "years of work"
    assert sorted(file.name for file in mine.iterdir()) == ["failure.json", "thesis.txt"]


@pytest.mark.parametrize(
    "files",
    [
        ("thesis.txt",),
        ("config.yaml", "model.osim"),
        ("run.json.bak",),
        ("checkpoints/best.pt", "evaluations/final.json", "evaluations/mine/notes"),
        ("checkpoints/x.pt",),
        ("failure.json", "x"),
        (".git/config",),
    ],
)
def test_a_sweep_removes_nothing_that_it_did_not_make(
    command: Command, place: Path, files: tuple[str, ...]
) -> None:
    for name in files:
        (place / "sweep/mine" / name).parent.mkdir(parents=True, exist_ok=True)
        (place / "sweep/mine" / name).write_text(name)
    words = (*JOBS, "run.steps=100", "seed=0", "hydra.sweep.dir=sweep", "hydra.sweep.subdir=mine")
    answer = command(*words)
    assert answer.code == 2
    assert "which no run wrote, so it is not removed" in answer.err.splitlines()[-1]
    assert all((place / "sweep/mine" / name).read_text() == name for name in files)


def test_a_link_in_place_of_a_job_is_left_with_what_it_leads_to(
    command: Command, place: Path
) -> None:
    for part in ("checkpoints", "evaluations"):
        (place / "mine" / part).mkdir(parents=True)
    (place / "mine/config.yaml").write_text("x")
    (place / "sweep").mkdir()
    (place / "sweep/mine").symlink_to(place / "mine")
    words = (*JOBS, "run.steps=100", "seed=0", "hydra.sweep.dir=sweep", "hydra.sweep.subdir=mine")
    assert command(*words).code == 2
    assert (place / "mine/config.yaml").read_text() == "x"


def test_what_a_killed_job_left_is_begun_again(command: Command, place: Path) -> None:
    left = place / "sweep/mine"
    for part in ("checkpoints", "evaluations"):
        (left / part).mkdir(parents=True)
    for name in ("config.yaml", "overrides.yaml", "model.osim", ".run.json.part", "failure.json"):
        (left / name).write_text("cut sh")
    words = (*JOBS, "run.steps=100", "seed=0", "hydra.sweep.dir=sweep", "hydra.sweep.subdir=mine")
    answer = command(*words)
    assert answer.code == 0, answer.err
    assert RunFolder.open(left).record()["state"] == "finished"
    assert not (left / "failure.json").exists()
