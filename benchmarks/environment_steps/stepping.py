"""A process that steps one candidate of measure.py, for as long as it is told each time.

Run by measure.py as ``python stepping.py CANDIDATE SEED``, the candidate in JSON. Every line on its
standard input is a number of seconds; it answers each by a line of JSON with the figures.
"""

import importlib
import json
import os
import random
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np
import opensim

from osimexp.bench.osim_rl import name_actuators_by_path, stand_in_for_gym

TASKS = {
    "arm": ["model=arm", "reward=reach"],
    "walker": ["model=gait2d", "reward=velocity", "start=noisy", "~symmetry"],
}
PARTS = ("integrate", "read", "reset", "rest")
WARM_UP = 0.5  # s
STALL = 0.5  # s; a step of osim-rl that takes longer is counted apart and ends its episode


@dataclass(frozen=True)
class Candidate:
    """One thing to measure.

    Attributes:
        task: ``arm`` or ``walker``.
        name: what the tables call it.
        batch: environments stepped by one call.
        workers: processes that simulate; 0 simulates in the process that steps.
        physics: overrides of the config that choose it, apart by spaces.
        environment: ``module:class`` of an osim-rl environment; empty for osimexp's own.
        folder: where that osim-rl is installed.
    """

    task: str
    name: str
    batch: int = 1
    workers: int = 0
    physics: str = "physics=opensim"
    environment: str = ""
    folder: str = ""


class Outcome(NamedTuple):
    """What came of a call of ``step``: episodes that ended, those by failure, seconds stalled."""

    episodes: int = 0
    failures: int = 0
    stalled: float = 0.0


Step = Callable[[], Outcome]


class Stopwatch:
    """Time spent in functions; each moment counts once, for the innermost one watched."""

    def __init__(self) -> None:
        self._inside = ["rest"]
        self.last = 0.0
        self._since = 0.0
        self.clear()

    def clear(self) -> None:
        """Begin at zero."""
        self.seconds = dict.fromkeys(PARTS, 0.0)
        self.cpu_seconds = 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        """Count the time within."""
        cpu = time.process_time()
        begun = self._since = time.perf_counter()
        yield
        self._count()
        self.last = self._since - begun
        self.cpu_seconds += time.process_time() - cpu

    @property
    def total(self) -> float:
        """Seconds counted."""
        return sum(self.seconds.values())

    def watch(self, owner: Any, name: str, part: str) -> None:
        """Replace a method of a class or an object by one that counts for ``part``."""
        method = getattr(owner, name)

        def watched(*args: Any, **kwargs: Any) -> Any:
            self._count()
            self._inside.append(part)
            try:
                return method(*args, **kwargs)
            finally:
                self._count()
                self._inside.pop()

        setattr(owner, name, watched)

    def _count(self) -> None:
        now = time.perf_counter()
        self.seconds[self._inside[-1]] += now - self._since
        self._since = now


def osimexp_step(candidate: Candidate, seed: int, watch: Stopwatch) -> Step:
    """Return what steps a batch of osimexp's environments under random actions."""
    from osimexp.physics.reference.engine import Engine
    from osimexp.tasks.compose import vector

    overrides = [*TASKS[candidate.task], f"workers.count={candidate.workers}"]
    overrides += candidate.physics.split()
    env = vector(candidate.batch, *overrides, "task.control_period=0.01")
    env.reset(seed=seed)
    watch.watch(opensim.Manager, "integrate", "integrate")
    watch.watch(Engine, "read", "read")
    watch.watch(env, "_begin", "reset")
    generator = np.random.default_rng(seed)
    shape = env.action_space.shape

    def step() -> Outcome:
        actions = generator.uniform(-1.0, 1.0, shape).astype(np.float32)
        with watch.running():
            *_, infos = env.step(actions)
        if "episode" not in infos:
            return Outcome()
        ended = infos["_episode"]
        return Outcome(int(ended.sum()), int(infos["episode"]["failed"][ended].sum()))

    return step


def osim_rl_step(candidate: Candidate, seed: int, watch: Stopwatch) -> Step:
    """Return what steps an osim-rl environment under random actions, resetting it when done."""
    opensim.Logger.setLevelString("error")
    stand_in_for_gym()
    name_actuators_by_path(opensim.PrescribedController)
    module, _, class_name = candidate.environment.partition(":")
    random.seed(seed)  # osim-rl draws its targets from the global generator.
    env = getattr(importlib.import_module(module), class_name)(visualize=False)
    # Its later versions give the whole state as a dictionary unless told to give the observation.
    options = {"obs_as_dict": False} if "obs_as_dict" in env.step.__code__.co_varnames else {}
    env.reset(**options)
    watch.watch(opensim.Manager, "integrate", "integrate")
    watch.watch(type(env.osim_model), "compute_state_desc", "read")
    watch.watch(env, "reset", "reset")
    generator = np.random.default_rng(seed)

    def step() -> Outcome:
        action = generator.uniform(0.0, 1.0, env.get_action_space_size())
        before = dict(watch.seconds), watch.cpu_seconds
        with watch.running():
            try:
                done, failed = env.step(action, **options)[2], False
            except RuntimeError:  # what OpenSim raises when its integrator gives up
                done = failed = True
            if done:
                env.reset(**options)
        if watch.last < STALL:
            return Outcome(int(done), int(failed))
        watch.seconds, watch.cpu_seconds = before
        stalled = watch.last
        with watch.running():
            env.reset(**options)
        return Outcome(1, int(failed), stalled)

    return step


def main() -> None:
    """Step as told on standard input."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    with Path(os.devnull).open("w") as silence:  # osim-rl prints its targets.
        os.dup2(silence.fileno(), sys.stdout.fileno())
    candidate, watch = Candidate(**json.loads(sys.argv[1])), Stopwatch()
    make = osim_rl_step if candidate.environment else osimexp_step
    step = make(candidate, int(sys.argv[2]), watch)
    while watch.total < WARM_UP:
        step()
    print("ready", file=answers, flush=True)
    for line in sys.stdin:
        watch.clear()
        outcomes, durations = [], []
        while watch.total < float(line):
            outcomes.append(step())
            durations.append(watch.last / candidate.batch)
        stalls = [outcome.stalled for outcome in outcomes if outcome.stalled]
        figures = {
            "steps": (len(outcomes) - len(stalls)) * candidate.batch,
            "seconds": watch.total,
            "cpu_seconds": watch.cpu_seconds,
            "median_step": median(durations),
            **watch.seconds,
            "episodes": sum(outcome.episodes for outcome in outcomes),
            "failures": sum(outcome.failures for outcome in outcomes),
            "stalls": len(stalls),
            "stalled": sum(stalls),
        }
        print(json.dumps(figures), file=answers, flush=True)


if __name__ == "__main__":
    main()
