"""Removal of runs: of the files that runs and commands write, and of nothing else."""

import os
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path

from osimexp.errors import RunFolderError

FAILURE = "failure.json"
"""File of a sweep's job that has no run: the reason."""

_BEGUN = ("checkpoints", "evaluations")
"""Folders that are made before anything else of a run."""

_WHOLE = ("config.yaml", "run.json")
"""Files by which a folder is a run's."""

_UNFINISHED = ".unfinished"
"""File that is there while a run's folder is made."""

_HELPERS = (FAILURE, _UNFINISHED, ".lock", ".*.part")

_WRITTEN = (
    *_HELPERS, "config.yaml", "overrides.yaml", "run.json", "model.osim", "metrics.csv",
    "events.out.tfevents.*", "checkpoints/*.pt", "checkpoints/.*.part", "evaluations/*.json",
    "evaluations/.*.part", "inputs/model.*", "inputs/movement.*",
)  # fmt: skip
"""Files of a run."""

_MADE_OF_RUNS = (
    "movements/*", "gait/*", "*.mp4", "*.gif", "*.png", "*.html", "*.csv", "*.sto", "*.mot",
)  # fmt: skip
"""Files that commands write into a run's folder when they are asked to."""


def check_removable(folder: Path, results: bool = False) -> None:
    """Refuse to remove a folder that holds anything which no run wrote.

    Args:
        folder: folder of a run, or of one that was killed while its folder was made.
        results: whether what other commands made of the run may be removed, too.

    Raises:
        RunFolderError: it holds something else, or is a link.
    """
    known = (*_WRITTEN, *(_MADE_OF_RUNS if results else ()))
    files = list(_files(folder, ""))
    other = [name for name in files if not _like(name, known)]
    begun = [(folder / part).is_dir() for part in _BEGUN]
    whole = [(folder / part).is_file() for part in _WHOLE]
    ours = all(begun) or all(whole) or (folder / _UNFINISHED).is_file()
    if not other and not ours:  # Files of these names may be anybody's.
        other = [name for name in files if not _like(name, _HELPERS)]
    if folder.is_symlink() or other:
        what = f"holds {other[0]}, which no run wrote" if other else "is a link"
        raise RunFolderError(
            f"{folder} {what}, so it is not removed; move it elsewhere, or give another folder."
        )


def remove_run(folder: Path, results: bool = False) -> None:
    """Remove a run's folder.

    Args:
        folder: folder of the run.
        results: whether to remove what other commands made of the run, too.

    Raises:
        RunFolderError: it holds something that no run wrote, or cannot be removed.
    """
    check_removable(folder, results)
    try:
        for name in _files(folder, ""):
            (folder / name).unlink()
        for place, _, _ in os.walk(folder, topdown=False):
            Path(place).rmdir()
    except OSError as error:
        raise RunFolderError(f"{folder} cannot be removed: {error.strerror}.") from error


def _like(name: str, patterns: Iterable[str]) -> bool:
    """Return whether a path is as one of some patterns, folder by folder."""
    return any(
        name.count("/") == pattern.count("/") and fnmatchcase(name, pattern) for pattern in patterns
    )


def _files(folder: Path, before: str) -> Iterator[str]:
    """Yield everything below a folder that is no folder, by its path from there; links are that."""
    for entry in sorted(folder.iterdir()):
        name = f"{before}{entry.name}"
        if entry.is_dir() and not entry.is_symlink():
            yield from _files(entry, f"{name}/")
        else:
            yield name
