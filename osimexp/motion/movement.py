"""One movement over time, as it is recorded, read from a file, replayed, drawn and measured."""

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from osimexp.arrays import Floats


def _none() -> Floats:
    return np.zeros((0, 0))


@dataclass(frozen=True)
class Movement:
    """A movement of one model; each array has a leading axis of ``T`` moments.

    What a source does not know has no names and no columns: the joint angles of a motion capture
    come without muscles, say.

    Attributes:
        time: ``(T,)`` s, rising.
        coordinates: names of the generalised coordinates.
        rotational: ``(coordinates,)`` whether each is an angle and not a length.
        positions: ``(T, coordinates)`` rad or m.
        speeds: ``(T, coordinates)`` rad/s or m/s.
        muscles: names.
        controls: names of the controls; none where they are unknown. Those of muscles are called
            as the muscles.
        control_values: ``(T, controls)``, held until the next moment: excitations in [0, 1],
            controls of other actuators, components of external forces (N).
        activations: ``(T, muscles)`` in [0, 1].
        fibre_lengths: ``(T, muscles)`` in optimal fibre lengths; no columns where unknown.
        fibre_velocities: ``(T, muscles)`` in maximum contraction velocities, shortening negative;
            no columns where unknown.
        tendon_forces: ``(T, muscles)`` N; no columns where unknown.
        feet: names.
        ground_reaction: ``(T, feet, 3)`` N, force of the ground on each foot; x forward, y up.
        foot_positions: ``(T, feet, 3)`` m, where that force acts: the centre of pressure where it
            is known, else the origin of the foot's body, brought down to the floor.
        targets: name to ``(T, 3)`` m, points that are to be reached.
        mass: of the model, kg; 0 where unknown.
    """

    time: Floats
    coordinates: tuple[str, ...]
    rotational: NDArray[np.bool_]
    positions: Floats
    speeds: Floats
    muscles: tuple[str, ...] = ()
    controls: tuple[str, ...] = ()
    control_values: Floats = field(default_factory=_none)
    activations: Floats = field(default_factory=_none)
    fibre_lengths: Floats = field(default_factory=_none)
    fibre_velocities: Floats = field(default_factory=_none)
    tendon_forces: Floats = field(default_factory=_none)
    feet: tuple[str, ...] = ()
    ground_reaction: Floats = field(default_factory=lambda: np.zeros((0, 0, 3)))
    foot_positions: Floats = field(default_factory=lambda: np.zeros((0, 0, 3)))
    targets: dict[str, Floats] = field(default_factory=dict)
    mass: float = 0.0

    def __len__(self) -> int:
        """Return how many moments there are, ``T``."""
        return len(self.time)

    @property
    def excitations(self) -> Floats:
        """Excitations ``(T, muscles)`` in [0, 1]; no columns where that of a muscle is unknown."""
        if not self.muscles or not set(self.muscles) <= set(self.controls):
            return _none()
        return self.control_values[:, [self.controls.index(name) for name in self.muscles]]

    @property
    def duration(self) -> float:
        """Seconds from the first moment to the last."""
        return float(self.time[-1] - self.time[0])

    def since(self, seconds: float) -> "Movement":
        """Return the same from so many seconds behind its first moment on; empty where it is over.

        Times stay what they were.
        """
        rest = self.time >= self.time[0] + seconds - 1e-9
        kept = {name: getattr(self, name)[rest] for name in _OVER_TIME if len(getattr(self, name))}
        targets = {name: points[rest] for name, points in self.targets.items()}
        return replace(self, targets=targets, **kept)

    def coordinate(self, name: str) -> Floats:
        """Return ``(T,)`` values of a coordinate, rad or m."""
        return self.positions[:, self.coordinates.index(name)]


_OVER_TIME = (
    "time", "positions", "speeds", "control_values", "activations", "fibre_lengths",
    "fibre_velocities", "tendon_forces", "ground_reaction", "foot_positions",
)  # fmt: skip
