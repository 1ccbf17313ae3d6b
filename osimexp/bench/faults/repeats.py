"""Trainings that are repeated, and one that goes on for long."""

import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from osimexp.bench.faults.cases import Case, Outcome, outcome_of, said_by
from osimexp.bench.faults.commands import SMALL, Setting, command
from osimexp.bench.faults.processes import Ended, Fork, Job, run_all
from osimexp.bench.faults.results import metrics

OFF_POLICY = (
    "algo.hidden_sizes=[8]", "algo.environments=2", "algo.batch_size=16", "algo.learning_starts=64",
    "algo.updates_per_step=1",
)  # fmt: skip

ALIKE: dict[str, tuple[str, ...]] = {
    "ppo": (),
    "sac": ("algo=sac", *OFF_POLICY),
    "ddpg": ("algo=ddpg", *OFF_POLICY),
    "gait2d": ("model=gait2d", "reward=walk"),
    "gait2d_prosthesis": ("model=gait2d_prosthesis", "reward=walk"),
    "opensim": ("physics=opensim", "workers=one"),
    "lanes": ("physics=lanes", "workers=one"),
    "auto": ("physics=auto", "workers=one"),
}
"""Trainings by the algorithm, model or back end that they differ by."""

SHORT = ("run.steps=256", "run.log.every=64", "run.evaluation.every=128", "run.folder=run")

WARM = 0.25  # share of the training in which memory may still grow
GROWTH = 0.05  # of the memory after it
SLACK = 16e6  # bytes
PAUSE = 0.2  # time between samples, s
PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Sample:
    """Resources that a process holds.

    Attributes:
        memory: resident memory, bytes.
        threads: number of threads.
        descriptors: number of open files.
    """

    memory: int
    threads: int
    descriptors: int


def repeated(setting: Setting) -> Iterator[Case]:
    """Yield a case for each algorithm, model and back end, trained ``count`` times alike."""
    jobs = [
        Job(
            command("train", *_without(words), *words, *SHORT),
            setting.folder / f"{name} {turn}",
            10.0 * setting.limit,
        )
        for name, words in ALIKE.items()
        for turn in range(setting.count)
    ]
    ends = dict(run_all(jobs, setting.processes))
    for number, name in enumerate(ALIKE):
        turns = range(number * setting.count, (number + 1) * setting.count)
        own = [ends[turn] for turn in turns]
        worst = next((e for e in own if outcome_of(e) != "fine"), own[0])
        outcome = outcome_of(worst)
        if outcome == "refused":  # It is a training that has to be possible.
            outcome = "unclear"
        if outcome == "fine":
            found = [metrics(jobs[turn].folder / "run") for turn in turns]
            outcome = "fine" if all(one == found[0] for one in found) else "silent"
        said = "" if outcome == "fine" else said_by(worst)
        change = f"trained {setting.count} times"
        seconds = sum(ended.seconds for ended in own)
        yield Case("determinism", number, name, change, outcome, seconds, said)


def soaked(setting: Setting) -> Iterator[Case]:
    """Yield one case for each resource of a training of ``count`` steps."""
    every = max(setting.count // 20, 1024)
    words = (
        *SMALL, "algo.environments=64", f"run.steps={setting.count}", "run.folder=run",
        f"run.log.every={every}", f"run.evaluation.every={every}", f"run.checkpoint.every={every}",
    )  # fmt: skip
    job = Job(command("train", *words), setting.folder, 3600.0)
    samples, ended = watched(job)
    outcome = outcome_of(ended)
    if outcome == "refused":
        outcome = "unclear"
    for number, name in enumerate(("memory", "threads", "descriptors")):
        values = [getattr(sample, name) for sample in samples]
        begin, end = ends(values)
        flat: Outcome = "fine" if is_flat(name, values) else "silent"
        found = outcome if outcome != "fine" else flat
        said = "" if found == "fine" else f"{begin:g} grew to {end:g}"
        if outcome != "fine":
            said = said_by(ended)
        change = f"{setting.count} steps, {begin:g} to {end:g}"
        yield Case("soak", number, name, change, found, ended.seconds, said)
    shutil.rmtree(setting.folder / "run", ignore_errors=True)


def watched(job: Job) -> tuple[list[Sample], Ended]:
    """Return what a fork held from time to time, and how it ended."""
    fork, samples = Fork(job), []
    while (ended := fork.ended()) is None:
        if (sample := _sample(fork.number)) is not None:
            samples.append(sample)
        time.sleep(PAUSE)
    return samples, ended


def is_flat(name: str, values: list[int]) -> bool:
    """Return whether a resource did not grow after the beginning of a training."""
    begin, end = ends(values)
    return end <= begin * (1.0 + GROWTH) + SLACK if name == "memory" else end <= begin


def ends(values: list[int]) -> tuple[float, float]:
    """Return the most of a resource in the second tenths after the beginning and at the end.

    The training's end, which plays evaluations, is not among them.
    """
    if not values:
        return 0.0, 0.0
    warm = values[int(WARM * len(values)) : max(int(0.95 * len(values)), 1)] or values
    part = max(len(warm) // 5, 1)
    return float(np.max(warm[:part])), float(np.max(warm[-part:]))


def _sample(number: int) -> Sample | None:
    place = Path("/proc") / str(number)
    try:
        memory = int((place / "statm").read_text().split()[1]) * PAGE
        threads, descriptors = (len(list((place / name).iterdir())) for name in ("task", "fd"))
        return Sample(memory, threads, descriptors)
    except (OSError, IndexError):
        return None  # It ends just now.


def _without(words: tuple[str, ...]) -> list[str]:
    """Return the words of a small training whose algorithm or model is not another one."""
    if any(word.startswith("algo=") for word in words):
        return [word for word in SMALL if not word.startswith("algo")]
    if any(word.startswith("model=") for word in words):
        return [word for word in SMALL if not word.startswith(("model", "reward"))]
    return list(SMALL)
