"""The order in which Simbody's search finds contacts, which can decide whether they act.

The search (Simbody's GeneralContactSubsystem) takes the axis along which the surfaces lie furthest
apart, sorts the surfaces by where they begin on it, half spaces first, and takes the pairs in that
order.
"""

from collections.abc import Sequence

from osimexp.physics.compiled.ir.trace import (
    Array,
    Condition,
    Scalar,
    absolute,
    both,
    either,
    less,
    maximum,
    minimum,
    negation,
    select,
)
from osimexp.physics.compiled.ir.vectors import total

Key = tuple[Scalar, Scalar]
"""Place of a pair in the order: the beginnings of its earlier and of its later surface, m."""

FURTHEST = 1e30
"""Distance (m) beyond any surface, which is also a number in float32."""


def along_widest_axis(places: Sequence[Array], radii: Sequence[float | None]) -> list[Scalar]:
    """Return the beginning of each surface on the axis along which the surfaces lie furthest apart.

    Args:
        places: ``(3,)`` centre of each sphere or origin of each half space, m.
        radii: radius of each sphere, m; None for half spaces, which begin before all spheres.
    """
    mean = total(places) * (1.0 / len(places))
    spread: list[Scalar] = [
        sum((absolute(place[axis] - mean[axis]) for place in places), start=0.0)
        for axis in range(3)
    ]
    first = less(spread[1], spread[0])
    third = less(select(first, spread[0], spread[1]), spread[2])
    spaces = sum(radius is None for radius in radii)
    starts: list[Scalar] = []
    seen = 0
    for place, radius in zip(places, radii, strict=True):
        if radius is None:
            starts.append(-FURTHEST * (1.0 + spaces - seen))
            seen += 1
        else:
            starts.append(select(third, place[2], select(first, place[0], place[1])) - radius)
    return starts


def key_of_pair(a: Scalar, b: Scalar) -> Key:
    """Return the place of a pair in the order, given the beginnings of its surfaces."""
    return minimum(a, b), maximum(a, b)


def cut_after_parting(
    keys: Sequence[Key], parts: Sequence[Condition], presses: Sequence[Scalar]
) -> list[Scalar]:
    """Return the pressing forces of pairs, with 0 for all pairs after the first that parts.

    Args:
        keys: place of each pair in the order.
        parts: whether each pair overlaps and yet separates too fast to press.
        presses: pressing force of each pair, N; 0 if it parts.
    """
    alike = all(_same(key[0], keys[0][0]) for key in keys)
    end: Key = (keys[0][0] if alike else FURTHEST, FURTHEST)
    for key, part in zip(keys, parts, strict=True):
        if part is False:
            continue
        earlier = both(part, _before(key, end))
        end = select(earlier, key[0], end[0]), select(earlier, key[1], end[1])
    return [select(_before(end, key), 0.0, press) for key, press in zip(keys, presses, strict=True)]


def _before(a: Key, b: Key) -> Condition:
    if _same(a[0], b[0]):
        return less(a[1], b[1])
    return either(less(a[0], b[0]), both(negation(less(b[0], a[0])), less(a[1], b[1])))


def _same(a: Scalar, b: Scalar) -> bool:
    return isinstance(a, float) and isinstance(b, float) and a == b
