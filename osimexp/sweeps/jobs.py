"""The jobs of a sweep: each continues where it stopped, and a failure does not stop the others."""

import json
import os
import signal
import sys
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from osimexp.errors import ConfigError, RunFolderError
from osimexp.experiment.differences import facts_of, unlike
from osimexp.experiment.interruption import Pruned
from osimexp.experiment.layout import FAILURE, RECORD
from osimexp.experiment.removal import check_removable, remove_run
from osimexp.experiment.run_folder import RunFolder
from osimexp.experiment.summary import metrics_of, summarise
from osimexp.files import read_text, write_json
from osimexp.mistakes import USER_MISTAKE, is_mistake, sentence
from osimexp.sweeps.plan import holds_sweep
from osimexp.terminal import say

FAILED_JOBS = 1

_PATIENCE = 60.0  # Time for the processes of a killed sweep to save and end, s.


@dataclass(frozen=True)
class Before:
    """The state of a job when the sweep was run before.

    Attributes:
        state: a ``finished`` or ``pruned`` job is kept, a ``cut`` one is continued, and any other
            starts again.
        mean_return: mean return of a finished job.
    """

    state: Literal["finished", "pruned", "cut", "none"]
    mean_return: float = float("nan")


def job_of_sweep(folder: Path, config: Mapping[str, Any], train: Callable[[bool], float]) -> float:
    """Run one job of a sweep, unless it is finished, and return its mean return.

    An error is written to the folder and printed, and the result is NaN, so that the other jobs go
    on.

    Args:
        folder: folder of the job.
        config: composed config of the job.
        train: function that runs the job; its argument says whether to continue from the
            checkpoint.
    """
    try:
        before = _before(folder, config)
        if before.state in ("finished", "pruned"):
            say(f"Kept: {folder} is {before.state}.")
            return before.mean_return
        return train(before.state == "cut")
    except Pruned:
        return float("nan")  # The run printed the reason and wrote it to its folder.
    except Exception as error:
        if is_mistake(error):
            reason = sentence(error)
            say(f"Failed: {folder}: {reason}", error=True)
        else:
            reason = f"{type(error).__name__}: {error}"
            traceback.print_exc()
    mark_lost(folder, reason)
    return float("nan")


def check_folder(folder: Path, sweep: Path) -> None:
    """Refuse the folder of a job in which files of somebody else would be in the way.

    Args:
        folder: folder of the job.
        sweep: folder of the sweep.

    Raises:
        ConfigError: it is not below the sweep's folder.
        RunFolderError: it holds something that no run wrote.
    """
    if sweep.resolve() not in folder.resolve().parents:
        raise ConfigError(
            f"hydra.sweep.subdir names {folder}, but each job has a folder of its own below that "
            f"of the sweep, {sweep}."
        )
    if folder.is_dir() and not (folder / RECORD).is_file():
        check_removable(folder)


def mark_lost(folder: Path, reason: str) -> None:
    """Write to a job's folder why it has no finished run, unless the run's record says so.

    Nothing is written to a folder with links that lead out of it, which the list at the end names.
    """
    try:
        RunFolder(folder).check_links()
    except RunFolderError:
        return
    if not _says_that_it_failed(folder):
        folder.mkdir(parents=True, exist_ok=True)
        write_json(folder / FAILURE, {"reason": reason})


