"""Mutated run folders, models and movements, and the commands that read them."""

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from osimexp.bench.faults.cases import Case, outcome_of, said_by
from osimexp.bench.faults.commands import READING, SMALL, Setting, command, done, reading, trained
from osimexp.bench.faults.mutations import mutate, mutate_folder
from osimexp.bench.faults.processes import Job, run, run_all

ARM_FILE = (
    "model=file",
    "model.path=model.osim",
    "++model.points.hand={body: forearm, location: [0.0, -0.3, 0.0]}",
    "++model.workspace.shoulder_flexion=[-0.6, 0.35]",
    "++model.workspace.elbow_flexion=[0.3, 1.7]",
)

_NOT_FINITE = re.compile(r"(?:^|,)-?(?:nan|inf)(?:,|$)", re.IGNORECASE | re.MULTILINE)

Mutate = Callable[[Path, np.random.Generator], str]


def folders(setting: Setting) -> Iterator[Case]:
    """Yield a case for each mutated run folder, read by one of the commands that read them."""
    works = {verb: reading(verb, "run") for verb in READING}
    yield from _cases(setting, "folders", trained(setting), mutate_folder, works)


def models(setting: Setting) -> Iterator[Case]:
    """Yield a case for each mutated ``.osim`` file, described, or compiled and trained on."""
    model = trained(setting) / "model.osim"
    short = ("run.steps=64", "run.folder=run")
    works = {
        "describe": command("describe", "reward=reach", *ARM_FILE),
        "describe too": command("describe", "reward=reach", *ARM_FILE, "model.paths=fitted"),
        "train": command("train", *SMALL[1:], *ARM_FILE, *short),
    }
    yield from _cases(setting, "osim", model, mutate, works)


def movements(setting: Setting) -> Iterator[Case]:
    """Yield a case for each mutated ``.mot`` file, measured, drawn and shown."""
    movement = setting.folder / "movement.mot"
    movement.write_text(movement_text())
    named = ("movement=movement.mot", "model=arm", "model.paths=geometry")
    works = {
        "gait": command("gait", *named, "output=gait"),
        "view": command("view", *named, "export=view.html"),
        "render": command(
            "render", *named, "output=clip.png", "moments=2", "width=64", "height=64"
        ),
    }
    yield from _cases(setting, "mot", movement, mutate, works)


def movement_text() -> str:
    """Return a ``.mot`` file of a second of an arm that flexes."""
    rows = [f"{t:.2f}\t{10.0 * t:.4f}\t{90.0 * t:.4f}" for t in np.arange(51) / 50]
    head = ["Coordinates", "version=1", f"nRows={len(rows)}", "nColumns=3", "inDegrees=yes"]
    names = "time\tshoulder_flexion\telbow_flexion"
    return "\n".join([*head, "endheader", names, *rows]) + "\n"


def _cases(
    setting: Setting, piece: str, source: Path, change: Mutate, works: dict[str, Callable[[], None]]
) -> Iterator[Case]:
    """Yield the cases of a piece: each reads a mutated input by the next of the commands."""
    verbs, changes, sound = list(works), {}, {}
    for verb, work in works.items():
        # What is refused unchanged would be refused changed, and the campaign would find nothing.
        place = setting.folder / f"sound {verb}"
        _copy(source, place)
        done(run(Job(work, place, 600.0)))
        sound[verb] = _finite(place)

    def jobs() -> Iterator[Job]:
        for number in range(setting.count):
            place = setting.folder / f"{number}"
            generator = np.random.default_rng([setting.seed, number])
            changes[number] = change(_copy(source, place), generator)
            yield Job(works[verbs[number % len(verbs)]], place, setting.limit)

    for number, ended in run_all(jobs(), setting.processes):
        place, verb = setting.folder / f"{number}", verbs[number % len(verbs)]
        outcome = outcome_of(ended)
        if outcome == "fine" and sound[verb] and not _finite(place):
            outcome = "silent"
        if outcome in ("fine", "refused"):
            shutil.rmtree(place, ignore_errors=True)
        said = "" if outcome == "fine" else said_by(ended)
        yield Case(piece, number, verb, changes[number], outcome, ended.seconds, said)


def _copy(source: Path, place: Path) -> Path:
    """Return a copy of a file or folder in a new place."""
    place.mkdir(parents=True)
    target = place / source.name
    if source.is_dir():
        shutil.copytree(source, target)
    else:
        shutil.copy(source, target)
    return target


def _finite(place: Path) -> bool:
    """Return whether the tables that a command has written have finite numbers alone."""
    tables = (file for file in place.rglob("*.csv") if "run" not in file.parts)
    return not any(_NOT_FINITE.search(file.read_text(errors="replace")) for file in tables)
