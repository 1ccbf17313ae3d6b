"""Measure environment steps per second, beside the tasks of osim-rl that these take the place of.

Run ``python benchmarks/environment_steps/measure.py`` in the virtual environment of osimexp, with
nothing else running; README.md beside this file says what the figures mean and how osim-rl comes
to run on OpenSim 4.6. Without ``--osim-rl`` and ``--osim-rl-2`` its rows are left out.

Each candidate lives in a process of its own, and one at a time is told to step for some seconds:
every round goes through all of them, each second round backwards, so that a machine that grows
slower hits all alike.
"""

import argparse
import csv
import importlib
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, fields
from importlib.metadata import distributions, version
from pathlib import Path
from statistics import median
from types import ModuleType
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
TASKS = {"arm": ["model=arm", "reward=reach"], "walker": ["model=gait2d", "reward=velocity"]}
PARTS = ("integrate", "read", "reset", "rest")


@dataclass(frozen=True)
class Candidate:
    """One thing to measure.

    Attributes:
        task: ``arm`` or ``walker``.
        name: what the table calls it.
        batch: environments stepped by one call.
        workers: processes that simulate; 0 simulates in the process that steps.
        environment: ``module:class`` of an osim-rl environment; empty for osimexp's own.
        folder: where that osim-rl is installed.
    """

    task: str
    name: str
    batch: int = 1
    workers: int = 0
    environment: str = ""
    folder: str = ""


@dataclass
class Slice:
    """What one candidate did in one round: a row of the results.

    Attributes:
        round: counted from 0.
        task: the candidate's.
        candidate: its name.
        batch: its environments.
        workers: its worker processes.
        steps: environment steps, those of all the batch counted.
        seconds: of wall time in steps and resets.
        cpu_seconds: of processor time in the process that steps, worker processes not counted.
        integrate: s of ``seconds`` in OpenSim's ``Manager.integrate``; 0 where workers do it.
        read: s of ``seconds`` in reading the state; 0 where workers do it.
        reset: s of ``seconds`` in resets, reading not counted.
        rest: s of ``seconds`` in all else.
        episodes: that ended.
        failures: episodes that ended because the integration failed.
        busy: cores that other programs kept busy in the second before the round; -1 for unknown.
    """

    round: int
    task: str
    candidate: str
    batch: int
    workers: int
    steps: int
    seconds: float
    cpu_seconds: float
    integrate: float
    read: float
    reset: float
    rest: float
    episodes: int
    failures: int
    busy: float

    @property
    def rate(self) -> float:
        """Environment steps per second of wall time."""
        return self.steps / self.seconds


class Stopwatch:
    """Time spent in functions; each moment counts once, for the innermost one watched."""

    def __init__(self) -> None:
        self._inside = ["rest"]
        self.clear()

    def clear(self) -> None:
        """Begin at zero."""
        self.seconds = dict.fromkeys(PARTS, 0.0)
        self.cpu_seconds = 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        """Count the time within."""
        cpu, self._since = time.process_time(), time.perf_counter()
        yield
        self._count()
        self.cpu_seconds += time.process_time() - cpu

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


Step = Callable[[], tuple[int, int]]  # does a step; says how many episodes ended and failed


