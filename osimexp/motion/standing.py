"""The feet that stand on force plates, found from where the feet are."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from osimexp.arrays import Floats, Mask
from osimexp.models.sides import WORDS
from osimexp.motion.plates import LOADED, Plates, spans

log = logging.getLogger("osimexp")

_NEAR = 0.15
"""Greatest distance of a foot from the centre of pressure under it, m."""

_NEARER = 0.03
"""Least difference of the feet's distances by which one is told to stand, m."""

_LOWER = 0.015
"""Least difference of the feet's heights by which the lower one is told to stand, m."""

_BOTH = (0.15, 0.85)
"""Shares of the load of a contact between which both feet stepped on the plate."""

_DRIFT = 0.05
"""Share of a plate's greatest load below which it may bear nothing."""

_SHORTEST = 0.05
"""Shortest contact that is told from noise, s."""

_STEP = 1.2
"""Time after which a contact is not of one foot alone in a walk, s."""

_TOGETHER = "both feet together, whose forces cannot be told apart and are left out"

_ALOFT = 0.3
"""Height of a force above the lowest point of the feet, from which it is of no foot, m."""

_FAR = 0.2
"""Least distance of the other foot when one foot is seen to stand on a plate alone, m."""

_ASIDE = 0.5
"""Level distance of a force from both feet, from which it is of no foot, m."""

_ALONE = 0.1
"""Shortest time in which the other foot alone is seen to stand on a plate, s."""

_FLAT = 1e-3
"""Greatest way of feet sideways in a planar model, m."""


@dataclass(frozen=True)
class Feet:
    """Heels and toes over the ``T`` moments of a movement.

    Attributes:
        time: ``(T,)`` s.
        points: for ``right`` and ``left``, ``(T, 2, 3)`` heel and toes in ground, m.
    """

    time: Floats
    points: Mapping[str, Floats]

    @property
    def planar(self) -> bool:
        """True if the feet do not move sideways, so that they cannot be told by where they are."""
        return all(np.ptp(points[:, :, 2]) < _FLAT for points in self.points.values())

    def away(self, side: str, time: Floats, places: Floats) -> Floats:
        """Return the distance ``(N,)`` (m) of a foot from places ``(N, 3)`` at times, level."""
        axes = [0] if self.planar else [0, 2]
        heel, toes = (self._at(side, end, time)[:, axes] for end in (0, 1))
        along = toes - heel
        length = np.maximum((along**2).sum(axis=1), 1e-9)
        share = ((places[:, axes] - heel) * along).sum(axis=1) / length
        nearest = heel + np.clip(share, 0.0, 1.0)[:, None] * along
        return np.asarray(np.linalg.norm(places[:, axes] - nearest, axis=1))

    def raised(self, side: str, time: Floats) -> Floats:
        """Return the height ``(N,)`` (m) of a foot above the one at which it stands."""
        points = self.points[side]
        standing = np.percentile(points[:, :, 1], 5.0, axis=0)
        heights = [self._at(side, end, time)[:, 1] - standing[end] for end in (0, 1)]
        return np.asarray(np.minimum(*heights))

    def _at(self, side: str, end: int, time: Floats) -> Floats:
        path = self.points[side][:, end]
        return np.stack([np.interp(time, self.time, path[:, axis]) for axis in range(3)], axis=1)


def on_feet(plates: Plates, feet: Feet) -> Plates:
    """Return the forces of the ground on the right and the left foot.

    Each contact of a plate belongs to the foot that the centre of pressure is under or, where that
    does not tell, to the lower foot. Plates whose names tell a side each keep it, unless the other
    foot stands on one of them in a contact. Forces of both feet on one plate at once belong to
    neither, and so does a force high above the feet, such as a handrail's. What was found is
    logged.
    """
    known = _in_frame(plates, feet)
    if all(plates.sides) and len(set(plates.sides)) == len(WORDS):
        numbers = range(len(plates.labels))
        wrong = [n for n in numbers if _contradicted(plates, n, plates.sides[n], feet)]
        off = [n for n in numbers if _height(plates, n, feet) > _ALOFT]
        off += [n for n in numbers if known and any(_asides(plates, n, feet))]
        if not wrong and not off:
            return plates
        if wrong:
            log.warning(
                "%s: %s by name, but the other foot stands on it at times; the movement decides.",
                plates.file,
                " and ".join(f"{plates.labels[n]} is {plates.sides[n]}" for n in wrong),
            )
    whose = [_stood_on(plates, number, feet, known) for number in range(len(plates.labels))]
    told = [text for *_, text in whose]
    log.info(
        "%s: the plates are those of the feet that stand on them: %s.",
        plates.file,
        "; ".join(f"{name}: {found}" for name, found in zip(plates.labels, told, strict=True)),
    )
    shares = np.array([[right, left] for right, left, _ in whose]).transpose(2, 0, 1)[..., None]
    forces = (plates.forces[:, :, None] * shares).sum(axis=1)
    loads = np.maximum(plates.loads, 0.0)[:, :, None, None] * shares
    total = loads.sum(axis=1)
    points = (plates.points[:, :, None] * loads).sum(axis=1) / np.where(total > 0.0, total, 1.0)
    for foot in range(len(WORDS)):
        points[:, foot] = _held(points[:, foot], total[:, foot, 0] > 0.0)
    return Plates(plates.file, plates.time, WORDS, WORDS, forces, points, plates.unknown)


