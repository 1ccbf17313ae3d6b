"""From config values to checked Python objects, and where the config files are."""

import dataclasses
import functools
import importlib
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from omegaconf import DictConfig, OmegaConf
from pydantic import TypeAdapter, ValidationError

from osimexp.errors import ConfigError
from osimexp.moved import present, unknown_key

T = TypeVar("T")


def config_directory() -> Path:
    """Return the folder of the config groups: inside an installed package or in a checkout."""
    package = Path(__file__).parent
    installed = package / "conf"
    return installed if installed.is_dir() else package.parent / "conf"


def build(node: DictConfig | Mapping[str, Any], where: str) -> Any:
    """Make the dataclass that a config node's ``_target_`` names from the node's other keys.

    Args:
        node: a mapping whose ``_target_`` is the import path of a dataclass.
        where: the node's place in the config, ``reward.effort``, for messages.

    Raises:
        ConfigError: the target cannot be imported, a key is unknown or missing, or a value is of
            the wrong type or refused by the dataclass.
    """
    values = plain(node)
    target = values.pop("_target_", None)
    if not isinstance(target, str):
        raise ConfigError(f"{where} needs a _target_, the import path of the class it stands for.")
    return check(_import(target, where), values, where)


def check(kind: type[T], values: Mapping[str, Any], where: str) -> T:
    """Make a dataclass from plain values, with every value checked against the field's type."""
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


def option(group: str, name: str) -> DictConfig:
    """Return what one of osimexp's own options says, where it is composed of no others."""
    found = OmegaConf.load(config_directory() / group / f"{name}.yaml")
    assert isinstance(found, DictConfig)
    return found


def plain(node: DictConfig | Mapping[str, Any]) -> dict[str, Any]:
    """Return a config node as plain dictionaries and lists, interpolations resolved."""
    if isinstance(node, DictConfig):
        return OmegaConf.to_container(node, resolve=True)  # type: ignore[return-value]
    return dict(node)


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


def _import(target: str, where: str) -> type:
    module_name, _, name = present(target).rpartition(".")
    try:
        found = getattr(importlib.import_module(module_name), name)
    except Exception as error:  # A module of the user's own can fail in any way.
        raise ConfigError(f"{where}._target_: {target} cannot be imported ({error}).") from error
    if not (isinstance(found, type) and dataclasses.is_dataclass(found)):
        raise ConfigError(f"{where}._target_: {target} is not a dataclass.")
    return found


def _sentence(message: str) -> str:
    message = message.removeprefix("Value error, ").removeprefix("Input ")
    return message[:1].lower() + message[1:].rstrip(".")
