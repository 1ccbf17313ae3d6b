"""Checked Python objects from config values, and the place of the config files."""

import dataclasses
import functools
import importlib
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar, get_args, get_type_hints

from pydantic import TypeAdapter, ValidationError

from osimexp.errors import ConfigError, near_matches
from osimexp.moved import present, unknown_key, with_newer_keys
from osimexp.plain_yaml import read_plain

T = TypeVar("T")

COMMANDS = "command"
"""Folder of the configs of commands, which are not options of a run."""


def config_directory() -> Path:
    """Return the folder of the config groups: inside an installed package or in a checkout."""
    package = Path(__file__).parent
    installed = package / "conf"
    return installed if installed.is_dir() else package.parent / "conf"


def config_groups() -> dict[str, list[str]]:
    """Return the groups that a run is composed of, and osimexp's options of each."""
    folders = (folder for folder in sorted(config_directory().iterdir()) if folder.is_dir())
    options = {folder.name: sorted(f.stem for f in folder.glob("*.yaml")) for folder in folders}
    return {group: found for group, found in options.items() if found and group != COMMANDS}


def build(node: Mapping[str, Any], where: str, role: type | None = None) -> Any:
    """Return the dataclass that a config node's ``_target_`` names, made from its other keys.

    Args:
        node: mapping whose ``_target_`` is the import path of a dataclass.
        where: place of the node in the config, such as ``reward.effort``, for messages.
        role: protocol whose attributes the dataclass must have; None asks for none.

    Raises:
        ConfigError: the node is no mapping, the target cannot be imported, a key is unknown or
            missing, a value is of the wrong type or refused by the dataclass, or the dataclass
            lacks an attribute of its role.
    """
    values = mapping(node, where)
    target = values.pop("_target_", None)
    if not isinstance(target, str):
        raise ConfigError(f"{where} needs a _target_, the import path of its class.")
    kind = imported(target, where)
    if role is not None and (lacking := _lacking(kind, role)):
        raise ConfigError(
            f"{where}._target_: {target} has no {lacking[0]}, so it is no {role.__name__}."
        )
    return check(kind, values, where)


def check(kind: type[T], values: Mapping[str, Any], where: str) -> T:
    """Return a dataclass made from plain values, each checked against its field's type.

    Args:
        kind: dataclass to make.
        values: values by field names.
        where: place of the values in the config, for messages.

    Raises:
        ConfigError: the values are no mapping, a key is unknown or missing, or a value is of the
            wrong type or refused by the dataclass.
    """
    values = with_newer_keys(f"{kind.__module__}.{kind.__qualname__}", mapping(values, where))
    fields = {f.name for f in dataclasses.fields(kind) if f.init}  # type: ignore[arg-type]
    for key in values:
        if key not in fields:
            raise ConfigError(unknown_key(f"{where}.{key}", fields))
    values = {
        key: build(value, f"{where}.{key}")
        if isinstance(value, Mapping) and "_target_" in value
        else value
        for key, value in values.items()
    }
    for key, nested in get_type_hints(kind).items():
        if dataclasses.is_dataclass(nested) and isinstance(values.get(key), Mapping):
            check(nested, values[key], f"{where}.{key}")  # type: ignore[arg-type]
    if (place := _not_finite(values, where)) is not None:
        raise ConfigError(f"{place} must be a finite number.")
    try:
        found: T = _adapter(kind).validate_python(dict(values))  # type: ignore[arg-type]
        return found
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join([where, *(str(part) for part in first["loc"])])
        given = "" if first["type"] in ("missing", "value_error") else f", not {first['input']!r}"
        raise ConfigError(f"{place}: {_sentence(first['msg'])}{given}.") from error


def mapping(values: object, where: str) -> dict[str, Any]:
    """Return a copy of the values of a mapping in a config.

    Args:
        values: part of a config that must be a mapping.
        where: place of the part in the config, for messages.

    Raises:
        ConfigError: the part is no mapping, or a key is no name.
    """
    if not isinstance(values, Mapping):
        raise ConfigError(f"{where} must be a mapping of keys to values, not {values!r}.")
    for key in values:
        if not isinstance(key, str):
            raise ConfigError(f"{where}: a key must be a name, not {key!r}.")
    return dict(values)


