"""The words of a command line, as they are typed and as Hydra reads them."""

import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

# Hydra's flags whose value may be the next word, and not only follow a "=".
_FLAGS_WITH_A_WORD = (
    "--cfg", "-c", "--package", "-p", "--config-path", "-cp", "--config-name", "-cn",
    "--config-dir", "-cd", "--experimental-rerun", "--info", "-i",
)  # fmt: skip

OPEN = (
    "actuators.driven", "actuators.held", "actuators.tracked", "fill", "model.feet",
    "model.points", "model.poses", "model.workspace", "muscles.strength", "target.curves",
    "task.arguments",
)  # fmt: skip
"""Keys whose values are mappings of names that the user chooses."""


@dataclass(frozen=True)
class Override:
    """A change of a config by a command line.

    Attributes:
        line: text as it was typed.
        key: dotted key, or config group.
        deletes: whether the key is removed from the config.
    """

    line: str
    key: str
    deletes: bool = False


def words_and_flags(arguments: Iterable[str]) -> tuple[list[str], list[str]]:
    """Return the words of a command line, and its flags with their values."""
    left = iter(arguments)
    words: list[str] = []
    flags: list[str] = []
    for argument in left:
        (flags if argument.startswith("-") else words).append(argument)
        if argument in _FLAGS_WITH_A_WORD:
            flags.extend(islice(left, 1))
    return words, flags


def behind_flag(flags: Sequence[str], *names: str) -> str | None:
    """Return the word after a flag, given by any of its names; None without the flag."""
    for place, flag in enumerate(flags):
        name, equals, word = flag.partition("=")
        if name in names:
            return word if equals else next(iter(flags[place + 1 :]), "")
    return None


def with_keys(arguments: Iterable[str], flags: Mapping[str, str]) -> list[str]:
    """Return a command line with flags such as ``-o FILE`` written as the keys they stand for.

    Args:
        arguments: words of the command line.
        flags: key of each flag.
    """
    left, written = iter(arguments), []
    for argument in left:
        flag, equals, value = argument.partition("=")
        if flag in flags:
            value = value if equals else next(left, "")
            argument = f"{flags[flag]}={quoted(value)}"
        written.append(argument)
    return written


def opened(word: str) -> str:
    """Return a word that sets names in an open mapping such that Hydra adds them.

    Open are the mappings in ``OPEN``, and the groups of terms for a term with its ``_target_``.

    Hydra takes a key that a config does not have for an error, unless ``++`` comes before it.
    """
    key, equals, value = word.partition("=")
    inside = any(key == name or key.startswith(f"{name}.") for name in OPEN)
    # A whole term of the user's own; a part of one may be a misspelt name.
    term = re.fullmatch(r"(observation|reward|termination)\.[^.]+", key) and "_target_" in value
    return f"++{word}" if equals and (inside or term) else word


def quoted(text: str) -> str:
    """Return text quoted such that Hydra reads it as one value, and no ``${...}`` is resolved."""
    kept = re.sub(r"(\\*)\$\{", lambda found: f"{2 * found[1]}\\${{", text)
    kept = re.sub(r"(\\*)'", lambda found: f"{2 * found[1]}\\'", kept)
    end = len(kept) - len(kept.rstrip("\\"))
    return f"'{kept}{end * chr(92)}'"


def setting(key: str, text: str) -> str:
    """Return a word that sets a key to a text, quoted if Hydra would read it otherwise."""
    plain = re.fullmatch(r"[A-Za-z_./][A-Za-z0-9_./-]*", text)
    other = text.lower() in ("null", "true", "false", "inf", "nan")  # Values that are no texts.
    return f"{key}={text if plain and not other else quoted(text)}"


def word_of(key: str, text: object) -> str:
    """Return a word that sets a key to a text, as it is typed in a shell."""
    return shlex.quote(setting(key, str(text)))


def is_place(word: str) -> bool:
    """Return whether a word of a command line names a file or folder, and not a key's value."""
    key, equals, _ = word.partition("=")
    return not equals or ("/" in key and not key.startswith("hydra/")) or exists(word)


def exists(path: str) -> bool:
    """Return whether a path leads to a file or folder; one that no system can have does not."""
    try:
        return Path(path).exists()
    except (OSError, ValueError):  # It is too long, or has a character that no path can have.
        return False
