"""Measure steps of 10 ms a second: OpenSim, its compiled equations, whole environments, osim-rl.

Usage: osimexp bench physics [key=value ...]

Example:
    osimexp bench physics models=[gait2d] rounds=5 output=speed.csv
"""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Annotated, Any, Literal

from pydantic import Field
from rich.box import SIMPLE
from rich.table import Table

from osimexp.bench.osim_rl import STALL, folder_with, osim_rl_stepper
from osimexp.bench.timing import Stepper, Timing, environment_stepper, simulation_stepper
from osimexp.composition import compose
from osimexp.config import check
from osimexp.errors import RunFolderError
from osimexp.files import write_text
from osimexp.models.prepare import PreparedModel, prepare
from osimexp.physics.backends import simulate
from osimexp.physics.simulation import Simulation
from osimexp.tasks.musculoskeletal import MusculoskeletalVectorEnv
from osimexp.tasks.specification import Specification
from osimexp.terminal import Console, say
from osimexp.words import setting

COMMON = ("task.control_period=0.01", "workers=none")  # osim-rl's period, in this thread


@dataclass(frozen=True)
class BenchTask:
    """The task of a model in the benchmark of whole environments.

    Attributes:
        overrides: overrides of the main config beside the model.
        osim_rl: name of osim-rl's environment to compare with; null compares with none.
    """

    overrides: tuple[str, ...] = ()
    osim_rl: str | None = None


@dataclass(frozen=True)
class PhysicsBenchSettings:
    """Settings of ``osimexp bench physics``, in ``conf/command/bench_physics.yaml``.

    Attributes:
        models: names of ``conf/model``, paths of ``.osim`` files, or names of osim-rl's models.
        osim_rl: folder, or folders, with releases of osim-rl (``pip install --no-deps --target
            FOLDER osim-rl``); null leaves its tasks out.
        rounds: number of rounds through all candidates, every second one backwards.
        seconds: time for each candidate in each round, s.
        batch: number of environments in a batch of the compiled equations.
        output: CSV file for the raw measurements; null writes none.
        tasks: tasks by the model's name; a model without a task is simulated alone.
    """

    models: tuple[str, ...]
    osim_rl: str | tuple[str, ...] | None
    rounds: Annotated[int, Field(ge=1)]
    seconds: Annotated[float, Field(gt=0.0)]
    batch: Annotated[int, Field(ge=1)]
    output: str | None
    tasks: dict[str, BenchTask] = field(default_factory=dict)

    @property
    def folders(self) -> tuple[Path, ...]:
        """Folders where releases of osim-rl are installed."""
        given = (self.osim_rl,) if isinstance(self.osim_rl, str) else self.osim_rl or ()
        return tuple(Path(folder).expanduser() for folder in given)


@dataclass(frozen=True)
class Candidate:
    """One way to step a model.

    Attributes:
        what: the simulation alone, or a whole environment with observations and rewards.
        by: name of the simulator in the table.
        overrides: overrides of the main config that choose the simulator; osim-rl needs none.
    """

    what: Literal["simulation", "environment"]
    by: str
    overrides: tuple[str, ...] = ()


OPENSIM = Candidate("simulation", "OpenSim", ("physics=opensim",))
CANDIDATES = (
    OPENSIM,
    Candidate("simulation", "compiled", ("physics=compiled",)),
    Candidate("simulation", "compiled, 2 threads", ("physics=compiled", "workers.count=2")),
    Candidate("simulation", "lanes", ("physics=lanes",)),
    Candidate("simulation", "lanes, 2 threads", ("physics=lanes", "workers.count=2")),
    Candidate("environment", "compiled", ("physics=compiled",)),
    Candidate("environment", "lanes", ("physics=lanes",)),
)


@dataclass(frozen=True)
class Slice:
    """The measurement of one candidate in one round."""

    model: str
    round: int
    candidate: Candidate
    batch: int
    timing: Timing

    @property
    def rate(self) -> float:
        """Environment steps per second of wall time."""
        return self.timing.steps / self.timing.seconds


def bench_physics(config: Mapping[str, Any], added: Sequence[Path] = ()) -> float:
    """Print a table of steps per second, and return the number of models measured.

    Args:
        config: config of the benchmark.
        added: folders with options of the user's own.
    """
    settings = check(PhysicsBenchSettings, config, "bench")
    slices = [s for name in settings.models for s in _measured(name, settings, added)]
    Console().print(table(slices, bool(settings.folders)))
    say("Steps of 10 ms under random excitations; medians over rounds, ratios within each.")
    if not settings.folders:
        say("osim-rl's tasks are left out: give the folder of its installation, osim_rl=FOLDER.")
    if stalls := sum(s.timing.stalls for s in slices):
        stalled = sum(s.timing.stalled for s in slices)
        say(f"Steps of osim-rl over {STALL} s are left out: {stalls}, {stalled:.0f} s together.")
    if settings.output is not None:
        _write(Path(settings.output), slices)
    return float(len(settings.models))


