"""Sweeps that fail in part, are killed and go on, by each launcher that is here."""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from commands import SMALL_SAC, SUPPORT, Command, metrics, wait_for

from osimexp.cli.runs import main as runs
from osimexp.experiment.run_folder import RunFolder
from osimexp.sweeps.command import continued
from osimexp.sweeps.jobs import outcome

JOBS = ("-m", *(word for word in SMALL_SAC if not word.startswith("run.folder")))
Start = Callable[..., "subprocess.Popen[str]"]


def jobs(sweep: str) -> list[Path]:
    return sorted(path for path in Path(sweep).iterdir() if path.name[0].isdigit())


def same_runs(one: str, other: str) -> bool:
    pairs = zip(jobs(one), jobs(other), strict=True)
    return all(metrics(a) == metrics(b) for a, b in pairs)


def test_a_job_that_fails_does_not_take_the_others_down(command: Command, place: Path) -> None:
    answer = command(*JOBS, "task.fail_after=150,null", "seed=0,-1", "hydra.sweep.dir=sweep")
    assert answer.code == 1
    assert "Sweep sweep: 1 finished, 3 failed." in answer.out
    counts, failed = outcome(Path("sweep"))
    assert counts["finished"] == 1
    broke, refused, also = failed.values()
    assert broke == "ZeroDivisionError: the toy broke"
    assert refused == also == "seed must be a whole number from 0 on, not -1."
    one = json.loads((jobs("sweep")[0] / "run.json").read_text())["command"]
    assert one.startswith(f"python -m osimexp --config-dir={SUPPORT / 'conf'} task=toy ")
    assert one.endswith(" task.fail_after=150 seed=0")
    # The list of runs says it as well; jobs that never became runs are not in it.
    listed = command("sweep", "state=failed", main=runs)
    assert "the toy broke" in listed.out


def test_what_is_finished_is_kept_and_what_failed_is_tried_again(
    command: Command, place: Path
) -> None:
    assert command(*JOBS, "seed=0,1,-1", "hydra.sweep.dir=sweep").code == 1
    first = metrics(jobs("sweep")[0])
    RunFolder.open(jobs("sweep")[1]).mark("failed", "OSError: the disk was full")
    answer = command("resume=sweep")
    assert answer.code == 1
    assert "Kept: sweep/0_" in answer.out
    assert "Kept: sweep/1_" not in answer.out
    assert "Sweep sweep: 2 finished, 1 failed." in answer.out
    assert metrics(jobs("sweep")[0]) == first


def test_a_cut_job_of_an_experiment_goes_on(command: Command, place: Path) -> None:
    options = place / "options"
    for group, name, text in (
        ("task", "toy", (SUPPORT / "conf/task/toy.yaml").read_text()),
        ("experiment", "brief", "# @package _global_\nrun: {steps: 300}\nsymmetry: null\n"),
    ):
        (options / group).mkdir(parents=True)
        (options / group / f"{name}.yaml").write_text(text)
    own = (word for word in JOBS if not word.startswith(("--config-dir", "run.steps")))
    words = (f"--config-dir={options}", *own, "experiment=brief", "seed=0,1")
    answer = command(*words, "task.interrupt_after=130", "hydra.sweep.dir=sweep")
    assert answer.code == 130
    cut = RunFolder.open(jobs("sweep")[0])
    assert cut.record()["state"] == "interrupted"
    # The interruption is the toy's own, which is to come once.
    config = cut.config()
    answer = command(words[0], "resume=sweep")
    assert answer.code == 130  # seed 1
    assert config["run"]["steps"] == 300
    answer = command(words[0], "resume=sweep")
    assert answer.code == 0, answer.err
    assert all(RunFolder.open(job).record()["resumed"] for job in jobs("sweep"))
    # Another experiment would be another run.
    (options / "experiment/brief.yaml").write_text("# @package _global_\nalgo: {discount: 0.5}\n")
    cut.mark("interrupted", "SIGINT")
    answer = command(words[0], "resume=sweep")
    assert answer.code == 1
    assert "would make another run" in answer.err


def test_a_sweep_killed_twice_ends_as_if_it_had_not_been(
    command: Command, started: Start, place: Path
) -> None:
    assert command(*JOBS, "seed=0,1", "hydra.sweep.dir=whole").code == 0
    words = (*JOBS, "seed=0,1", "task.gate=go_${seed}", "hydra.sweep.dir=sweep")
    process = started(*words)
    for seed, job in enumerate(("0_gait2d_velocity_sac_s0", "1_gait2d_velocity_sac_s1")):
        wait_for(Path("sweep") / job / "checkpoints/latest.pt", process)
        process.send_signal(signal.SIGKILL)
        process.wait()
        Path(f"go_{seed}").touch()
        process = started("resume=sweep")
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert "Kept: sweep/0_" in out
    assert "Sweep sweep: 2 finished, 0 failed." in out
    assert same_runs("whole", "sweep")


