"""Headers of OpenSim's text files of columns over time, and the unit of angles that they state.

OpenSim's ``Storage`` takes angles for degrees if the header says ``inDegrees=yes``, and if it has
no version, as files of SIMM and of OpenSim's first years; it takes all others for radians. It
passes over sentences such as "Angles are in degrees.", which its tools write beside ``inDegrees``.
"""

import logging
import re
from collections.abc import Sequence
from pathlib import Path

from osimexp.errors import MovementError

log = logging.getLogger("osimexp")

_ANSWERS = {"yes": True, "y": True, "no": False, "n": False}


def in_degrees(path: Path, header: Sequence[str]) -> bool:
    """Return whether a header states that angles are in degrees and not in radians.

    ``inDegrees`` decides, else a sentence on the unit, else the version. What differs from
    OpenSim's own reading is logged.

    Args:
        path: path of the file, for messages.
        header: lines before ``endheader``.

    Raises:
        MovementError: ``inDegrees`` is neither yes nor no, or is given twice with different values.
    """
    stated = _stated(path, header)
    opensim = _old(header) or bool(stated)
    found, why = stated, "inDegrees"
    if found is None:
        found = _sentence(header)
        why = f"Angles are in {'degrees' if found else 'radians'}."
    if found is None:
        if opensim:
            log.info(
                "%s does not state the unit of its angles and has no version; they are taken for "
                "degrees, as by OpenSim.",
                path,
            )
        return opensim
    if found != opensim:
        log.warning(
            "The angles of %s are read in %s, as its header states (%s); OpenSim itself takes them "
            "for %s, because the header lacks %s.",
            path,
            *(("degrees", why, "radians") if found else ("radians", why, "degrees")),
            "inDegrees=yes" if found else "version=1",
        )
    return found


def value_of(header: Sequence[str], key: str) -> str | None:
    """Return the value of a key, such as ``nRows``, in a header; None without the key."""
    pattern = re.compile(rf"\s*{key}(?:\s*=\s*|\s+)(.*?)\s*", re.IGNORECASE)
    matches = (pattern.fullmatch(line) for line in header)
    return next((match[1] for match in matches if match is not None), None)


def _stated(path: Path, header: Sequence[str]) -> bool | None:
    """Return the value of ``inDegrees``; None without it."""
    found: dict[bool, int] = {}
    for number, line in enumerate(header, start=1):
        if (value := value_of([line], "inDegrees")) is None:
            continue
        if value.lower() not in _ANSWERS:
            raise MovementError(
                f"{path}, line {number}: inDegrees={value} is neither yes nor no, so the unit of "
                "the angles is not known."
            )
        found.setdefault(_ANSWERS[value.lower()], number)
    if len(found) > 1:
        raise MovementError(
            f"{path}, lines {min(found.values())} and {max(found.values())}: inDegrees is both yes "
            "and no."
        )
    return next(iter(found), None)


def _sentence(header: Sequence[str]) -> bool | None:
    """Return the unit that a sentence states, true for degrees; None without such a sentence."""
    units = {
        match[1].lower()
        for line in header
        if (match := re.search(r"\bangles\s+are\s+in\s+(degree|radian)s?\b", line, re.IGNORECASE))
    }
    return units == {"degree"} if len(units) == 1 else None


def _old(header: Sequence[str]) -> bool:
    """Return whether a file is older than the first version of OpenSim's format."""
    match = re.match(r"\d+", value_of(header, "version") or "")
    return match is None or int(match[0]) < 1
