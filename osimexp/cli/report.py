"""Write a comparison of runs as one html page with everything inside.

Usage: osimexp report FOLDER... [-o PAGE.html] [key=value ...]

A FOLDER is a run, a folder of runs, a sweep or a pattern. Runs that differ in their seeds alone are
a group. A table for LaTeX is written beside the page that -o names.

Example:
    osimexp report outputs/sweeps/2025-01-31/12-00-00 -o report.html
"""

import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from osimexp.cli.compare import as_settings
from osimexp.cli.launch import launch
from osimexp.config import check
from osimexp.errors import ConfigError, RunFolderError
from osimexp.files import write_text
from osimexp.results.choosing import compared
from osimexp.results.latex import latex
from osimexp.results.movement import MovementSettings, moved, movement_lines
from osimexp.results.page import page
from osimexp.terminal import say


@dataclass(frozen=True)
class ReportSettings:
    """Settings of ``osimexp report``, as ``conf/command/report.yaml`` gives them.

    Attributes:
        runs: folders of runs, patterns of folders, or whole sweeps.
        figure: name of the metric, of final evaluations.
        allow: keys that may differ, although the runs then do not have the same task.
        output: file of the page.
        resamples: number of resamples of each bootstrap.
        largest_video: size above which a video is named and not shown, MB.
        movement: episodes that are played to compare movements.
    """

    runs: tuple[str, ...]
    figure: str
    allow: tuple[str, ...]
    output: str
    resamples: Annotated[int, Field(ge=100)]
    largest_video: Annotated[float, Field(ge=0.0)]
    movement: MovementSettings


def main() -> None:
    """Write the page that the command line describes."""
    sys.argv[1:] = as_settings(sys.argv[1:])
    launch(report, "command/report", __doc__, lambda: (ReportSettings,))


def report(config: dict[str, Any]) -> float:
    """Write the page and the table, and return the number of groups."""
    settings = check(ReportSettings, config, "report")
    file = Path(settings.output)
    if file.suffix not in (".html", ".htm"):
        raise ConfigError(f"output is {file}, but a report is a page; name it .html.")
    comparison, left_out = compared(
        settings.runs, settings.figure, settings.allow, settings.resamples
    )
    movement: list[list[str]] = []
    if settings.movement.any:
        movement = movement_lines(moved(comparison, settings.movement), settings.resamples)
    again = command_of(settings)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_text(file, page(comparison, movement, left_out, again, settings.largest_video))
        write_text(file.with_suffix(".tex"), latex(comparison))
    except OSError as error:
        raise RunFolderError(f"{file} cannot be written: {error.strerror}.") from error
    say(f"Written: {file} and {file.with_suffix('.tex')}")
    return float(len(comparison.standings))


def command_of(settings: ReportSettings) -> str:
    """Return the command that writes this page into the current folder."""
    words = [*settings.runs, f"figure={settings.figure}"]
    if settings.allow:
        words.append(f"allow=[{','.join(settings.allow)}]")
    if settings.movement.any:
        words += [f"movement.{key}={value}" for key, value in vars(settings.movement).items()]
    return shlex.join(["python", "-m", "osimexp.report", *words, "-o", Path(settings.output).name])


if __name__ == "__main__":
    main()
