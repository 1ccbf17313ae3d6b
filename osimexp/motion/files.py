"""Movements in OpenSim's own file formats, for its GUI and other tools.

``<name>_states.sto`` holds the model's states under their paths, in radians; ``<name>.mot`` holds
the coordinates under their names, in degrees; ``<name>_controls.sto`` holds the controls;
``<name>_grf.mot`` holds the ground reactions in the form of external loads of OpenSim's tools.
"""

import logging
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from osimexp.arrays import Floats
from osimexp.errors import MovementError, near_matches
from osimexp.models.names import StatePaths
from osimexp.motion.coordinates import coordinates_of
from osimexp.motion.movement import Movement
from osimexp.motion.plates import read_plates
from osimexp.motion.standing import Feet, on_feet
from osimexp.motion.tables import Table, coordinate_columns, read_table, some, write_table

log = logging.getLogger("osimexp")

PLATES = ("right", "left")
"""Feet of the forces in a file whose columns name no foot, in the order of the columns."""


def write_movement(stem: Path, movement: Movement, paths: StatePaths) -> list[Path]:
    """Write a movement to files whose names begin with ``stem``, and return their paths.

    Raises:
        OSError: the folder cannot be written.
    """
    stem.parent.mkdir(parents=True, exist_ok=True)
    name = stem.name
    tables = {"_states.sto": _states(name, movement, paths), ".mot": _coordinates(name, movement)}
    if movement.control_values.size:
        known = dict(zip(paths.names.controls, paths.controls, strict=True))
        labels = tuple(known[control] for control in movement.controls)
        tables["_controls.sto"] = Table(
            f"{name}_controls", labels, movement.time, movement.control_values
        )
    if movement.ground_reaction.size:
        tables["_grf.mot"] = _ground_reactions(name, movement)
    files = []
    for ending, table in tables.items():
        files.append(stem.with_name(f"{name}{ending}"))
        write_table(files[-1], table)
    return files


def _states(name: str, movement: Movement, paths: StatePaths) -> Table:
    columns = [f"{path}/value" for path in paths.coordinates]
    columns += [f"{path}/speed" for path in paths.coordinates]
    values = [movement.positions, movement.speeds]
    if movement.activations.size:
        columns += _labels(paths.muscles, paths.activated, "activation")
        values.append(movement.activations[:, paths.activated])
    if movement.fibre_lengths.size:
        columns += _labels(paths.muscles, paths.elastic, "fiber_length")
        lengths = movement.fibre_lengths * paths.optimal_fibre_lengths
        values.append(lengths[:, paths.elastic])
    return Table(f"{name}_states", tuple(columns), movement.time, np.hstack(values))


def _labels(paths: tuple[str, ...], which: np.ndarray, state: str) -> list[str]:
    return [f"{path}/{state}" for path, there in zip(paths, which, strict=True) if there]


def _coordinates(name: str, movement: Movement) -> Table:
    values = np.where(movement.rotational, np.rad2deg(movement.positions), movement.positions)
    return Table(name, movement.coordinates, movement.time, values, degrees=True)


def _ground_reactions(name: str, movement: Movement) -> Table:
    columns, values = [], []
    for number, foot in enumerate(movement.feet):
        for quantity, array in (
            ("ground_force_v", movement.ground_reaction[:, number]),
            ("ground_force_p", movement.foot_positions[:, number]),
            ("ground_torque_", np.zeros((len(movement), 3))),
        ):
            columns += [f"{foot}_{quantity}{axis}" for axis in "xyz"]
            values.append(array)
    return Table(f"{name}_grf", tuple(columns), movement.time, np.hstack(values), degrees=True)


# Reading


