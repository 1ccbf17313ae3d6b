"""Search for run folders in a folder, a pattern or a whole sweep."""

import os
from collections.abc import Iterable, Iterator
from glob import glob
from pathlib import Path

from osimexp.errors import RunFolderError
from osimexp.experiment.layout import RECORD
from osimexp.experiment.run_folder import RunFolder


def find_runs(places: Iterable[str]) -> list[RunFolder]:
    """Return the runs at and below places, each once, in the order of places and then of names.

    Args:
        places: run folders, folders that contain some at any depth, or patterns of these (``*``).

    Raises:
        RunFolderError: a place does not exist or has no run.
    """
    found: dict[Path, RunFolder] = {}
    for place in places:
        here = sorted(glob(place)) or [place]  # noqa: PTH207 (a pattern may be absolute)
        runs = [run for path in here for run in _runs_under(Path(path))]
        if not runs:
            missing = "holds no run" if Path(here[0]).exists() else "is not there"
            raise RunFolderError(f"{place} {missing}; give a folder of runs, such as outputs.")
        found.update((path.resolve(), RunFolder(path)) for path in runs)
    return list(found.values())


def _runs_under(place: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(place):
        if RECORD in files:
            folders.clear()
            yield Path(folder)
        folders.sort()
