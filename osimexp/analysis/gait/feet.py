"""The feet of a model, and when they stand beside the force plates."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from osimexp.analysis.gait.settings import SIDES, GaitSettings
from osimexp.analysis.gait.strides import Contacts
from osimexp.analysis.shown import Shown
from osimexp.arrays import Floats, Mask
from osimexp.errors import ModelError, near_matches
from osimexp.motion.plates import spans
from osimexp.motion.standing import Feet

FOOT = 0.2
"""Length from the heel to the toes of a foot whose model has no body of toes, m."""

STILL = 0.35
"""Greatest speed of a foot over the ground that it stands on, m/s."""

LOW = 0.03
"""Greatest height of a foot that stands above the one at which it stands, m."""

EDGE = 0.05
"""Time before a heel strike and after a toe off in which a foot may be still already, s."""

LATE = 0.3
"""Greatest time for which a foot that lifts still bears weight after it was low and still, s."""

Spans = list[tuple[float, float]]


@dataclass(frozen=True)
class Beside:
    """Times in which feet stand beside the force plates, by side.

    Attributes:
        standing: times in which a foot is low and still, without a force.
        bearing: these, and the times beside them in which it may bear weight while it lifts or
            sets down.
    """

    standing: Mapping[str, Spans]
    bearing: Mapping[str, Spans]


def foot_paths(shown: Shown, settings: GaitSettings) -> dict[str, Floats]:
    """Return the path ``(T, 3)`` (m) of each side's foot body.

    Raises:
        ModelError: the model has none of the foot bodies that the settings name.
    """
    return {side: shown.poses.bodies[:, _foot(shown, settings, side), :3, 3] for side in SIDES}


def toe_paths(shown: Shown, settings: GaitSettings) -> dict[str, Floats]:
    """Return the path ``(T, 3)`` (m) of each side's toes, which are in front of a foot without any.

    Raises:
        ModelError: the model has none of the foot bodies that the settings name.
    """
    bodies = shown.figure.bodies
    paths = {}
    for side in SIDES:
        foot = shown.poses.bodies[:, _foot(shown, settings, side)]
        toes = [bodies.index(name) for name in settings.toes[side] if name in bodies]
        ahead = foot[:, :3, 3] + FOOT * foot[:, :3, 0]
        paths[side] = shown.poses.bodies[:, toes[0], :3, 3] if toes else ahead
    return paths


def feet_of(shown: Shown, settings: GaitSettings) -> Feet:
    """Return heels and toes over a movement.

    Raises:
        ModelError: the model has none of the foot bodies that the settings name.
    """
    heels, toes = foot_paths(shown, settings), toe_paths(shown, settings)
    points = {side: np.stack([heels[side], toes[side]], axis=1) for side in SIDES}
    return Feet(shown.movement.time, points)


def beside_plates(
    feet: Feet, contacts: Mapping[str, Contacts], belt: float, shortest: float
) -> Beside:
    """Return the times in which each foot stands without a force, beside the force plates.

    A foot stands if its heel or its toes are low and still on the ground. How long before and
    after that it bears weight is the longest of all contacts with the plates.

    Args:
        feet: heels and toes.
        contacts: contacts with the force plates, by side.
        belt: speed at which the ground moves backwards, m/s.
        shortest: shortest stance that counts, s.
    """
    time = feet.time
    stands = {side: _stands(time, points, belt) for side, points in feet.points.items()}
    standing = {side: _spans(time, stands[side], contacts[side], shortest) for side in stands}
    around = [_around(time, stands[side], contacts[side]) for side in stands]
    before, after = (min(max(most), LATE) for most in zip(*around, strict=True))
    bearing = {
        side: [(first - before, last + after) for first, last in found]
        for side, found in standing.items()
    }
    return Beside(standing, bearing)


def within(unseen: Spans, start: float, end: float) -> bool:
    """Return whether some of the times are between two others, s."""
    return any(first < end and last > start for first, last in unseen)


def _foot(shown: Shown, settings: GaitSettings, side: str) -> int:
    bodies = shown.figure.bodies
    found = [name for name in settings.feet[side] if name in bodies]
    if not found:
        raise ModelError(
            f"gait.feet.{side}: the model has no body {' or '.join(settings.feet[side])}; "
            f"{near_matches((*settings.feet[side], '')[0], bodies)}"
        )
    return bodies.index(found[0])


def _stands(time: Floats, points: Floats, belt: float) -> Mask:
    rates = np.gradient(points, time, axis=0)
    speed = np.hypot(rates[:, :, 0] + belt, rates[:, :, 2])
    raised = points[:, :, 1] - np.percentile(points[:, :, 1], 5.0, axis=0)
    return np.asarray(((speed < STILL) & (raised < LOW)).any(axis=1))


def _around(time: Floats, stands: Mask, contacts: Contacts) -> tuple[float, float]:
    """Return the longest times for which a foot on a plate bears weight before and after it stands.

    Contacts that begin or end outside the movement do not count, nor those without a stance.
    """
    before, after = [0.0], [0.0]
    for strike, off in zip(contacts.strikes, contacts.offs, strict=True):
        mine = time[stands & (time >= strike) & (time <= off)]
        if len(mine):
            before.append(float(mine[0] - strike))
            after.append(float(off - mine[-1]))
    return max(before), max(after)


def _spans(time: Floats, stands: Mask, contacts: Contacts, shortest: float) -> Spans:
    """Return the times of a foot without a force; one cut by the movement's ends may be short."""
    unseen = stands.copy()
    for first, last in contacts.held(float(time[0]), float(time[-1])):
        unseen &= ~((time > first - EDGE) & (time < last + EDGE))
    found = [(float(time[a]), float(time[b])) for a, b in spans(unseen)]
    return [
        (first, last)
        for first, last in found
        if last - first >= shortest or first == time[0] or last == time[-1]
    ]