def osimexp_step(candidate: Candidate, seed: int, watch: Stopwatch) -> Step:
    """Return what steps a batch of osimexp's environments under random actions."""
    import opensim
    from hydra import compose, initialize_config_dir

    from osimexp.config import config_directory
    from osimexp.physics.engine import Engine
    from osimexp.tasks.musculoskeletal import MusculoskeletalVectorEnv
    from osimexp.tasks.specification import Specification

    overrides = [*TASKS[candidate.task], f"workers.count={candidate.workers}"]
    with initialize_config_dir(str(config_directory()), version_base="1.3"):
        config = compose("config", [*overrides, "task.control_period=0.01"])
    env = MusculoskeletalVectorEnv(Specification.from_config(config), candidate.batch)
    env.reset(seed=seed)
    watch.watch(opensim.Manager, "integrate", "integrate")
    watch.watch(Engine, "read", "read")
    watch.watch(env, "_begin", "reset")
    generator = np.random.default_rng(seed)
    shape = env.action_space.shape

    def step() -> tuple[int, int]:
        actions = generator.uniform(-1.0, 1.0, shape).astype(np.float32)
        with watch.running():
            *_, infos = env.step(actions)
        if "episode" not in infos:
            return 0, 0
        ended = infos["_episode"]
        return int(ended.sum()), int(infos["episode"]["failed"][ended].sum())

    return step


def osim_rl_step(candidate: Candidate, seed: int, watch: Stopwatch) -> Step:
    """Return what steps an osim-rl environment under random actions, resetting it when done."""
    import random

    import opensim

    opensim.Logger.setLevelString("error")
    stand_in_for_gym()
    name_actuators_by_path(opensim.PrescribedController)
    module, _, class_name = candidate.environment.partition(":")
    random.seed(seed)  # osim-rl draws its targets from the global generator.
    env = getattr(importlib.import_module(module), class_name)(visualize=False)
    # Later versions give the whole state as a dictionary unless told to give the observation.
    options = {"obs_as_dict": False} if "obs_as_dict" in env.step.__code__.co_varnames else {}
    watch.watch(opensim.Manager, "integrate", "integrate")
    watch.watch(type(env.osim_model), "compute_state_desc", "read")
    watch.watch(env, "reset", "reset")
    generator = np.random.default_rng(seed)
    watch._since = time.perf_counter()
    env.reset(**options)

    def step() -> tuple[int, int]:
        action = generator.uniform(0.0, 1.0, env.get_action_space_size())
        with watch.running():
            try:
                done, failed = env.step(action, **options)[2], False
            except RuntimeError:  # what OpenSim raises when its integrator gives up
                done = failed = True
            if done:
                env.reset(**options)
        return int(done), int(failed)

    return step


def stand_in_for_gym() -> None:
    """Offer as ``gym`` the two names that osim-rl uses of that unmaintained package."""

    class Env:
        pass

    class Box:
        def __init__(self, low: Any, high: Any, *args: Any, **kwargs: Any) -> None:
            self.low, self.high = low, high

    gym: Any = ModuleType("gym")
    gym.spaces = ModuleType("gym.spaces")
    gym.Env, gym.spaces.Box = Env, Box
    sys.modules |= {"gym": gym, "gym.spaces": gym.spaces}


def name_actuators_by_path(controller: Any) -> None:
    """Let a controller's functions be set by number, as before OpenSim 4.6, which wants paths."""
    add, prescribe = controller.addActuator, controller.prescribeControlForActuator

    def add_actuator(self: Any, actuator: Any) -> None:
        vars(self).setdefault("added", []).append(actuator.getAbsolutePathString())
        add(self, actuator)

    def prescribe_by_number(self: Any, number: int, function: Any) -> None:
        prescribe(self, vars(self)["added"][number], function)

    controller.addActuator = add_actuator
    controller.prescribeControlForActuator = prescribe_by_number


