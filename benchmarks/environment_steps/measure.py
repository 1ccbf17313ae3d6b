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
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, fields
from importlib.metadata import distributions, version
from pathlib import Path
from statistics import median
from typing import IO, Any, cast

import numpy as np
from stepping import PARTS, STALL, Candidate

HERE = Path(__file__).resolve().parent
BATCH = 256  # environments that the compiled equations step at a time
COMPILED = {
    "compiled, adaptive": "physics=compiled",
    "lanes, adaptive": "physics=lanes",
}


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
        median_step: s, the median of the times of calls divided by ``batch``.
        integrate: s of ``seconds`` in OpenSim's ``Manager.integrate``; 0 where workers do it.
        read: s of ``seconds`` in reading the state; 0 where workers do it.
        reset: s of ``seconds`` in resets, reading not counted.
        rest: s of ``seconds`` in all else.
        episodes: that ended.
        failures: episodes that ended because the integration failed.
        stalls: steps of osim-rl over ``stepping.STALL`` s; in none of the above.
        stalled: s of wall time in those.
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
    median_step: float
    integrate: float
    read: float
    reset: float
    rest: float
    episodes: int
    failures: int
    stalls: int
    stalled: float
    busy: float

    @property
    def rate(self) -> float:
        """Environment steps per second of wall time."""
        return self.steps / self.seconds


@contextmanager
def started(candidate: Candidate, seed: int) -> Iterator[Callable[[float], dict[str, Any]]]:
    """Start a candidate's process, and yield what makes it step for some seconds."""
    # The checkout that holds this script is measured, whichever osimexp is installed.
    paths = [str(HERE.parents[1]), *filter(None, [candidate.folder, os.environ.get("PYTHONPATH")])]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(HERE / "stepping.py"), json.dumps(asdict(candidate)), str(seed)]
    with (
        tempfile.TemporaryDirectory() as folder,  # OpenSim writes a log where it runs
        subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=folder,
            env=environment,
        ) as process,
    ):
        told, answers = cast(IO[str], process.stdin), cast(IO[str], process.stdout)

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


def measure(candidates: list[Candidate], rounds: int, seconds: float, seed: int) -> Iterator[Slice]:
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
    of = defaultdict(list)
    for s in slices:
        of[s.task, s.candidate].append(s)
    theirs = {c.task: of[c.task, c.name] for c in candidates if c.environment}
    yield (
        "| task | candidate | batch | steps/s | lowest to highest | times osim-rl "
        "| median step, ms | times osim-rl |"
    )
    yield "| --- | --- | --- | --- | --- | --- | --- | --- |"
    for c in candidates:
        rows = of[c.task, c.name]
        pairs = list(zip(rows, theirs.get(c.task, []), strict=False))
        rates = [s.rate for s in rows]
        cells = [
            f"{median(rates):.0f}",
            f"{min(rates):.0f} to {max(rates):.0f}",
            spread([ours.rate / other.rate for ours, other in pairs]),
            f"{1e3 * median(s.median_step for s in rows):.3f}",
            spread([other.median_step / ours.median_step for ours, other in pairs]),
        ]
        yield f"| {c.task} | {c.name} | {c.batch} | {' | '.join(cells)} |"
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
        cells += [f"{1e3 * median(getattr(s, part) / s.steps for s in rows):.3f}" for part in PARTS]
        cells.append(f"{100 * median(1 - s.integrate / s.seconds for s in rows):.0f} %")
        cells.append(f"{median(s.steps / s.cpu_seconds for s in rows):.0f}")
        yield f"| {c.task} | {c.name} | {' | '.join(cells)} |"


def spread(ratios: list[float]) -> str:
    """Return the median of ratios with the lowest and the highest."""
    if not ratios:
        return "not measured"
    return f"{median(ratios):.1f} ({min(ratios):.1f} to {max(ratios):.1f})"


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
    stalls = sum(s.stalls for s in slices)
    yield f". Left out: {stalls} steps of osim-rl over {STALL} s, "
    yield f"{sum(s.stalled for s in slices):.0f} s together"
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
            *(
                Candidate(task, f"{name}, {threads} thread", BATCH, threads, physics)
                for name, physics in COMPILED.items()
                for threads in (1, 2)
            ),
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
    parser.add_argument("--rounds", type=int, default=7, help="rounds through all candidates")
    parser.add_argument("--seconds", type=float, default=4.0, help="s for each in each round")
    parser.add_argument("--seed", type=int, default=0, help="of actions and starting poses")
    parser.add_argument("--osim-rl", type=Path, help="folder with osim-rl 3.0.11, for Arm2DEnv")
    parser.add_argument("--osim-rl-2", type=Path, help="folder with osim-rl 2.1.5, for L2RunEnv")
    parser.add_argument("--output", type=Path, default=HERE / "results.csv", help="raw results")
    options = parser.parse_args()
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
