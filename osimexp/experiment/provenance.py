"""Provenance of a run: versions, commit, machine and command line."""

import os
import platform
import shlex
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import osimexp

PACKAGES = ("opensim", "torch", "numpy", "gymnasium", "hydra-core", "omegaconf", "tensorboard")


def provenance() -> dict[str, Any]:
    """Return versions, commit, machine and command line of this process, as plain data."""
    return {
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": shlex.join([Path(sys.executable).name, *sys.orig_argv[1:]]),
        "versions": _versions(),
        "git": _git(Path(osimexp.__file__).parent.parent),
        "machine": _machine(),
    }


def _versions() -> dict[str, str | None]:
    found: dict[str, str | None] = {
        "python": platform.python_version(),
        "osimexp": osimexp.__version__,
    }
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = None
    return found


def _git(checkout: Path) -> dict[str, Any] | None:
    # An installed package has no commit, even if it lies inside some repository.
    if not (checkout / ".git").exists():
        return None
    commit = _ask_git(checkout, "rev-parse", "--verify", "HEAD")
    status = _ask_git(checkout, "status", "--porcelain")
    return {"commit": commit, "dirty": None if status is None else bool(status)}


def _ask_git(checkout: Path, *arguments: str) -> str | None:
    try:
        answer = subprocess.run(
            ["git", "-C", str(checkout), *arguments], capture_output=True, text=True, timeout=20
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return answer.stdout.strip() if answer.returncode == 0 else None


def _machine() -> dict[str, Any]:
    return {
        "platform": platform.platform(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_bytes": _memory(),
    }


def _processor() -> str:
    listing = Path("/proc/cpuinfo")
    if listing.is_file():
        for line in listing.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _memory() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None
