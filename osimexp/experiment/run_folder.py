"""The folder of one run, with all that is needed to judge, repeat and continue it."""

import logging
import os
import stat
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from json import loads
from pathlib import Path
from typing import Any, Literal, get_args

from filelock import FileLock, Timeout

from osimexp.config import read_config
from osimexp.errors import ConfigError, RunFolderError, UntrustedError
from osimexp.experiment.inputs import (
    Input,
    kept_inputs,
    named_files,
    with_copies,
    write_inputs,
)
from osimexp.experiment.layout import (
    CHECKPOINTS,
    CONFIG,
    EVALUATIONS,
    LOCK,
    METRICS,
    MODEL,
    OVERRIDES,
    RECORD,
    UNFINISHED,
)
from osimexp.files import read_text, write_json, write_text
from osimexp.moved import present_keys
from osimexp.plain_yaml import plain_text, read_plain
from osimexp.trust import check_trusted, trusted
from osimexp.words import word_of

if sys.platform != "win32":
    import fcntl

log = logging.getLogger("osimexp")

State = Literal["running", "finished", "interrupted", "failed", "pruned"]

_INSTANT = 1.0  # Time after which a lock is not held by one who only looks, s.

_KINDS_OF_FACTS = {
    "reason": str, "started": str, "steps": int, "choices": dict, "resumed": list, "command": str,
    "versions": dict, "git": dict,
}  # fmt: skip
"""Kind of each fact of a record that is used later, where it has that fact."""


