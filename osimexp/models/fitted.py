"""The note on fitted paths in a model's text: how far off they are, and how far they hold.

It is a comment behind the model, so that it goes wherever the text of the model goes.
"""

import json
import logging
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from osimexp.errors import ModelError
from osimexp.models.polynomials import PathFit

log = logging.getLogger("osimexp")

_NOTE = re.compile(r"<!-- osimexp fitted paths (.*) -->\s*$")

_WARNED = 5e-3
"""Greatest error of a fitted length of which no warning is given, m."""

_REFUSED = 2e-2
"""Greatest error of a fitted length that is accepted, m."""


@dataclass(frozen=True)
class Fitted:
    """The facts about fitted paths.

    Attributes:
        off: greatest error of the length of each muscle's path in the ranges, m.
        jumps: share of the poses in which OpenSim's own path of a muscle jumps; muscles without are
            left out.
        holds: distance beyond the range of each coordinate up to which all fits hold, rad or m.
    """

    off: dict[str, float] = field(default_factory=dict)
    jumps: dict[str, float] = field(default_factory=dict)
    holds: dict[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, fits: Mapping[str, PathFit]) -> "Fitted":
        """Return the facts about the fits of muscles."""
        holds: dict[str, float] = {}
        for fit in fits.values():
            for path, margin in zip(fit.coordinates, fit.holds, strict=True):
                name = path.rpartition("/")[2]
                holds[name] = round(min(margin, holds.get(name, margin)), 4)
        return cls(
            {name: round(fit.length_max, 6) for name, fit in fits.items()},
            {name: round(fit.jumps, 4) for name, fit in fits.items() if fit.jumps},
            holds,
        )


def with_note(xml: str, fitted: Fitted) -> str:
    """Return the text of a model with a note on its fitted paths behind it."""
    if not fitted.off:
        return xml
    return f"{_NOTE.sub('', xml).rstrip()}\n<!-- osimexp fitted paths {_text(fitted)} -->\n"


def read_note(xml: str) -> Fitted:
    """Return the facts in a model's text; there are none if it has no note.

    Raises:
        ModelError: the note was changed so that it cannot be read.
    """
    found = _NOTE.search(xml)
    if found is None:
        return Fitted()
    try:
        parts = json.loads(found[1])
        kept = {
            part: {str(name): float(value) for name, value in parts[part].items()}
            for part in ("off", "jumps", "holds")
        }
        if not all(math.isfinite(value) for values in kept.values() for value in values.values()):
            raise ValueError("a number is not finite")
        return Fitted(**kept)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(
            "The note on fitted paths at the end of the model cannot be read; fit the model again."
        ) from error


def judge(fitted: Fitted, packaged: bool) -> None:
    """Log how far fitted paths are off, and refuse those that are too far off.

    Args:
        fitted: facts about the paths.
        packaged: whether the model is one of the project's own, whose fits are known.

    Raises:
        ModelError: a path is off by more than 20 mm; the message names the muscle.
    """
    if not fitted.off:
        return
    worst = sorted(fitted.off, key=lambda name: -fitted.off[name])
    far = [name for name in worst if not fitted.off[name] <= _REFUSED]
    if far:
        raise ModelError(
            f"Of the fitted paths {_lengths(far, fitted)}, which is too far"
            f"{_jumping(far, fitted)}; keep the geometry with model.paths=geometry."
        )
    poor = [name for name in worst if fitted.off[name] > _WARNED]
    log.log(
        logging.WARNING if poor and not packaged else logging.INFO,
        "The paths of %d muscles are polynomials; from OpenSim's, %s%s.",
        len(fitted.off), _lengths(poor or worst[:1], fitted), _jumping(worst, fitted),
    )  # fmt: skip
    least = min(fitted.holds, key=lambda name: fitted.holds[name], default=None)
    if least is not None:
        log.info(
            "They hold %.2g (rad or m) or more beyond the ranges of the coordinates, least for %s; "
            "an episode that goes farther ends.",
            fitted.holds[least], least,
        )  # fmt: skip


def _lengths(names: list[str], fitted: Fitted) -> str:
    shown = ", ".join(f"{name} is off by {1e3 * fitted.off[name]:.1f} mm" for name in names[:4])
    return shown + (f" and {len(names) - 4} more are off" if len(names) > 4 else "")


def _jumping(names: list[str], fitted: Fitted) -> str:
    jumping = [name for name in names if name in fitted.jumps]
    if not jumping:
        return ""
    share = max(fitted.jumps[name] for name in jumping)
    more = f" and {len(jumping) - 3} more" if len(jumping) > 3 else ""
    return (
        f"; OpenSim's own path of {', '.join(jumping[:3])}{more} jumps in up to {share:.1%} of the "
        "poses, which were left out"
    )


def _text(fitted: Fitted) -> str:
    # Two hyphens would end the comment.
    return json.dumps(asdict(fitted), sort_keys=True).replace("--", "\\u002d\\u002d")