def _measured(name: str, settings: PhysicsBenchSettings, added: Sequence[Path]) -> Iterator[Slice]:
    """Yield the measurement of each candidate with a model in each round."""
    with ExitStack() as stack:
        steppers = list(_steppers(name, settings, added, stack))
        for number in range(settings.rounds):
            say(f"{name}: round {number + 1} of {settings.rounds}", error=True)
            for candidate, batch, run in steppers[:: -1 if number % 2 else 1]:
                yield Slice(Path(name).stem, number, candidate, batch, run(settings.seconds))


def _steppers(
    name: str, settings: PhysicsBenchSettings, added: Sequence[Path], stack: ExitStack
) -> Iterator[tuple[Candidate, int, Stepper]]:
    """Yield the candidates for a model, their batch sizes and the functions that step them."""
    task = settings.tasks.get(Path(name).stem)
    theirs = task.osim_rl if task is not None and settings.folders else None
    folder = None if theirs is None else folder_with(theirs, settings.folders)
    model: PreparedModel | None = None
    for candidate in CANDIDATES:
        overrides = (*COMMON, *(task.overrides if task else ()), *candidate.overrides)
        specification = _specification(name, settings.folders, overrides, added)
        batch = 1 if candidate is OPENSIM else settings.batch
        model = model or prepare(specification.model, specification.muscles, specification.forces)
        if candidate.what == "simulation":
            simulation = _simulation(model, specification, batch)
            yield candidate, batch, simulation_stepper(stack.enter_context(closing(simulation)))
        elif task is not None:
            environment = MusculoskeletalVectorEnv(specification, batch, model=model)
            yield candidate, batch, environment_stepper(stack.enter_context(closing(environment)))
    if theirs is not None and folder is not None:
        run = stack.enter_context(osim_rl_stepper(folder, theirs))
        yield Candidate("environment", f"osim-rl {theirs}"), 1, run
    elif theirs is not None:
        say(f"osim-rl's {theirs} is left out: no folder has it.", error=True)


def _simulation(model: PreparedModel, specification: Specification, batch: int) -> Simulation:
    """Return the simulation alone; it reads no fields that cost time."""
    period = specification.task.control_period
    physics, workers = specification.physics, specification.workers
    return simulate(model, physics, workers, batch, period, frozenset())


def _specification(
    name: str, folders: Sequence[Path], overrides: Sequence[str], added: Sequence[Path]
) -> Specification:
    model = [f"model={name}"]
    if name.endswith(".osim"):
        places = [Path(name), *(folder / "osim" / "models" / name for folder in folders)]
        path = str(next((place for place in places if place.is_file()), name))
        model = ["model=file", "model.paths=fitted", setting("model.path", path)]
    return Specification.from_config(compose("config", [*model, *overrides], added).values)


def table(slices: Sequence[Slice], beside_osim_rl: bool) -> Table:
    """Return a table with rates and ratios of every candidate, medians over rounds."""
    shown = Table(box=SIMPLE)
    shown.add_column("model", overflow="fold")
    shown.add_column("what", no_wrap=True)
    shown.add_column("by", no_wrap=True)
    for title in ("steps/s", "times OpenSim", *(["times osim-rl"] if beside_osim_rl else [])):
        shown.add_column(title, justify="right", no_wrap=title == "steps/s")
    for model in dict.fromkeys(s.model for s in slices):
        mine = [s for s in slices if s.model == model]
        opensim = {s.round: s.rate for s in mine if s.candidate is OPENSIM}
        theirs = {s.round: s.rate for s in mine if not s.candidate.overrides}
        label = model
        for candidate in dict.fromkeys(s.candidate for s in mine):
            these = [s for s in mine if s.candidate == candidate]
            cells = [f"{median(s.rate for s in these):,.0f}", _ratio(these, opensim)]
            if beside_osim_rl:
                cells.append(_ratio(these, theirs))
            shown.add_row(label, candidate.what, candidate.by, *cells)
            label = ""
        shown.add_section()
    return shown


def _ratio(slices: Sequence[Slice], others: dict[int, float]) -> str:
    if not others:
        return "-"
    ratio = median(s.rate / others[s.round] for s in slices)
    return f"{ratio:.3g}" if ratio < 100.0 else f"{ratio:,.0f}"


def _write(path: Path, slices: Sequence[Slice]) -> None:
    rows = [
        {
            "model": s.model,
            "round": s.round,
            "what": s.candidate.what,
            "by": s.candidate.by,
            "batch": s.batch,
            **asdict(s.timing),
        }
        for s in slices
    ]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, text.getvalue())
    except OSError as error:
        raise RunFolderError(f"{path} cannot be written: {error.strerror}.") from error
    say(f"Written to {path}")