def described(value: Any, kind: Any = None) -> Any:
    """Return the plain values from which ``build`` and ``check`` make the same settings.

    Args:
        value: a dataclass, or the value of a field of one.
        kind: expected type; a dataclass of another type gets a ``_target_``.

    Raises:
        ConfigError: a value is not plain data.
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        hints = get_type_hints(type(value))
        values = {
            f.name: described(getattr(value, f.name), hints[f.name])
            for f in dataclasses.fields(value)
            if f.init
        }
        target = f"{type(value).__module__}.{type(value).__qualname__}"
        return values if type(value) is kind else {"_target_": target, **values}
    if isinstance(value, Mapping):
        inner = (get_args(kind) or (None,))[-1]
        return {str(key): described(item, inner) for key, item in value.items()}
    if isinstance(value, list | tuple):
        inner = (get_args(kind) or (None,))[0]
        return [described(item, inner) for item in value]
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return float(value)  # NumPy's floats are Python's, too, but YAML cannot have them.
    raise ConfigError(f"{value!r} cannot be written as a config, whose values are plain data.")


def option(group: str, name: str) -> dict[str, Any]:
    """Return the values that the file of one of osimexp's own options gives itself.

    Options that it is composed of, and those that it chooses in other groups, are left out.
    """
    values = read_config(config_directory() / group / f"{name}.yaml")
    values.pop("defaults", None)
    return values


def read_config(file: Path) -> dict[str, Any]:
    """Return the plain values of a YAML file; interpolations (``${...}``) stay text.

    Raises:
        ConfigError: the file cannot be read, or is not a mapping.
    """
    found = read_plain(file)
    if not isinstance(found, dict):
        raise ConfigError(f"{file} cannot be read as a config: it is not a mapping.")
    return found


def entry(values: Mapping[str, Any], key: str) -> Any:
    """Return a value of a config by its key.

    Raises:
        ConfigError: the config has no such key.
    """
    if key not in values:
        raise ConfigError(f"The config has no {key}; {near_matches(key, map(str, values))}")
    return values[key]


def selected(values: Mapping[str, Any], key: str, default: Any = None) -> Any:
    """Return the value at a dotted key such as ``run.steps``, or ``default`` if there is none."""
    found: Any = values
    for part in key.split("."):
        if isinstance(found, Mapping) and part in found:
            found = found[part]
        elif isinstance(found, list) and part.isdecimal() and int(part) < len(found):
            found = found[int(part)]
        else:
            return default
    return found


def with_value(values: Mapping[str, Any], key: str, value: Any) -> dict[str, Any]:
    """Return a copy of a config with another value at a dotted key."""
    first, _, rest = key.partition(".")
    if rest:
        inner = values.get(first)
        value = with_value(inner if isinstance(inner, Mapping) else {}, rest, value)
    return {**values, first: value}


def imported(target: str, where: str) -> type:
    """Return the dataclass that a ``_target_`` names.

    Raises:
        ConfigError: it cannot be imported, or is not a dataclass.
    """
    module_name, _, name = present(target).rpartition(".")
    try:
        found = getattr(importlib.import_module(module_name), name)
    except Exception as error:  # A module of the user can raise any error.
        raise ConfigError(f"{where}._target_: {target} cannot be imported ({error}).") from error
    if not (isinstance(found, type) and dataclasses.is_dataclass(found)):
        raise ConfigError(f"{where}._target_: {target} is not a dataclass.")
    return found


def _lacking(kind: type, role: type) -> list[str]:
    """Return the attributes of a protocol that a dataclass has neither as a field nor otherwise."""
    needed = {*get_type_hints(role), *vars(role)}
    fields = {f.name for f in dataclasses.fields(kind)}
    public = (name for name in needed if name == "__call__" or not name.startswith("_"))
    return sorted(name for name in public if name not in fields and not hasattr(kind, name))


@functools.cache
def _adapter(kind: type) -> TypeAdapter[Any]:
    """Return pydantic's validator of a dataclass, which takes longer to make than to use."""
    return TypeAdapter(kind)


def _not_finite(value: Any, where: str) -> str | None:
    """Return the place of the first number that is NaN or infinite."""
    if isinstance(value, float) and not math.isfinite(value):
        return where
    items: Iterable[tuple[Any, Any]] = ()
    if isinstance(value, Mapping):
        items = value.items()
    elif isinstance(value, list | tuple):
        items = enumerate(value)
    return next((p for k, v in items if (p := _not_finite(v, f"{where}.{k}"))), None)


def _sentence(message: str) -> str:
    message = message.removeprefix("Value error, ").removeprefix("Input ")
    return message[:1].lower() + message[1:].rstrip(".")
