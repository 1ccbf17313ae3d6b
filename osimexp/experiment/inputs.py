"""The files that a run is made from besides its config: copies of them stay in its folder."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from osimexp.config import selected, with_value
from osimexp.errors import ConfigError, RunFolderError

INPUTS = {"model.path": ("model", "model.copy"), "target.movement": ("movement", "target.movement")}
"""Keys of a config that name a file, the stem of its copy's name, and the key that takes the copy.

A model's own path is kept, because meshes are searched beside it.
"""

FOLDER = "inputs"


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
    found = {}
    for key, (stem, _) in INPUTS.items():
        given = selected(config, key)
        path = Path(given).expanduser() if isinstance(given, str) else None
        if path is not None and path.is_file():
            found[key] = Input(f"{stem}{path.suffix}", _content(path, key))
    return found


def write_inputs(folder: Path, inputs: Mapping[str, Input]) -> dict[str, dict[str, str]]:
    """Write the copies into a run's folder, and return their names and digests for its record."""
    if inputs:
        (folder / FOLDER).mkdir(exist_ok=True)
    for found in inputs.values():
        (folder / FOLDER / found.name).write_bytes(found.content)
    return {key: {"file": i.name, "sha256": i.digest} for key, i in inputs.items()}


def kept_inputs(folder: Path, record: Mapping[str, Any]) -> dict[str, Input]:
    """Return the copies in a run's folder, by key.

    Raises:
        RunFolderError: a copy is missing or not the one that the run was made from.
    """
    found = {}
    listed = record.get("inputs")
    for key, (stem, _) in INPUTS.items():
        if not isinstance(listed, Mapping) or key not in listed:
            continue  # It has no such file, or an earlier version wrote the folder.
        told = listed[key]
        name = str(told.get("file")) if isinstance(told, Mapping) else ""
        if Path(name).name != name or Path(name).stem != stem:
            raise RunFolderError(f"{folder / 'run.json'} names no file of its folder for {key}.")
        file = folder / FOLDER / name
        try:
            copy = Input(name, file.read_bytes())
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
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{key}: {path} cannot be read: {error.strerror}.") from error


def with_copies(
    config: Mapping[str, Any], folder: Path, inputs: Mapping[str, Input]
) -> dict[str, Any]:
    """Return a run's config with its copies in place of the files that it was made from."""
    changed = dict(config)
    for key, copy in inputs.items():
        changed = with_value(changed, INPUTS[key][1], str(folder / FOLDER / copy.name))
    return changed
