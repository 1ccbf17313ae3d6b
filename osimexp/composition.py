"""Composition of configs by Hydra, and their conversion to plain values."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

from hydra import version

# Hydra's public functions use a singleton of the process, which a user's program may use already.
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.utils import create_config_search_path
from hydra.core.config_search_path import SearchPathQuery
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.utils import setup_globals
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from osimexp.config import COMMANDS, config_directory
from osimexp.errors import ConfigError
from osimexp.mistakes import MISTAKES, sentence
from osimexp.words import Override, exists, opened, quoted

_COMPOSING = Lock()


@dataclass(frozen=True)
class Composition:
    """A composed config.

    Attributes:
        values: plain values with resolved interpolations; a value that must still be given is
            ``???``.
        choices: chosen option of each config group.
    """

    values: dict[str, Any]
    choices: Mapping[str, str | None]


def compose(
    name: str, overrides: Sequence[str] = (), folders: Sequence[Path | str] = ()
) -> Composition:
    """Return one of osimexp's configs, composed in any thread and inside any Hydra program.

    Args:
        name: name of the config, such as ``config`` or ``command/evaluate``.
        overrides: overrides as on the command line.
        folders: folders of the user's own options.

    Raises:
        ConfigError: the overrides cannot be read or do not fit together.
    """
    with _COMPOSING:
        try:
            loader = _loader(folders)
            words = [*(opened(readable(word)) for word in overrides), "hydra.job.name=osimexp"]
            _check_options(words, loader)
            config = loader.load_configuration(name, words, RunMode.RUN, from_shell=False)
            chosen = config.hydra.runtime.choices
            return Composition(without_hydra(config), choices(chosen))
        except MISTAKES as error:
            raise ConfigError(sentence(error)) from error


def options(folders: Sequence[Path | str] = ()) -> dict[str, list[str]]:
    """Return the groups that a run is composed of, and the options of each.

    Args:
        folders: folders of the user's own options.

    Raises:
        ConfigError: there is no such folder.
    """
    loader = _loader(folders)
    groups = [g for g in loader.list_groups("") if g not in ("hydra", COMMANDS)]
    return {group: loader.get_group_options(group) for group in sorted(groups)}


def check_options(words: Sequence[str], folders: Sequence[Path | str] = ()) -> None:
    """Refuse words of a command line that give a group anything but names of options.

    Args:
        words: words as on the command line.
        folders: folders of the user's own options.

    Raises:
        ConfigError: a group is given a value that is no name; it says which options there are.
        HydraException: a word cannot be read.
    """
    _check_options(words, _loader(folders))


def check_given(values: Mapping[str, Any], before: str = "") -> None:
    """Refuse a composed config in which a value must still be given.

    Raises:
        ConfigError: a value is missing; it names the first.
    """
    for key, value in sorted(values.items(), key=lambda item: str(item[0])):
        if value == "???":
            raise ConfigError(f"{before}{key} must be given, as {before}{key}=value.")
        if isinstance(value, Mapping):
            check_given(value, f"{before}{key}.")


def parsed(lines: Sequence[str]) -> tuple[Override, ...]:
    """Return the changes that words of a command line make.

    Raises:
        HydraException: a word cannot be read.
    """
    found = OverridesParser.create().parse_overrides(overrides=list(lines))
    return tuple(
        Override(line, override.key_or_group, override.is_delete())
        for line, override in zip(lines, found, strict=True)
    )


def readable(word: str) -> str:
    """Return a word of a command line as Hydra reads it: paths with an ``=`` and such are quoted.

    Values that Hydra can read, and those that are meant for it, such as lists, are left as they
    are, unless they are the path of a file that is there. A comma separates values.
    """
    key, equals, value = word.partition("=")
    if not equals or not re.fullmatch(r"[+~]*[\w./@-]+", key):
        return word
    path = "/" in value or re.search(r"\.[A-Za-z]\w*$", value)
    # Two signs in a row are a slip.
    if value.startswith(("[", "{", "'", '"', "=")) and not (path and exists(value)):
        return word
    if path and re.search(r"[\[\]{}(),'\"$\\]", value) and exists(value):
        return f"{key}={quoted(value)}"
    if "${" in value or _is_read(word):
        return word
    several = [] if re.search(r"[\[\]{}()'\"\\]", value) else value.split(",")
    parts = several if several and all(several) else [value]
    written = ",".join(part if _is_read(f"{key}={part}") else quoted(part) for part in parts)
    return f"{key}={written}" if _is_read(f"{key}={written}") else word


def _is_read(word: str) -> bool:
    """Return whether Hydra can read a word."""
    try:
        OverridesParser.create().parse_override(word)
    except (HydraException, RecursionError):
        return False
    return True


def value_of(key: str, text: str) -> object:
    """Return the value that the command line reads for a key: 0.0003 for 3e-4."""
    try:
        return OverridesParser.create().parse_override(f"{key}={text}").value()
    except HydraException:
        return text


def plain(node: DictConfig) -> dict[str, Any]:
    """Return a config as plain dictionaries and lists, with resolved interpolations."""
    return OmegaConf.to_container(node, resolve=True)  # type: ignore[return-value]


def without_hydra(config: DictConfig) -> dict[str, Any]:
    """Return a config that contains Hydra's part as plain values, without that part.

    Interpolations of Hydra's part are resolved by that part and not by the process's HydraConfig.
    """
    tree = OmegaConf.create(_from_this(OmegaConf.to_container(config, resolve=False)))
    found: dict[str, Any] = {}
    for key in tree:
        if key == "hydra":
            continue
        value = "???" if OmegaConf.is_missing(tree, key) else tree[key]
        found[str(key)] = (
            OmegaConf.to_container(value, resolve=True) if OmegaConf.is_config(value) else value
        )
    return found


def choices(chosen: Mapping[Any, Any]) -> dict[str, str | None]:
    """Return the chosen option of each group except Hydra's own."""
    return {
        str(group).partition("@")[0]: option
        for group, option in chosen.items()
        if not str(group).startswith("hydra/")
    }


def _check_options(words: Sequence[str], loader: ConfigLoaderImpl) -> None:
    for override in OverridesParser.create().parse_overrides(overrides=list(words)):
        if override.is_delete() or override.is_sweep_override():
            continue
        group, value = override.key_or_group, override.value()
        if isinstance(value, dict):  # Hydra takes it for values of the group's keys.
            continue
        names = value if isinstance(value, list) else [value]
        if all(isinstance(name, str) for name in names):
            continue
        known = loader.get_group_options(group)
        if known:
            raise ConfigError(
                f"{group} is chosen by the name of an option, not by "
                f"{override.get_value_string()}; "
                f"known are {', '.join(known)}; ~{group} takes it away."
            )


def _loader(folders: Sequence[Path | str]) -> ConfigLoaderImpl:
    setup_globals()
    if not hasattr(version.getbase(), "major"):
        version.setbase("1.3")  # The process has not chosen a version.
    path = create_config_search_path(str(config_directory()))
    for folder in folders:
        place = Path(folder).absolute()
        if not place.is_dir():
            raise ConfigError(f"{place}, the folder of your own options, does not exist.")
        before = SearchPathQuery(provider="schema", path=None)
        path.prepend(provider="command-line", path=f"file://{place}", anchor=before)
    return ConfigLoaderImpl(path)


def _from_this(value: Any) -> Any:
    """Return raw values whose interpolations of Hydra's part point to it as a part of their own."""
    if isinstance(value, dict):
        return {key: _from_this(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_from_this(item) for item in value]
    return value.replace("${hydra:", "${hydra.") if isinstance(value, str) else value
