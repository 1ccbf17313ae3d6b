"""Description of a task in tables: observations, actions, rewards, starts and ends of episodes."""

import dataclasses
import inspect
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Any

import numpy as np
from rich.box import SIMPLE
from rich.table import Table

from osimexp.models.names import Actuator, Names
from osimexp.tasks.actions import ActionMap
from osimexp.tasks.adapters.gym import GymEnvironment
from osimexp.tasks.columns import Column
from osimexp.tasks.environment import Environment
from osimexp.tasks.musculoskeletal import MusculoskeletalVectorEnv
from osimexp.terminal import Console


@dataclass(frozen=True)
class Observed:
    """A column of an observation.

    Attributes:
        name: name in the task.
        unit: unit of the quantity, with a factor on it; empty if it is not known.
        lowest: lower bound; infinite if there is none.
        highest: upper bound; infinite if there is none.
    """

    name: str
    unit: str = ""
    lowest: float = -np.inf
    highest: float = np.inf


@dataclass(frozen=True)
class Done:
    """A column of an action.

    Attributes:
        name: name in the task.
        drives: muscles and other actuators that the action drives, with their weights; empty if
            that is not known.
        lowest: drive at an action of -1, an excitation or another control.
        highest: drive at an action of 1.
    """

    name: str
    drives: str
    lowest: float
    highest: float


@dataclass(frozen=True)
class Part:
    """A term or another part of a task.

    Attributes:
        name: key in the config.
        meaning: first sentence of the docstring of its class.
        settings: names and values of its settings.
        weight: weight of a reward term; None for other parts.
    """

    name: str
    meaning: str
    settings: Mapping[str, Any]
    weight: float | None = None

    @property
    def said(self) -> str:
        """Settings as text, without those that are too long for a line."""
        known = {name: _said(value) for name, value in self.settings.items()}
        return ", ".join(f"{name}={text}" for name, text in known.items() if text is not None)


@dataclass(frozen=True)
class Description:
    """All that the designer of a controller needs to know of a task.

    Attributes:
        observations: columns of an observation, in their order.
        actions: columns of an action, in their order.
        rewards: terms whose weighted sum is the reward; empty if the task has its own reward.
        terminations: terms that terminate an episode; empty if the task has its own rules.
        parts: start, target, symmetry and pushes, as far as the task has them.
        facts: other facts, by name.
    """

    observations: tuple[Observed, ...]
    actions: tuple[Done, ...]
    rewards: tuple[Part, ...] = ()
    terminations: tuple[Part, ...] = ()
    parts: tuple[Part, ...] = ()
    facts: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def tables(self) -> list[Table]:
        """Return the tables for ``rich`` to print, without empty columns and tables.

        Values are multiplied by the factor before their unit.
        """
        seen = [(o.name, o.unit, _number(o.lowest), _number(o.highest)) for o in self.observations]
        done = [(a.name, a.drives, _number(a.lowest), _number(a.highest)) for a in self.actions]
        rewards = [(r.name, _number(r.weight), r.meaning, r.said) for r in self.rewards]
        ends = [(t.name, t.meaning, t.said) for t in self.terminations]
        parts = [(p.name, p.meaning, p.said) for p in self.parts]
        found = [
            _table("Observation", ("name", "unit", "lowest", "highest"), seen, numbered=True),
            _table("Action", ("name", "drives", "lowest", "highest"), done, numbered=True),
            _table("Reward", ("term", "weight", "meaning", "settings"), rewards),
            _table("Termination", ("term", "meaning", "settings"), ends),
            _table("Task", ("part", "meaning", "settings"), parts),
            _table("Episode", ("fact", "value"), list(self.facts.items())),
        ]
        return [table for table in found if table is not None]

    def __str__(self) -> str:
        """Return the tables as text, 100 characters wide."""
        text = StringIO()
        console = Console(width=100, file=text)
        for table in self.tables():
            console.print(table)
        return text.getvalue()


def describe(environment: Environment) -> Description:
    """Return the description of an environment, as far as it is known.

    Our own tasks are described in full; environments of Gymnasium have bounds and the length of
    episodes; others have the names of their columns.
    """
    kind: object = environment
    if isinstance(kind, MusculoskeletalVectorEnv):
        return _of_movement(kind)
    if isinstance(kind, GymEnvironment):
        return _of_gymnasium(kind)
    return Description(
        tuple(Observed(name) for name in environment.observation_names),
        tuple(Done(name, "", -1.0, 1.0) for name in environment.action_names),
    )


