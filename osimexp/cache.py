"""What took long to work out from a model, kept on disk for the next time."""

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
    """Return where things are kept: ``$OSIMEXP_CACHE``, or where the system keeps caches."""
    chosen = os.environ.get(VARIABLE)
    return Path(chosen) if chosen else Path(platformdirs.user_cache_dir("osimexp", appauthor=False))


def digest(parts: Iterable[str | bytes]) -> str:
    """Return a name for what follows from ``parts``: it differs if any of them does."""
    found = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        found.update(len(data).to_bytes(8, "little") + data)
    return found.hexdigest()[:32]


def sources(*packages: str) -> str:
    """Return a digest of the code in files or folders below ``osimexp``.

    What an older release kept is thus never taken for what this one would work out.
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
    """Return the bytes kept under a name, made and kept if they are not there.

    A folder that cannot be written costs the time of making them again, and a warning.
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
            "can.", path, error.strerror, VARIABLE,
        )  # fmt: skip
    return content
