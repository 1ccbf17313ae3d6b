"""The code that a config of a run folder may name: osimexp's, and packages that the user trusts."""

import os
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from osimexp.errors import UntrustedError
from osimexp.moved import present

VARIABLE = "OSIMEXP_TRUST"
"""Environment variable with the names that the user trusts, separated by commas."""

WORD = "trust"
"""Key of a command line that adds names to them."""

OWN = "osimexp"

_GYM = "osimexp.tasks.adapters.gym.GymTask"
_GYMNASIUM = "gymnasium"
_OF_THIS_MACHINE = (None, "auto", "local")


def check_trusted(config: Mapping[str, Any], holder: str) -> None:
    """Refuse a config that names code which the user does not trust; nothing is imported.

    Args:
        config: plain values.
        holder: file or folder with the config, as the beginning of a sentence.

    Raises:
        UntrustedError: it names such code, or a cluster that would be connected to.
    """
    known = trusted()
    foreign = [(place, name) for place, name in _named(config, "") if name not in known]
    if foreign:
        names = tuple(dict.fromkeys(name for _, name in foreign))
        raise UntrustedError(f"{holder} would run code of {names[0]}", foreign[0][0], names)


def names_in(config: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names that have to be trusted to build what a config describes."""
    return tuple(dict.fromkeys(name for _, name in _named(config, "")))


def word_for(config: Mapping[str, Any]) -> str:
    """Return the word, after a blank, that lets a command play a config; empty if none is needed.

    The names that ``OSIMEXP_TRUST`` has are in it, too, because others copy commands.
    """
    names = names_in(config)
    return f" {WORD}={shlex.quote(','.join(names))}" if names else ""


def foreign_target(target: object) -> str | None:
    """Return the package of a ``_target_`` that is not osimexp's; None for one of osimexp's."""
    path = present(str(target))
    package = path.partition(".")[0]
    # Anything but a dotted name is a name of its own, so that no part of it can be trusted.
    regular = re.fullmatch(r"[^\W\d]\w*(\.[^\W\d]\w*)+", path)
    return (None if package == OWN else package) if regular else path


def trusted() -> frozenset[str]:
    """Return the packages and clusters that the user trusts."""
    return frozenset(_names(os.environ.get(VARIABLE, "")))


@contextmanager
def trusting(names: Iterable[str]) -> Iterator[None]:
    """Trust packages and clusters inside the block, and in processes that are started in it."""
    before = os.environ.get(VARIABLE)
    os.environ[VARIABLE] = ",".join(sorted({*trusted(), *names}))
    try:
        yield
    finally:
        if before is None:
            del os.environ[VARIABLE]
        else:
            os.environ[VARIABLE] = before


def taken_from(arguments: Sequence[str]) -> tuple[tuple[str, ...], list[str]]:
    """Return the names that ``trust=`` gives on a command line, and the command line without it."""
    key = f"{WORD}="
    words = [word.removeprefix(key) for word in arguments if word.startswith(key)]
    names = tuple(name for word in words for name in _names(word.strip("[]")))
    return names, [word for word in arguments if not word.startswith(key)]


def _names(text: str) -> list[str]:
    return [name for name in re.split(r"[,\s]+", text) if name]


def _named(node: Any, place: str) -> Iterator[tuple[str, str]]:
    """Yield place and name of everything in a config that is not osimexp's own."""
    if isinstance(node, list | tuple):
        for number, item in enumerate(node):
            yield from _named(item, f"{place}.{number}")
    if not isinstance(node, Mapping):
        return
    if "_target_" in node:
        if (package := foreign_target(node["_target_"])) is not None:
            yield f"{place}._target_".lstrip("."), package
        elif present(str(node["_target_"])) == _GYM:
            package = _package_of_environment(str(node.get("id")))
            if package is not None:
                yield f"{place}.id".lstrip("."), package
    for key, item in node.items():
        inner = f"{place}.{key}".lstrip(".")
        # What comes back from a cluster is unpickled, so it can be any code.
        if inner == "workers.cluster" and item not in _OF_THIS_MACHINE:
            yield inner, str(item)
        yield from _named(item, inner)


def _package_of_environment(name: str) -> str | None:
    """Return the package whose code a Gymnasium id runs; None for one of Gymnasium's own."""
    if ":" in name:
        return name.partition(":")[0].partition(".")[0]
    from gymnasium import error, spec

    try:
        entry = spec(name).entry_point
    except error.Error:
        return None  # It is refused where it is made.
    if entry is None:
        return name
    module = entry if isinstance(entry, str) else str(getattr(entry, "__module__", ""))
    package = re.split(r"[.:]", module)[0]
    return None if package in (_GYMNASIUM, OWN) else package
