import errno
import os
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any

import pytest
from commands import SMALL_SAC, TESTS, Command
from hydra.errors import MissingConfigException

from osimexp.cli import launch
from osimexp.config import COMMANDS, config_directory
from osimexp.errors import ConfigError
from osimexp.experiment import checkpoint
from osimexp.experiment.run_folder import RunFolder
from osimexp.mistakes import sentence
from osimexp.words import with_keys

GYM = "task=gym"


def case(*arguments: str, says: str) -> Any:
    return pytest.param(arguments, says, id=" ".join(arguments))


MISTAKES = [
    case("algo=foo", says="algo=foo is not known; known are ddpg, ppo, sac"),
    case("algo=sak", says="did you mean sac?"),
    case("reward=velocty", says="did you mean velocity?"),
    case("rewrd=velocity", says="rewrd is not a known key; did you mean reward"),
    case("run.stepz=3", says="run.stepz is not a known key; did you mean steps?"),
    case("nonsense=3", says="nonsense is not a known"),
    case("algo=ppo", "algo.kl_stop=0.1", says="algo.kl_stop is now algo.max_kl."),
    case("algo=ppo", "+algo.kl_target=0.1", says="algo.kl_target is now algo.desired_kl."),
    case("algo.learning_rat=1", says="did you mean learning_rate"),
    case("run.steps==", says="'run.steps==' cannot be read"),
    case("run.steps=[1", says="cannot be read"),
    case("run.steps", says="cannot be read"),
    case("run.steps=many", says="run.steps: should be a valid integer"),
    case("run.steps=0", says="run.steps: should be greater than or equal to 1, not 0"),
    case("run.evaluation.every=-1", says="run.evaluation.every"),
    case("run.folder=${foo}", says="foo"),
    case("seed=-1", says="seed must be a whole number from 0 on"),
    case("device=gpu", says="device=gpu is not known"),
    case("algo.learning_rate=fast", says="algo.learning_rate"),
    case("algo.discount=2", says="discount"),
    case("experiment=nothing", says="experiment=nothing is not known"),
    case("--config-dir=nowhere", says="nowhere"),
    case(GYM, "task.id=Nothing-v0", says="Nothing-v0"),
    case(GYM, "task.id=CartPole-v1", says="only Box spaces"),
    case("resume=nowhere", says="nowhere is not a folder"),
    case("resume=.", says="is not a run folder"),
    case("resume={Sr:ß}", says="cannot be read"),
    case("--multirun", "--run", says="Only one of"),
]


@pytest.mark.parametrize(("arguments", "says"), MISTAKES)
def test_mistakes_end_in_one_sentence_and_leave_nothing(
    command: Command, place: Path, arguments: tuple[str, ...], says: str
) -> None:
    task = () if GYM in arguments else (GYM,)
    answer = command(*task, *arguments)
    assert answer.refuses(says), answer
    assert not list(place.iterdir())


@pytest.mark.parametrize("arguments", [("task.id=Nothing-v0",), ("algo.discount=1,2",)])
def test_a_refused_sweep_makes_no_run_and_lists_each_reason(
    command: Command, place: Path, arguments: tuple[str, ...]
) -> None:
    answer = command("-m", GYM, "run.steps=1", "seed=-1,-2", *arguments)
    jobs = 2 * len(arguments[0].split(","))
    assert answer.code == 1, answer
    assert f"0 finished, {jobs} failed" in answer.out
    assert answer.out.count("seed must be a whole number") == jobs
    assert "Traceback" not in answer.err
    assert not list(place.rglob("run.json"))


def test_a_launcher_that_is_not_installed_is_said_with_its_extra() -> None:
    missing = MissingConfigException("", "hydra/launcher/submitit_slurm")
    assert sentence(missing) == (
        "hydra/launcher/submitit_slurm is not installed; it comes with the extra osimexp[slurm]."
    )


def test_a_checkpoint_cut_short_is_refused_and_kept(command: Command, place: Path) -> None:
    command(*SMALL_SAC, "run.steps=60")
    file = place / "run/checkpoints/latest.pt"
    file.write_bytes(file.read_bytes()[:1000])
    record = (place / "run/run.json").read_text()
    assert command("resume=run", "run.steps=100").refuses("latest.pt was cut short")
    assert (place / "run/run.json").read_text() == record


def test_a_finished_run_without_its_checkpoint_cannot_go_on(command: Command, place: Path) -> None:
    command(*SMALL_SAC, "run.steps=60")
    (place / "run/checkpoints/latest.pt").unlink()
    assert command("resume=run").refuses("latest.pt does not exist")