def read_movement(path: Path, paths: StatePaths, ground_reactions: Path | None = None) -> Movement:
    """Return a movement of a model from a file of states or of coordinates.

    Coordinates that the file does not have keep the model's default. Without speeds in the file,
    speeds are those of parabolas through neighbouring moments. Such files have no excitations.

    Columns that the model does not know are left out, and logged.

    Args:
        path: a ``.sto`` or ``.mot`` file; columns are named by state paths, by coordinates' names
            or, as before OpenSim 4, ``hip_flexion_r_u`` and ``soleus_r.activation``.
        paths: state paths of the model.
        ground_reactions: file of the ground's forces on the feet over the same time; None without.

    Raises:
        MovementError: a file is malformed, leaves out moments, has no coordinate of the model or
            two columns of one, or a value that is used is not finite or an angle that no joint can
            turn.
    """
    table, names = read_table(path), paths.names
    table.check_no_hole()
    known = coordinates_of(table, names)
    if not known:
        raise MovementError(
            f"{path} has no coordinate of the model; "
            f"{near_matches(table.columns[0] if table.columns else '', names.coordinates)}"
        )
    _say_what_is_left_out(table, paths, known)
    positions, speeds = [], []
    for place, (name, where) in enumerate(zip(names.coordinates, paths.coordinates, strict=True)):
        value = known.get(name, np.full(len(table.time), names.default_pose[place]))
        speed = table.column(f"{where}/speed", f"{name}/speed", f"{name}_u")
        if speed is None:
            speed = np.gradient(value, table.time, edge_order=2 if len(value) > 2 else 1)
        elif table.degrees and names.rotational[place]:
            speed = np.deg2rad(speed)
        positions.append(value)
        speeds.append(speed)
    activations, lengths = (
        _of_muscles(table, paths, state) for state in ("activation", "fiber_length")
    )
    movement = Movement(
        time=table.time,
        coordinates=names.coordinates,
        rotational=names.rotational,
        positions=np.column_stack(positions),
        speeds=np.column_stack(speeds),
        muscles=names.muscles if activations.size else (),
        activations=activations,
        fibre_lengths=lengths / paths.optimal_fibre_lengths if lengths.size else lengths,
        mass=names.mass,
    )
    if ground_reactions is None:
        return movement
    return with_ground_reactions(movement, ground_reactions)


def read_controls(path: Path, paths: StatePaths, needed: Sequence[str]) -> tuple[Floats, Floats]:
    """Return the controls of a model from a file of controls.

    Args:
        path: a ``.sto`` file, such as ``<name>_controls.sto``; columns are named by the paths of
            the components that take the controls, or by the names of the controls.
        paths: state paths of the model.
        needed: names of the controls that the file must have.

    Returns:
        Times ``(T,)`` in s and controls ``(T, controls)``, each held until the next; NaN if the
        file does not have the control.

    Raises:
        MovementError: the file is malformed, lacks a needed control, or a control is not finite.
    """
    table = read_table(path, angles=False)
    controls = np.full((len(table.time), len(paths.controls)), np.nan)
    for column, (name, where) in enumerate(zip(paths.names.controls, paths.controls, strict=True)):
        # A component with several controls has as many columns with its path, in their order.
        turn, count = paths.controls[:column].count(where), paths.controls.count(where)
        places = [k for k, label in enumerate(table.columns) if label == where]
        if count > 1 and turn < len(places):
            place: int | None = places[turn]
        else:
            others = () if count > 1 else (where,)
            place = table.place(*others, name, f"{where}/excitation")
        if place is not None:
            controls[:, column] = table.finite(place)
        elif name in needed:
            raise MovementError(
                f"{path} has no control of {name}; {near_matches(where, set(table.columns))}"
            )
    return table.time, controls


def _of_muscles(table: Table, paths: StatePaths, state: str) -> Floats:
    """Return a state of all muscles; without columns if the file lacks one of them."""
    found = [
        table.column(*_muscle_labels(name, where, state))
        for name, where in zip(paths.names.muscles, paths.muscles, strict=True)
    ]
    known = [values for values in found if values is not None]
    return np.column_stack(known) if known and len(known) == len(found) else np.zeros((0, 0))


