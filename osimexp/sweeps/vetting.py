"""The words of a sweep's plan by which nothing is run or read that the user does not know of."""

import functools
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import ChoiceSweep, QuotedString, Sweep
from hydra.errors import HydraException

from osimexp.config import config_directory, config_groups, read_config
from osimexp.trust import foreign_target, names_in

_OF_HYDRA = (
    "hydra/launcher", "hydra/sweeper", "hydra.sweep.subdir", "hydra.sweeper.*",
    "hydra.launcher.n_jobs", "hydra.launcher.pre_dispatch", "hydra.launcher.cpus",
    "hydra.launcher.retries", "hydra.launcher.partition", "hydra.launcher.cpus_per_task",
    "hydra.launcher.timeout_min",
    "hydra.launcher.mem_gb",
)  # fmt: skip
"""Keys of Hydra that run nothing; others can, such as the loggers and callbacks, or can load it."""

_IN_SEARCHES = re.compile(r"_target_|hydra|cluster|task|\.\.|(^|[^\w.])/|@")
"""Text in a search's space by which a trial could run other code; a trial has it as words."""


_NODE = re.compile(r"\$\{(hydra:|now:)?[\w.@/\[\]%-]*\}")
"""Interpolations that only repeat another value of the config, or the time."""

_SUBDIR = "hydra.sweep.subdir"

_IN_SUBDIR = (_SUBDIR, "run.name")
"""Keys that a job's folder follows from; its default has the run's name."""

_SIMPLE = re.compile(r"\$\{([^${}]*)\}")

_OF_JOB = re.compile(
    r"hydra[:.](job\.(num|name|id|override_dirname)|runtime\.choices\.[\w/@]+)|now:[^./\\]*"
)
"""Interpolations of Hydra that are no place."""


_RUNS = "may run code of somebody else"


class UnclearError(Exception):
    """A word of which it cannot be said that it is harmless; the message says what it may do."""


def key_of(word: str) -> str:
    """Return the key of a word of a command line, without what precedes it."""
    return word.partition("=")[0].lstrip("+~")


def names_of(word: str) -> tuple[str, ...]:
    """Return the names that have to be trusted because of a word of a plan.

    Raises:
        UnclearError: it cannot be said, or the word is none of a run's config, or goes on with a
            run or begins with a policy that is elsewhere.
    """
    try:
        return tuple(_names(word))
    except (HydraException, RecursionError) as error:
        raise UnclearError(_RUNS) from error


def leading_out(words: Iterable[str], given: Iterable[str]) -> str | None:
    """Return the first word by which a job's folder may be outside of the sweep's; None if none is.

    Args:
        words: words of a plan.
        given: words that the user types beside them, which are the user's own matter.
    """
    strange = list(words)
    said = [*strange, *given]
    asked: set[str] = set()
    keys = list(_IN_SUBDIR)
    while keys:
        key = keys.pop()
        if key in asked:
            continue
        asked.add(key)
        for word in said:
            if not _concerns(key_of(word), key):
                continue
            for text in _texts(word):
                nodes = [re.sub(r"\[([^]]*)\]", r".\1", node) for node in _SIMPLE.findall(text)]
                if word in strange and (_is_no_name(text) or not all(map(_is_plain, nodes))):
                    return word
                keys += ["" if node.endswith("override_dirname") else node for node in nodes]
    return None


def _concerns(key: str, other: str) -> bool:
    """Return whether one key is, holds or is held by another; an empty one stands for all."""
    return not other or f"{key}.".startswith(f"{other}.") or other.startswith(f"{key}.")


def _is_plain(node: str) -> bool:
    """Return whether an interpolation is one of the config, or of Hydra's names of a job."""
    hydra = node.startswith(("hydra", "now:"))
    return bool(_OF_JOB.fullmatch(node) if hydra else re.fullmatch(r"\w[\w.@/-]*", node))


def _is_no_name(text: str) -> bool:
    """Return whether a text, as a part of a path, can lead out of a folder."""
    parts = re.split(r"[/\\]", _SIMPLE.sub("", text))
    dots = any(re.fullmatch(r"\s*\.[\s.]*", part) for part in parts)
    return dots or "${" in _SIMPLE.sub("", text) or bool(re.match(r"[/\\~]|\w:", text))