def _of_movement(environment: MusculoskeletalVectorEnv) -> Description:
    task = environment.specification
    period, duration = task.task.control_period, task.duration
    parts = {
        "start": task.start,
        "target": task.target,
        "symmetry": task.symmetry,
        "push": task.push,
    }
    return Description(
        tuple(Observed(column.name, _unit(column)) for column in environment.observation_columns),
        _driven(environment.action_map, environment.scene.names),
        tuple(_part(name, term, term.weight) for name, term in task.reward.items()),
        tuple(_part(name, term) for name, term in task.termination.items()),
        tuple(_part(name, part) for name, part in parts.items() if part is not None),
        {
            "control period": f"{period:g} s",
            "truncated after": f"{duration:g} s, {round(duration / period)} steps",
            "terminated": "by any of the terms, and where the simulation fails",
        },
    )


def _driven(actions: ActionMap, names: Names) -> tuple[Done, ...]:
    units = {one.name: _at_one(one, names) for one in names.actuators}
    found = []
    for name, weights, ends in zip(actions.names, actions.weights, actions.ranges, strict=True):
        drives = [
            (control if weight == 1.0 else f"{control} × {weight:g}") + units.get(control, "")
            for control, weight in zip(actions.controls, weights, strict=True)
            if weight
        ]
        found.append(Done(name, ", ".join(drives), float(ends[0]), float(ends[1])))
    return tuple(found)


def _at_one(actuator: Actuator, names: Names) -> str:
    """Return an actuator's force or torque at a control of 1, as text, if that is one number."""
    if actuator.coordinate is None:
        return ""
    rotational = names.rotational[names.coordinates.index(actuator.coordinate)]
    return f" ({actuator.optimal_force:g} {'N m' if rotational else 'N'} at 1)"


def _of_gymnasium(environment: GymEnvironment) -> Description:
    observed = environment.observation_bounds
    done = environment.action_bounds
    return Description(
        tuple(
            Observed(name, "", float(low), float(high))
            for name, low, high in zip(environment.observation_names, *observed, strict=True)
        ),
        tuple(
            Done(name, "", float(low), float(high))
            for name, low, high in zip(environment.action_names, *done, strict=True)
        ),
        facts=environment.facts,
    )


def _unit(column: Column) -> str:
    return column.unit if column.scale == 1.0 else f"{column.unit} × {column.scale:g}"


def _part(name: str, part: Any, weight: float | None = None) -> Part:
    fields = dataclasses.fields(part) if dataclasses.is_dataclass(part) else ()
    settings = {f.name: getattr(part, f.name) for f in fields if f.name != "weight"}
    return Part(name, _first_sentence(type(part)), settings, weight)


def _first_sentence(kind: type) -> str:
    """Return the first sentence of a class's own docstring; empty if it has none."""
    text = inspect.cleandoc(kind.__dict__.get("__doc__") or "")
    if text.startswith(f"{kind.__name__}("):  # What a dataclass writes where nobody did.
        return ""
    first = " ".join(text.partition("\n\n")[0].split())
    found = re.match(r".+?[.!?](?= |$)", first)
    return found[0] if found else first


def _said(value: Any) -> str | None:
    """Return a value as short text; None if it is too long."""
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, int | float):
        return f"{value:g}"
    if isinstance(value, str):
        return value
    if isinstance(value, tuple) and all(isinstance(item, str | int | float) for item in value):
        return f"[{', '.join(str(_said(item)) for item in value)}]"
    return None


def _number(value: float | None) -> str:
    return "" if value is None or np.isinf(value) else f"{value:g}"


def _table(
    title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], numbered: bool = False
) -> Table | None:
    if not rows:
        return None
    table = Table(box=SIMPLE, title=title, title_justify="left")
    kept = [c for c in range(len(columns)) if any(row[c] for row in rows)]
    if numbered:
        table.add_column("index", justify="right")
    right = ("weight", "lowest", "highest")
    for c in kept:
        table.add_column(columns[c], justify="right" if columns[c] in right else "left")
    for number, row in enumerate(rows):
        cells = [row[c] for c in kept]
        table.add_row(*([str(number), *cells] if numbered else cells))
    return table
