"""The arrays of a batch in one block of memory that processes can share."""

import mmap
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from osimexp.errors import SimulationError
from osimexp.models.names import Names
from osimexp.physics.simulation import COSTLY, Start, State

Layout = dict[str, tuple[tuple[int, ...], str]]


@dataclass(frozen=True)
class Block:
    """The arrays that the simulations of a batch read and write.

    Attributes:
        state: results of steps, with the controls that steps read.
        start: starts of episodes, ``B`` rows.
    """

    state: State
    start: Start


def layout(names: Names, size: int, fields: frozenset[str]) -> Layout:
    """Return the shape and type of each array of a block, for a batch of ``size``.

    An array that no term reads has no rows, so that a term that reads it without declaring it fails
    at once and never reads old values.
    """
    coordinates, muscles = len(names.coordinates), len(names.muscles)
    widths: dict[str, tuple[int, ...]] = {
        "time": (),
        "coordinates": (coordinates,),
        "speeds": (coordinates,),
        "controls": (len(names.controls),),
        "activations": (muscles,),
        "fibre_length": (muscles,),
        "fibre_velocity": (muscles,),
        "tendon_force": (muscles,),
        "body_positions": (len(names.bodies), 3),
        "body_orientations": (len(names.bodies), 3),
        "body_angular_velocities": (len(names.bodies), 3),
        "point_positions": (len(names.points), 3),
        "centre_of_mass": (3,),
        "centre_of_mass_velocity": (3,),
        "ground_reaction": (len(names.feet), 3),
        "limit_torque": (coordinates,),
        "failed": (),
        "lost": (),
        "start.coordinates": (coordinates,),
        "start.speeds": (coordinates,),
        "start.activations": (muscles,),
    }
    return {
        name: (
            (0 if name in COSTLY - fields else size, *width),
            "?" if name in ("failed", "lost") else "f8",
        )
        for name, width in widths.items()
    }


def bytes_needed(names: Names, size: int, fields: frozenset[str]) -> int:
    """Return the size of a block in bytes."""
    return sum(_padded(shape, kind) for shape, kind in layout(names, size, fields).values())


def block(buffer: mmap.mmap | bytearray, names: Names, size: int, fields: frozenset[str]) -> Block:
    """Return the block whose arrays lie one after the other in ``buffer``."""
    views, offset = {}, 0
    for name, (shape, kind) in layout(names, size, fields).items():
        count = int(np.prod(shape))
        views[name] = np.frombuffer(buffer, kind, count, offset).reshape(shape)
        offset += _padded(shape, kind)
    start = Start(
        *(views.pop(f"start.{name}") for name in ("coordinates", "speeds", "activations"))
    )
    return Block(State(**views), start)


def create_shared(path: Path, length: int) -> mmap.mmap:
    """Create a file of ``length`` bytes and map it, for this process and others that open it.

    Raises:
        SimulationError: there is no space for the file.
    """
    try:
        # The bytes are written, because a sparse file on a full disk kills at the first write.
        path.write_bytes(bytes(length))
    except OSError as error:
        raise SimulationError(
            f"The shared memory of the simulations cannot be made in {path.parent}: "
            f"{error.strerror}; free some space there."
        ) from error
    return open_shared(path)


def open_shared(path: Path) -> mmap.mmap:
    """Return the mapping of a file that ``create_shared`` made."""
    with path.open("r+b") as file:
        return mmap.mmap(file.fileno(), 0)


def _padded(shape: tuple[int, ...], kind: str) -> int:
    return -(-int(np.prod(shape)) * np.dtype(kind).itemsize // 8) * 8
