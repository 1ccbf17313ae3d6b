"""Measurement of a walk: strides, curves over the gait cycle and gait parameters."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from osimexp.analysis.gait import parameters
from osimexp.analysis.gait.cost import metabolic_power
from osimexp.analysis.gait.cycles import Curve, mean_between, over_cycles
from osimexp.analysis.gait.feet import (
    EDGE,
    Spans,
    beside_plates,
    feet_of,
    foot_paths,
    within,
)
from osimexp.analysis.gait.heading import heading, turned
from osimexp.analysis.gait.parameters import BOTH, Parameter
from osimexp.analysis.gait.settings import LETTERS, SIDES, AngleSettings, GaitSettings
from osimexp.analysis.gait.spatiotemporal import Ground, measure_stride, walking_speed
from osimexp.analysis.gait.strides import (
    Contacts,
    Stride,
    ground_reactions,
    is_run,
    strides_of,
)
from osimexp.analysis.shown import Shown
from osimexp.arrays import Floats
from osimexp.errors import MovementError
from osimexp.motion.movement import Movement
from osimexp.motion.plates import spans
from osimexp.physics.posing.muscle_states import muscle_states

Curves = Mapping[str, Mapping[str, Curve]]
BORNE = (0.8, 1.25)
"""Least and greatest mean vertical force over strides, in body weights, that is not noted."""

FLAT = 1e-3  # m; if feet move sideways by less than this, the model is planar


@dataclass(frozen=True)
class Gait:
    """The measurements of a walk.

    Attributes:
        name: name of the movement, for titles.
        strides: strides of both feet, in the order of their starts.
        contacts: contacts of each foot with the ground, by side.
        belt: speed of a treadmill, m/s; 0 on still ground.
        running: whether it is a run and not a walk, so that norms of running hold.
        angles: curves in degrees over the gait cycle, for each angle of the settings and each side.
        forces: curves in body weights over the gait cycle: ``vertical`` and ``fore_aft`` for each
            side.
        activations: curves over the gait cycle, for each muscle of the settings and each side.
        excitations: curves over the gait cycle, as ``activations``; empty if they are not known.
        parameters: gait parameters.
        notes: sentences on what could not be measured, and why.
    """

    name: str
    strides: tuple[Stride, ...]
    contacts: Mapping[str, Contacts]
    belt: float
    running: bool
    angles: Curves
    forces: Curves
    activations: Curves
    excitations: Curves
    parameters: tuple[Parameter, ...]
    notes: tuple[str, ...]

    def count(self, side: str) -> int:
        """Return the number of strides of a side."""
        return sum(stride.side == side for stride in self.strides)

    def stance(self, side: str) -> float:
        """Return the mean stance phase of a side, in percent of the stride."""
        mine = [s for s in self.strides if s.side == side]
        return float(np.mean([100.0 * (s.toe_off - s.start) / s.duration for s in mine]))

    def parameter(self, key: str) -> Parameter | None:
        """Return a gait parameter by its key; None if it was not measured."""
        return next((one for one in self.parameters if one.key == key), None)


def measure(shown: Shown, settings: GaitSettings) -> Gait:
    """Return the measurements of a walk.

    Raises:
        MovementError: it has no ground reactions of two feet, or no whole stride.
        ModelError: the model has none of the foot bodies that the settings name.
    """
    shown, gaps, notes = _where_forces_are(shown)
    contacts, strides = strides_of(shown.movement, settings.contact)
    strides = _outside(strides, gaps, notes)
    running = is_run(strides)
    way = heading(shown, settings, strides, running)
    shown, belt = turned(shown, way.direction), way.belt
    movement, feet = shown.movement, foot_paths(shown, settings)
    if words := way.beside_x():
        notes.append(
            f"The walk goes {words}: speed, lengths and fore-aft forces are along its way, and the "
            "movement over time is in the axes of the file."
        )
    if way.backwards:
        notes.append("The model moves backwards: the speed and lengths are those of that way.")
    unseen: Mapping[str, Spans] = {side: [] for side in SIDES}
    if movement.plates:
        standing = feet_of(shown, settings)
        beside = beside_plates(standing, contacts, belt, settings.contact.shortest_stance)
        strides = _on_plates(strides, beside.standing, notes)
        unseen = beside.bearing
    ground = Ground(movement.time, feet, shown.poses.centre_of_mass, belt)
    measured = [
        measure_stride(stride, contacts, ground, not _off(stride, unseen)) for stride in strides
    ]
    if hidden := sum(not np.isfinite(one.double_support) for one in measured):
        notes.append(
            f"In {hidden} of {len(strides)} strides a foot stands beside the force plates, so its "
            "double support is not known there."
        )
    notes += _scale([s for s in strides if not _off(s, unseen)], movement)
    start, end = strides[0].start, max(stride.end for stride in strides)
    speed = walking_speed(ground, start, end)
    stance = {
        side: np.array(
            [m.stance_share for m, s in zip(measured, strides, strict=True) if s.side == side]
        )
        for side in SIDES
    }
    angles = _angles(movement, strides, settings.angles)
    reactions = ground_reactions(movement)
    forces = {
        name: _sided(movement.time, {s: r[:, axis] for s, r in reactions.items()}, strides)
        for name, axis in (("vertical", 1), ("fore_aft", 0))
    }
    label = "Running speed" if running else "Walking speed"
    numbers = [Parameter("speed", label, "m/s", {BOTH: np.array([speed])})]
    flat = all(np.ptp(path[:, 2]) < FLAT for path in feet.values())
    numbers += parameters.of_strides(strides, measured, flat, running)
    if flat:
        notes.append("The model moves in a plane, so its steps have no width.")
    try:
        numbers += _cost(shown, settings, start, end, speed)
    except MovementError as error:
        notes.append(str(error))
    numbers += parameters.of_angles(angles, stance)
    numbers += parameters.of_forces(forces, stance, running)
    numbers = [replace(one, running=running) for one in numbers]
    return Gait(
        name=shown.name,
        strides=tuple(strides),
        contacts=contacts,
        belt=belt,
        running=running,
        angles=angles,
        forces=forces,
        activations=_muscles(movement, movement.activations, strides, settings),
        excitations=_muscles(movement, movement.excitations, strides, settings),
        parameters=tuple(numbers),
        notes=tuple(notes),
    )


def _where_forces_are(shown: Shown) -> tuple[Shown, Spans, list[str]]:
    """Return the part of a movement whose forces are known, its gaps, and what is to be noted."""
    movement = shown.movement
    known = np.asarray(np.isfinite(movement.ground_reaction).all(axis=(1, 2)))
    if known.all() or not known.any() or not movement.ground_reaction.size:
        return shown, [], []
    first, last = movement.time[known][[0, -1]]
    inside = ~known & (movement.time > first) & (movement.time < last)
    gaps = [(float(movement.time[a - 1]), float(movement.time[b + 1])) for a, b in spans(inside)]
    notes = []
    if first > movement.time[0] or last < movement.time[-1]:
        notes.append(
            f"Forces are known from {first:g} to {last:g} s of the movement's "
            f"{movement.time[0]:g} to {movement.time[-1]:g} s, and it is measured there."
        )
    return shown.at(known), gaps, notes


def _outside(strides: Sequence[Stride], gaps: Spans, notes: list[str]) -> list[Stride]:
    """Return the strides that no gap of the forces touches, and note the gaps.

    Raises:
        MovementError: there is none.
    """
    if not gaps:
        return list(strides)
    kept = [one for one in strides if not within(gaps, one.start, one.end)]
    where = ", ".join(f"{first:g} to {last:g} s" for first, last in gaps)
    if not kept:
        raise MovementError(
            f"The movement has no whole stride whose forces are known: they are not from {where}."
        )
    notes.append(
        f"Forces are not known from {where}, so {len(strides) - len(kept)} of {len(strides)} "
        "strides found are left out."
    )
    return kept


def _scale(strides: Sequence[Stride], movement: Movement) -> list[str]:
    """Return what is to be noted of forces that bear another weight than that of the model."""
    if not strides:
        return []
    load = np.sum([force[:, 1] for force in ground_reactions(movement).values()], axis=0)
    mean = float(np.mean([mean_between(movement.time, load, s.start, s.end) for s in strides]))
    if BORNE[0] <= mean <= BORNE[1]:
        return []
    return [
        f"The mean vertical force over whole strides is {mean:.2f} times the weight of the model's "
        f"{movement.mass:.1f} kg and not about 1: the forces may be in another unit than N, some "
        "may be missing, or the model may have another mass than the subject."
    ]


def _on_plates(
    strides: Sequence[Stride], unseen: Mapping[str, Spans], notes: list[str]
) -> list[Stride]:
    """Return the strides whose foot is on the force plates at both ends, and note the others.

    Raises:
        MovementError: there is none.
    """
    kept = [
        stride
        for stride in strides
        if not within(unseen[stride.side], stride.start - 2.0 * EDGE, stride.start)
        and not within(unseen[stride.side], stride.toe_off, stride.end)
    ]
    if not kept:
        raise MovementError(
            "The movement has no whole stride on the force plates: its feet stand beside them "
            "where strides begin or end."
        )
    if (lost := len(strides) - len(kept)) > 0:
        notes.append(
            f"{lost} of {len(strides)} strides {'is' if lost == 1 else 'are'} left out, because "
            "the foot stands beside the force plates where it begins or ends."
        )
    return kept


def _off(stride: Stride, unseen: Mapping[str, Spans]) -> bool:
    """Return whether a foot stands beside the force plates within a stride."""
    return any(within(times, stride.start, stride.end) for times in unseen.values())


def anatomical(movement: Movement, angle: AngleSettings, side: str) -> Floats | None:
    """Return an anatomical angle ``(T,)`` in degrees; None if the model has no such coordinate."""
    name = angle.coordinate.replace("$", LETTERS[side])
    if name not in movement.coordinates:
        return None
    values = np.rad2deg(movement.coordinate(name))
    if angle.sign is not None:
        return np.asarray(angle.sign * values)
    return values if values.max() >= -values.min() else -values


def muscle_of(movement: Movement, names: Sequence[str], side: str) -> int | None:
    """Return the column of the first of the named muscles that the model has; None without any."""
    wanted = [name.replace("$", LETTERS[side]) for name in names]
    return next((movement.muscles.index(n) for n in wanted if n in movement.muscles), None)


def _angles(
    movement: Movement, strides: Sequence[Stride], angles: Mapping[str, AngleSettings]
) -> dict[str, dict[str, Curve]]:
    found = {}
    for name, angle in angles.items():
        values = {side: anatomical(movement, angle, side) for side in SIDES}
        known = {side: value for side, value in values.items() if value is not None}
        if known:
            found[name] = _sided(movement.time, known, strides)
    return found


def _muscles(
    movement: Movement, values: Floats, strides: Sequence[Stride], settings: GaitSettings
) -> dict[str, dict[str, Curve]]:
    found: dict[str, dict[str, Curve]] = {}
    if not values.size:
        return found
    for name, muscle in settings.emg.items():
        columns = {side: muscle_of(movement, muscle.names, side) for side in SIDES}
        known = {s: values[:, column] for s, column in columns.items() if column is not None}
        if known:
            found[name] = _sided(movement.time, known, strides)
    return found


def _sided(
    time: Floats, values: Mapping[str, Floats], strides: Sequence[Stride]
) -> dict[str, Curve]:
    """Return each side's values over its own strides; sides without strides are left out."""
    curves = {side: over_cycles(time, mine, strides, side) for side, mine in values.items()}
    return {side: curve for side, curve in curves.items() if curve is not None}


def _cost(
    shown: Shown, settings: GaitSettings, start: float, end: float, speed: float
) -> Iterator[Parameter]:
    movement = shown.movement
    states = muscle_states(shown.model, movement)
    power = metabolic_power(states, movement.mass, settings.cost)
    mean = mean_between(movement.time, power, start, end) / movement.mass
    yield Parameter("metabolic_power", "Metabolic power", "W/kg", {BOTH: np.array([mean])})
    if speed > 0.0:
        cost = np.array([mean / speed])
        yield Parameter("cost_of_transport", "Cost of transport", "J/kg/m", {BOTH: cost})
