"""Force plates under the feet of the made-up walk, and files of them."""

from pathlib import Path

import gait_walker as walker
import numpy as np

from osimexp.motion.standing import Feet
from osimexp.motion.tables import Table, write_table

WALK = walker.movement()
AHEAD = np.array([0.1, 0.0, 0.0])
"""Way from the heel to the centre of pressure, m."""

BOTH = ("ground_force_", "1_ground_force_")


def feet(planar: bool = False) -> Feet:
    places = walker.feet(WALK.time)
    if planar:
        places[:, :, 2] = 0.0
    points = [np.stack([path, path + 2.0 * AHEAD], axis=1) for path in places.transpose(1, 0, 2)]
    return Feet(WALK.time, dict(zip(("right", "left"), points, strict=True)))


def forces() -> list[np.ndarray]:
    """Return forces and points ``(T, 6)`` of the right and of the left foot."""
    places = walker.feet(WALK.time) + AHEAD
    return [np.hstack([WALK.ground_reaction[:, n], places[:, n]]) for n in range(2)]


def written(
    folder: Path, stems: tuple[str, ...], plates: list[np.ndarray], point: str = "p"
) -> Path:
    columns = [f"{stem}{kind}{axis}" for stem in stems for kind in ("v", point) for axis in "xyz"]
    file = folder / "grf.mot"
    write_table(file, Table("grf", tuple(columns), WALK.time, np.hstack(plates)))
    return file
