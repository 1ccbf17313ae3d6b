"""What every simulation of a musculoskeletal model offers, whatever computes it.

Everything is a batch: row ``b`` of each array belongs to simulation ``b``. Nothing above this
package can tell two implementations apart except by their speed.
"""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from osimexp.arrays import Floats, Mask
from osimexp.errors import ModelError
from osimexp.models.names import Names, force_controls


@dataclass
class State:
    """What a step yields; each array has a leading batch axis ``B``.

    Attributes:
        time: ``(B,)`` s since the start of the episode.
        coordinates: ``(B, coordinates)`` rad or m.
        speeds: ``(B, coordinates)`` rad/s or m/s.
        controls: ``(B, controls)``, those of the step that led here: excitations in [0, 1], then
            controls of other actuators, then components of external forces (N).
        activations: ``(B, muscles)`` in [0, 1].
        fibre_length: ``(B, muscles)`` in optimal fibre lengths.
        fibre_velocity: ``(B, muscles)`` in maximum contraction velocities, shortening negative.
        tendon_force: ``(B, muscles)`` N.
        body_positions: ``(B, bodies, 3)`` m, of each body's frame in ground.
        body_orientations: ``(B, bodies, 3)`` rad, body-fixed X-Y-Z angles in ground.
        body_angular_velocities: ``(B, bodies, 3)`` rad/s, in ground.
        point_positions: ``(B, points, 3)`` m, in ground.
        centre_of_mass: ``(B, 3)`` m.
        centre_of_mass_velocity: ``(B, 3)`` m/s.
        ground_reaction: ``(B, feet, 3)`` N, force of the ground on each foot.
        limit_torque: ``(B, coordinates)`` N m or N, what the joints' limits exert.
        failed: ``(B,)`` whether the step threw, gave NaN or ran away; such a row holds the last
            sound state and must be reset.
        lost: ``(B,)`` whether the process that simulated the row died or hung and was replaced;
            such a row holds its last state and must be reset.
    """

    time: Floats
    coordinates: Floats
    speeds: Floats
    controls: Floats
    activations: Floats
    fibre_length: Floats
    fibre_velocity: Floats
    tendon_force: Floats
    body_positions: Floats
    body_orientations: Floats
    body_angular_velocities: Floats
    point_positions: Floats
    centre_of_mass: Floats
    centre_of_mass_velocity: Floats
    ground_reaction: Floats
    limit_torque: Floats
    failed: Mask
    lost: Mask


# What costs time to read and is therefore read only where a term asks for it.
COSTLY = frozenset(
    {
        "fibre_length",
        "fibre_velocity",
        "tendon_force",
        "body_positions",
        "body_orientations",
        "body_angular_velocities",
        "point_positions",
        "centre_of_mass",
        "centre_of_mass_velocity",
        "ground_reaction",
        "limit_torque",
    }
)


@dataclass(frozen=True)
class Start:
    """Where episodes begin, a row for each simulation that is reset.

    Attributes:
        coordinates: ``(R, coordinates)`` rad or m.
        speeds: ``(R, coordinates)`` rad/s or m/s.
        activations: ``(R, muscles)`` in [0, 1]; fibres start in equilibrium with their tendons.
    """

    coordinates: Floats
    speeds: Floats
    activations: Floats


Snapshot = dict[str, Any]
"""What a simulation needs to go on from where it was, to the very bit, as plain arrays."""


@dataclass(frozen=True)
class Kinematics:
    """Where poses put the model, a row for each pose.

    Attributes:
        point_positions: ``(R, points, 3)`` m, in ground.
        clearance: ``(R,)`` m from the floor to the lowest point of the contact spheres, negative
            where they are in the floor; infinite for a model without contact.
    """

    point_positions: Floats
    clearance: Floats


@dataclass(frozen=True)
class Backend:
    """An implementation of ``Simulation``.

    Attributes:
        name: ``opensim`` or ``compiled``, as ``physics=`` chooses it.
        reference: whether OpenSim itself computes, which all others are held to.
    """

    name: str
    reference: bool


class Simulation(Protocol):
    """A batch of simulations of one model, stepped together.

    Attributes:
        names: what the columns are called.
        size: simulations in the batch, ``B``.
        control_period: s of simulated time in one step.
        replaced: how many worker processes died or hung and were replaced so far.
        backend: what computes them.
    """

    backend: Backend
    names: Names
    size: int
    control_period: float
    replaced: int

    def reset(self, which: Mask, start: Start) -> State:
        """Begin an episode in the simulations that ``which`` ``(B,)`` marks, and give all rows."""
        ...

    def step(self, controls: Floats) -> State:
        """Hold the controls ``(B, controls)`` for one control period; see ``Names.controls``.

        The returned arrays are overwritten by the next call; what must be kept is copied.
        """
        ...

    def kinematics(self, coordinates: Floats) -> Kinematics:
        """Return where poses ``(R, coordinates)`` put the model; no simulation is touched."""
        ...

    def snapshot(self) -> Snapshot:
        """Return what ``restore`` needs to go on from here."""
        ...

    def restore(self, snapshot: Snapshot) -> State:
        """Put every simulation back where ``snapshot`` was taken."""
        ...

    def close(self) -> None:
        """End the worker processes and free the shared memory; may be called twice."""
        ...


def unsound(names: Names, coordinates: Floats, reason: str) -> ModelError:
    """Return the error that says why no episode can start at a pose ``(coordinates,)``."""
    pairs = zip(names.coordinates, coordinates, strict=True)
    pose = ", ".join(f"{name} {value:.3g}" for name, value in pairs)
    return ModelError(f"No episode can start at {pose}: {reason}")


def saved_controls(snapshot: Snapshot, values: Floats, names: Names) -> Floats:
    """Return the controls ``(..., controls)`` of a snapshot in the order of a model's names.

    Snapshots say what their columns are; those of version 0.1.0 do not, and hold the excitations
    and a force forward. A control that a snapshot does not have is 0.
    """
    columns = list(snapshot.get("names", (*names.muscles, *(force_controls("push")[:1]))))
    found = np.zeros((*values.shape[:-1], len(names.controls)))
    for place, name in enumerate(names.controls):
        if name in columns:
            found[..., place] = values[..., columns.index(name)]
    return found
