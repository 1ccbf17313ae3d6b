"""Measure a walk, or draw the angles, forces and muscles of any other movement.

Usage: osimexp gait run=FOLDER [key=value ...]
       osimexp gait movement=FILE ground_reactions=FILE model=file model.path=FILE

Examples:
    osimexp gait run=outputs/2025-01-31/12-00-00_gait2d_walk_sac_s0
    osimexp gait movement=walk.mot ground_reactions=walk_grf.mot model=file model.path=my.osim
"""

from dataclasses import fields
from pathlib import Path
from typing import Any

from osimexp.analysis.gait import tables
from osimexp.analysis.gait.report import report
from osimexp.analysis.gait.settings import GaitSettings
from osimexp.analysis.shown import Shown
from osimexp.cli.launch import launch
from osimexp.config import check
from osimexp.errors import RunFolderError
from osimexp.experiment.playing import Changes
from osimexp.experiment.showing import ShownSettings, shown
from osimexp.tasks.specification import Specification
from osimexp.terminal import Console, say


def main() -> None:
    """Measure the movement that the command line names."""
    launch(
        measure_gait,
        "command/gait",
        __doc__,
        lambda: (ShownSettings, GaitSettings, Changes, Specification),
    )


def measure_gait(config: dict[str, Any]) -> float:
    """Print the gait parameters, write figures and tables, and return the number of strides."""
    own = {field.name: config[field.name] for field in fields(GaitSettings)}
    settings = check(GaitSettings, own, "gait")
    movement, _ = shown(config)
    found = report(movement, settings)
    console = Console()
    if found.gait is None:
        say(f"{found.reason} The movement is drawn over time instead.")
    else:
        console.print(tables.table(found.gait))
        for note in found.gait.notes:
            say(note)
        say("Normal, after:")
        for source in tables.sources(found.gait):
            say(f"  {source}")
    folder = _folder(movement, settings)
    try:
        files = found.write(folder)
    except OSError as error:
        raise RunFolderError(f"{folder} cannot be written: {error.strerror}.") from error
    names = ", ".join(file.name for file in files)
    say(f"Written to {folder}: {names}")
    return float(len(found.gait.strides)) if found.gait is not None else 0.0


def _folder(movement: Shown, settings: GaitSettings) -> Path:
    if settings.output is not None:
        return Path(settings.output)
    if movement.home is not None:
        return movement.home / "gait"
    return Path(f"{movement.name}_gait")


if __name__ == "__main__":
    main()
