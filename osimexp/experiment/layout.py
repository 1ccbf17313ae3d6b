"""The names of the files of a run's folder, by which they are written, read and removed."""

import re
from fnmatch import fnmatchcase

CONFIG, OVERRIDES, RECORD = "config.yaml", "overrides.yaml", "run.json"
MODEL, METRICS = "model.osim", "metrics.csv"

CHECKPOINTS, EVALUATIONS, INPUTS = "checkpoints", "evaluations", "inputs"
"""Folders of checkpoints, of evaluations, and of copies of what the run was made from."""

LOCK = ".lock"

UNFINISHED = ".unfinished"
"""File that is there while a run's folder is made."""

FAILURE = "failure.json"
"""File of a sweep's job that has no run: the reason."""

INPUT_KINDS = ("model", "movement")

HELPERS = (FAILURE, UNFINISHED, LOCK, ".*.part")
"""Patterns of files that may be there without a run."""

_WRITTEN = (
    *HELPERS, CONFIG, OVERRIDES, RECORD, MODEL, METRICS, "events.out.tfevents.*",
    f"{CHECKPOINTS}/*.pt", f"{CHECKPOINTS}/.*.part", f"{EVALUATIONS}/*.json",
    f"{EVALUATIONS}/.*.part",
)  # fmt: skip

_MADE_OF_RUNS = (
    "movements/*", "gait/*", "*.mp4", "*.gif", "*.png", "*.html", "*.csv", "*.sto", "*.mot",
)  # fmt: skip

_INPUT = re.compile(rf"({'|'.join(INPUT_KINDS)})(\.[0-9]+)?(\.[A-Za-z0-9]+)?")


def input_name(kind: str, place: int, suffix: str) -> str:
    """Return the name of a copy in the folder of inputs.

    Args:
        kind: one of ``INPUT_KINDS``.
        place: number of copies of that kind that are there already.
        suffix: suffix of the file; one that is no plain word is left out, and so is a number, which
            would be taken for that of a copy.
    """
    number = f".{place + 1}" if place else ""
    plain = re.fullmatch(r"\.[A-Za-z][A-Za-z0-9]*", suffix)
    return f"{kind}{number}{suffix if plain else ''}"


def is_input(name: str) -> bool:
    """Return whether a name is one that ``input_name`` gives."""
    return _INPUT.fullmatch(name) is not None


def is_written(name: str) -> bool:
    """Return whether a path within a folder is that of a file that a run writes."""
    folder, _, file = name.rpartition("/")
    return is_like(name, _WRITTEN) or (folder == INPUTS and is_input(file))


def is_made_of_run(name: str) -> bool:
    """Return whether a path is that of a file which commands make of a run when they are asked."""
    return is_like(name, _MADE_OF_RUNS)


def is_like(name: str, patterns: tuple[str, ...]) -> bool:
    """Return whether a path is as one of some patterns, folder by folder."""
    return any(
        name.count("/") == pattern.count("/") and fnmatchcase(name, pattern) for pattern in patterns
    )