@dataclass(frozen=True)
class RunFolder:
    """The files of a run, by name.

    ``create`` makes a new folder, and ``open`` checks an existing one.

    Attributes:
        path: path of the folder.
    """

    path: Path

    @property
    def config_file(self) -> Path:
        """Path of the composed config."""
        return self.path / CONFIG

    @property
    def overrides_file(self) -> Path:
        """Path of the overrides of the command line."""
        return self.path / OVERRIDES

    @property
    def record_file(self) -> Path:
        """Path of the record of state and provenance, which is written last.

        A folder without it is not a run folder.
        """
        return self.path / RECORD

    @property
    def model_file(self) -> Path:
        """Path of the exact model, for OpenSim's GUI; tasks without a model have no such file."""
        return self.path / MODEL

    @property
    def metrics_file(self) -> Path:
        """Path of the metrics, with a row for each logged window."""
        return self.path / METRICS

    @property
    def _lock_file(self) -> Path:
        return self.path / LOCK

    @property
    def _unfinished_file(self) -> Path:
        """Path of an empty file that is there while the folder is made."""
        return self.path / UNFINISHED

    @property
    def _half_made(self) -> bool:
        """True if the process that made the folder ended before it was a run folder."""
        return self._unfinished_file.is_file() and not self.record_file.is_file()

    def judged_checkpoint(self) -> str:
        """Return the checkpoint that a run is judged by: ``best`` if it exists, else ``latest``."""
        return "best" if self.checkpoint_file("best").is_file() else "latest"

    @contextmanager
    def claimed(self) -> Iterator[None]:
        """Keep other processes from writing here; the lock ends with this process.

        Raises:
            RunFolderError: another process writes here, or nobody can.
        """
        lock = FileLock(self._lock_file)
        try:
            # Processes that only look share the lock for an instant, which is waited out.
            lock.acquire(timeout=_INSTANT, poll_interval=0.02)
        except Timeout as error:
            raise RunFolderError(
                f"{self.path} is being written by another process; wait for it or end it."
            ) from error
        except OSError as error:
            raise RunFolderError(f"{self.path} cannot be written: {error.strerror}.") from error
        try:
            yield
        finally:
            lock.release()

    def in_use(self) -> bool:
        """Return whether a process of this machine writes here now; nothing is written for that.

        Raises:
            RunFolderError: the lock cannot be read.
        """
        if sys.platform == "win32":
            try:
                with self.claimed():
                    return False
            except RunFolderError:
                return True
        try:
            with self._lock_file.open("rb") as lock:
                # Others that look can share it, and one who wants to write waits an instant.
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except BlockingIOError:
            return True
        except OSError as error:
            raise RunFolderError(f"{self._lock_file} cannot be read: {error.strerror}.") from error
        return False

    def checkpoint_file(self, name: str) -> Path:
        """Return the path of the checkpoint ``latest`` or ``best``."""
        return self.path / CHECKPOINTS / f"{name}.pt"

    def evaluation_file(self, name: str) -> Path:
        """Return the path of an evaluation; those made in training are named by their steps."""
        return self.path / EVALUATIONS / f"{name}.json"

    @classmethod
    def create(
        cls,
        path: Path,
        config: Mapping[str, Any],
        overrides: Sequence[str],
        provenance: dict[str, Any],
        model_xml: str | None = None,
        inputs: Mapping[str, Input] | None = None,
    ) -> "RunFolder":
        """Make the folder of a new run; one that was half made when its process ended is made anew.

        Args:
            path: path of the folder.
            config: config of the run.
            overrides: overrides of the command line.
            provenance: facts for the record.
            model_xml: text of the exact model; None for a task without one.
            inputs: files that the run is made from, of which copies are kept.

        Raises:
            RunFolderError: ``path`` is not empty, or the folder cannot be made.
            OSError: the disk is full.
        """
        folder = cls(path)
        try:
            if path.is_dir() and any(path.iterdir()) and not folder._half_made:
                raise RunFolderError(
                    f"{path} is not empty; give run.folder another name, or go on with the run "
                    f"in it by {word_of('resume', path)}."
                )
            path.mkdir(parents=True, exist_ok=True)
            folder._unfinished_file.touch()
            for part in (CHECKPOINTS, EVALUATIONS):
                (path / part).mkdir(exist_ok=True)
        except OSError as error:
            raise RunFolderError(
                f"The run folder {path} cannot be made: {error.strerror}."
            ) from error
        with folder.claimed():
            if not folder._half_made:
                raise RunFolderError(f"{path} was made by another process at the same time.")
            folder.write_config(config)
            write_text(folder.overrides_file, plain_text(overrides))
            if model_xml is not None:
                write_text(folder.model_file, model_xml)
            copies = write_inputs(path, inputs or {})
            record = {**provenance, "inputs": copies} if copies else provenance
            write_json(folder.record_file, {"state": "running", "reason": None, **record})
            folder._unfinished_file.unlink()
        return folder

    @classmethod
    def open(cls, path: Path) -> "RunFolder":
        """Return the run folder at ``path``.

        Raises:
            RunFolderError: it is not a folder, or not the folder of a run.
        """
        if not path.is_dir():
            raise RunFolderError(f"{path} is not a folder; give the folder of a run.")
        folder = cls(path)
        if folder._half_made:
            raise RunFolderError(
                f"{path} is only half a run folder, because its process was ended while it was "
                f"made; begin the run again with {word_of('run.folder', path)}."
            )
        needed = (folder.config_file, folder.record_file)
        if missing := [file.name for file in needed if not file.is_file()]:
            raise RunFolderError(
                f"{path} is not a run folder: it has no {' and no '.join(missing)}."
            )
        folder.check_links()
        return folder

    def check_links(self) -> None:
        """Refuse links that lead out of the folder, and pipes and devices in it.

        Other files would be read into reports through links, or written; a pipe has no end.

        Raises:
            UntrustedError: the folder has a link to a place that the user does not trust.
            RunFolderError: it has something that is neither a file nor a folder.
        """
        home, known = self.path.resolve(), trusted()
        for place, folders, files in os.walk(self.path):
            for file in (Path(place, name) for name in (*folders, *files)):
                target = home
                if file.is_symlink():
                    target = self._target(file)
                elif not _is_file_or_folder(file):
                    raise RunFolderError(
                        f"{file} is neither a file nor a folder, so that reading it might never "
                        "end; remove it."
                    )
                if not target.is_relative_to(home) and str(target) not in known:
                    raise UntrustedError(
                        f"{file} would be read and written elsewhere", str(target), (str(target),)
                    )

    def _target(self, link: Path) -> Path:
        try:
            return link.resolve()
        except (OSError, RuntimeError) as error:  # A loop is the latter up to Python 3.12.
            raise RunFolderError(f"{link} leads nowhere; remove it.") from error

    def values(self) -> dict[str, Any]:
        """Return the run's config as plain values; renamed keys have their new names.

        Nothing in it is resolved, and nothing that it names is checked: it is for lists and
        comparisons. ``config`` returns what may be built.

        Raises:
            RunFolderError: it cannot be read.
        """
        try:
            config = read_config(self.config_file)
        except ConfigError as error:
            raise RunFolderError(str(error)) from error
        if not config:
            raise RunFolderError(f"{self.config_file} is not the config of a run.")
        return present_keys(config)

    def config(self) -> dict[str, Any]:
        """Return the run's config to build from: trusted, and with the run's copies of files.

        Raises:
            RunFolderError: it cannot be read, or names code that the user does not trust.
        """
        return self.played(self.values())

    def played(self, config: Mapping[str, Any]) -> dict[str, Any]:
        """Return a config of this run to build from.

        Args:
            config: plain values of the run's config, perhaps with another budget.

        Raises:
            RunFolderError: it names code that the user does not trust, or a copy of a file is
                missing or was changed.
        """
        check_trusted(config, str(self.config_file))
        record = self.record()
        kept = kept_inputs(self.path, record)
        for key, path in named_files(config).items():
            if key not in kept:  # An earlier version wrote the folder.
                log.warning(
                    "%s keeps no copy of its %s, so %s is read as it is now.", self.path, key, path
                )
        return with_copies(_as_learned(config, record), self.path, kept)

    def write_config(self, config: Mapping[str, Any]) -> None:
        """Write the config, with resolved interpolations."""
        write_text(self.config_file, plain_text(config))

    def overrides(self) -> list[str]:
        """Return the overrides of the command line, as they were typed; none if they are not there.

        Raises:
            RunFolderError: they cannot be read.
        """
        if not self.overrides_file.is_file():
            return []
        try:
            found = read_plain(self.overrides_file)
        except ConfigError as error:
            raise RunFolderError(str(error)) from error
        if not isinstance(found, list):
            raise RunFolderError(f"{self.overrides_file} is not a list of overrides.")
        return [str(word) for word in found]

    def record(self) -> dict[str, Any]:
        """Return state and provenance.

        Raises:
            RunFolderError: they cannot be read.

        """
        try:
            record = loads(read_text(self.record_file))
        except (OSError, ValueError, RecursionError) as error:
            raise RunFolderError(f"{self.record_file} cannot be read as a run's record.") from error
        if not isinstance(record, dict) or record.get("state") not in get_args(State):
            raise RunFolderError(
                f"{self.record_file} is not the record of a run: its state is none of "
                f"{', '.join(get_args(State))}."
            )
        for name, kind in _KINDS_OF_FACTS.items():
            if not isinstance(record.get(name), kind | None):
                raise RunFolderError(
                    f"{self.record_file} is not the record of a run: its {name} is "
                    f"{record[name]!r:.80}."
                )
        if not 0 <= (record.get("steps") or 0) < 2**63:
            raise RunFolderError(f"{self.record_file} has steps that no run can have made.")
        return record

    def mark(self, state: State, reason: str | None = None) -> None:
        """Write the state of the run, with its reason."""
        write_json(self.record_file, {**self.record(), "state": state, "reason": reason})

    def mark_resumed(
        self, steps: int, config: Mapping[str, Any], provenance: dict[str, Any]
    ) -> None:
        """Write that the run continues from ``steps``, with its config and provenance."""
        self.write_config(config)
        record = self.record()
        resumed = [*record.get("resumed", []), {"steps": steps, **provenance}]
        write_json(
            self.record_file, {**record, "state": "running", "reason": None, "resumed": resumed}
        )

    def drop_after(self, steps: int) -> None:
        """Remove what training made after ``steps``: evaluations, with 0 the best checkpoint.

        The final evaluations are removed as well.
        """
        if steps == 0:
            self.checkpoint_file("best").unlink(missing_ok=True)
        for file in (self.path / EVALUATIONS).glob("*.json"):
            if file.stem in ("final", "final_opensim") or (
                file.stem.isdecimal() and int(file.stem) > steps
            ):
                file.unlink()


def _as_learned(config: Mapping[str, Any], record: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a config whose policy sees mirror images if, and only if, it learned from them.

    Whether they are possible is asked of the model that it learned on and not of another one.
    """
    symmetry, mirrored = config.get("symmetry"), record.get("mirrored")
    if not isinstance(symmetry, Mapping) or symmetry.get("where_possible") is not True:
        return config
    if not isinstance(mirrored, bool):
        return config
    return {**config, "symmetry": {**symmetry, "where_possible": False} if mirrored else None}


def _is_file_or_folder(path: Path) -> bool:
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:  # A process that writes here has replaced it.
        return True
    return stat.S_ISREG(mode) or stat.S_ISDIR(mode)
