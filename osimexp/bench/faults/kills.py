"""Trainings that are killed at random moments, and resumed until they are finished."""

import shutil
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from osimexp.bench.faults.cases import REFUSED, Case, outcome_of, said_by
from osimexp.bench.faults.commands import EVERY, TRAINING, Setting, command, done
from osimexp.bench.faults.processes import Ended, Job, run
from osimexp.bench.faults.results import logged, metrics, resumptions

MOST = 3
"""Kills of one training at most; each starts where the one before left it."""

BEGIN: tuple[str, ...] = (*TRAINING, "run.folder=run")

Row = dict[str, str]


def killed(setting: Setting) -> Iterator[Case]:
    """Yield a case for each kill of a training, judged when the training has been taken up again.

    The metrics of a training that was killed must be those of one that was not, to the last digit.
    """
    whole = done(_start(setting, setting.folder / "whole", BEGIN, None))
    wanted = metrics(setting.folder / "whole" / "run")
    generator = np.random.default_rng(setting.seed)
    number = training = 0
    while number < setting.count:
        place = setting.folder / f"{training}"
        moments = generator.uniform(0.0, whole.seconds, generator.integers(1, MOST + 1))
        for case in _training(setting, number, place, moments.tolist(), wanted):
            if number < setting.count:
                yield case
            number += 1
            if case.fault:
                break
        else:
            shutil.rmtree(place, ignore_errors=True)
        training += 1


def _training(
    setting: Setting, number: int, place: Path, moments: Sequence[float], wanted: list[Row]
) -> Iterator[Case]:
    """Yield the cases of one training: it is killed at each moment, and then finishes."""
    folder, words, change, before, spent = place / "run", BEGIN, "", 0, 0.0
    for moment in (*moments, None):
        starts = resumptions(folder)
        ended = _start(setting, place, words, moment)
        if change and ended.code == REFUSED and before < EVERY:
            # Nothing was saved before the kill, so the command may be given once more instead.
            ended = _start(setting, place, BEGIN, moment)
        on_purpose = ended.code == -signal.SIGKILL and not ended.hung
        outcome = "fine" if on_purpose else outcome_of(ended)
        if outcome == "refused":
            outcome = "lost"
        since = resumptions(folder)
        if outcome == "fine" and len(since) > len(starts) and before - since[-1] > EVERY:
            outcome = "lost"
        if outcome == "fine" and ended.code == 0 and metrics(folder) != wanted:
            outcome = "silent"
        if change or outcome != "fine" or not on_purpose:
            said = "" if outcome == "fine" else said_by(ended)
            yield Case("kills", number, "train", change or "ended before it could be killed",
                       outcome, spent + ended.seconds, said)  # fmt: skip
            number += 1
        if not on_purpose:
            return
        change, spent = f"killed after {moment:.3f} s of {' '.join(words[-1:])}", ended.seconds
        before = logged(folder)
        words = ("resume=run",) if (folder / "run.json").is_file() else BEGIN


def _start(setting: Setting, place: Path, words: Sequence[str], moment: float | None) -> Ended:
    return run(Job(command("train", *words), place, 5.0 * setting.limit, moment))