def _stood_on(plates: Plates, number: int, feet: Feet, framed: bool) -> tuple[Mask, Mask, str]:
    """Return when the right and the left foot stand on a plate ``(N,)``, and the feet as text.

    Args:
        plates: all plates.
        number: number of the plate.
        feet: heels and toes.
        framed: whether the points of forces are in the frame of the feet, so that distances tell.
    """
    right, known = np.zeros((2, len(plates.time)), dtype=bool)
    if (height := _height(plates, number, feet)) > _ALOFT:
        return right, known, f"no foot, as it acts {height:.1f} m above them"
    apart = np.ones(len(plates.time), dtype=bool)
    found: list[str] = []
    contacts = _contacts(plates, number)
    if not contacts and float(plates.loads.max()) > LOADED:
        return right, known, "no foot"  # What is left is noise.
    asides = _asides(plates, number, feet) if framed else [0.0] * len(contacts)
    if contacts and all(asides):
        return right, known, f"no foot, as it acts {min(asides):.1f} m aside of them"
    for (first, last), aside in zip(contacts, asides, strict=True):
        rows = slice(first, last + 1)
        if aside:
            found.append(f"no foot at {plates.time[first]:.2f} s, {aside:.1f} m aside of them")
            apart[_reach(plates, number, first, last)] = False
            continue
        found.append(_standing(plates, number, rows, feet))
        right[rows] = found[-1] == WORDS[0]
        known[rows] = found[-1] in WORDS
        apart[rows] = found[-1] != _TOGETHER
    if found and not known.any():
        usual = plates.sides[number] or WORDS[number % len(WORDS)]
        right[:] = usual == WORDS[0]
        found = [one or f"{usual}, by the order of the plates" for one in found]
    # Contacts that tell nothing, and light loads beside contacts, are of the foot of the nearest.
    right = _spread(right, known)
    kinds = list(dict.fromkeys(one for one in found if one))
    text = kinds[0] if len(kinds) == 1 else ", ".join(one for one in found if one)
    return right & apart, ~right & apart, text or "no foot"


def _height(plates: Plates, number: int, feet: Feet) -> float:
    """Return the height at which a plate is loaded above the lowest point of the feet, m."""
    loaded = plates.loads[:, number] > LOADED
    if not loaded.any():
        return 0.0
    lowest = min(float(points[:, :, 1].min()) for points in feet.points.values())
    return float(np.median(plates.points[loaded, number, 1])) - lowest


def _spread(values: Mask, known: Mask) -> Mask:
    """Return values with those that are not known taken from the nearest known one."""
    at = np.flatnonzero(known)
    if not len(at):
        return values
    rows = np.arange(len(values))
    after = np.clip(np.searchsorted(at, rows), 0, len(at) - 1)
    before = np.maximum(after - 1, 0)
    nearest = np.where(np.abs(rows - at[before]) <= np.abs(at[after] - rows), before, after)
    return np.asarray(values[at[nearest]])


def _contacts(plates: Plates, number: int) -> list[tuple[int, int]]:
    time, load = plates.time, plates.loads[:, number]
    found = spans(load > max(LOADED, _DRIFT * float(load.max())))
    return [(a, b) for a, b in found if time[b] - time[a] >= _SHORTEST]


