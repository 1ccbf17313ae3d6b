"""Checkpoints: all data that a run needs to continue, loaded without running code."""

import hashlib
import io
import json
import math
import os
import sys
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch

from osimexp.errors import RunFolderError
from osimexp.experiment.settings import CHANGEABLE
from osimexp.files import MODEST, read_bytes, replacing
from osimexp.moved import first_keys

FORMAT = 2
READ = (1, 2)

_ARRAY = "__numpy__"

# Dictionaries and lists inside each other; checkpoints have about ten.
_DEEPEST = 100

# Parts of a state whose numbers a controller or an algorithm computes with.
_LEARNT = ("controller", "policy", "algorithm")

_LARGEST_NUMBER = torch.finfo(torch.float32).max

# The last bytes of a file: this mark and the digest of everything before it. Readers of zip files
# pass over them.
_MARK = b"\nosimexp sha256 "

# The last record of a zip file, with which files of earlier versions end.
_END, _END_SIZE = b"PK\x05\x06", 22


@dataclass(frozen=True)
class Checkpoint:
    """The state of a run at one of its steps.

    Attributes:
        steps: environment steps made so far.
        config_hash: hash of the config that the run was composed from.
        state: state of every part, by name: plain values, tensors and NumPy arrays.
    """

    steps: int
    config_hash: str
    state: dict[str, Any]

    @property
    def controller(self) -> Any:
        """Data of the controller from ``osimexp.controllers.saved.Saved.data``; None without one.

        Format 1, of version 0.1.0, has policies without names of columns.
        """
        if "policy" in self.state:
            return {"kind": "policy", "state": self.state["policy"]}
        return self.state.get("controller")


def config_hash(config: Mapping[str, Any]) -> str:
    """Return a hash of the config without the keys that may differ when a run is resumed.

    Renamed keys are hashed by their first names, so that checkpoints of earlier versions are
    accepted.
    """
    values = first_keys(config)
    kept = {key: value for key, value in values.items() if key not in CHANGEABLE}
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()