@pytest.mark.parametrize(("launcher", "count"), [("cores", 3), ("slurm_here", 2)])
def test_launchers_run_the_same_jobs(
    started: Start, command: Command, launcher: str, count: int
) -> None:
    seeds = f"seed={','.join(map(str, range(count)))}"
    assert command(*JOBS, seeds, "hydra.sweep.dir=whole").code == 0
    process = started(
        *JOBS, seeds, f"hydra/launcher={launcher}", "hydra.sweep.dir=sweep"
    )  # fmt: skip
    out, err = process.communicate(timeout=240)
    assert process.returncode == 0, err
    assert f"Sweep sweep: {count} finished, 0 failed." in out
    assert same_runs("whole", "sweep")


def test_a_job_whose_process_is_killed_leaves_the_others_alone(started: Start, place: Path) -> None:
    words = (*JOBS, "task.killed_after=0,null", "hydra/launcher=cores")
    process = started(*words, "hydra.launcher.n_jobs=2", "hydra.sweep.dir=sweep")
    out, err = process.communicate(timeout=240)
    assert process.returncode == 1, err
    assert "Job 0 was given up: its process was killed." in err
    assert "Sweep sweep: 1 finished, 1 failed." in out
    assert "  0_gait2d_velocity_sac_s0: its process was killed\n" in out


def test_a_lost_job_of_a_cluster_is_said(started: Start, place: Path) -> None:
    words = (*JOBS, "task.killed_after=20,null", "hydra/launcher=slurm_here")
    process = started(*words, "hydra.sweep.dir=sweep")
    _, err = process.communicate(timeout=240)
    assert process.returncode == 1, err
    assert "A job was lost, and the others go on" in err
    assert "`python -m osimexp.runs sweep` lists their states" in err
    assert "Traceback" not in err


def test_slurm_is_asked_for_where_there_is_none(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    answer = command(*JOBS, "seed=0,1", "hydra/launcher=slurm", "hydra.sweep.dir=sweep")
    assert answer.refuses("srun is not found", "hydra/launcher=cores")


def test_runs_of_other_values_are_not_taken_for_those_that_are_asked_for(
    command: Command, place: Path
) -> None:
    assert command(*JOBS, "algo.batch_size=8,16", "hydra.sweep.dir=sweep").code == 0
    # A larger budget is no other run: what was finished goes on.
    assert command("resume=sweep", "run.steps=500").code == 0
    assert {metrics(job)[-1]["steps"] for job in jobs("sweep")} == {"500"}
    # It cannot where there is nothing to go on from, and is kept as it is.
    latest = RunFolder(jobs("sweep")[0]).checkpoint_file("latest")
    latest.unlink()
    answer = command("resume=sweep", "run.steps=600")
    assert answer.code == 1
    assert "latest.pt is missing" in answer.err
    assert "Sweep sweep: 1 finished, 1 failed." in answer.out
    assert metrics(jobs("sweep")[0])[-1]["steps"] == "500"
    # The same folder is not for other runs, whatever else their names are.
    refused = command("resume=sweep", "algo.batch_size=8,12")
    assert refused.refuses("algo.batch_size=8,12 would make other runs of sweep")
    for other, key in (
        (["algo.batch_size=9"], "algo.batch_size is 8 and not 9"),
        (["algo.batch_size=8", "push=random"], "push._target_ is None and not"),
    ):
        answer = command(*JOBS, *other, "run.steps=500", "hydra.sweep.dir=sweep")
        assert answer.code == 1
        assert f"holds a run of other values, whose {key}" in answer.err


def test_processes_of_a_killed_sweep_end_and_their_jobs_go_on(
    started: Start, command: Command, place: Path
) -> None:
    assert command(*JOBS, "seed=0,1", "hydra.sweep.dir=whole").code == 0
    words = (*JOBS, "seed=0,1", "task.gate=go", "hydra/launcher=cores", "hydra.sweep.dir=sweep")
    process = started(*words)
    files = [
        Path(f"sweep/{seed}_gait2d_velocity_sac_s{seed}/checkpoints/latest.pt") for seed in (0, 1)
    ]
    for file in files:
        wait_for(file, process)
    process.send_signal(signal.SIGKILL)
    process.wait()
    patience = time.monotonic() + 30.0
    while any(RunFolder.open(file.parents[1]).record()["reason"] != "SIGTERM" for file in files):
        assert time.monotonic() < patience
        time.sleep(0.02)
    Path("go").touch()
    again = started("resume=sweep")
    out, err = again.communicate(timeout=240)
    assert again.returncode == 0, err
    assert "2 finished, 0 failed" in out
    for job in jobs("sweep"):
        assert json.loads((job / "run.json").read_text())["resumed"]
    assert same_runs("whole", "sweep")


def test_a_sweep_s_command_is_written_from_its_plan(command: Command, place: Path) -> None:
    assert command(*JOBS, "seed=0,-1", "run.steps=50", "hydra.sweep.dir=sweep").code == 1
    words = continued(["resume=sweep", "run.table=true", "run.steps=60"])
    assert words[0] == "-m"
    assert f"--config-dir={os.fspath(SUPPORT / 'conf')}" in words
    assert "run.table=true" in words
    assert [word for word in words if word.startswith("run.steps=")] == ["run.steps=60"]
    assert "seed=0,-1" in words
    assert words[-1] == "hydra.sweep.dir=sweep"
    assert continued(["resume=run"]) == ["resume=run"]
    (place / "sweep/multirun.yaml").write_text("hydra: [")
    assert command("resume=sweep").refuses("sweep/multirun.yaml cannot be read")
