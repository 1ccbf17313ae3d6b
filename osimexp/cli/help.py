"""The help of a command, from the docstrings of its module and of its settings."""

import inspect
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, is_dataclass
from typing import Any, get_args, get_type_hints

from osimexp.config import imported

WIDTH = 100
COLUMN = 34
"""Width of a key with its value; its meaning begins after it."""

LONGEST = 44
"""Greatest length of a value that is printed in full."""

FLAGS = """\
--cfg job prints the composed config, --config-dir FOLDER adds options of your own to the groups,
--hydra-help lists the other flags, OSIMEXP_TRACEBACK=1 shows where an error came from."""


@dataclass(frozen=True)
class Key:
    """A key of a config, for the help.

    Attributes:
        name: dotted name.
        value: its value as on the command line; None for a key that has keys below it.
        meaning: its description in the settings' docstring.
    """

    name: str
    value: str | None
    meaning: str


def help_text(
    said: str | None,
    values: Mapping[str, Any],
    settings: Sequence[type],
    groups: Mapping[str, Sequence[str]],
    chosen: Mapping[str, str | None],
) -> str:
    """Return the help of a command.

    Args:
        said: docstring of the command's module: its purpose, usage and examples.
        values: values of the composed config.
        settings: dataclasses that have the config's keys as fields; the first one with a key
            describes it.
        groups: config groups to choose from, with their options.
        chosen: chosen option of each group.
    """
    parts = [inspect.cleandoc(said or "")]
    if groups:
        lines = ["Groups and their options (group=option):", ""]
        for name, options in groups.items():
            now = f"(now {chosen[name] or 'null'})" if name in chosen else ""
            lines.append(f"{name}: {', '.join(options)}")
            said_of_it = _wrapped(f"{_meaning(name, settings)} {now}", WIDTH - 4)
            lines += [f"    {line}" for line in said_of_it]
        parts.append("\n".join(lines))
    # Single values come before the parts that belong to options.
    ordered = sorted(values, key=lambda name: isinstance(values[name], Mapping))
    found = keys({name: values[name] for name in ordered}, settings)
    lines = ["Keys, what they are set to and what they mean (key=value):", ""]
    parts.append("\n".join([*lines, *(line for key in found for line in _lines(key))]))
    return "\n\n".join([*parts, FLAGS])


def keys(values: Mapping[str, Any], settings: Sequence[type], before: str = "") -> Iterator[Key]:
    """Yield the keys of a config, each with its value and its description."""
    for name, value in values.items():
        hints = [hint for kind in settings if (hint := get_type_hints(kind).get(name))]
        # If a command only says that a part replaces another, the other one describes the contents.
        hint = next(filter(is_dataclass, hints), hints[0] if hints else None)
        yield from _key(f"{before}{name}", value, _meaning(name, settings), hint)


def meanings(kind: type) -> dict[str, str]:
    """Return the description of each attribute in the docstrings of a class and its bases."""
    found: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        text = inspect.cleandoc(base.__dict__.get("__doc__") or "")
        _, _, listed = text.partition("\nAttributes:\n")
        listed = re.split(r"\n(?=\S)", listed)[0]
        for entry in re.split(r"\n(?=    \w)", f"\n{listed}"):
            name, colon, meaning = entry.strip().partition(":")
            if colon and name.isidentifier():
                found[name] = " ".join(meaning.split())
    return found


def first_line(said: str | None) -> str:
    """Return the first line of a docstring; empty without one."""
    return inspect.cleandoc(said or "").partition("\n")[0]


def _meaning(name: str, settings: Sequence[type]) -> str:
    """Return the description of a key by the first settings that have it."""
    return next((said[name] for kind in settings if name in (said := meanings(kind))), "")


def _key(name: str, value: Any, meaning: str, hint: Any) -> Iterator[Key]:
    """Yield a key and the keys below it."""
    kind = _kind(name, value, hint)
    if isinstance(value, Mapping) and kind is not None:
        chosen = "" if kind is hint else first_line(kind.__doc__)
        yield Key(name, None, f"{meaning} {chosen}".strip())
        yield from keys({k: v for k, v in value.items() if k != "_target_"}, [kind], f"{name}.")
    elif isinstance(value, Mapping) and any(_names_its_class(part) for part in value.values()):
        yield Key(name, None, meaning)
        for term, own in value.items():
            yield from _key(f"{name}.{term}", own, "", None)
    else:
        yield Key(name, _text(value), meaning)
        entries = next((kind for kind in get_args(hint) if is_dataclass(kind)), None)
        if isinstance(value, Mapping) and isinstance(entries, type):
            for inner, own in meanings(entries).items():
                yield Key(f"{name}.NAME.{inner}", None, own)


def _kind(name: str, value: Any, hint: Any) -> type | None:
    """Return the dataclass that is made from a mapping."""
    if _names_its_class(value):
        return imported(value["_target_"], name)
    return hint if isinstance(hint, type) and is_dataclass(hint) else None


def _names_its_class(value: Any) -> bool:
    return isinstance(value, Mapping) and "_target_" in value


def _text(value: Any) -> str:
    """Return a value as on the command line, shortened if it is long."""
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case list():
            whole = f"[{','.join(map(_text, value))}]"
            return whole if len(whole) <= LONGEST else "[...]"
        case Mapping():
            whole = "{" + ",".join(f"{key}:{_text(item)}" for key, item in value.items()) + "}"
            return whole if len(whole) <= LONGEST else "{...}"
    return str(value)


def _lines(key: Key) -> Iterator[str]:
    """Yield the lines of a key; its description is beside it if there is space, else below."""
    left = key.name if key.value is None else f"{key.name}={key.value}"
    beside = _wrapped(key.meaning, WIDTH - COLUMN)
    if len(left) >= COLUMN and beside:
        yield left
        left = ""
    for first, line in zip([left, *[""] * len(beside)], beside or [""], strict=False):
        yield f"{first:{COLUMN}}{line}".rstrip()


def _wrapped(text: str, width: int) -> list[str]:
    """Return a docstring's text as lines of a terminal."""
    plain = text.strip().replace("``", "")
    return textwrap.wrap(plain, width, break_long_words=False, break_on_hyphens=False)
