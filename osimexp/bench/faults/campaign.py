"""The campaign: its settings, its pieces one after the other, and the counts that it writes."""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field
from rich.box import SIMPLE
from rich.table import Table

from osimexp.bench.faults.cases import OUTCOMES, Case, counts
from osimexp.bench.faults.commands import Setting, prepare
from osimexp.bench.faults.flips import flipped
from osimexp.bench.faults.inputs import folders, models, movements
from osimexp.bench.faults.kills import killed
from osimexp.bench.faults.overrides import overrides
from osimexp.bench.faults.page import crowded
from osimexp.bench.faults.repeats import repeated, soaked
from osimexp.config import check
from osimexp.errors import RunFolderError
from osimexp.experiment.provenance import provenance
from osimexp.files import csv_text, write_json, write_text
from osimexp.terminal import Console, say

Piece = Literal[
    "kills", "flips", "folders", "osim", "mot", "overrides", "determinism", "soak", "page"
]
Count = Annotated[int, Field(ge=1)]

PIECES: dict[Piece, Callable[[Setting], Iterator[Case]]] = {
    "kills": killed,
    "flips": flipped,
    "folders": folders,
    "osim": models,
    "mot": movements,
    "overrides": overrides,
    "determinism": repeated,
    "soak": soaked,
    "page": crowded,
}
"""Pieces of the campaign by name, each a function that yields its cases."""


@dataclass(frozen=True)
class FaultsBenchSettings:
    """Settings of ``osimexp bench faults``, in ``conf/command/bench_faults.yaml``.

    Attributes:
        pieces: pieces of the campaign.
        seed: seed of every piece.
        processes: cases that run side by side.
        limit: wall time after which a case hangs, s.
        output: folder for cases, counts and the files of faults.
        kills: kills of trainings.
        flips: bits flipped in checkpoints, and as many in the cache of compiled models.
        folders: mutated run folders.
        osim: mutated models.
        mot: mutated movements.
        overrides: command lines that Hypothesis makes up.
        determinism: trainings of each algorithm, model and back end, which must be equal.
        soak: steps of a training whose memory, threads and open files must not grow.
        page: connections to a page that has to answer all the same.
    """

    pieces: tuple[Piece, ...]
    seed: Annotated[int, Field(ge=0)]
    processes: Count
    limit: Annotated[float, Field(gt=0.0)]
    output: str
    kills: Count
    flips: Count
    folders: Count
    osim: Count
    mot: Count
    overrides: Count
    determinism: Annotated[int, Field(ge=2)]
    soak: Count
    page: Count


def bench_faults(config: Mapping[str, Any], added: Sequence[Path] = ()) -> float:
    """Run the campaign, print and write its counts, and return the number of faults found.

    Args:
        config: config of the benchmark.
        added: folders of the user's own options, which this command does not use.

    Raises:
        ConfigError: a setting is refused, or Hypothesis is not installed.
        RunFolderError: the output folder is not empty, or cannot be written.
        SimulationError: what a piece begins from failed by itself.
    """
    settings = check(FaultsBenchSettings, config, "bench")
    folder = _made(Path(settings.output).absolute())
    prepare()
    cases: list[Case] = []
    for piece in dict.fromkeys(settings.pieces):
        place = folder / piece
        place.mkdir()
        setting = Setting(place, settings.seed, getattr(settings, piece), settings.processes,
                          settings.limit)  # fmt: skip
        for case in PIECES[piece](setting):
            cases.append(case)
            if case.fault:
                say(f"{piece} {case.number}: {case.subject}, {case.change}: {case.outcome}: "
                    f"{case.said}")  # fmt: skip
        write(folder, settings, cases)
        own = counts(cases)[piece]
        say(f"{piece}: " + ", ".join(f"{own[o]} {o}" for o in OUTCOMES if o in own))
        if not any(case.fault for case in cases if case.piece == piece):
            shutil.rmtree(place)
    Console().print(table(cases))
    found = sum(case.fault for case in cases)
    say(f"{found} faults in {len(cases)} cases. Written to {folder}: cases.csv, counts.json")
    return float(found)


def write(folder: Path, settings: FaultsBenchSettings, cases: Sequence[Case]) -> None:
    """Write every case as a row of ``cases.csv``, and the counts to ``counts.json``."""
    rows = [
        [f"{v:.3f}" if isinstance(v, float) else v for v in astuple(case)]
        for case in sorted(cases, key=lambda c: (list(PIECES).index(c.piece), c.subject, c.number))  # type: ignore[arg-type]
    ]
    write_text(folder / "cases.csv", csv_text([[field.name for field in fields(Case)], *rows]))
    write_json(
        folder / "counts.json",
        {
            "settings": {**vars(settings), "pieces": list(settings.pieces)},
            "counts": {piece: dict(own) for piece, own in counts(cases).items()},
            **provenance(),
        },
    )


def table(cases: Sequence[Case]) -> Table:
    """Return the counts as a table, with a row for each piece and a column for each outcome."""
    made = Table(box=SIMPLE, title="Cases by their outcomes", title_justify="left")
    made.add_column("piece")
    for outcome in OUTCOMES:
        made.add_column(outcome, justify="right")
    for piece, own in counts(cases).items():
        made.add_row(piece, *(str(own.get(outcome, 0) or "") for outcome in OUTCOMES))
    return made


def _made(folder: Path) -> Path:
    """Return the output folder, made and empty.

    Raises:
        RunFolderError: it is not empty, or cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise RunFolderError(f"{folder} is not empty; give output another name.")
    except OSError as error:
        raise RunFolderError(f"{folder} cannot be made: {error.strerror}.") from error
    return folder
