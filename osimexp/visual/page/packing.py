"""Packing of arrays over time into few bytes, for the page."""

import gzip
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from osimexp.arrays import Floats
from osimexp.errors import ModelError
from osimexp.visible import visible

LEVELS = 65535  # levels of a rounded column; one is 0.2 mm of a walk over 10 m


def pack(header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Return a header and arrays as one gzipped block.

    The unzipped block is the length of the JSON header (uint32, little endian), the header, and
    each array in the order of the header, all at multiples of four bytes. Whole numbers are stored
    as uint32. Each column of other arrays ``(T, ...)`` is rounded to 65536 levels between its
    lowest and highest value, and stored as differences along T, column after column, all low bytes
    before all high bytes, because these compress best.

    Args:
        header: values that JSON can hold.
        arrays: arrays of finite numbers, by name.

    Raises:
        ModelError: an array has values that are not finite.
    """
    entries: list[dict[str, Any]] = []
    blocks: list[bytes] = []
    for name, array in arrays.items():
        if np.issubdtype(array.dtype, np.integer):
            entry, block = {"kind": "integers"}, array.astype("<u4").tobytes()
        else:
            entry, block = _rounded(name, array)
        entries.append({"name": name, "shape": list(array.shape), **entry})
        blocks.append(_padded(block, b"\0"))
    text = _padded(json.dumps(_seen({**header, "arrays": entries}), allow_nan=False).encode(), b" ")
    # No time of writing is stored, so that equal contents give equal bytes.
    return gzip.compress(b"".join([np.uint32(len(text)).tobytes(), text, *blocks]), 9, mtime=0)


def _rounded(name: str, array: Floats) -> tuple[dict[str, Any], bytes]:
    columns = array.reshape(len(array), -1)
    if not np.isfinite(columns).all():
        raise ModelError(f"The movement's {name} are not finite at every moment.")
    if columns.size == 0:
        return {"kind": "levels", "low": [], "step": []}, b""
    low = columns.min(axis=0)
    step = (columns.max(axis=0) - low) / LEVELS
    levels = np.rint((columns - low) / np.where(step > 0.0, step, 1.0)).astype(np.uint16)
    change = np.diff(levels, axis=0, prepend=np.zeros((1, levels.shape[1]), np.uint16)).T
    low_bytes, high_bytes = (change & 255).astype(np.uint8), (change >> 8).astype(np.uint8)
    entry = {"kind": "levels", "low": _brief(low), "step": _brief(step)}
    return entry, low_bytes.tobytes() + high_bytes.tobytes()


def _seen(value: Any) -> Any:
    """Return plain data whose texts, such as names of muscles, are shown with every character."""
    match value:
        case str():
            return visible(value)
        case Mapping():
            return {_seen(key): _seen(own) for key, own in value.items()}
        case list() | tuple():
            return [_seen(own) for own in value]
    return value


def _brief(values: Floats) -> list[float]:
    return [float(f"{value:.9g}") for value in values]


def _padded(block: bytes, filler: bytes) -> bytes:
    return block + filler * (-len(block) % 4)
