"""The files that a run is made from besides its config: copies of them stay in its folder."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from osimexp.config import with_value
from osimexp.errors import ConfigError, RunFolderError
from osimexp.experiment.layout import INPUTS, RECORD, input_name, is_input
from osimexp.files import LARGE, read_bytes

MODEL, COPY = "model.path", "model.copy"
"""Keys of a model's path, which is kept because meshes are searched beside it, and of its copy."""

MOVEMENT = "movement"
"""Last part of the keys of movements, such as ``target.movement``; copies take their place."""


@dataclass(frozen=True)
class Input:
    """A file that a run is made from.

    Attributes:
        name: name of the copy in the folder ``inputs`` of the run.
        content: bytes of the file.
    """

    name: str
    content: bytes

    @property
    def digest(self) -> str:
        """SHA-256 of the content."""
        return sha256(self.content).hexdigest()


def read_inputs(config: Mapping[str, Any]) -> dict[str, Input]:
    """Return the files that a config names, by key; a file that is not there is left out.

    Raises:
        ConfigError: a file cannot be read.
    """
    found: dict[str, Input] = {}
    names: dict[tuple[str, bytes], str] = {}
    for key, path in named_files(config).items():
        if path.is_file():
            stem, content = "model" if key == MODEL else MOVEMENT, _content(path, key)
            others = sum(kind == stem for kind, _ in names)
            name = names.setdefault((stem, content), input_name(stem, others, path.suffix))
            found[key] = Input(name, content)
    return found


def named_files(config: Mapping[str, Any]) -> dict[str, Path]:
    """Return the paths of the files that a config names, by key."""
    return {
        key: Path(given).expanduser()
        for key, given in _texts(config, "")
        if key == MODEL or _is_movement(key)
    }


def write_inputs(folder: Path, inputs: Mapping[str, Input]) -> dict[str, dict[str, str]]:
    """Write the copies into a run's folder, and return their names and digests for its record."""
    if inputs:
        (folder / INPUTS).mkdir(exist_ok=True)
    for found in inputs.values():
        (folder / INPUTS / found.name).write_bytes(found.content)
    return {key: {"file": i.name, "sha256": i.digest} for key, i in inputs.items()}


def kept_inputs(folder: Path, record: Mapping[str, Any]) -> dict[str, Input]:
    """Return the copies in a run's folder, by key.

    Raises:
        RunFolderError: a copy is missing or not the one that the run was made from.
    """
    found = {}
    listed = record.get("inputs", {})  # An earlier version's folder has none.
    if not isinstance(listed, Mapping):
        raise RunFolderError(f"{folder / RECORD} does not say which inputs the run has.")
    for key, told in listed.items():
        name = str(told.get("file")) if isinstance(told, Mapping) else ""
        if not is_input(name):
            raise RunFolderError(f"{folder / RECORD} names no file of its folder for {key}.")
        file = folder / INPUTS / name
        try:
            copy = Input(name, read_bytes(file, LARGE))
        except OSError as error:
            raise RunFolderError(
                f"{file}, the run's copy of its {key}, cannot be read; put it back."
            ) from error
        if copy.digest != told.get("sha256"):
            raise RunFolderError(
                f"{file}, the run's copy of its {key}, was changed since then; put it back."
            )
        found[key] = copy
    return found


def _content(path: Path, key: str) -> bytes:
    try:
        return read_bytes(path, LARGE)
    except OSError as error:
        raise ConfigError(f"{key}: {path} cannot be read: {error.strerror}.") from error


def with_copies(
    config: Mapping[str, Any], folder: Path, inputs: Mapping[str, Input]
) -> dict[str, Any]:
    """Return a run's config with its copies in place of the files that it was made from."""
    places = {key: str(folder / INPUTS / copy.name) for key, copy in inputs.items()}
    changed = _replaced(config, "", {k: place for k, place in places.items() if k != MODEL})
    return with_value(changed, COPY, places[MODEL]) if MODEL in places else changed


def _is_movement(key: str) -> bool:
    return key.rpartition(".")[2] == MOVEMENT


def _texts(value: Any, place: str) -> Iterator[tuple[str, str]]:
    """Yield every text in a config with its dotted key."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _texts(item, f"{place}.{key}" if place else str(key))
    elif isinstance(value, str):
        yield place, value


def _replaced(value: Any, place: str, texts: Mapping[str, str]) -> Any:
    """Return a config with other texts at dotted keys."""
    if isinstance(value, Mapping):
        return {
            key: _replaced(item, f"{place}.{key}" if place else str(key), texts)
            for key, item in value.items()
        }
    return texts.get(place, value) if isinstance(value, str) else value
