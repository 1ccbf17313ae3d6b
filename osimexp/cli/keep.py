"""Keep the controller of a run, with its task and nothing else, in a folder to pass on.

Usage: osimexp keep run=FOLDER to=FOLDER

The folder that is made is played as a run's is: by osimexp evaluate, render, view and gait.

Example:
    osimexp keep run=outputs/2025-01-31/12-00-00_gait2d_velocity_sac_s0 to=my_walker
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from osimexp.cli.launch import launch
from osimexp.config import check
from osimexp.experiment.run_folder import RunFolder
from osimexp.experiment.trained import keep
from osimexp.terminal import say


@dataclass(frozen=True)
class KeepSettings:
    """Settings of ``osimexp keep``, as ``conf/command/keep.yaml`` gives them.

    Attributes:
        run: folder of the run.
        to: folder to be made.
    """

    run: str
    to: str


def main() -> None:
    """Keep the controller of the run that the command line names."""
    launch(keep_policy, "command/keep", __doc__, lambda: (KeepSettings,))


def keep_policy(config: dict[str, Any]) -> float:
    """Write the folder, and return its size in bytes."""
    settings = check(KeepSettings, config, "keep")
    folder = keep(RunFolder.open(Path(settings.run)), Path(settings.to))
    size = sum(file.stat().st_size for file in folder.path.rglob("*") if file.is_file())
    say(f"Written to {folder.path}: {size / 1000.0:.0f} kB")
    return float(size)


if __name__ == "__main__":
    main()
