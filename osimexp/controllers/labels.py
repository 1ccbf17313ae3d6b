"""Names of the columns of a controller, by which it is fitted to a task."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

import numpy as np

from osimexp.arrays import Floats, Indices
from osimexp.errors import ConfigError, near_matches
from osimexp.tasks.environment import Environment

Fill = Mapping[str, float | None]
"""Values for columns that only one side has, by patterns of names; None leaves a column out."""

NOWHERE = -1


@dataclass(frozen=True)
class Labels:
    """Names of the columns of observations and actions, in their order.

    Attributes:
        observations: name of each column of an observation.
        actions: name of each column of an action.
    """

    observations: tuple[str, ...]
    actions: tuple[str, ...]

    @classmethod
    def of(cls, environment: Environment) -> "Labels":
        """Return the names of an environment's columns.

        Raises:
            ConfigError: it has more or fewer names than columns, or two equal names.
        """
        found = []
        for kind, space in (
            ("observation", environment.single_observation_space),
            ("action", environment.single_action_space),
        ):
            names = tuple(getattr(environment, f"{kind}_names", ()))
            if len(names) != space.shape[0]:
                raise ConfigError(
                    f"The environment has {len(names)} {kind}_names for {space.shape[0]} columns."
                )
            if twice := [name for name, count in Counter(names).items() if count > 1]:
                raise ConfigError(f"The environment's {kind}_names have {twice[0]} twice.")
            found.append(names)
        return cls(*found)


@dataclass(frozen=True, eq=False)
class Fit:
    """A map between the columns of a controller and those of a task.

    Attributes:
        seen: ``(controller's observations,)`` index of the task's column; -1 if there is none.
        filled: ``(controller's observations,)`` value if the task has no such column, else 0.
        done: ``(task's actions,)`` index of the controller's column; -1 if there is none.
        held: ``(task's actions,)`` value if the controller has no such column, else 0.
        shown: number of columns of the task's observation.
        given: number of columns of the controller's action.
    """

    seen: Indices
    filled: Floats
    done: Indices
    held: Floats
    shown: int
    given: int

    @property
    def same(self) -> bool:
        """True if both have the same columns in the same order."""
        return np.array_equal(self.seen, np.arange(self.shown)) and np.array_equal(
            self.done, np.arange(self.given)
        )


def fit(own: Labels, task: Labels, fill: Fill, who: str, blind: bool = False) -> Fit:
    """Return the map between a controller's columns and a task's, by their names.

    Args:
        own: names of the controller's columns.
        task: names of the task's columns.
        fill: values for columns that only one side has; the first pattern that matches counts: a
            number is used if the other side needs a value, None leaves the column out if the other
            side does not need it.
        who: name of the controller, as the beginning of a sentence.
        blind: whether the controller uses no observations, so that any observation fits.

    Raises:
        ConfigError: one side lacks a column of the other and ``fill`` has no value for it, or a
            pattern of ``fill`` matches nothing.
    """
    _check_patterns(fill, [*own.observations, *own.actions, *task.observations, *task.actions])
    if blind:
        seen: Indices = np.arange(len(task.observations))
        filled: Floats = np.zeros(len(seen))
    else:
        seen, filled = _places(own.observations, task.observations, fill)
    done, held = _places(task.actions, own.actions, fill)
    kept = "keep the muscles and the joints that it was trained with"
    if not blind:
        _refuse(
            who,
            _unfilled(own.observations, task.observations, fill),
            "it observes {}, which the task does not show",
            f"{kept}, or give what it sees in its place, as",
            "0.0",
        )
        _refuse(
            who,
            _unwanted(task.observations, own.observations, fill),
            "the task shows {}, which it does not observe",
            "take that out of the observation, or leave it out by",
            "null",
        )
    _refuse(
        who,
        _unwanted(own.actions, task.actions, fill),
        "it gives the action {}, which the task does not take",
        f"{kept}, or leave that out by",
        "null",
    )
    _refuse(
        who,
        _unfilled(task.actions, own.actions, fill),
        "the task takes the action {}, which it does not give",
        f"{kept}, or hold that at a value in [-1, 1], as",
        "0.0",
    )
    if not (np.abs(held) <= 1.0).all():
        name = task.actions[int(np.abs(held).argmax())]
        raise ConfigError(f"fill holds the action {name} at {np.abs(held).max():g} beyond [-1, 1].")
    return Fit(seen, filled, done, held, len(task.observations), len(own.actions))


def _refuse(who: str, names: Sequence[str], says: str, instead: str, value: str) -> None:
    """Raise the error that names the first column that one side lacks, if there is one."""
    if not names:
        return
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    raise ConfigError(
        f"{who} does not fit this task: {says.format(names[0] + more)}; "
        f"{instead} fill={{{names[0]}: {value}}}."
    )


def _places(wanted: Sequence[str], there: Sequence[str], fill: Fill) -> tuple[Indices, Floats]:
    """Return the index of each wanted name, -1 if it is missing, and the values of missing ones."""
    columns = {name: place for place, name in enumerate(there)}
    places = np.array([columns.get(name, NOWHERE) for name in wanted], dtype=np.intp)
    values = np.array([0.0 if name in columns else _value(name, fill) or 0.0 for name in wanted])
    return places, values


def _unfilled(wanted: Iterable[str], there: Sequence[str], fill: Fill) -> list[str]:
    """Return the wanted names that are missing and have no value."""
    known = set(there)
    return [name for name in wanted if name not in known and _value(name, fill) is None]


def _unwanted(there: Iterable[str], wanted: Sequence[str], fill: Fill) -> list[str]:
    """Return the names that are not wanted and that ``fill`` does not leave out."""
    known = set(wanted)
    return [
        name
        for name in there
        if name not in known and not (_pattern(name, fill) and _value(name, fill) is None)
    ]


def _pattern(name: str, fill: Fill) -> str | None:
    return next((pattern for pattern in fill if fnmatchcase(name, pattern)), None)


def _value(name: str, fill: Fill) -> float | None:
    pattern = _pattern(name, fill)
    return None if pattern is None else fill[pattern]


def _check_patterns(fill: Fill, names: Sequence[str]) -> None:
    for pattern in fill:
        if not any(fnmatchcase(name, pattern) for name in names):
            raise ConfigError(
                f"fill: neither the controller nor the task has {pattern!r}; "
                f"{near_matches(pattern, set(names))}"
            )
