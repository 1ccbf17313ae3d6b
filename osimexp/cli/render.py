"""Render the policy of a run, or the movement in a file, as a video or a picture.

Usage: osimexp render run=FOLDER -o FILE [key=value ...]
       osimexp render movement=FILE model=file model.path=my.osim -o FILE [key=value ...]

Examples:
    osimexp render run=outputs/2025-01-31/12-00-00_gait2d_velocity_sac_s0 -o walk.mp4
    osimexp render controller=walk view=oblique moments=6 -o walk.png
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

from osimexp.cli.launch import launch
from osimexp.config import check
from osimexp.experiment.playing import Changes
from osimexp.experiment.showing import ShownSettings, shown
from osimexp.tasks.specification import Specification
from osimexp.terminal import say
from osimexp.visual.clip import Clip, ClipSettings, write_clip
from osimexp.words import with_keys


@dataclass(frozen=True)
class RenderSettings(ClipSettings):
    """Settings of ``osimexp render``, without those of the movement.

    Attributes:
        output: file to write: .mp4, .gif, or .png for a strip of pictures.
    """

    output: str = "clip.mp4"


def main() -> None:
    """Render the movement that the command line names."""
    sys.argv[1:] = with_keys(sys.argv[1:], {"-o": "output", "--output": "output"})
    launch(
        render,
        "command/render",
        __doc__,
        lambda: (ShownSettings, RenderSettings, Changes, Specification),
    )


def render(config: dict[str, Any]) -> float:
    """Write the clip, and return the number of frames rendered per second."""
    one, own = shown(config)
    settings = check(RenderSettings, own, "render")
    output = Path(settings.output)
    clip = Clip(one.figure, one.movement, one.poses, settings)
    begun = perf_counter()
    count = write_clip(output, clip)
    rate = count / (perf_counter() - begun)
    say(f"Written to {output} ({count} frames of {settings.width}x{settings.height}, "
          f"{rate:.0f} frames/s)")  # fmt: skip
    return rate


if __name__ == "__main__":
    main()
