"""The state of a run, read from its folder."""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from json import loads
from typing import Any, Literal

from osimexp.config import selected
from osimexp.errors import RunFolderError
from osimexp.experiment.removal import remove_run
from osimexp.experiment.run_folder import RunFolder
from osimexp.files import LARGE, read_text

State = Literal["running", "finished", "cut", "failed", "pruned"]


@dataclass(frozen=True)
class Summary:
    """The state of a run and its config, for lists and comparisons.

    Attributes:
        run: run folder.
        config: composed config.
        choices: chosen option of each config group; empty if the run did not write them.
        state: state of the run; a ``cut`` run was interrupted or killed, and ``resume`` continues
            it; a ``pruned`` run was ended by its search.
        reason: reason why the run was cut or failed, if it is known.
        steps: environment steps in its metrics.
        budget: budget in environment steps.
        started: time of the start.
    """

    run: RunFolder
    config: Mapping[str, Any]
    choices: Mapping[str, str | None]
    state: State
    reason: str | None
    steps: int
    budget: int
    started: datetime | None

    @property
    def group(self) -> str:
        """Name of the run without the seed, which runs of the same kind share."""
        name = str(selected(self.config, "run.name") or self.run.path.name)
        return name.removesuffix(f"_s{self.config.get('seed')}")

    @cached_property
    def returns(self) -> dict[int, float]:
        """Mean return of each evaluation in training, by steps."""
        return curve(self.run, "return")

    @property
    def last(self) -> float | None:
        """Mean return of the last evaluation in training."""
        return self.returns[max(self.returns)] if self.returns else None

    @property
    def best(self) -> float | None:
        """Highest mean return of the evaluations in training."""
        return max(self.returns.values(), default=None)

    def says(self, key: str, text: str, value: object) -> bool:
        """Return whether an option or a value of the config is the one that is asked for.

        Args:
            key: name of a config group, or dotted key of a value.
            text: option or value as it was typed.
            value: value that the text stands for, such as 0.0003 for 3e-4.

        Raises:
            KeyError: the run has neither a group nor a value of that name.
        """
        found = selected(self.config, key, _MISSING)
        if found is _MISSING and key not in self.choices:
            raise KeyError(key)
        if self.choices.get(key, _MISSING) in (text, value):
            return True
        # True is 1 for Python, but not here.
        same = found == value and isinstance(found, bool) == isinstance(value, bool)
        return same or str(found) == text


def summarise(run: RunFolder) -> Summary:
    """Return the summary of a run.

    Raises:
        RunFolderError: a file of the run cannot be read.
    """
    run.check_links()
    record, config = run.record(), run.values()
    state, reason = _state(run, record)
    try:
        started = datetime.fromisoformat(record["started"]) if record.get("started") else None
        if started is not None and started.tzinfo is None:
            started = started.replace(tzinfo=UTC)
    except ValueError as error:
        raise RunFolderError(f"{run.record_file} cannot be read as a run's record.") from error
    budget = selected(config, "run.steps") or 0
    if not isinstance(budget, int):
        raise RunFolderError(
            f"{run.config_file} is not the config of a run: its run.steps is {budget!r:.80}, which "
            "is not a whole number."
        )
    return Summary(
        run,
        config,
        record.get("choices") or {},
        state,
        reason,
        _steps(run) or record.get("steps") or 0,
        budget,
        started,
    )


def remove(run: RunFolder) -> None:
    """Delete a run's folder, unless a process writes to it.

    Raises:
        RunFolderError: a process writes to it, it holds something that no run wrote, or it cannot
            be deleted.
    """
    with run.claimed():
        remove_run(run.path, results=True)


def _state(run: RunFolder, record: Mapping[str, Any]) -> tuple[State, str | None]:
    state, reason = record["state"], record.get("reason")
    if state == "running" and not run.in_use():
        return "cut", reason or "its process ended without a message"
    if state == "interrupted":
        return "cut", reason
    if state not in ("running", "finished", "failed", "pruned"):
        raise RunFolderError(f"{run.record_file} says {state!r}, which is not a state of a run.")
    return state, reason


def _steps(run: RunFolder) -> int:
    if not run.metrics_file.is_file():
        return 0
    try:
        stream = io.StringIO(read_text(run.metrics_file, LARGE), newline="")
        steps = max((int(row["steps"]) for row in csv.DictReader(stream)), default=0)
        if not 0 <= steps < 2**63:
            raise ValueError("no run makes that many steps")
        return steps
    except (OSError, ValueError, TypeError, KeyError, csv.Error) as error:
        raise RunFolderError(f"{run.metrics_file} cannot be read as metrics.") from error


def metrics_of(run: RunFolder, evaluation: str) -> dict[str, float | None] | None:
    """Return the mean of each metric of an evaluation; None if the evaluation does not exist.

    Args:
        run: run folder.
        evaluation: ``final``, or the steps after which it was made.

    Raises:
        RunFolderError: the evaluation cannot be read.
    """
    file = run.evaluation_file(evaluation)
    if not file.is_file():
        return None
    try:
        metrics = loads(read_text(file))["figures"]
        means = {name: spread["mean"] for name, spread in metrics.items()}
        return {name: None if mean is None else float(mean) for name, mean in means.items()}
    except (
        OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError
    ) as error:  # fmt: skip
        raise RunFolderError(f"{file} cannot be read as an evaluation.") from error


def curve(run: RunFolder, figure: str) -> dict[int, float]:
    """Return the mean of a metric in each evaluation in training, by steps."""
    stems = [file.stem for file in run.evaluation_file("0").parent.glob("*.json")]
    found = {}
    # A name of more digits is not of steps that a run can have made.
    for steps in sorted(int(stem) for stem in stems if stem.isdecimal() and len(stem) < 19):
        value = (metrics_of(run, str(steps)) or {}).get(figure)
        if value is not None:
            found[steps] = float(value)
    return found


def age(then: datetime, now: datetime | None = None) -> str:
    """Return the time since a moment as text, in its largest unit."""
    seconds = ((now or datetime.now(UTC)) - then).total_seconds()
    for unit, length in (("d", 86400.0), ("h", 3600.0), ("min", 60.0)):
        if seconds >= length:
            return f"{seconds / length:.0f} {unit}"
    return f"{max(seconds, 0.0):.0f} s"


_MISSING = object()
