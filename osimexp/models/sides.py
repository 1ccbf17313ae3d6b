"""Left and right in the names of muscles, joints, bodies and feet."""

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

MARKS = (("_r", "_l"), ("_R", "_L"), ("r_", "l_"), ("R_", "L_"))
WORDS = ("right", "left")


def side_of(name: str) -> str | None:
    """Return the side in the name of a foot, a body, a force or a muscle; None if there is none."""
    low = name.lower()
    parts = re.split(r"[^a-z0-9]+", low)
    return next((side for side in WORDS if side in low or side[0] in parts), None)


def without_side(name: str) -> str:
    """Return a name without the mark of its side, if it has one."""
    for pair in MARKS:
        for mark in pair:
            if mark.startswith("_") and name.endswith(mark):
                return name.removesuffix(mark)
            if mark.endswith("_") and name.startswith(mark):
                return name.removeprefix(mark)
    return name


def other_side(name: str) -> str:
    """Return the same name with the other side in it; a name without a side is unchanged."""
    if name in WORDS:
        return WORDS[1 - WORDS.index(name)]
    for pair in MARKS:
        for mark, other in (pair, pair[::-1]):
            if mark.startswith("_") and name.endswith(mark):
                return name.removesuffix(mark) + other
            if mark.endswith("_") and name.startswith(mark):
                return other + name.removeprefix(mark)
    return name


def counterparts(names: Sequence[str]) -> NDArray[np.intp]:
    """Return, for each name, the index of its counterpart on the other side, or its own index."""
    places = {name: place for place, name in enumerate(names)}
    return np.array([places.get(other_side(name), places[name]) for name in names], dtype=np.intp)


def without_counterpart(names: Sequence[str]) -> list[str]:
    """Return the names that have a side, and no counterpart on the other side."""
    return [name for name in names if other_side(name) not in names]