class SweepFrame(Callback):
    """A callback that refuses links out of a sweep's folder, and lists its jobs' states at the end.

    The exit code says whether any job failed.
    """

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Refuse a folder whose files would be written elsewhere, before any is.

        Raises:
            SystemExit: it is one; Hydra would go on after any other exception.
        """
        folder = Path(str(config.hydra.sweep.dir))
        try:
            RunFolder(folder).check_links()
        except RunFolderError as error:
            said = sentence(error)
            if not holds_sweep(folder):  # The user's own files, such as those of a project.
                said = (
                    f"{folder} holds no sweep, and a sweep needs a folder of its own, such as "
                    f"hydra.sweep.dir=outputs/sweeps/mine: {said}"
                )
            say(f"Error: {said}", error=True)
            sys.exit(USER_MISTAKE)

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        """Print the list of jobs.

        Raises:
            SystemExit: a job failed.
        """
        folder = Path(str(config.hydra.sweep.dir))
        counts, failed = outcome(folder)
        said = [f"{counts[state]} {state}" for state in ("pruned", "running") if counts[state]]
        said = [f"{counts['finished']} finished", *said, f"{len(failed)} failed"]
        say(f"Sweep {folder}: {', '.join(said)}.")
        for job, reason in failed.items():
            say(f"  {job.name}: {reason}")
        if failed:
            sys.exit(FAILED_JOBS)


def outcome(folder: Path) -> tuple[Counter[str], dict[Path, str]]:
    """Return the number of jobs in each state, and the folder and reason of each failed job.

    A running job belongs to another process that shares the sweep; a cut job counts as failed.
    """
    counts: Counter[str] = Counter()
    failed = {}
    for job in sorted(folder.iterdir(), key=_number):
        try:
            RunFolder(job).check_links()
        except RunFolderError as error:
            failed[job] = str(error)
            continue
        if (job / FAILURE).is_file():
            try:
                failed[job] = str(json.loads(read_text(job / FAILURE))["reason"])
            except (OSError, ValueError, TypeError, KeyError, RecursionError):
                failed[job] = f"its {FAILURE} cannot be read"
        elif (job / RECORD).is_file():
            try:
                summary = summarise(RunFolder(job))
            except RunFolderError as error:
                failed[job] = str(error)
                continue
            counts[summary.state] += 1
            if summary.state in ("failed", "cut"):
                failed[job] = summary.reason or f"it is {summary.state}"
    return counts, failed


@contextmanager
def ending_with_parent() -> Iterator[None]:
    """End this process soon after the process that started it, saving the run first.

    Otherwise the processes of a killed sweep would go on unnoticed, beside those of the next sweep.
    """
    parent = os.getppid()
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.5):
            if os.getppid() != parent:
                os.kill(os.getpid(), signal.SIGTERM)
                return

    threading.Thread(target=watch, daemon=True).start()
    try:
        yield
    finally:
        over.set()
        if os.getppid() != parent:
            os._exit(128 + signal.SIGTERM)


def _before(folder: Path, config: Mapping[str, Any]) -> Before:
    if not (folder / RECORD).is_file():
        if folder.is_dir():  # The process was killed before there was a run.
            remove_run(folder)
        return Before("none")
    (folder / FAILURE).unlink(missing_ok=True)
    run = RunFolder.open(folder)
    patience = time.monotonic() + _PATIENCE
    while run.in_use():
        if time.monotonic() > patience:
            raise RunFolderError(f"{folder} is being written by another process; end it first.")
        time.sleep(0.5)
    summary = summarise(run)
    if summary.state in ("finished", "pruned"):
        longer = summary.state == "finished" and summary.budget < config["run"]["steps"]
        _check_same(run, config, longer)
        if not longer:
            mean = (metrics_of(run, "final") or {}).get("return")
            return Before(summary.state, float("nan") if mean is None else float(mean))
        if not run.checkpoint_file("latest").is_file():
            raise RunFolderError(
                f"{folder} cannot be continued, because {run.checkpoint_file('latest')} is "
                f"missing; put it back, or take run.steps={summary.budget} to keep the run."
            )
    if run.checkpoint_file("latest").is_file():
        return Before("cut")
    # A run that was cut before its first checkpoint cannot be continued.
    remove_run(folder)
    return Before("none")


def _check_same(run: RunFolder, config: Mapping[str, Any], longer: bool) -> None:
    """Refuse to keep or continue a run whose config is not the one that is asked for."""
    there, here = facts_of(run.values()), facts_of(config)
    different = [k for k in unlike(there, here) if not (longer and k.startswith("run."))]
    if different:
        key = different[0]
        raise RunFolderError(
            f"{run.path} holds a run of other values, whose {key} is {there.get(key)} and not "
            f"{here.get(key)}; give the sweep another folder, hydra.sweep.dir=FOLDER."
        )


def _says_that_it_failed(folder: Path) -> bool:
    """Return whether the record of a run says that it did not finish."""
    if not (folder / RECORD).is_file():
        return False
    try:
        return summarise(RunFolder(folder)).state not in ("finished", "pruned")
    except RunFolderError:
        return False


def _number(job: Path) -> tuple[int, str]:
    head = job.name.partition("_")[0]
    return (int(head) if head.isdecimal() else sys.maxsize, job.name)