def _standing(plates: Plates, number: int, rows: slice, feet: Feet) -> str:
    """Return the side that stands on a plate in a contact, or both; "" if it is unclear."""
    load, time = plates.loads[rows, number], plates.time[rows]
    away = {side: feet.away(side, time, plates.points[rows, number]) for side in WORDS}
    mean = {side: float(np.average(away[side], weights=load)) for side in WORDS}
    difference = away["left"] - away["right"]
    clear = np.abs(difference) > _NEARER
    if clear.any():
        share = float(np.average(difference[clear] > 0.0, weights=load[clear]))
        under = np.average(np.minimum(away["right"], away["left"]), weights=load) < _NEAR / 2.0
        steps = time[-1] - time[0] > _STEP or (under and max(mean.values()) > 2.0 * _NEAR)
        if _BOTH[0] < share < _BOTH[1] and steps:
            return _TOGETHER
        if min(mean.values()) < _NEAR and abs(mean["right"] - mean["left"]) > _NEARER:
            return min(WORDS, key=mean.__getitem__)
    quarter = len(time) // 4
    middle = time[quarter : max(len(time) - quarter, quarter + 1)]
    raised = {side: float(feet.raised(side, middle).mean()) for side in WORDS}
    if abs(raised["right"] - raised["left"]) > _LOWER:
        return min(WORDS, key=raised.__getitem__)
    return ""


def _contradicted(plates: Plates, number: int, side: str | None, feet: Feet) -> bool:
    """Return whether the foot that a plate's name does not tell stands on it for a while."""
    other = WORDS[1 - WORDS.index(side)] if side in WORDS else WORDS[0]
    for first, last in _contacts(plates, number):
        rows = slice(first, last + 1)
        time, places = plates.time[rows], plates.points[rows, number]
        load = plates.loads[rows, number]
        away = {one: feet.away(one, time, places) for one in WORDS}
        mean = {one: float(np.average(away[one], weights=load)) for one in WORDS}
        if mean[other] < _NEAR / 2.0 and mean[str(side)] > _FAR:
            return True
        alone = (away[other] < _NEAR) & (away[str(side)] > 2.0 * _NEAR)
        alone &= load > _DRIFT * float(plates.loads[:, number].max())
        if any(time[b] - time[a] >= _ALONE for a, b in spans(alone)):
            return True
    return False


def _in_frame(plates: Plates, feet: Feet) -> bool:
    """Return whether some large load acts under a foot, so that points and feet agree in place."""
    most = float(plates.loads.max(initial=0.0))
    return any(
        float(plates.loads[first : last + 1, number].max()) > most / 2.0
        and _distance(plates, number, slice(first, last + 1), feet, 0.0) < _NEAR
        for number in range(len(plates.labels))
        for first, last in _contacts(plates, number)
    )


def _asides(plates: Plates, number: int, feet: Feet) -> list[float]:
    """Return the distance of each contact of a plate from both feet, m; 0 of those near enough."""
    contacts = _contacts(plates, number)
    if not plates.points[:, number].any():
        return [0.0] * len(contacts)  # No points at all.
    # In a planar model, the way sideways is that from where most of the load is.
    weights = np.maximum(plates.loads, 0.0)
    middle = _weighted_median(plates.points[:, :, 2], weights) if feet.planar else 0.0
    found = [_distance(plates, number, slice(a, b + 1), feet, middle) for a, b in contacts]
    return [one if one > _ASIDE else 0.0 for one in found]


def _distance(plates: Plates, number: int, rows: slice, feet: Feet, middle: float) -> float:
    """Return the mean level distance of a contact from the foot that is nearer, m."""
    time, places = plates.time[rows], plates.points[rows, number]
    load = plates.loads[rows, number]
    away = np.minimum(*(feet.away(side, time, places) for side in WORDS))
    if feet.planar and middle:
        away = np.hypot(away, places[:, 2] - middle)
    return float(np.average(away, weights=load))


def _weighted_median(values: Floats, weights: Floats) -> float:
    order = np.argsort(values, axis=None)
    share = np.cumsum(weights.ravel()[order])
    return float(values.ravel()[order][np.searchsorted(share, share[-1] / 2.0)])


def _reach(plates: Plates, number: int, first: int, last: int) -> slice:
    """Return the rows of a contact and of the light loads on both of its sides."""
    borne = plates.loads[:, number] > 0.0
    a, b = next((one for one in spans(borne) if one[0] <= first <= one[1]), (first, last))
    return slice(min(a, first), max(b, last) + 1)


def _held(points: Floats, known: Mask) -> Floats:
    """Return points in straight lines between those that are known."""
    if not known.any():
        return points
    at, rows = np.flatnonzero(known), np.arange(len(points))
    return np.stack([np.interp(rows, at, points[at, axis]) for axis in range(3)], axis=1)
