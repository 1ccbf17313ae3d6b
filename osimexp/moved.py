"""Renamed classes and keys in configs of earlier versions, and their present names."""

from collections.abc import Iterable, Mapping
from typing import Any

from osimexp.errors import near_matches

MOVED = {
    "osimexp.tasks.symmetry.HalfCycle": "osimexp.tasks.goals.gait.HalfCycle",
    "osimexp.tasks.gait": "osimexp.tasks.goals.gait",
    "osimexp.tasks.gym": "osimexp.tasks.adapters.gym",
    "osimexp.tasks.observations": "osimexp.tasks.terms.observations",
    "osimexp.tasks.pushes": "osimexp.tasks.terms.pushes",
    "osimexp.tasks.recorded_gait": "osimexp.tasks.goals.recorded_gait",
    "osimexp.tasks.rewards": "osimexp.tasks.terms.rewards",
    "osimexp.tasks.speeds": "osimexp.tasks.goals.speeds",
    "osimexp.tasks.starts": "osimexp.tasks.terms.starts",
    "osimexp.tasks.symmetry": "osimexp.tasks.terms.symmetry",
    "osimexp.tasks.targets": "osimexp.tasks.terms.targets",
    "osimexp.tasks.terminations": "osimexp.tasks.terms.terminations",
}
"""Present import paths by old ones: of classes, and of modules for all their classes."""

RENAMED = {"algo.kl_stop": "algo.max_kl", "algo.kl_target": "algo.desired_kl"}
"""Present keys of a run's config, in full, by old ones; no present key has two old ones."""


NEWER: Mapping[str, Mapping[str, Any]] = {
    "osimexp.algorithms.ddpg.Settings": {"horizon": 1, "layer_norm": False},
    "osimexp.algorithms.sac.Settings": {"horizon": 1, "layer_norm": False},
    "osimexp.tasks.goals.gait.MidGait": {"fastest": 1.0, "where_possible": False},
    "osimexp.tasks.terms.pushes.RandomPushes": {"direction": "forward"},
    "osimexp.tasks.terms.rewards.Velocity": {"width": 0.5},
    "osimexp.tasks.terms.starts.Poses": {"standing": 0.0},
    "osimexp.tasks.terms.symmetry.LeadingLeg": {"where_possible": False},
}
"""Values of keys that configs of earlier versions lack, by class and key.

``width`` was left out with ``target: null`` alone, where it has no effect.
"""


def with_newer_keys(target: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a class, completed by those that an earlier version's config lacks.

    Args:
        target: present import path of the class.
        values: values that the config gives.
    """
    return {**NEWER.get(target, {}), **values}


def present(target: str) -> str:
    """Return the present import path of a class, given one of an earlier version."""
    module, _, name = target.rpartition(".")
    return MOVED.get(target) or f"{MOVED.get(module, module)}.{name}"


def present_keys(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a config, plain or nested, with present names of renamed keys."""
    return _with_keys(config, RENAMED, "")


def first_keys(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a config with the first names of renamed keys."""
    return _with_keys(config, {new: old for old, new in RENAMED.items()}, "")


def unknown_key(key: str, known: Iterable[str]) -> str:
    """Return the sentence that refuses a dotted key and names its new name or similar ones.

    Args:
        key: key in full, such as ``algo.kl_stop``.
        known: names that are allowed in place of the key's last part.
    """
    if key in RENAMED:
        return f"{key} is now {RENAMED[key]}."
    return f"{key} is not a known key; {near_matches(key.rpartition('.')[2], known)}"


def _with_keys(config: Mapping[str, Any], names: Mapping[str, str], before: str) -> dict[str, Any]:
    changed: dict[str, Any] = {}
    for key, value in config.items():
        place = f"{before}{key}"
        if isinstance(value, Mapping):
            value = _with_keys(value, names, f"{place}.")
        changed[names[place].removeprefix(before) if place in names else key] = value
    return changed
