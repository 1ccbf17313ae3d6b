"""The plan of a sweep: the words of the command that began it, as Hydra's record has them."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import ChoiceSweep, Override, QuotedString, Sweep
from hydra.errors import HydraException

from osimexp.config import read_config, selected
from osimexp.errors import ConfigError, RunFolderError, UntrustedError
from osimexp.moved import RENAMED
from osimexp.trust import foreign_target, names_in, trusted

_FILE = "multirun.yaml"  # Hydra's record of a sweep.

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

_VALUES = ("seed", "device", "init_from", "fill", "resume")
"""Keys at the top of a config that are no groups."""

_NODE = re.compile(r"\$\{(hydra:|now:)?[\w.@/\[\]%-]*\}")
"""Interpolations that only repeat another value of the config, or the time."""


@dataclass(frozen=True)
class Plan:
    """The words of a command that began a sweep.

    Attributes:
        file: Hydra's record that they were read from.
        folders: folders of the user's own options.
        words: words of the command line as they were typed, with present names of renamed keys.
    """

    file: Path
    folders: tuple[str, ...]
    words: tuple[str, ...]

    @classmethod
    def of(cls, folder: Path) -> "Plan | None":
        """Return the plan of a sweep's folder; None if it holds no sweep.

        Raises:
            RunFolderError: the plan cannot be read.
        """
        file = folder / _FILE
        if not file.is_file():
            return None
        try:
            plan = read_config(file)
            lists = [selected(plan, f"hydra.overrides.{part}") for part in ("hydra", "task")]
            words = [str(word) for part in lists for word in part]
            sources = selected(plan, "hydra.runtime.config_sources")
            folders = tuple(str(s["path"]) for s in sources if s["provider"] == "command-line")
        except (ConfigError, TypeError, KeyError) as error:
            reason = f" ({error})" if isinstance(error, ConfigError) else ""
            raise RunFolderError(f"{file} cannot be read as a sweep's plan{reason}.") from error
        replaced = ("hydra.sweep.dir=", "hydra.mode=")
        kept = (_present(word) for word in words if not word.startswith(replaced))
        return cls(file, folders, tuple(kept))

    @property
    def flags(self) -> list[str]:
        """Flags that name the folders of the user's own options."""
        return [f"--config-dir={folder}" for folder in self.folders]

    def check(self, own_folders: bool, given: frozenset[str]) -> None:
        """Refuse a plan that would run code which the user does not trust.

        Args:
            own_folders: whether the user names the folders of options now.
            given: keys that the user sets now, in place of those of the plan.

        Raises:
            RunFolderError: it would, by a word or by a folder of options.
        """
        known = trusted()
        folders = () if own_folders else tuple(f for f in self.folders if f not in known)
        names = list(folders)
        for word in self.words:
            if key_of(word) in given:
                continue
            try:
                found = OverridesParser.create().parse_override(word)
                names += [name for name in _names(found, word) if name not in known]
            except (HydraException, _UnclearError) as error:
                raise RunFolderError(
                    f"{self.file} sets {word}, which may run code of somebody else; if you want "
                    "it, give this word yourself beside resume."
                ) from error
        if names:
            place = "as options" if names[0] in folders else "by its words"
            raise UntrustedError(
                f"{self.file} would run code of {names[0]}", place, tuple(dict.fromkeys(names))
            )


def key_of(word: str) -> str:
    """Return the key of a word of a command line, without what precedes it."""
    return word.partition("=")[0].lstrip("+~")


class _UnclearError(Exception):
    """A word of which it cannot be said what it would run."""


def _names(override: Override, word: str) -> Iterator[str]:
    """Yield the names that have to be trusted because of a word.

    Raises:
        _UnclearError: it cannot be said.
    """
    key = override.get_key_element().lstrip("+~").partition("@")[0]
    if key.startswith("hydra") and not any(
        re.fullmatch(re.escape(known).replace(r"\*", ".*"), key) for known in _OF_HYDRA
    ):
        raise _UnclearError
    if key.startswith("hydra.sweeper") and _IN_SEARCHES.search(word.partition("=")[2]):
        raise _UnclearError
    plain = word
    while plain != (plain := _NODE.sub("", plain)):
        pass
    if "${" in plain:  # Other interpolations read this machine, or make mappings of text.
        raise _UnclearError
    for value in _values(override.value() if override.value_type is not None else None):
        yield from _in_value(key, value)


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
    group = "." not in key and key not in _VALUES
    if group and ("${" in text or ".." in text or text.startswith("/")):
        raise _UnclearError  # An option outside of the folders of options.
    if name in ("_target_", "id", "cluster"):
        if "${" in text:
            raise _UnclearError
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


def _present(word: str) -> str:
    """Return an override as it is written now, with the new name of a renamed key."""
    key, equals, value = word.partition("=")
    name = key.lstrip("+~")
    return f"{key.removesuffix(name)}{RENAMED.get(name, name)}{equals}{value}"
