"""Differences between the configs of runs: groups, labels, and whether runs are comparable."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from osimexp.errors import ConfigError
from osimexp.experiment.summary import Summary
from osimexp.moved import present, with_newer_keys

# Keys that differ between the runs of one group, or that say how they were run.
_OF_ONE_RUN = ("seed", "run", "workers", "device", "resume")

# Groups that define the task.
TASK = ("model", "muscles", "physics", "task", "start", "termination", "push", "target")

# Keys of the budget and of evaluations; with more evaluations the best one is better by chance.
EVALUATION = (
    "run.steps",
    "run.evaluation.every",
    "run.evaluation.episodes",
    "run.evaluation.final_episodes",
)

Facts = Mapping[str, Hashable]

_LONGEST = 120
"""Greatest length of a label; groups that need longer ones get the names of their runs."""


@dataclass(frozen=True)
class Group:
    """A group of runs that differ in nothing but their seeds.

    Attributes:
        label: differences from the other groups, as text.
        members: runs of the group.
    """

    label: str
    members: tuple[Summary, ...]


def facts_of(config: Mapping[str, Any]) -> dict[str, Hashable]:
    """Return the values of a config by their dotted keys; lists become tuples.

    A config of an earlier version has the present names of classes, and the keys that it lacks.
    """
    return dict(_leaves(_completed(config), ""))


def _completed(config: Mapping[str, Any]) -> dict[str, Any]:
    target = config.get("_target_")
    values = dict(config)
    if isinstance(target, str):
        target = present(target)
        values = {"_target_": target} | with_newer_keys(target, values) | {"_target_": target}
    return {
        key: _completed(value) if isinstance(value, Mapping) else value
        for key, value in values.items()
    }


def differing(facts: Sequence[Facts], within: Sequence[str] | None = None) -> list[str]:
    """Return the keys whose values differ between configs.

    Args:
        facts: values of each config by dotted keys.
        within: keys, or beginnings of keys, that count; None takes all but those of a single run.
    """
    keys = dict.fromkeys(key for own in facts for key in own)
    return [
        key
        for key in keys
        if (_under(key, within) if within is not None else _of_group(key))
        and len({own.get(key) for own in facts}) > 1
    ]


def identity(config: Mapping[str, Any]) -> Hashable:
    """Return a value that is equal for two configs only if they give the same run."""
    facts = facts_of(config)
    return tuple(sorted((k, repr(v)) for k, v in facts.items() if k == "seed" or _of_group(k)))


def check_comparable(summaries: Sequence[Summary], figure: str, allowed: Sequence[str]) -> None:
    """Refuse runs that do not have the same task and evaluations.

    Args:
        summaries: summaries of the runs.
        figure: name of the metric; for returns, the reward must be the same, too.
        allowed: keys, or beginnings of keys, that may differ nevertheless.

    Raises:
        ConfigError: the runs differ; it names the first key that differs.
    """
    facts = [facts_of(summary.config) for summary in summaries]
    reward = ("reward",) if figure == "return" or figure.startswith("reward/") else ()
    for reason, keys in (
        ("do not have the same task", TASK),
        ("do not have the same budget and evaluations", EVALUATION),
        (f"do not have the same reward, on which their {figure} depends", reward),
    ):
        found = [key for key in differing(facts, keys) if not _under(key, allowed)]
        if found:
            values = dict.fromkeys(str(own.get(found[0])) for own in facts)
            more = f" and {len(found) - 1} more keys" if len(found) > 1 else ""
            top = found[0] if found[0] in EVALUATION else _top(found[0])
            instead = ", or figure=distance or another one" if keys == reward else ""
            raise ConfigError(
                f"These runs {reason}: {found[0]} is {' and '.join(list(values)[:4])}{more}; "
                f"allow=[{top}] compares them nevertheless{instead}."
            )


def grouped(summaries: Sequence[Summary]) -> list[Group]:
    """Return the groups of runs that differ in their seeds alone, in the order of the runs."""
    facts = [facts_of(summary.config) for summary in summaries]
    keys = differing(facts)
    parts: dict[tuple[Hashable, ...], list[int]] = {}
    for index, own in enumerate(facts):
        parts.setdefault(tuple(own.get(key) for key in keys), []).append(index)
    firsts = [members[0] for members in parts.values()]
    names = _telling([summaries[i] for i in firsts], [facts[i] for i in firsts], keys)
    labels = []
    for first in firsts:
        values = {**facts[first], **summaries[first].choices}
        label = ", ".join(f"{name}={_short(values.get(name))}" for name in names)
        labels.append(label or summaries[first].group)
    if max(map(len, labels)) > _LONGEST:
        labels = _numbered([summaries[first].group for first in firsts])
    return [
        Group(label, tuple(summaries[i] for i in members))
        for label, members in zip(labels, parts.values(), strict=True)
    ]


def _telling(summaries: Sequence[Summary], facts: Sequence[Facts], keys: list[str]) -> list[str]:
    """Return few names, of config groups and keys, whose values distinguish all groups of runs.

    An experiment that does so is enough. Otherwise the names are of the groups whose options
    differ, and of the keys whose values do not follow from these options.
    """
    if len(summaries) < 2:
        return []
    known = dict.fromkeys(name for summary in summaries for name in summary.choices)
    chosen = {name: [summary.choices.get(name) for summary in summaries] for name in known}
    if len(set(chosen.get("experiment", ()))) == len(summaries):
        return ["experiment"]
    names = [
        name
        for name, options in chosen.items()
        if len(set(options)) > 1 and name != "experiment" and not _under(name, _OF_ONE_RUN)
    ]
    unsaid = []
    for key in keys:
        values: dict[str | None, set[Hashable]] = {}
        for option, own in zip(chosen.get(_top(key), [None] * len(facts)), facts, strict=True):
            values.setdefault(option, set()).add(own.get(key))
        if any(len(found) > 1 for found in values.values()):
            unsaid.append(key)
    return names + unsaid


def _numbered(names: Sequence[str]) -> list[str]:
    """Return names, with a number after those that occur more than once."""
    return [
        name if names.count(name) == 1 else f"{name} ({names[: place + 1].count(name)})"
        for place, name in enumerate(names)
    ]


def _top(key: str) -> str:
    return key.split(".")[0]


def _leaves(node: Mapping[str, Any], before: str) -> Iterable[tuple[str, Hashable]]:
    for name, value in node.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{before}{name}.")
        else:
            yield f"{before}{name}", _hashable(value)


def _hashable(value: Any) -> Hashable:
    if isinstance(value, list):
        return tuple(_hashable(item) for item in value)
    return repr(value) if isinstance(value, Mapping) else value


def unlike(one: Facts, other: Facts) -> list[str]:
    """Return the keys by which two configs do not give the same run, seed included.

    A key that only one of them has does not count if its value is empty, or if the ``_target_``
    beside it is the same in both, because then it came with another version.
    """

    def of_a_version(key: str) -> bool:
        if key in one and key in other:
            return False
        target = f"{key.rpartition('.')[0]}._target_"
        value = one.get(key, other.get(key))
        return value in (None, ()) or (target in one and one[target] == other.get(target))

    keys = [*differing([one, other], ["seed"]), *differing([one, other])]
    return [key for key in keys if not of_a_version(key)]


def _of_group(key: str) -> bool:
    return key in EVALUATION or not _under(key, _OF_ONE_RUN)


def _under(key: str, tops: Iterable[str]) -> bool:
    return any(key == top or key.startswith(f"{top}.") for top in tops)


def _short(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, tuple):
        return "[" + ",".join(map(_short, value)) + "]"
    return str(value)
