import errno
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from commands import SMALL_PPO, SMALL_SAC, SUPPORT, TESTS, Command, metrics, wait_for

from osimexp.experiment import checkpoint, loop, progress
from osimexp.experiment.run_folder import RunFolder

Start = Callable[..., subprocess.Popen[str]]


def evaluations(folder: Path) -> dict[str, str]:
    return {file.stem: file.read_text() for file in (folder / "evaluations").iterdir()}


@pytest.mark.parametrize("small", [SMALL_SAC, SMALL_PPO], ids=["sac", "ppo"])
@pytest.mark.parametrize("half", [200, 170])
def test_stopped_by_its_budget_and_resumed_it_ends_as_the_uninterrupted_run(
    command: Command, place: Path, small: tuple[str, ...], half: int
) -> None:
    command(*small, "run.folder=whole")
    command(*small, "run.folder=halves", f"run.steps={half}")
    answer = command(f"--config-dir={small[0][13:]}", "resume=halves", "run.steps=400")
    assert answer.code == 0, answer.err
    assert metrics(place / "halves") == metrics(place / "whole")
    assert evaluations(place / "halves") == evaluations(place / "whole")
    record = RunFolder.open(place / "halves").record()
    assert record["state"] == "finished"
    assert [resumed["steps"] for resumed in record["resumed"]] == [
        -(-half // 4) * 4 if small is SMALL_PPO else half
    ]


def test_killed_and_resumed_it_ends_as_the_uninterrupted_run(
    command: Command, started: Start, place: Path
) -> None:
    command(*SMALL_SAC, "run.folder=whole")
    process = started(
        *SMALL_SAC,
        *("run.folder=killed", "run.checkpoint.every=120"),
        *("task.gate=go", "task.gate_after=105"),
    )
    wait_for(place / "killed/evaluations/200.json", process)
    process.kill()
    process.wait()
    folder = RunFolder.open(place / "killed")
    assert folder.record()["state"] == "running"
    # The run that waits for nothing is the same one but for its config.
    text = folder.config_file.read_text()
    folder.config_file.write_text(text.replace("gate: go", "gate: null"))
    refused = command("resume=killed")
    assert refused.refuses("config.yaml", "was changed")
    folder.config_file.write_text(text)
    (place / "go").touch()
    answer = command("resume=killed", "run.checkpoint.every=100")
    assert answer.code == 0, answer.err
    assert metrics(place / "killed") == metrics(place / "whole")
    assert evaluations(place / "killed") == evaluations(place / "whole")


def test_a_terminated_run_is_saved_and_says_how_to_go_on(started: Start, place: Path) -> None:
    process = started(*SMALL_SAC, "task.gate=go")
    wait_for(place / "run/metrics.csv", process)
    process.terminate()
    out, err = process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM
    assert "python -m osimexp resume=run" in out
    assert err == ""
    assert RunFolder.open(place / "run").record()["reason"] == "SIGTERM"
    assert (place / "run/checkpoints/latest.pt").is_file()


def test_a_run_killed_before_its_first_checkpoint_begins_anew_and_ends_as_the_uninterrupted_run(
    command: Command, started: Start, place: Path
) -> None:
    late = ("run.checkpoint.every=300",)
    command(*SMALL_SAC, *late, "run.folder=whole")
    toy = ("task.gate=go", "task.gate_after=105")
    process = started(*SMALL_SAC, *late, "run.folder=killed", *toy)
    wait_for(place / "killed/evaluations/200.json", process)
    process.kill()
    process.wait()
    folder = RunFolder.open(place / "killed")
    assert folder.checkpoint_file("best").is_file()
    assert not folder.checkpoint_file("latest").is_file()
    (place / "go").touch()
    answer = command("resume=killed")
    assert answer.code == 0, answer.err
    assert "ended before its first checkpoint, and begins anew" in answer.out
    assert metrics(place / "killed") == metrics(place / "whole")
    assert evaluations(place / "killed") == evaluations(place / "whole")
    assert [resumed["steps"] for resumed in folder.record()["resumed"]] == [0]


def test_a_run_whose_checkpoint_was_removed_does_not_begin_anew(
    command: Command, place: Path
) -> None:
    answer = command(*SMALL_SAC, "run.steps=200")
    folder = RunFolder.open(place / "run")
    folder.checkpoint_file("latest").unlink()
    folder.mark("interrupted")
    answer = command("resume=run")
    assert answer.refuses("latest.pt is missing, and the run made 200 steps; put it back")
    assert len(metrics(place / "run")) == 4


def test_a_closed_terminal_is_saved_like_sigterm(started: Start, place: Path) -> None:
    process = started(*SMALL_SAC, "task.gate=go")
    wait_for(place / "run/metrics.csv", process)
    for _ in range(2):  # A shell that ends sends it again.
        process.send_signal(signal.SIGHUP)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (128 + signal.SIGHUP, "")
    record = RunFolder.open(place / "run").record()
    assert (record["state"], record["reason"]) == ("interrupted", "SIGHUP")
    assert (place / "run/checkpoints/latest.pt").is_file()


def test_a_terminal_that_is_gone_keeps_no_run_from_being_saved(place: Path) -> None:
    import fcntl
    import pty
    import termios

    terminal, inside = pty.openpty()
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(TESTS.parent), str(SUPPORT)])}
    process = subprocess.Popen(
        [sys.executable, "-m", "osimexp", *SMALL_SAC, "task.gate=go"],
        cwd=place,
        env=environment,
        stdin=inside,
        stdout=inside,
        stderr=inside,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    os.close(inside)
    try:
        wait_for(place / "run/metrics.csv", process)
        os.close(terminal)
        assert process.wait(timeout=60) == 128 + signal.SIGHUP
    finally:
        process.kill()
    record = RunFolder.open(place / "run").record()
    assert (record["state"], record["reason"]) == ("interrupted", "SIGHUP")
    assert (place / "run/checkpoints/latest.pt").is_file()


def test_a_run_whose_reader_leaves_is_saved(
    command: Command, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: Any, **__: Any) -> None:
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))

    silenced: list[object] = []
    with monkeypatch.context() as patched:
        patched.setattr(progress, "say", gone)
        patched.setattr(progress, "silence", silenced.append)
        assert command(*SMALL_SAC).code == 128 + signal.SIGPIPE
    assert silenced
    assert RunFolder.open(place / "run").record()["state"] == "interrupted"
    assert checkpoint.load(place / "run/checkpoints/latest.pt").steps == 100
    assert command("resume=run").code == 0
    command(*SMALL_SAC, "run.folder=whole")
    assert metrics(place / "run") == metrics(place / "whole")


