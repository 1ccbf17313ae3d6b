"""Dataclasses as JSON, to be kept on disk, and read without running what the file says."""

import dataclasses
import json
import types
from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np

T = TypeVar("T")


def written(value: Any) -> bytes:
    """Return a dataclass as JSON, from which ``read`` makes an equal one.

    Fields may be numbers, strings, bytes, None, arrays of numbers, and tuples, mappings by strings
    and dataclasses of these.

    Raises:
        TypeError: a field is none of these.
    """
    return json.dumps(_plain(value)).encode()


def read(kind: type[T], content: bytes) -> T:
    """Return the dataclass of a kind that ``written`` wrote; arrays have the types of its hints."""
    found: T = _made(kind, json.loads(content))
    return found


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, np.ndarray):
        return {"shape": value.shape, "numbers": value.ravel().tolist()}
    if isinstance(value, bytes):
        return b64encode(value).decode()
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(f"{value!r} is not data.")


def _made(kind: Any, value: Any) -> Any:
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        (kind,) = (one for one in arguments if one is not type(None))
        return None if value is None else _made(kind, value)
    if origin is np.ndarray:
        (number,) = get_args(arguments[1])
        return np.array(value["numbers"], dtype=number).reshape(value["shape"])
    if origin is tuple:
        kinds = arguments[:1] * len(value) if arguments[1:] == (...,) else arguments
        return tuple(_made(one, item) for one, item in zip(kinds, value, strict=True))
    if origin is not None and issubclass(origin, Mapping):
        return {key: _made(arguments[1], item) for key, item in value.items()}
    if dataclasses.is_dataclass(kind):
        hints = get_type_hints(kind)
        return kind(**{name: _made(hints[name], item) for name, item in value.items()})  # type: ignore[operator]
    return b64decode(value) if kind is bytes else value
