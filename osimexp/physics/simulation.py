"""The interface of a simulation of a musculoskeletal model, for every back end.

Everything is a batch: row ``b`` of each array belongs to simulation ``b``. Code above this package
sees no difference between two back ends except their speed.
"""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from osimexp.arrays import Floats, Mask
from osimexp.errors import ModelError
from osimexp.models.names import Names, force_controls


@dataclass
class State:
    """The results of a step; each array has a leading batch axis ``B``.

    Attributes:
        time: ``(B,)`` time since the start of the episode, s.
        coordinates: ``(B, coordinates)`` rad or m.
        speeds: ``(B, coordinates)`` rad/s or m/s.
        controls: ``(B, controls)`` controls of the last step: excitations in [0, 1], then controls
            of other actuators, then components of external forces (N).
        activations: ``(B, muscles)`` in [0, 1].
        fibre_length: ``(B, muscles)`` in optimal fibre lengths.
        fibre_velocity: ``(B, muscles)`` in maximum contraction velocities, negative when
            shortening.
        tendon_force: ``(B, muscles)`` N.
        body_positions: ``(B, bodies, 3)`` origin of each body's frame in ground, m.
        body_orientations: ``(B, bodies, 3)`` body-fixed X-Y-Z angles in ground, rad.
        body_angular_velocities: ``(B, bodies, 3)`` in ground, rad/s.
        point_positions: ``(B, points, 3)`` in ground, m.
        centre_of_mass: ``(B, 3)`` in ground, m.
        centre_of_mass_velocity: ``(B, 3)`` in ground, m/s.
        ground_reaction: ``(B, feet, 3)`` force of the ground on each foot, N.
        limit_torque: ``(B, coordinates)`` generalised force of the joint limits, N m or N.
        failed: ``(B,)`` whether the integration failed, gave NaN or became too fast; such a row has
            the last valid state and must be reset.
        lost: ``(B,)`` whether the process that simulated the row died or hung and was replaced;
            such a row has its last state and must be reset.
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


# Fields that cost time to read and are therefore read only if a term asks for them.
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
    """The starts of episodes, a row for each simulation that is reset.

    Attributes:
        coordinates: ``(R, coordinates)`` rad or m.
        speeds: ``(R, coordinates)`` rad/s or m/s.
        activations: ``(R, muscles)`` in [0, 1]; fibres start in equilibrium with their tendons.
    """

    coordinates: Floats
    speeds: Floats
    activations: Floats


Snapshot = dict[str, Any]
"""All that a simulation needs to continue bit by bit where it was, as plain arrays."""


@dataclass(frozen=True)
class Kinematics:
    """Points and clearance of a model, a row for each pose.

    Attributes:
        point_positions: ``(R, points, 3)`` in ground, m.
        clearance: ``(R,)`` height of the lowest point of the contact spheres above the floor, m;
            negative if it is in the floor, infinite for a model without contact.
    """

    point_positions: Floats
    clearance: Floats


@dataclass(frozen=True)
class Backend:
    """A physics back end.

    Attributes:
        name: ``opensim`` or ``compiled``, as in ``physics=``.
        reference: whether it is OpenSim itself, which all others are compared with.
    """

    name: str
    reference: bool


class Simulation(Protocol):
    """A batch of simulations of one model, stepped together.

    Attributes:
        names: names of the columns.
        size: number of simulations in the batch, ``B``.
        control_period: simulated time of one step, s.
        replaced: number of worker processes that died or hung and were replaced so far.
        backend: physics back end.
    """

    backend: Backend
    names: Names
    size: int
    control_period: float
    replaced: int

    def reset(self, which: Mask, start: Start) -> State:
        """Begin an episode in simulations that ``which`` ``(B,)`` marks, and return all rows."""
        ...

    def step(self, controls: Floats) -> State:
        """Apply the controls ``(B, controls)`` for one control period, and return the new state.

        The order of controls is that of ``Names.controls``. The next call overwrites the returned
        arrays, so copy them to keep them.
        """
        ...

    def kinematics(self, coordinates: Floats) -> Kinematics:
        """Return points and clearance at poses ``(R, coordinates)``; no simulation changes."""
        ...

    def snapshot(self) -> Snapshot:
        """Return the state of all simulations, for ``restore``."""
        ...

    def restore(self, snapshot: Snapshot) -> State:
        """Restore every simulation from a snapshot, and return its state."""
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

    Snapshots have the names of their columns; those of version 0.1.0 do not, and have the
    excitations and a force forward. A control that a snapshot does not have is 0.
    """
    columns = list(snapshot.get("names", (*names.muscles, *(force_controls("push")[:1]))))
    found = np.zeros((*values.shape[:-1], len(names.controls)))
    for place, name in enumerate(names.controls):
        if name in columns:
            found[..., place] = values[..., columns.index(name)]
    return found
