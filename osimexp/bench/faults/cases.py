"""Cases of the campaign, their outcomes, and the counts of these."""

import signal
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from osimexp.bench.faults.processes import Ended

Outcome = Literal[
    "fine", "refused", "traceback", "hang", "signal", "silent", "lost", "unclear"
]  # fmt: skip
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
"""Outcomes of a case.

``fine`` ended well with the right result, ``refused`` in one sentence. All others are faults: a
traceback, no end within the limit, an end by a signal, another result without a word, more lost
than one interval, and an end that says nothing clear.
"""

REFUSED = 2
"""Exit code of a refusal."""


@dataclass(frozen=True)
class Case:
    """A fault on purpose, and what came of it.

    Attributes:
        piece: piece of the campaign.
        number: number of the case in its piece.
        subject: command or file.
        change: what was done to it.
        outcome: one of ``OUTCOMES``.
        seconds: wall time, s.
        said: last line of the output, for outcomes other than ``fine``.
    """

    piece: str
    number: int
    subject: str
    change: str
    outcome: Outcome
    seconds: float
    said: str = ""

    @property
    def fault(self) -> bool:
        """True if the outcome is a fault of the program."""
        return self.outcome not in ("fine", "refused")


def outcome_of(ended: Ended) -> Outcome:
    """Return the outcome of a command by how it ended; its results are not looked at."""
    if ended.hung:
        return "hang"
    if ended.code < 0:
        return "signal"
    if "Traceback (most recent call last)" in ended.errors + ended.output:
        return "traceback"
    if ended.code == 0:
        return "fine"
    lines = ended.errors.strip().splitlines()
    refused = ended.code == REFUSED and len(lines) == 1 and lines[0].startswith("Error: ")
    return "refused" if refused else "unclear"


def said_by(ended: Ended) -> str:
    """Return the last line that a command wrote, errors first, of 300 characters at most."""
    if ended.code < 0 and not ended.hung:
        return f"ended by {signal.Signals(-ended.code).name}"
    lines = [line for text in (ended.errors, ended.output) for line in text.splitlines()[-1:]]
    return next((line[:300] for line in lines if line.strip()), f"exit code {ended.code}")


def counts(cases: Iterable[Case]) -> Mapping[str, Mapping[Outcome, int]]:
    """Return the number of cases of each outcome, by piece."""
    found: dict[str, Counter[Outcome]] = {}
    for case in cases:
        found.setdefault(case.piece, Counter())[case.outcome] += 1
    return found