def test_the_second_ctrl_c_ends_at_once_and_is_no_failure(command: Command, place: Path) -> None:
    answer = command(*SMALL_SAC, "task.interrupt_after=70", "task.interruptions=2")
    assert answer.code == 130
    assert "python -m osimexp resume=run" in answer.out
    record = RunFolder.open(place / "run").record()
    assert (record["state"], record["reason"]) == ("interrupted", "SIGINT")
    assert checkpoint.load(place / "run/checkpoints/latest.pt").steps == 100


@pytest.mark.parametrize("steps", [70, 90])
def test_ctrl_c_loses_nothing(command: Command, place: Path, steps: int) -> None:
    toy = (*SMALL_SAC, "run.checkpoint.every=1000", f"task.interrupt_after={steps}")
    answer = command(*toy, "run.steps=200")
    assert answer.code == 130
    record = RunFolder.open(place / "run").record()
    assert (record["state"], record["reason"]) == ("interrupted", "SIGINT")
    assert checkpoint.load(place / "run/checkpoints/latest.pt").steps == 2 * steps
    answer = command("resume=run", f"run.steps={2 * steps + 20}")
    assert answer.code == 0, answer.err
    command(*SMALL_SAC, "run.folder=whole", f"run.steps={2 * steps + 20}")
    assert metrics(place / "run") == metrics(place / "whole")