def test_a_mistake_is_shown_whole_where_asked_for(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OSIMEXP_TRACEBACK", "1")
    with pytest.raises(ConfigError, match="seed"):
        command(GYM, "seed=-1")


def test_what_is_no_mistake_is_raised_and_marks_the_run(command: Command, place: Path) -> None:
    with pytest.raises(ZeroDivisionError, match="the toy broke"):
        command(*SMALL_SAC, "task.fail_after=80")
    record = RunFolder.open(place / "run").record()
    assert record["state"] == "failed"
    assert record["reason"] == "ZeroDivisionError: the toy broke"
    assert checkpoint.load(place / "run/checkpoints/latest.pt").steps == 100


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (
            PermissionError(errno.EACCES, "Permission denied", "a/b"),
            "a/b cannot be used: Permission",
        ),
        (OSError(errno.EMFILE, "Too many open files", "a"), "raise the limit (ulimit -n)"),
        (OSError(errno.EIO, "Input/output error"), "cannot be used: Input/output error"),
        (MemoryError("Unable to allocate 9 TiB"), "not enough memory (Unable to allocate 9 TiB)"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), "not enough memory"),
    ],
)
def test_what_the_machine_lacks_is_one_sentence(
    command: Command, monkeypatch: pytest.MonkeyPatch, error: Exception, says: str
) -> None:
    def lacking(*_: Any) -> None:
        raise error

    monkeypatch.setattr(launch, "check_given", lacking)
    assert command(GYM).refuses(says)


def test_a_process_ends_with_its_mistake(started: Callable[..., Popen[str]], place: Path) -> None:
    process = started(GYM, "algo=foo")
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (2, "")
    assert err == "Error: algo=foo is not known; known are ddpg, ppo, sac, td3\n"


def test_the_help_names_every_group_and_its_options(command: Command) -> None:
    answer = command("--help")
    assert answer.code == 0
    for group in (folder for folder in config_directory().iterdir() if folder.is_dir()):
        options = sorted(file.stem for file in group.glob("*.yaml"))
        # The configs of commands are no options of a run.
        listed = f"\n{group.name}: {', '.join(options)}\n" in answer.out
        assert listed == bool(options and group.name != COMMANDS)
    assert "resume=" in answer.out
    assert "Traceback" not in answer.err


def test_the_config_is_shown(command: Command) -> None:
    answer = command(GYM, "algo=ppo", "algo.epochs=3", "--cfg", "job")
    assert answer.code == 0
    assert "epochs: 3" in answer.out


def test_options_of_the_users_own_join_a_group(command: Command, place: Path) -> None:
    folder = place / "mine/algo"
    folder.mkdir(parents=True)
    (folder / "bold.yaml").write_text("defaults: [sac]\n\nlearning_rate: 1e-2\n")
    answer = command("--config-dir=mine", GYM, "algo=bold", "--cfg", "job", "--package", "algo")
    assert answer.code == 0, answer.err
    assert "learning_rate: 0.01" in answer.out
    assert "batch_size" in answer.out


def test_configs_are_found_beside_and_inside_the_package(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import osimexp.config

    assert (config_directory() / "config.yaml").is_file()
    package = place / "site-packages/osimexp"
    (package / "conf").mkdir(parents=True)
    monkeypatch.setattr(osimexp.config, "__file__", str(package / "config.py"))
    assert config_directory() == package / "conf"


@pytest.mark.slow
def test_a_wheel_holds_the_configs(place: Path) -> None:
    import subprocess
    import sys

    build = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--wheel-dir", str(place)]
    subprocess.run([*build, str(TESTS.parent)], check=True, capture_output=True)
    (wheel,) = place.glob("osimexp-*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    expected = {
        f"osimexp/conf/{file.relative_to(config_directory())}"
        for file in config_directory().rglob("*.yaml")
    }
    assert expected <= names


def test_flags_become_the_keys_they_stand_for() -> None:
    flags = {"--export": "export", "-o": "output"}
    given = ["run=a", "--export", "it's.html", "-o", "b.mp4", "--export=c.html", "-m", "seed=1"]
    assert with_keys(given, flags) == [
        *("run=a", r"export='it\'s.html'", "output='b.mp4'", "export='c.html'", "-m", "seed=1")
    ]
    assert with_keys(["-o"], flags) == ["output=''"]


def test_a_mistake_need_not_wait_for_pytorch() -> None:
    code = "import osimexp.cli.train, sys; sys.exit('torch' in sys.modules)"
    assert Popen([sys.executable, "-c", code], cwd=TESTS.parent).wait() == 0


@pytest.mark.parametrize("flags", [("--cfg", "job"), ("--help",)])
def test_a_reader_who_leaves_is_no_traceback(flags: tuple[str, ...]) -> None:
    environment = os.environ | {"PYTHONPATH": str(TESTS.parent)}
    command = [sys.executable, "-m", "osimexp", *flags]
    with Popen(command, env=environment, stdout=PIPE, stderr=PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        said = process.stderr.read()
    assert "Traceback" not in said
    assert process.returncode == 128 + 13
