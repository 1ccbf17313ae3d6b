"""Labels of what a controller observes and does, by which it is fitted to a task."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

import numpy as np

from osimexp.arrays import Floats, Indices
from osimexp.errors import ConfigError, near_matches
from osimexp.tasks.environment import Environment

Fill = Mapping[str, float | None]
"""Patterns of names to values for what only one side has; None leaves it out."""

NOWHERE = -1


@dataclass(frozen=True)
class Labels:
    """Names of the columns of observations and of actions, in their order.

    Attributes:
        observations: of each column of an observation.
        actions: of each column of an action.
    """

    observations: tuple[str, ...]
    actions: tuple[str, ...]

    @classmethod
    def of(cls, environment: Environment) -> "Labels":
        """Return the labels of an environment.

        Raises:
            ConfigError: it has not as many names as columns, or two alike.
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
                raise ConfigError(f"The environment's {kind}_names hold {twice[0]} twice.")
            found.append(names)
        return cls(*found)


@dataclass(frozen=True, eq=False)
class Fit:
    """The place of each of a controller's columns among those of a task.

    Attributes:
        seen: ``(controller's observations,)`` column of the task's observation, -1 for none.
        filled: ``(controller's observations,)`` value where the task shows none, else 0.
        done: ``(task's actions,)`` column of the controller's action, -1 for none.
        held: ``(task's actions,)`` value where the controller does none, else 0.
        shown: columns of the task's observation.
        given: columns of the controller's action.
    """

    seen: Indices
    filled: Floats
    done: Indices
    held: Floats
    shown: int
    given: int

    @property
    def same(self) -> bool:
        """Whether both have the same columns in the same order."""
        return np.array_equal(self.seen, np.arange(self.shown)) and np.array_equal(
            self.done, np.arange(self.given)
        )


def fit(own: Labels, task: Labels, fill: Fill, who: str, blind: bool = False) -> Fit:
    """Return how a controller fits a task, by the names of their columns.

    Args:
        own: of the controller.
        task: of the task.
        fill: the first pattern that matches a column which only one of them has says what becomes
            of it: a number stands in its place where the other needs one, None leaves it out
            where the other does not.
        who: the controller, as the beginning of a sentence.
        blind: whether the controller looks at nothing, so that any observation fits.

    Raises:
        ConfigError: a column of either is missing in the other and ``fill`` does not say what
            becomes of it, or it names nothing.
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
    """Raise the error that names the first of the columns that one side lacks, if there is one."""
    if not names:
        return
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    raise ConfigError(
        f"{who} does not fit this task: {says.format(names[0] + more)}; "
        f"{instead} fill={{{names[0]}: {value}}}."
    )


def _places(wanted: Sequence[str], there: Sequence[str], fill: Fill) -> tuple[Indices, Floats]:
    """Return where each wanted name is, -1 for nowhere, and the value in place of those."""
    columns = {name: place for place, name in enumerate(there)}
    places = np.array([columns.get(name, NOWHERE) for name in wanted], dtype=np.intp)
    values = np.array([0.0 if name in columns else _value(name, fill) or 0.0 for name in wanted])
    return places, values


def _unfilled(wanted: Iterable[str], there: Sequence[str], fill: Fill) -> list[str]:
    """Return the wanted names that are not there and have no value."""
    known = set(there)
    return [name for name in wanted if name not in known and _value(name, fill) is None]


def _unwanted(there: Iterable[str], wanted: Sequence[str], fill: Fill) -> list[str]:
    """Return the names that are not wanted and not said to be left out."""
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
