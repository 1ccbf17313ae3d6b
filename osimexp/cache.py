"""A cache on disk for results that take long to work out from a model."""

import hashlib
import logging
import os
from collections.abc import Callable, Iterable
from pathlib import Path

import platformdirs

from osimexp.files import replacing

log = logging.getLogger("osimexp")

VARIABLE = "OSIMEXP_CACHE"


def cache_folder() -> Path:
    """Return the folder of the cache: ``$OSIMEXP_CACHE``, or one in the system's cache folder."""
    chosen = os.environ.get(VARIABLE)
    return Path(chosen) if chosen else Path(platformdirs.user_cache_dir("osimexp", appauthor=False))


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


def kept(name: str, make: Callable[[], bytes]) -> bytes:
    """Return the bytes cached under a name, made and cached if they are not there.

    If the folder cannot be written, they are made again each time, and a warning says so.
    """
    path = cache_folder() / name
    try:
        return path.read_bytes()
    except OSError:
        pass
    content = make()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as stream:
            stream.write(content)
    except OSError as error:
        log.warning(
            "%s cannot be written (%s), so it will be worked out again; set %s to a folder that "
            "can be written.", path, error.strerror, VARIABLE,
        )  # fmt: skip
    return content
