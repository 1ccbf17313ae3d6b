"""A movement over time, as it is recorded, read from a file, replayed, drawn and measured."""

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from osimexp.arrays import Floats

GRAVITY = 9.80665  # m/s^2, standard gravity


def _none() -> Floats:
    return np.zeros((0, 0))


@dataclass(frozen=True)
class Movement:
    """A movement of one model; each array has a leading axis of ``T`` moments.

    Quantities that a source does not have have no names and no columns: motion capture, for
    example, gives joint angles without muscles.

    Attributes:
        time: ``(T,)`` s, rising.
        coordinates: names of the generalised coordinates.
        rotational: ``(coordinates,)`` whether each is an angle and not a length.
        positions: ``(T, coordinates)`` values of the coordinates, rad or m.
        speeds: ``(T, coordinates)`` rates of the coordinates, rad/s or m/s.
        muscles: names of the muscles.
        controls: names of the controls; empty if they are unknown. The control of a muscle has the
            muscle's name.
        control_values: ``(T, controls)``, constant until the next moment: excitations in [0, 1],
            controls of other actuators, components of external forces (N).
        activations: ``(T, muscles)`` in [0, 1].
        fibre_lengths: ``(T, muscles)`` in optimal fibre lengths; no columns if unknown.
        fibre_velocities: ``(T, muscles)`` in maximum contraction velocities, negative when
            shortening; no columns if unknown.
        tendon_forces: ``(T, muscles)`` N; no columns if unknown.
        feet: names of the feet.
        ground_reaction: ``(T, feet, 3)`` force of the ground on each foot, N; x forward, y up; NaN
            where it is unknown.
        foot_positions: ``(T, feet, 3)`` point where that force acts, m: the centre of pressure or,
            if that is unknown, the origin of the foot's body projected to the floor.
        plates: whether the ground reactions are those of force plates, beside which a foot may
            stand, and not all that there are.
        targets: points to be reached, ``(T, 3)`` m each, by name.
        mass: mass of the model, kg; 0 if unknown.
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
    plates: bool = False
    targets: dict[str, Floats] = field(default_factory=dict)
    mass: float = 0.0

    def __len__(self) -> int:
        """Return the number of moments ``T``."""
        return len(self.time)

    @property
    def excitations(self) -> Floats:
        """Excitations ``(T, muscles)`` in [0, 1]; no columns if one is unknown."""
        if not self.muscles or not set(self.muscles) <= set(self.controls):
            return _none()
        return self.control_values[:, [self.controls.index(name) for name in self.muscles]]

    @property
    def duration(self) -> float:
        """Time from the first moment to the last, s."""
        return float(self.time[-1] - self.time[0])

    @property
    def weight(self) -> float:
        """Weight of the model, N; 0 if it is unknown."""
        return self.mass * GRAVITY

    def since(self, seconds: float) -> "Movement":
        """Return the movement without its first ``seconds``; empty if it is shorter.

        The times of the moments do not change.
        """
        return self.at(self.time >= self.time[0] + seconds - 1e-9)

    def at(self, moments: NDArray[np.bool_]) -> "Movement":
        """Return the movement at some of its moments, given by a mask ``(T,)``."""
        kept = {n: getattr(self, n)[moments] for n in _OVER_TIME if len(getattr(self, n))}
        targets = {name: points[moments] for name, points in self.targets.items()}
        return replace(self, targets=targets, **kept)

    def coordinate(self, name: str) -> Floats:
        """Return the values ``(T,)`` of a coordinate, rad or m."""
        return self.positions[:, self.coordinates.index(name)]


_OVER_TIME = (
    "time", "positions", "speeds", "control_values", "activations", "fibre_lengths",
    "fibre_velocities", "tendon_forces", "ground_reaction", "foot_positions",
)  # fmt: skip
