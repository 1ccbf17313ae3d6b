"""YAML of plain values: nothing in a file is resolved, expanded or made to run."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

# OmegaConf's own loader and dumper, by which a number or a word is the same as on a command line.
from omegaconf._utils import get_omega_conf_dumper, get_yaml_loader
from yaml.composer import ComposerError

from osimexp.errors import ConfigError
from osimexp.files import read_text

LARGEST = 1_000_000
"""Size above which a file is refused, bytes; a run's config has some ten thousand."""

DEEPEST = 50
"""Number of mappings and lists inside each other above which a file is refused."""

_LONGEST_NUMBER = 400
"""Number of characters of a number above which a file is refused."""


class _Loader(get_yaml_loader()):  # type: ignore[misc]
    """A loader of plain values without aliases, by which a short file can hold very much."""

    def __init__(self, stream: Any) -> None:
        super().__init__(stream)
        self._depth = 0

    def compose_scalar_node(self, anchor: Any) -> Any:
        """Return the next number or text.

        Raises:
            ComposerError: it is a number that takes long to work out, such as 1:59:59:... by 60.
        """
        node = super().compose_scalar_node(anchor)
        if len(node.value) > _LONGEST_NUMBER and node.tag.endswith((":int", ":float")):
            said = f"a number has {len(node.value)} characters"
            raise ComposerError(None, None, said, node.start_mark)
        return node

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Return the next node.

        Raises:
            ComposerError: it is an alias, or too deep inside others.
        """
        mark = self.peek_event().start_mark
        if self.check_event(yaml.AliasEvent):
            raise ComposerError(None, None, "aliases (*) are not read", mark)
        self._depth += 1
        if self._depth > DEEPEST:
            raise ComposerError(None, None, f"it is nested more than {DEEPEST} deep", mark)
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node


class _Dumper(get_omega_conf_dumper()):  # type: ignore[misc]
    """A dumper of plain values that repeats what occurs twice."""

    def ignore_aliases(self, data: Any) -> bool:
        """Return True."""
        return True


def read_plain(file: Path) -> Any:
    """Return the plain values of a YAML file; interpolations (``${...}``) stay text.

    Raises:
        ConfigError: the file cannot be read, is larger than ``LARGEST``, nested deeper than
            ``DEEPEST``, or has aliases.
    """
    try:
        if file.is_file() and file.stat().st_size > LARGEST:
            raise ConfigError(
                f"{file} cannot be read as a config: it is larger than {LARGEST // 1_000_000} MB."
            )
        found = yaml.load(read_text(file, LARGEST), Loader=_Loader)
    except yaml.YAMLError as error:
        said = getattr(error, "problem", None) or "it is not YAML"
        mark = getattr(error, "problem_mark", None)
        place = "" if mark is None else f" in line {mark.line + 1}"
        raise ConfigError(f"{file} cannot be read as a config: {said}{place}.") from error
    except (OSError, ValueError) as error:  # A number or a date can be none although it looks so.
        raise ConfigError(f"{file} cannot be read as a config.") from error
    return _plain(found, f"{file} cannot be read as a config, which")


def plain_text(values: Mapping[str, Any] | Iterable[Any]) -> str:
    """Return plain values as YAML that ``read_plain`` reads.

    Raises:
        ConfigError: a value is not plain data.
    """
    kept = dict(values) if isinstance(values, Mapping) else list(values)
    return str(
        yaml.dump(
            _plain(kept, "A config"),
            Dumper=_Dumper,
            default_flow_style=False,
            allow_unicode=True,
            sort_keys=False,
        )
    )


def _plain(value: Any, holder: str) -> Any:
    """Return values as YAML has them, and refuse those that no config has."""
    match value:
        case Mapping():
            return {_plain(key, holder): _plain(item, holder) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item, holder) for item in value]
        case None | bool():
            return value
    for kind in (int, float, str):  # NumPy's floats are Python's, too, but YAML cannot have them.
        if isinstance(value, kind):
            return kind(value)
    raise ConfigError(
        f"{holder} has numbers, words, lists and mappings alone, and no {type(value).__name__}."
    )
