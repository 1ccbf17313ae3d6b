"""Contacts of the feet with the ground, and the strides between them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from osimexp.analysis.gait.settings import SIDES, ContactSettings
from osimexp.arrays import Floats
from osimexp.errors import MovementError
from osimexp.models.sides import side_of
from osimexp.motion.movement import Movement

_LIGHT = 0.5
"""Greatest vertical force in body weights that bears no walk."""

_INSTANT = 1e-6
"""Duration that leaves out nothing, s, and force in body weights that is none."""


@dataclass(frozen=True)
class Contacts:
    """Contacts of one foot with the ground, in the order of time.

    Attributes:
        strikes: ``(contacts,)`` times of heel strikes, s; NaN if the contact began before the
            movement.
        offs: ``(contacts,)`` times of toe off, s; NaN if the contact lasts beyond the movement.
    """

    strikes: Floats
    offs: Floats

    def held(self, start: float, end: float) -> list[tuple[float, float]]:
        """Return the parts of a span of time (s) in which the foot bears weight."""
        begin = np.maximum(np.nan_to_num(self.strikes, nan=-np.inf), start)
        close = np.minimum(np.nan_to_num(self.offs, nan=np.inf), end)
        return [(float(a), float(b)) for a, b in zip(begin, close, strict=True) if b > a]


@dataclass(frozen=True)
class Stride:
    """A stride: from one heel strike of a foot to its next.

    Attributes:
        side: ``right`` or ``left``.
        start: time of the heel strike, s.
        toe_off: time of toe off, s.
        end: time of the next heel strike, s.
        opposite: time of the other foot's heel strike between them, s.
    """

    side: str
    start: float
    toe_off: float
    end: float
    opposite: float

    @property
    def duration(self) -> float:
        """Time from heel strike to heel strike, s."""
        return self.end - self.start


def find_contacts(time: Floats, load: Floats, settings: ContactSettings) -> Contacts:
    """Return the contacts of a foot, found with hysteresis.

    A contact begins when the load rises above ``strike`` and ends when it next falls below
    ``release``; both times are interpolated between samples. Gaps shorter than
    ``shortest_swing`` are closed first, then contacts shorter than ``shortest_stance`` are dropped.

    Args:
        time: ``(T,)`` s.
        load: ``(T,)`` vertical ground reaction in body weights.
        settings: thresholds and durations.
    """
    told = np.where(load > settings.strike, 1, np.where(load < settings.release, 0, -1))
    told[0] = load[0] > settings.strike
    latest = np.maximum.accumulate(np.where(told >= 0, np.arange(len(told)), 0))
    down = told[latest] == 1
    rises = np.flatnonzero(~down[:-1] & down[1:])
    falls = np.flatnonzero(down[:-1] & ~down[1:])
    strikes = _crossings(time, load, rises, settings.strike)
    offs = _crossings(time, load, falls, settings.release)
    strikes = np.concatenate([[np.nan], strikes]) if down[0] else strikes
    offs = np.concatenate([offs, [np.nan]]) if down[-1] else offs
    apart = ~(strikes[1:] - offs[:-1] < settings.shortest_swing)
    strikes = strikes[np.concatenate([[True], apart])] if len(strikes) else strikes
    offs = offs[np.concatenate([apart, [True]])] if len(offs) else offs
    # A contact that begins or ends outside the movement may be a long one.
    long = ~(offs - strikes < settings.shortest_stance)
    return Contacts(strikes[long], offs[long])


def find_strides(contacts: Mapping[str, Contacts], settings: ContactSettings) -> list[Stride]:
    """Return the whole strides of both feet, in the order of their starts.

    A stride that begins or ends outside the movement is left out, and so is one without a step of
    the other foot.
    """
    strides = []
    for side, mine in contacts.items():
        others = [c.strikes for other, c in contacts.items() if other != side]
        other = np.concatenate([*others, np.zeros(0)])
        for start, off, end in zip(
            mine.strikes[:-1], mine.offs[:-1], mine.strikes[1:], strict=True
        ):
            between = other[(other > start) & (other < end)]
            if len(between) and end - start <= settings.longest_stride:
                opposite = float(between[0])
                strides.append(Stride(side, float(start), float(off), float(end), opposite))
    return sorted(strides, key=lambda stride: stride.start)


def is_run(strides: Iterable[Stride]) -> bool:
    """Return whether strides are of a run: both feet are off the ground between their stances.

    A foot that stands for less than half of its stride leaves a flight, as in R. McN. Alexander,
    Physiological Reviews 69 (1989) 1199-1227.
    """
    shares = [(stride.toe_off - stride.start) / stride.duration for stride in strides]
    return bool(shares) and float(np.mean(shares)) < 0.5


def contacts_of(movement: Movement, settings: ContactSettings) -> dict[str, Contacts]:
    """Return the contacts of both feet.

    Raises:
        MovementError: the movement has no ground reactions of a right and a left foot, or the
            model's mass is not known.
    """
    columns: dict[str, list[int]] = {side: [] for side in SIDES}
    for number, foot in enumerate(movement.feet):
        if side := side_of(foot):
            columns[side].append(number)
    if not all(columns.values()) or not movement.ground_reaction.size:
        raise MovementError(
            "No strides can be found, because the movement has no ground reactions of a right and "
            "a left foot."
        )
    if not movement.mass > 0.0:
        raise MovementError("No strides can be found, because the model's mass is not known.")
    load = ground_reactions(movement)
    return {side: find_contacts(movement.time, load[side][:, 1], settings) for side in SIDES}


def ground_reactions(movement: Movement) -> dict[str, Floats]:
    """Return the ground reaction ``(T, 3)`` of each side in body weights.

    Force plates or contact groups of one side are summed.
    """
    sides = [side_of(foot) for foot in movement.feet]
    return {
        side: movement.ground_reaction[:, [s == side for s in sides]].sum(axis=1) / movement.weight
        for side in SIDES
    }


def strides_of(
    movement: Movement, settings: ContactSettings
) -> tuple[dict[str, Contacts], list[Stride]]:
    """Return the contacts of both feet, and their whole strides.

    Raises:
        MovementError: there are no ground reactions, or no whole stride.
    """
    contacts = contacts_of(movement, settings)
    strides = find_strides(contacts, settings)
    if not strides:
        if limit := _limit(movement, contacts, settings):
            raise MovementError(f"The movement has no whole stride: {limit}.")
        count = sum(len(each.strikes) for each in contacts.values())
        raise MovementError(
            f"The movement has no whole stride: among its {count} contact{'s' * (count != 1)} with "
            "the ground, no two heel strikes of one foot have one of the other between "
            f"them{_lightness(movement)}."
        )
    return contacts, strides


def _limit(movement: Movement, contacts: Mapping[str, Contacts], settings: ContactSettings) -> str:
    """Return the limit of the settings that leaves no stride, with its key; "" if none does."""
    long = find_strides(contacts, replace(settings, longest_stride=np.inf))
    if long:
        least = min(stride.duration for stride in long)
        return (
            f"from one heel strike of a foot to its next it takes {least:.3g} s or more, and "
            f"contact.longest_stride={settings.longest_stride:g} s leaves that out, unless "
            "contacts between them are missing"
        )
    loads = {side: force[:, 1] for side, force in ground_reactions(movement).items()}
    for key, left_out in (("shortest_stance", "contacts"), ("shortest_swing", "gaps between them")):
        wider = replace(settings, **{key: _INSTANT})
        found = {side: find_contacts(movement.time, load, wider) for side, load in loads.items()}
        if find_strides(found, wider):
            return (
                f"{left_out} shorter than contact.{key}={getattr(settings, key):g} s do not count, "
                "and it has strides with a smaller value"
            )
    if max(float(load.max()) for load in loads.values()) < _LIGHT:
        return ""
    for side, load in loads.items():
        if _INSTANT < (most := float(load.max())) <= settings.strike:
            return (
                f"no force of the {side} foot is above contact.strike={settings.strike:g} of the "
                f"weight, as the greatest is {most:.2g} of it"
            )
        if (least := float(load.min())) >= settings.release:
            return (
                f"the force of the {side} foot never falls below "
                f"contact.release={settings.release:g} of the weight, as the least is {least:.2g} "
                "of it: the foot always stands, or its plate has an offset"
            )
    return ""


def _lightness(movement: Movement) -> str:
    """Return the end of a sentence on forces that are too small to bear the model; else nothing."""
    load = np.sum([force[:, 1] for force in ground_reactions(movement).values()], axis=0)
    most = float(np.nan_to_num(load).max(initial=0.0))
    if most >= _LIGHT:
        return ""
    return (
        f", and the greatest vertical force is {most * movement.weight:.3g} N, "
        f"{most:.2g} times the weight of the model's {movement.mass:.1f} kg: the forces may be in "
        "kN or in body weights, or have another sign or axis upwards"
    )


def _crossings(time: Floats, load: Floats, before: np.ndarray, level: float) -> Floats:
    """Return the times at which the load passes a level after the samples ``before``."""
    first, second = load[before], load[before + 1]
    share = (level - first) / (second - first)
    return np.asarray(time[before] + share * (time[before + 1] - time[before]))