def _texts(word: str) -> Iterator[str]:
    """Yield every text in the value of a word."""
    try:
        override = OverridesParser.create().parse_override(word)
        values = list(_values(override.value() if override.value_type is not None else None))
    except (HydraException, RecursionError):
        return  # It is refused for that elsewhere.
    while values:
        match values.pop():
            case str(text):
                yield text
            case list(items):
                values += items
            case Mapping() as items:
                values += items.values()


@functools.cache
def _known() -> tuple[frozenset[str], frozenset[str]]:
    """Return the groups and the other keys of the main config that a plan may set."""
    values = frozenset(read_config(config_directory() / "config.yaml"))
    groups = frozenset(config_groups()) - {"hydra"}
    # A plan's trust and other runs to go on with are for the user to give.
    return groups, (values | {"run"}) - {"defaults", "hydra", "resume"}


def _check_key(key: str, package: str | None) -> None:
    """Refuse a key that is none of a run's config, and a place of an option that is none of it."""
    groups, values = _known()
    if key.startswith("hydra"):
        allowed = any(re.fullmatch(re.escape(k).replace(r"\*", ".*"), key) for k in _OF_HYDRA)
        if not allowed or package is not None:
            raise UnclearError(_RUNS)
        return
    if package is not None and package.partition(".")[0] not in groups | {"run"}:
        raise UnclearError(_RUNS)
    top = re.split(r"[./]", key)[0]
    if top == "resume":
        raise UnclearError("goes on with a run elsewhere")
    if top not in groups | values:
        raise UnclearError(_RUNS)


def _names(word: str) -> Iterator[str]:
    override = OverridesParser.create().parse_override(word)
    key = override.key_or_group
    _check_key(key, override.package)
    if key.startswith("hydra.sweeper") and _IN_SEARCHES.search(word.partition("=")[2]):
        raise UnclearError(_RUNS)
    plain = word
    while plain != (plain := _NODE.sub("", plain)):
        pass
    if "${" in plain:  # Other interpolations read this machine, or make mappings of text.
        raise UnclearError(_RUNS)
    for value in _values(override.value() if override.value_type is not None else None):
        if re.split(r"[./]", key)[0] == "init_from" and not _is_own_policy(value):
            raise UnclearError("begins with a policy elsewhere")
        yield from _in_value(key, value)
        if override.package:
            yield from _in_value(override.package, value)


def _is_own_policy(value: Any) -> bool:
    from osimexp.experiment.trained import trained_names  # It imports PyTorch.

    return value is None or value in trained_names()


def _in_value(key: str, value: Any) -> Iterator[str]:
    name = key.rpartition(".")[2]
    text = value if isinstance(value, str) else ""
    if isinstance(value, Mapping):
        for inner, item in value.items():
            yield from _in_value(f"{key}.{inner}", item)
        return
    if isinstance(value, list):
        for item in value:
            yield from _in_value(key, item)
        return
    group = "." not in key and key not in _known()[1]
    if group and ("${" in text or ".." in text or text.startswith("/")):
        raise UnclearError(_RUNS)  # An option outside of the folders of options.
    if name in ("_target_", "id", "cluster"):
        if "${" in text:
            raise UnclearError(_RUNS)
        if name == "_target_" and (package := foreign_target(text)) is not None:
            yield package
        elif name == "id":
            yield from names_in({"_target_": "osimexp.tasks.adapters.gym.GymTask", "id": text})
        elif name == "cluster":
            yield from names_in({"workers": {"cluster": value}})


def _values(value: Any) -> Iterator[Any]:
    """Yield a value of an override, or each of several, as plain data."""
    match value:
        case ChoiceSweep():
            for item in value.list:
                yield from _values(item)
        case Sweep():
            return  # A range of numbers, or a pattern of names of options.
        case QuotedString():
            yield value.text
        case Mapping():
            yield {str(_text(k)): next(_values(v), None) for k, v in value.items()}
        case list():
            yield [next(_values(item), None) for item in value]
        case _:
            yield value


def _text(value: Any) -> Any:
    return value.text if isinstance(value, QuotedString) else value
