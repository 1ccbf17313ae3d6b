"""Measure what simulation costs: ``python -m osimexp.bench physics``."""

import csv
import io
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Annotated

import numpy as np
from omegaconf import DictConfig
from pydantic import Field
from rich.console import Console
from rich.table import Table

from osimexp.command_line import USER_MISTAKE, launch
from osimexp.config import check, config_directory, plain
from osimexp.errors import ConfigError, RunFolderError, near_matches
from osimexp.files import write_text
from osimexp.models import load
from osimexp.physics.model import PreparedModel, prepare
from osimexp.physics.muscle_sets import MuscleSet
from osimexp.physics.settings import (
    CompiledSettings,
    ModelSettings,
    OpenSimSettings,
    PhysicsSettings,
    WorkerSettings,
)
from osimexp.physics.simulate import simulate
from osimexp.physics.simulation import Simulation, Start

CONTROL_PERIOD = 0.01  # s
COARSE = 1e-3  # the tolerance of conf/physics/lanes.yaml
EPISODE = 50  # steps; longer random excitation would time a heap on the floor


@dataclass(frozen=True)
class PhysicsBenchSettings:
    """What ``conf/bench.yaml`` says.

    Attributes:
        models: of ``conf/model``, or paths of ``.osim`` files.
        rounds: through all candidates.
        seconds: for each candidate in each round.
        batch: environments that the compiled equations step at a time.
        output: a file for the raw figures.
    """

    models: tuple[str, ...]
    rounds: Annotated[int, Field(ge=1)]
    seconds: Annotated[float, Field(gt=0.0)]
    batch: Annotated[int, Field(ge=1)]
    output: str | None


@dataclass(frozen=True)
class Candidate:
    """One way to simulate a model.

    Attributes:
        name: what the table calls it.
        physics: by what and how.
        threads: that share the batch.
    """

    name: str
    physics: PhysicsSettings
    threads: int = 0


CANDIDATES = (
    Candidate("OpenSim", OpenSimSettings()),
    Candidate("compiled, adaptive", CompiledSettings()),
    Candidate("compiled, adaptive, 2 threads", CompiledSettings(), 2),
    Candidate("lanes, adaptive", CompiledSettings(lanes=True, tolerance=COARSE)),
    Candidate("lanes, adaptive, 2 threads", CompiledSettings(lanes=True, tolerance=COARSE), 2),
)


def main() -> None:
    """Measure what the first word of the command line names."""
    kinds = {"physics": bench_physics}
    if len(sys.argv) < 2 or sys.argv[1] not in kinds:
        given = sys.argv[1] if len(sys.argv) > 1 else "nothing"
        print(f"Error: name what to measure, and not {given}: physics.", file=sys.stderr)
        sys.exit(USER_MISTAKE)
    launch(kinds[sys.argv.pop(1)], "bench")


def bench_physics(config: DictConfig) -> float:
    """Show a table of steps per second, and return how many models were measured."""
    settings = check(PhysicsBenchSettings, plain(config), "bench")
    rows = [row for name in settings.models for row in _measured(name, settings)]
    table = Table("model", "simulated by", "steps/s", "times OpenSim", "failed steps")
    for model in dict.fromkeys(row["model"] for row in rows):
        mine = [row for row in rows if row["model"] == model]
        base = {row["round"]: row["rate"] for row in mine if row["candidate"] == "OpenSim"}
        for candidate in dict.fromkeys(row["candidate"] for row in mine):
            these = [row for row in mine if row["candidate"] == candidate]
            ratios = [row["rate"] / base[row["round"]] for row in these]
            rate, failed = median(row["rate"] for row in these), sum(r["failed"] for r in these)
            table.add_row(model, candidate, f"{rate:,.0f}", f"{median(ratios):,.1f}", str(failed))
    Console().print(table)
    print("Steps of 10 ms under random excitations, resets left out; medians over rounds.")
    if settings.output is not None:
        _write(Path(settings.output), rows)
    return float(len(settings.models))


def _measured(name: str, settings: PhysicsBenchSettings) -> Iterator[dict]:  # type: ignore[type-arg]
    model = _prepared(name)
    for number in range(settings.rounds):
        for candidate in CANDIDATES[:: -1 if number % 2 else 1]:
            workers = WorkerSettings(count=candidate.threads)
            size = 1 if candidate.name == "OpenSim" else settings.batch
            made = simulate(model, candidate.physics, workers, size, CONTROL_PERIOD, frozenset())
            with closing(made) as batch:
                steps, seconds, failed = _timed(batch, settings.seconds)
            yield {
                "model": name,
                "round": number,
                "candidate": candidate.name,
                "batch": size,
                "steps": steps,
                "seconds": round(seconds, 6),
                "rate": round(steps / seconds, 1),
                "failed": failed,
            }


def _timed(batch: Simulation, seconds: float) -> tuple[int, float, int]:
    """Step for a while: environment steps, seconds in them, and how many failed."""
    generator = np.random.default_rng(0)
    names, everywhere = batch.names, np.ones(batch.size, dtype=bool)
    pose = np.tile(names.default_pose, (batch.size, 1))
    start = Start(pose, np.zeros_like(pose), np.full((batch.size, len(names.muscles)), 0.05))
    spent, calls, failed = 0.0, 0, 0
    while spent < seconds:
        if calls % EPISODE == 0:
            batch.reset(everywhere, start)
        excitations = generator.uniform(size=(batch.size, len(names.muscles)))
        before = time.perf_counter()
        state = batch.step(excitations)
        spent += time.perf_counter() - before
        calls += 1
        if state.failed.any():
            failed += int(state.failed.sum())
            batch.reset(everywhere, start)
    return calls * batch.size, spent, failed


def _prepared(name: str) -> PreparedModel:
    if name.endswith(".osim"):
        return prepare(ModelSettings(path=name, paths="fitted"), MuscleSet())
    file = config_directory() / "model" / f"{name}.yaml"
    if not file.is_file():
        known = [f.stem for f in file.parent.glob("*.yaml")]
        raise ConfigError(f"bench.models: {name} is not known; {near_matches(name, known)}")
    return prepare(check(ModelSettings, plain(load(file)), "model"), MuscleSet())


def _write(path: Path, rows: list[dict]) -> None:  # type: ignore[type-arg]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, text.getvalue())
    except OSError as error:
        raise RunFolderError(f"{path} cannot be written: {error.strerror}.") from error
    print(f"Written to {path}")


if __name__ == "__main__":
    main()
