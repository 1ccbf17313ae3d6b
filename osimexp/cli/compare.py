"""Compare groups of runs by a metric, and write tables, CSV files and figures.

Usage: osimexp compare FOLDER... [-o FOLDER] [key=value ...]

A FOLDER is a run, a folder of runs, a sweep or a pattern. Runs that differ in their seeds alone are
a group; -o names the folder that is written.

Examples:
    osimexp compare outputs/sweeps/2025-01-31/12-00-00
    osimexp compare outputs/a outputs/b figure=distance movement.walks=5 -o outputs/a_and_b
"""

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from osimexp.analysis.gait.panels import encoded
from osimexp.cli.launch import launch
from osimexp.config import check
from osimexp.errors import RunFolderError
from osimexp.files import csv_text, replacing, write_text
from osimexp.results.choosing import compared
from osimexp.results.comparison import Comparison
from osimexp.results.figures import draw_curves, draw_profiles, draw_scores
from osimexp.results.movement import MovementSettings, moved, movement_rows, movement_table
from osimexp.results.tables import pairs_table, standings_table, write_tables
from osimexp.terminal import Console, is_terminal, say
from osimexp.words import is_place, quoted, with_keys, words_and_flags


@dataclass(frozen=True)
class CompareSettings:
    """Settings of ``osimexp compare``, as ``conf/command/compare.yaml`` gives them.

    Attributes:
        runs: folders of runs, patterns of folders, or whole sweeps.
        figure: name of the metric, of final evaluations.
        allow: keys that may differ, although the runs then do not have the same task.
        output: folder for tables and figures; null makes one with the time in its name.
        resamples: number of resamples of each bootstrap.
        movement: episodes that are played to compare movements.
    """

    runs: tuple[str, ...]
    figure: str
    allow: tuple[str, ...]
    output: Annotated[str, Field(min_length=1)] | None
    resamples: Annotated[int, Field(ge=100)]
    movement: MovementSettings


def main() -> None:
    """Compare the runs that the command line names."""
    sys.argv[1:] = as_settings(sys.argv[1:])
    launch(compare_runs, "command/compare", __doc__, lambda: (CompareSettings,))


def as_settings(arguments: Iterable[str]) -> list[str]:
    """Return a command line with its folders and ``-o`` written as settings."""
    words, flags = words_and_flags(with_keys(arguments, {"-o": "output"}))
    places = [word for word in words if is_place(word)]
    settings = [word for word in words if not is_place(word)]
    if places:
        settings.append(f"runs=[{','.join(map(quoted, places))}]")
    return [*settings, *flags]


def compare_runs(config: dict[str, Any]) -> float:
    """Print and write the comparison, and return the number of groups."""
    settings = check(CompareSettings, config, "compare")
    comparison, left_out = compared(
        settings.runs, settings.figure, settings.allow, settings.resamples
    )
    for reason in left_out:
        say(f"Left out: {reason}")
    console = Console(width=None if is_terminal() else 160)
    console.print(standings_table(comparison))
    if comparison.pairs:
        console.print()
        console.print(pairs_table(comparison))
    for warning in comparison.warnings():
        say(f"Note: {warning}")
    now = datetime.now().strftime("%Y-%m-%d/%H-%M-%S")
    folder = Path(settings.output or f"outputs/comparisons/{now}")
    files = write(comparison, folder)
    say(f"Written to {folder}: {', '.join(file.name for file in files)}")
    if settings.movement.any:
        groups = moved(comparison, settings.movement)
        console.print()
        console.print(movement_table(groups, settings.resamples))
        write_text(folder / "movement.csv", csv_text(movement_rows(groups)))
        say(f"Written to {folder}: movement.csv")
    return float(len(comparison.standings))


def write(comparison: Comparison, folder: Path) -> list[Path]:
    """Write tables and figures, and return their paths.

    Raises:
        RunFolderError: the folder cannot be written.
    """
    drawn = {"scores": draw_scores, "curves": draw_curves, "profiles": draw_profiles}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        files = write_tables(comparison, folder)
        for name, draw in drawn.items():
            files.append(folder / f"{name}.png")
            with replacing(files[-1]) as stream:
                stream.write(encoded(draw(comparison)))
    except OSError as error:
        raise RunFolderError(f"{folder} cannot be written: {error.strerror}.") from error
    return files


if __name__ == "__main__":
    main()
