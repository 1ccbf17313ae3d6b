"""A cache on disk for results that take long to work out from a model."""

import hashlib
import logging
import os
import stat
import tempfile
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

import platformdirs

from osimexp.files import replacing

log = logging.getLogger("osimexp")

VARIABLE = "OSIMEXP_CACHE"

_MARK = b"osimexp cache 1 sha256 "


def cache_folder() -> Path:
    """Return the folder of the cache: ``$OSIMEXP_CACHE``, or one in the system's cache folder.

    A user without a home, as in some containers, has one in the folder of temporary files.
    """
    if chosen := os.environ.get(VARIABLE):
        return Path(chosen)
    with suppress(RuntimeError):  # Of platformdirs; its earlier versions return "~/.cache".
        folder = Path(platformdirs.user_cache_dir("osimexp", appauthor=False))
        if folder.is_absolute():
            return folder
    user = f"-{os.geteuid()}" if os.name == "posix" else ""
    return Path(tempfile.gettempdir()) / f"osimexp{user}"


def digest(parts: Iterable[str | bytes]) -> str:
    """Return a name for what follows from ``parts``; it changes if any part changes."""
    found = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        found.update(len(data).to_bytes(8, "little") + data)
    return found.hexdigest()[:32]


def sources(*packages: str) -> str:
    """Return a digest of the code in files or folders below ``osimexp``.

    So the cached results of other code are not used.
    """
    root = Path(__file__).parent
    files = [
        file
        for package in packages
        for file in (
            [root / package] if (root / package).is_file() else (root / package).rglob("*")
        )
        if file.suffix in (".py", ".yaml")
    ]
    return digest(file.read_bytes() for file in sorted(files))


def cached_file(name: str) -> Path:
    """Return the path of the file that holds the bytes cached under a name.

    Version 0.1.0 kept its own, without a digest, without the ending.
    """
    return cache_folder() / f"{name}.kept"


def kept(name: str, make: Callable[[], bytes]) -> bytes:
    """Return the bytes cached under a name, made and cached if they are not there.

    Cached bytes are used if a digest of them and of their name is right, and nobody but this user
    can have written them. Else they are made again, and a warning says why. If the folder cannot be
    written, they are made again each time, and a warning says so.
    """
    path = cached_file(name)
    try:
        return _sound(path, name)
    except FileNotFoundError:
        pass
    except (OSError, UnsoundError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        log.warning("%s is not used (%s), so it is worked out again.", path, reason)
    content = make()
    try:
        for folder in (cache_folder(), path.parent):
            _make_private(folder)
        with replacing(path, private=True) as stream:
            stream.write(_head(name, content))
            stream.write(content)
    except OSError as error:
        log.warning(
            "%s cannot be written (%s), so it will be worked out again; set %s to a folder that "
            "can be written.", path, error.strerror, VARIABLE,
        )  # fmt: skip
    return content


class UnsoundError(Exception):
    """A cached file is damaged, or another user can have written it; the message says which."""


def _sound(path: Path, name: str) -> bytes:
    """Return the content of a cached file.

    Raises:
        OSError: the file does not exist or cannot be read.
        UnsoundError: it must not be used.
    """
    # A link could lead to any file, and a pipe would wait for a writer.
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    with open(path, "rb", opener=lambda p, _: os.open(p, flags)) as stream:
        facts = os.fstat(stream.fileno())
        if not stat.S_ISREG(facts.st_mode):
            raise UnsoundError("it is not a file")
        if os.name == "posix" and facts.st_uid not in (0, os.geteuid()):
            raise UnsoundError("another user wrote it")
        if os.name == "posix" and facts.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise UnsoundError("other users can write it")
        head, content = stream.read(len(_head("", b""))), stream.read()
    if head != _head(name, content):
        raise UnsoundError("it is damaged")
    return content


def _head(name: str, content: bytes) -> bytes:
    """Return the first bytes of a cached file, which verify its name and its content."""
    found = hashlib.sha256(name.encode() + b"\0")
    found.update(content)
    return _MARK + found.hexdigest().encode() + b"\n"


def _make_private(folder: Path) -> None:
    """Make a folder that nobody else can enter; a folder that is there stays as it is."""
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        folder.chmod(0o700)  # Bits that the umask takes away are given back.