def test_ctrl_c_in_an_evaluation_does_it_anew_when_resumed(
    command: Command, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    evaluate, calls = loop.evaluate, []

    def interrupted(*arguments: Any) -> Any:
        calls.append(None)
        if len(calls) == 2:
            signal.raise_signal(signal.SIGINT)
        return evaluate(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(loop, "evaluate", interrupted)
        assert command(*SMALL_SAC).code == 130
    assert not (place / "run/evaluations/200.json").exists()
    assert command("resume=run").code == 0
    command(*SMALL_SAC, "run.folder=whole")
    assert metrics(place / "run") == metrics(place / "whole")
    assert evaluations(place / "run") == evaluations(place / "whole")


def test_a_finished_run_asks_for_a_larger_budget(command: Command) -> None:
    command(*SMALL_SAC, "run.steps=100")
    assert command("resume=run").refuses("has finished its 100 steps", "run.steps=200")
    assert command("resume=run", "run.steps=80").refuses("has finished its 100 steps")


@pytest.mark.parametrize("override", ["seed=7", "algo=ppo", "algo.discount=0.5", "run.folder=x"])
def test_another_run_cannot_be_made_of_one(command: Command, override: str) -> None:
    command(*SMALL_SAC, "run.steps=100")
    assert command("resume=run", "run.steps=200", override).refuses(override)


def test_what_says_the_same_may_be_said_again(command: Command) -> None:
    command(*SMALL_SAC, "run.steps=100")
    again = command("resume=run", "run.steps=120", "seed=0", "workers=one", "device=cpu")
    assert again.code == 0, again.err


def test_new_episodes_where_environments_cannot_be_put_back(command: Command, place: Path) -> None:
    pendulum = [*SMALL_SAC[2:], "task=gym", "task.id=Pendulum-v1", "run.evaluation.episodes=1"]
    command(*pendulum, "run.steps=100", "run.evaluation.final_episodes=1")
    answer = command("resume=run", "run.steps=150")
    assert answer.code == 0, answer.err
    assert "new episodes begin" in answer.out


def test_without_the_replay_learning_goes_on_and_says_so(command: Command, place: Path) -> None:
    command(*SMALL_SAC, "run.steps=100", "run.checkpoint.replay=false")
    answer = command("resume=run", "run.steps=200")
    assert answer.code == 0, answer.err
    assert "holds no replay" in answer.out
    assert metrics(place / "run")[-1]["steps"] == "200"


def test_what_was_written_after_the_checkpoint_is_dropped(command: Command, place: Path) -> None:
    command(*SMALL_SAC, "run.steps=200")
    before = (place / "run/metrics.csv").read_text()
    with (place / "run/metrics.csv").open("a") as stream:
        stream.write("250" + "," * before.splitlines()[0].count(",") + "\n300,7")
    later = place / "run/evaluations/300.json"
    later.write_text(json.dumps({}))
    answer = command("resume=run", "run.steps=220")
    assert answer.code == 0, answer.err
    assert [row["steps"] for row in metrics(place / "run")] == ["50", "100", "150", "200", "220"]
    assert not later.exists()


def test_the_arm_goes_on_to_the_last_digit(command: Command, place: Path) -> None:
    arm = [argument for argument in SMALL_SAC if argument != "task=toy"]
    arm += ["model=arm", "reward=reach", "target.within=0.2", "workers=none"]
    arm += ["task.duration=0.5", "run.evaluation.images=false"]
    command(*arm, "run.folder=whole", "run.steps=300")
    command(*arm, "run.folder=halves", "run.steps=150")
    answer = command("resume=halves", "run.steps=300")
    assert answer.code == 0, answer.err
    assert metrics(place / "halves") == metrics(place / "whole")
    assert evaluations(place / "halves") == evaluations(place / "whole")