def save(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint whole or not at all; the old file at ``path`` stays until then.

    Raises:
        OSError: the disk is full or cannot be written.
        TypeError: the state has a value that is not data.
    """
    content = {
        "manifest": {
            "format": FORMAT,
            "config_hash": checkpoint.config_hash,
            "steps": checkpoint.steps,
        },
        "state": _to_tensors(checkpoint.state, "state"),
    }
    with replacing(path) as stream:
        digested = _Digested(stream)
        try:
            torch.save(content, digested)  # type: ignore[arg-type]
        except RuntimeError as error:
            # PyTorch's writer raises its own error in place of the file system's.
            if isinstance(error.__context__, OSError):
                raise error.__context__ from error
            raise
        stream.write(_MARK + digested.digest.hexdigest().encode())


def load(path: Path) -> Checkpoint:
    """Return a checkpoint from a file, with its tensors on the CPU.

    Every bit that is read is verified first: by the digest at the end of the file, or by the
    checksums of the zip file if an earlier version wrote it.

    Raises:
        RunFolderError: the file does not exist, cannot be read, was cut short or damaged, has a
            number of a controller or an algorithm that is not finite, or another version wrote it.
    """
    if not path.is_file():
        raise RunFolderError(f"{path} does not exist: the run has not written this checkpoint yet.")
    try:
        _require_end(path)
        _require_told(path)
        # Read whole, because reading a file that was cut short by parts gives misleading errors.
        written = read_bytes(path, _largest())
    except OSError as error:
        raise RunFolderError(f"{path} cannot be read: {error.strerror}.") from error
    content = _content(path, _verified(path, written))
    manifest = content.get("manifest") if isinstance(content, dict) else None
    if not isinstance(manifest, dict) or "format" not in manifest:
        raise RunFolderError(f"{path} is not a checkpoint of osimexp: it has no manifest.")
    number = manifest["format"]
    if not isinstance(number, int) or number not in READ:
        # A number of thousands of digits cannot even be written.
        shown = number if isinstance(number, int) and 0 <= number < 10**6 else "of no version"
        raise RunFolderError(
            f"{path} is of checkpoint format {shown}, and this osimexp reads "
            f"formats {' and '.join(map(str, READ))}."
        )
    steps, hashed, state = (
        manifest.get("steps"), manifest.get("config_hash"), content.get("state")
    )  # fmt: skip
    if not (
        type(steps) is int
        and 0 <= steps < 2**63
        and isinstance(hashed, str)
        and isinstance(state, dict)
    ):
        raise RunFolderError(
            f"{path} is not a checkpoint of osimexp: it lacks its steps, the hash of its config or "
            "its state."
        )
    for part in _LEARNT:
        if (place := _not_finite(state.get(part), part)) is not None:
            raise RunFolderError(
                f"{path} holds a number in {place} that is not finite, or too large for the "
                "precision of networks, so it is not used; put back a checkpoint whose numbers are "
                "sound."
            )
    return Checkpoint(steps, hashed, state)


def _not_finite(value: Any, place: str) -> str | None:
    """Return the place of the first array with a value that no float32 holds; None without one."""
    parts: list[tuple[str, Any]] = []
    match value:
        case dict():
            parts = [(f"{place}.{key}", item) for key, item in value.items()]
        case list() | tuple():
            parts = [(f"{place}[{number}]", item) for number, item in enumerate(value)]
        case np.ndarray():
            return _not_finite(torch.from_numpy(value), place)
        case torch.Tensor() if value.is_floating_point() and value.numel():
            # Not by isfinite, which would need the memory of a large replay once more.
            ends = torch.stack(torch.aminmax(value.flatten())).double()
            return None if bool((ends.abs() <= _LARGEST_NUMBER).all()) else place
        case float() if math.isnan(value):  # A bound may be infinite.
            return place
    return next(filter(None, (_not_finite(item, where) for where, item in parts)), None)


def _require_end(path: Path) -> None:
    """Refuse a file by its last bytes, before all of a large one is read.

    Raises:
        OSError: it cannot be read.
        RunFolderError: it does not end as a checkpoint does.
    """
    with path.open("rb") as stream:
        stream.seek(-min(len(_MARK) + 64, path.stat().st_size), os.SEEK_END)
        end = stream.read()
    if not end.startswith(_MARK) and end[-_END_SIZE:][: len(_END)] != _END:
        raise RunFolderError(_damaged(path))


class _Bounded(io.FileIO):
    """A file of which no more is read at a time than the list of a checkpoint's parts takes."""

    def read(self, size: int | None = -1) -> bytes:
        """Return the next bytes.

        Raises:
            ValueError: too many are asked for.
        """
        left = os.fstat(self.fileno()).st_size - self.tell()
        if (left if size is None or size < 0 else size) > MODEST:
            raise ValueError("its list of parts is too large")
        return super().read(size)


def _require_told(path: Path) -> None:
    """Refuse a file that is larger than its own list of parts tells, before all of it is read.

    Raises:
        OSError: it cannot be read.
        RunFolderError: its list cannot be read, or does not tell of all of it.
    """
    size = path.stat().st_size
    if size <= MODEST:
        return  # It is read at once, and checked then.
    try:
        with _Bounded(path) as stream, zipfile.ZipFile(stream) as parts:
            _require_stored(parts, size)
            told = parts.infolist()
    except OSError:
        raise
    except Exception as error:  # A damaged list can end in any of a dozen errors.
        raise RunFolderError(_damaged(path)) from error
    pickled = sum(part.file_size for part in told if part.filename.endswith(".pkl"))
    # Before and after each part are its headers, and fillers up to a round place.
    around = sum(1024 + 4 * len(part.filename) for part in told) + 1024
    if pickled > MODEST or size > sum(part.file_size for part in told) + around:
        raise RunFolderError(_damaged(path))


def _largest() -> int:
    """Return the size above which a file and the tensors in it do not fit into the memory."""
    if not hasattr(os, "sysconf"):
        return sys.maxsize
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2


class _Digested:
    """A stream that works out the digest of what is written to another one.

    Attributes:
        digest: digest of everything written so far.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.digest = hashlib.sha256()

    def write(self, data: bytes) -> int:
        """Write bytes, and return their number."""
        self.digest.update(data)
        return self._stream.write(data)

    def flush(self) -> None:
        """Write what is buffered."""
        self._stream.flush()


def _verified(path: Path, written: bytes) -> bytes:
    """Return a checkpoint's zip file, after a check that no bit of it has changed.

    Raises:
        RunFolderError: it has changed.
    """
    end = len(written) - len(_MARK) - 64
    if end >= 0 and written[end : end + len(_MARK)] == _MARK:
        digest = hashlib.sha256(memoryview(written)[:end]).hexdigest().encode()
        if digest == written[end + len(_MARK) :]:
            return written
        raise RunFolderError(_damaged(path))
    if written[-_END_SIZE:][: len(_END)] != _END:
        raise RunFolderError(_damaged(path))
    try:
        # PyTorch does not check the checksums, and takes other bytes than those of a damaged list
        # of files for what it looks for, so it is given a list that is made anew.
        archive = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(written)) as old, zipfile.ZipFile(archive, "w") as new:
            _require_stored(old, len(written))
            for entry in old.infolist():
                new.writestr(zipfile.ZipInfo(entry.filename), old.read(entry))
        return archive.getvalue()
    except Exception as error:  # A damaged file can end in any of a dozen errors.
        raise RunFolderError(_damaged(path)) from error


def _content(path: Path, archive: bytes) -> Any:
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as parts:
            _require_stored(parts, len(archive))
            sizes = [part.file_size for part in parts.infolist() if part.filename.endswith(".pkl")]
        found = torch.load(io.BytesIO(archive), map_location="cpu", weights_only=True)
        return _Data(sum(sizes)).of(found)
    except MemoryError:
        raise
    except Exception as error:  # PyTorch's reader raises errors of a dozen kinds.
        raise RunFolderError(_damaged(path)) from error


def _damaged(path: Path) -> str:
    return f"{path} was cut short or damaged, or is not a checkpoint of osimexp, so it is not read."


def _to_tensors(value: Any, where: str) -> Any:
    """Return ``value`` with arrays as marked tensors, and NumPy scalars as Python's."""
    if isinstance(value, Mapping):
        return {key: _to_tensors(item, f"{where}.{key}") for key, item in value.items()}
    if isinstance(value, list | tuple):
        kind = list if isinstance(value, list) else tuple
        return kind(_to_tensors(item, f"{where}[{i}]") for i, item in enumerate(value))
    if isinstance(value, torch.Tensor):
        # A view would write its whole storage into the file.
        value = value.detach()
        whole = value.numel() * value.element_size() == value.untyped_storage().nbytes()
        return value if whole else value.clone()
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
        # The shape is restored, because ascontiguousarray gives an array without axes an axis.
        return {_ARRAY: torch.from_numpy(np.ascontiguousarray(value).reshape(value.shape).copy())}
    if isinstance(value, np.generic) and value.dtype.kind in "biuf":
        return value.item()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(f"A checkpoint has data only, and {where} is a {type(value).__name__}.")


class _Data:
    """The state that ``_to_tensors`` was given, out of what a file holds.

    Args:
        most: number of values that a file of this size can have; lists that are in each other
            several times would be many more.
    """

    def __init__(self, most: int) -> None:
        self._left = most

    def of(self, value: Any, depth: int = 0) -> Any:
        """Return a value with its arrays as NumPy's.

        Raises:
            ValueError: it has something that ``_to_tensors`` does not write, or is too deep or
                too large.
        """
        self._left -= 1
        if depth > _DEEPEST or self._left < 0:
            raise ValueError("it is nested too deeply or too often")
        if isinstance(value, dict):
            if value.keys() == {_ARRAY}:
                return _plain(value[_ARRAY]).numpy()
            if not all(isinstance(key, str | int) for key in value):
                raise ValueError("it has names that are neither words nor numbers")
            return {key: self.of(item, depth + 1) for key, item in value.items()}
        if isinstance(value, list | tuple):
            kind = list if isinstance(value, list) else tuple
            return kind(self.of(item, depth + 1) for item in value)
        if isinstance(value, torch.Tensor):
            return _plain(value)
        if value is None or isinstance(value, bool | int | float | str):
            return value
        raise ValueError(f"it has a {type(value).__name__}, which is not data")


def _require_stored(archive: zipfile.ZipFile, size: int) -> None:
    """Refuse parts of a zip file that hold more than the file does.

    Raises:
        zipfile.BadZipFile: a part is compressed, or all are larger than ``size`` bytes.
    """
    parts = archive.infolist()
    if any(p.compress_type != zipfile.ZIP_STORED or p.compress_size != p.file_size for p in parts):
        raise zipfile.BadZipFile("it is compressed")
    if sum(part.file_size for part in parts) > size:
        raise zipfile.BadZipFile("its parts are larger than the file")


def _plain(tensor: Any) -> torch.Tensor:
    """Return a tensor that is a plain array of numbers, as big as what is stored of it.

    Raises:
        ValueError: it is anything else.
    """
    if not (
        type(tensor) is torch.Tensor
        and tensor.layout == torch.strided
        and tensor.device.type == "cpu"
        and not tensor.requires_grad
        and not tensor.is_quantized
        # One number can stand for any number of them by strides of zero.
        and tensor.numel() * tensor.element_size() <= tensor.untyped_storage().nbytes()
    ):
        raise ValueError("it has a tensor that is no plain array of numbers")
    return tensor