def _muscle_labels(name: str, where: str, state: str) -> tuple[str, str, str]:
    return f"{where}/{state}", f"{name}/{state}", f"{name}.{state}"


def _say_what_is_left_out(table: Table, paths: StatePaths, known: Collection[str]) -> None:
    """Log the columns that the model does not know, and its coordinates that have no column."""
    names = paths.names
    used = {label for name in known for label in coordinate_columns(table)[name]}
    for name, where in zip(names.coordinates, paths.coordinates, strict=True):
        used |= {f"{where}/speed", f"{name}/speed", f"{name}_u"}
    for name, where in zip(names.muscles, paths.muscles, strict=True):
        for state in ("activation", "fiber_length"):
            used |= set(_muscle_labels(name, where, state))
    if unknown := [label for label in table.columns if label not in used]:
        log.info(
            "%s has columns that the model does not know, which are left out: %s.",
            table.file,
            some(unknown),
        )
        known_as = {label.lower(): label for label in used if label not in table.columns}
        if near := [label for label in unknown if label.lower() in known_as]:
            log.warning(
                "%s: %s would be %s but for capitals, and is left out.",
                table.file,
                some(near),
                some([known_as[label.lower()] for label in near]),
            )
    if missing := [name for name in names.coordinates if name not in known]:
        log.info(
            "%s has no column of %s; they keep the model's default.", table.file, some(missing)
        )


def with_ground_reactions(movement: Movement, path: Path, feet: Feet | None = None) -> Movement:
    """Return a movement with the ground reactions of a file, at the times of the movement.

    The columns are those of ``read_plates``. Moments that the file does not cover have NaN.

    Args:
        movement: movement over the same time.
        path: file of the forces.
        feet: feet of the movement, by which those that stand on the plates are found; without,
            plates whose names tell no foot are those of the right and the left foot.

    Raises:
        MovementError: the file is malformed, has no force, or covers none of the movement's time.
    """
    plates = read_plates(path, movement.weight)
    if feet is not None:
        plates = on_feet(plates, feet)
    # The last moment of forces may be a moment of theirs before the movement's.
    margin = 1e-6 + float(np.median(np.diff(plates.time)))
    start, end = plates.time[0] - margin, plates.time[-1] + margin
    covered = (movement.time >= start) & (movement.time <= end)
    if covered.sum() < 2:
        raise MovementError(
            f"{path} covers {plates.time[0]:g} to {plates.time[-1]:g} s and not the movement's "
            f"{movement.time[0]:g} to {movement.time[-1]:g} s."
        )
    if not covered.all():
        log.info(
            "%s covers %g to %g s of the movement's %g to %g s; forces are unknown in the rest.",
            path,
            *movement.time[covered][[0, -1]],
            *movement.time[[0, -1]],
        )
    for first, last in plates.unknown:
        log.warning("%s has a gap from %g to %g s, in which forces are unknown.", path, first, last)
        covered &= ~((movement.time > first) & (movement.time < last))
    reactions, positions = (
        np.where(covered[:, None, None], _at(movement.time, plates.time, values), np.nan)
        for values in (plates.forces, plates.points)
    )
    return replace(
        movement,
        feet=tuple(_foot(name, number) for number, name in enumerate(plates.names)),
        ground_reaction=reactions,
        foot_positions=positions,
        plates=True,
    )


def _at(moments: Floats, time: Floats, values: Floats) -> Floats:
    """Return values ``(N, plates, 3)`` at other moments, in straight lines between."""
    columns = values.reshape(len(time), -1).T
    found = np.stack([np.interp(moments, time, column) for column in columns], axis=1)
    return np.asarray(found.reshape(len(moments), *values.shape[1:]))


def _foot(name: str, number: int) -> str:
    """Return the foot of a plate; plates without a name of a foot are right and left."""
    if name:
        return name
    return PLATES[number] if number < len(PLATES) else f"plate_{number + 1}"
