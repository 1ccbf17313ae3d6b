"""Removal of runs: of the files that runs and commands write, and of nothing else."""

import os
from collections.abc import Iterator
from pathlib import Path

from osimexp.errors import RunFolderError
from osimexp.experiment.layout import (
    CHECKPOINTS,
    CONFIG,
    EVALUATIONS,
    HELPERS,
    RECORD,
    UNFINISHED,
    is_like,
    is_made_of_run,
    is_written,
)


def check_removable(folder: Path, results: bool = False) -> None:
    """Refuse to remove a folder that holds anything which no run wrote.

    Args:
        folder: folder of a run, or of one that was killed while its folder was made.
        results: whether what other commands made of the run may be removed, too.

    Raises:
        RunFolderError: it holds something else, or is a link.
    """
    files = list(_files(folder, ""))
    other = [n for n in files if not (is_written(n) or (results and is_made_of_run(n)))]
    begun = [(folder / part).is_dir() for part in (CHECKPOINTS, EVALUATIONS)]  # Made first.
    whole = [(folder / part).is_file() for part in (CONFIG, RECORD)]
    ours = all(begun) or all(whole) or (folder / UNFINISHED).is_file()
    if not other and not ours:  # Files of these names may be anybody's.
        other = [name for name in files if not is_like(name, HELPERS)]
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


def _files(folder: Path, before: str) -> Iterator[str]:
    """Yield everything below a folder that is no folder, by its path from there; links are that."""
    for entry in sorted(folder.iterdir()):
        name = f"{before}{entry.name}"
        if entry.is_dir() and not entry.is_symlink():
            yield from _files(entry, f"{name}/")
        else:
            yield name