def serve(candidate: Candidate, seed: int) -> None:
    """Step for as many seconds as each line on standard input says, and answer what it came to."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    with Path(os.devnull).open("w") as silence:  # osim-rl prints its targets
        os.dup2(silence.fileno(), sys.stdout.fileno())
    watch = Stopwatch()
    step = (osim_rl_step if candidate.environment else osimexp_step)(candidate, seed, watch)
    warm_up = time.perf_counter() + 0.5
    while time.perf_counter() < warm_up:
        step()
    print("ready", file=answers, flush=True)
    for line in sys.stdin:
        watch.clear()
        steps = episodes = failures = 0
        while sum(watch.seconds.values()) < float(line):
            ended, failed = step()
            steps, episodes, failures = steps + 1, episodes + ended, failures + failed
        figures = {
            "steps": steps * candidate.batch,
            "seconds": sum(watch.seconds.values()),
            "cpu_seconds": watch.cpu_seconds,
            "episodes": episodes,
            "failures": failures,
            **watch.seconds,
        }
        print(json.dumps(figures), file=answers, flush=True)


@contextmanager
def started(candidate: Candidate, seed: int) -> Iterator[Callable[[float], dict[str, Any]]]:
    """Start a candidate's process, and yield what makes it step for some seconds."""
    # The checkout that holds this script is measured, whichever osimexp is installed.
    paths = [str(HERE.parents[1]), *filter(None, [candidate.folder, os.environ.get("PYTHONPATH")])]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(HERE / "measure.py"), f"--seed={seed}"]
    with (
        tempfile.TemporaryDirectory() as folder,  # OpenSim writes a log where it runs
        subprocess.Popen(
            [*command, f"--serve={json.dumps(asdict(candidate))}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=folder,
            env=environment,
        ) as process,
    ):
        assert process.stdin and process.stdout
        told, answers = process.stdin, process.stdout

        def answer() -> str:
            if not (line := answers.readline()):
                sys.exit(f"{candidate.name} for the {candidate.task} ended; see above why.")
            return line

        def run(seconds: float) -> dict[str, Any]:
            print(seconds, file=told, flush=True)
            return dict(json.loads(answer()))

        answer()
        yield run


def busy_cores(seconds: float) -> float:
    """Return how many cores are busy for a while in which nothing is measured; -1 for unknown."""
    statistics = Path("/proc/stat")
    if not statistics.exists():
        return -1.0

    def idle_and_all() -> np.ndarray:
        ticks = [int(t) for t in statistics.read_text().splitlines()[0].split()[1:9]]
        return np.array([ticks[3] + ticks[4], sum(ticks)])

    before = idle_and_all()
    time.sleep(seconds)
    idle, everything = idle_and_all() - before
    return round(float((1 - idle / everything) * (os.cpu_count() or 1)), 2)


def measure(
    candidates: list[Candidate], rounds: int, seconds: float, seed: int
) -> Iterator[Slice]:
    """Yield each candidate's slice of each round."""
    with ExitStack() as stack:
        runs = [stack.enter_context(started(candidate, seed)) for candidate in candidates]
        pairs = list(zip(candidates, runs, strict=True))
        for number in range(rounds):
            busy = busy_cores(1.0)
            for c, run in reversed(pairs) if number % 2 else pairs:
                figures = run(seconds)
                yield Slice(number, c.task, c.name, c.batch, c.workers, **figures, busy=busy)
            print(f"round {number + 1} of {rounds}: others busy {busy} cores", file=sys.stderr)


def tables(slices: list[Slice], candidates: list[Candidate]) -> Iterator[str]:
    """Yield the lines of the Markdown tables: rates and ratios, and where the time goes."""
    of = {(c.task, c.name): [s for s in slices if (s.task, s.candidate) == (c.task, c.name)]
          for c in candidates}  # fmt: skip
    for rows in of.values():
        rows.sort(key=lambda s: s.round)
    theirs = {c.task: of[c.task, c.name] for c in candidates if c.environment}
    yield "| task | candidate | batch | steps/s | lowest to highest | times osim-rl |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for c in candidates:
        rates = [s.rate for s in of[c.task, c.name]]
        spread = f"{min(rates):.0f} to {max(rates):.0f}"
        ratio = "not measured"
        if c.task in theirs:
            ratios = [r / s.rate for r, s in zip(rates, theirs[c.task], strict=True)]
            ratio = f"{median(ratios):.1f} ({min(ratios):.1f} to {max(ratios):.1f})"
        yield f"| {c.task} | {c.name} | {c.batch} | {median(rates):.0f} | {spread} | {ratio} |"
    yield ""
    yield (
        "| task | candidate | ms a step | integrate | read | reset | rest | all but integrate "
        "| steps per CPU second |"
    )
    yield "| --- | --- | --- | --- | --- | --- | --- | --- | --- |"
    for c in candidates:
        if c.workers:
            continue
        rows = of[c.task, c.name]
        cells = [f"{1e3 * median(s.seconds / s.steps for s in rows):.3f}"]
        cells += [
            f"{1e3 * median(getattr(s, part) / s.steps for s in rows):.3f}" for part in PARTS
        ]
        cells.append(f"{100 * median(1 - s.integrate / s.seconds for s in rows):.0f} %")
        cells.append(f"{median(s.steps / s.cpu_seconds for s in rows):.0f}")
        yield f"| {c.task} | {c.name} | {' | '.join(cells)} |"


def surroundings(candidates: list[Candidate], slices: list[Slice]) -> Iterator[str]:
    """Yield lines on the machine, the versions and how busy the machine was."""
    information = Path("/proc/cpuinfo")
    lines = information.read_text().splitlines() if information.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    yield f"{platform.platform()}, {models[0] if models else 'processor unknown'}, "
    yield f"{os.cpu_count()} cores; Python {platform.python_version()}, OpenSim "
    yield f"{version('opensim')}, NumPy {version('numpy')}, Gymnasium {version('gymnasium')}"
    for folder in dict.fromkeys(c.folder for c in candidates if c.folder):
        found = [d.version for d in distributions(name="osim-rl", path=[folder])]
        yield f", osim-rl {', '.join(found)}"
    busy = [s.busy for s in slices]
    yield f". Other programs kept {min(busy)} to {max(busy)} cores busy."


def chosen(osim_rl: Path | None, osim_rl_2: Path | None) -> list[Candidate]:
    """Return what is measured, osim-rl's where they are installed."""
    theirs = {"arm": ("osim.env:Arm2DEnv", osim_rl), "walker": ("osim.env:L2RunEnv", osim_rl_2)}
    candidates = []
    for task, (environment, folder) in theirs.items():
        candidates += [
            Candidate(task, "osimexp, in process"),
            Candidate(task, "osimexp, 1 worker", 4, 1),
            Candidate(task, "osimexp, 2 workers", 4, 2),
        ]
        name = f"osim-rl {environment.partition(':')[2]}"
        if folder is None:
            print(f"{name} is left out: no folder was given for it.", file=sys.stderr)
        else:
            where = str(folder.resolve(strict=True))
            candidates.append(Candidate(task, name, environment=environment, folder=where))
    return candidates


def main() -> None:
    """Measure, write the results and print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=9, help="rounds through all candidates")
    parser.add_argument("--seconds", type=float, default=4.0, help="s for each in each round")
    parser.add_argument("--seed", type=int, default=0, help="of actions and starting poses")
    parser.add_argument("--osim-rl", type=Path, help="folder with osim-rl 3.0.11, for Arm2DEnv")
    parser.add_argument("--osim-rl-2", type=Path, help="folder with osim-rl 2.1.5, for L2RunEnv")
    parser.add_argument("--output", type=Path, default=HERE / "results.csv", help="raw results")
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(Candidate(**json.loads(options.serve)), options.seed)
        return
    candidates = chosen(options.osim_rl, options.osim_rl_2)
    slices = []
    with options.output.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([field.name for field in fields(Slice)])
        for slice_ in measure(candidates, options.rounds, options.seconds, options.seed):
            slices.append(slice_)
            writer.writerow(
                [f"{v:.6g}" if isinstance(v, float) else v for v in asdict(slice_).values()]
            )
            file.flush()
    print("".join(surroundings(candidates, slices)), *tables(slices, candidates), sep="\n")


if __name__ == "__main__":
    main()
