"""Sentences for errors that the user can fix, from osimexp and from Hydra."""

import errno
import os
import re
from pathlib import PurePath

from hydra.errors import (
    ConfigCompositionException,
    HydraException,
    MissingConfigException,
    OverrideParseException,
)
from omegaconf import DictConfig
from omegaconf.errors import ConfigAttributeError, ConfigKeyError, OmegaConfBaseException
from yaml import YAMLError

from osimexp.config import config_groups
from osimexp.errors import OsimexpError, near_matches
from osimexp.moved import unknown_key

# Launchers of other packages, and the extra that installs each.
_EXTRAS = {
    "hydra/launcher/joblib": "joblib",
    "hydra/launcher/submitit_slurm": "slurm",
    "hydra/launcher/submitit_local": "slurm",
}


USER_MISTAKE = 2
"""Exit code of a process that ends because of what the user gave."""

MISTAKES = (OsimexpError, HydraException, OmegaConfBaseException, YAMLError)

_OPEN_FILES = (errno.EMFILE, errno.ENFILE)


def is_mistake(error: BaseException) -> bool:
    """Return whether an error can be mended by the user: of input, of files or of the machine."""
    if isinstance(error, BrokenPipeError):
        return False  # Nobody is there to read a sentence.
    return isinstance(error, (*MISTAKES, OSError, MemoryError)) or _of_memory(error)


def sentence(error: Exception) -> str:
    """Return one line that says what is wrong and what would be right."""
    match error:
        case OsimexpError():
            return _one_line(str(error))
        case MissingConfigException(missing_cfg_file=str(name)) if name in _EXTRAS:
            return f"{name} is not installed; it comes with the extra osimexp[{_EXTRAS[name]}]."
        case MissingConfigException(missing_cfg_file=str(name), options=options) if "/" in name:
            group, _, option = name.rpartition("/")
            return f"{group}={option} is not known; {near_matches(option, options or [])}"
        case OverrideParseException(override=override):
            reason = str(error).splitlines()[0]
            return f"{override!r} cannot be read as key=value ({reason})."
        case ConfigCompositionException():
            return _composition(error)
        case OSError(errno=number) if number in _OPEN_FILES:
            return (
                "More files would be open at a time than are allowed here; raise the limit "
                "(ulimit -n) or take fewer workers."
            )
        case OSError(filename=str() | bytes() | PurePath() as file):
            return _one_line(f"{os.fsdecode(file)} cannot be used: {error.strerror}.")
        case OSError():
            return _one_line(f"A file or a connection cannot be used: {error.strerror or error}.")
    if isinstance(error, MemoryError) or _of_memory(error):
        detail = f" ({_one_line(str(error)):.200})" if str(error) else ""
        return (
            f"There is not enough memory{detail}; take less, such as by a smaller "
            "algo.environments, algo.hidden_sizes or algo.replay_capacity."
        )
    return _one_line(str(error))


def _composition(error: ConfigCompositionException) -> str:
    cause = error.__cause__
    if isinstance(cause, ConfigAttributeError | ConfigKeyError) and cause.full_key:
        parent = cause.parent_node
        known = [str(name) for name in parent] if isinstance(parent, DictConfig) else []
        return unknown_key(str(cause.full_key), known)
    if found := re.match(
        r"Could not override '([^']+)'.\s+No match in the defaults list", str(error)
    ):
        groups = config_groups()
        if found[1] in groups:
            return f"{found[1]} cannot be chosen here: no other option has a {found[1]}."
        return f"{found[1]} is not a known group or key; {near_matches(found[1], groups)}"
    detail = f" {cause}" if isinstance(cause, OmegaConfBaseException) else ""
    return _one_line(f"{error}{detail}")


def _of_memory(error: BaseException) -> bool:
    """Return whether an error is PyTorch's for a lack of memory."""
    text = str(error)
    return isinstance(error, RuntimeError) and (
        "allocate memory" in text or "out of memory" in text
    )


def _one_line(text: str) -> str:
    return " ".join(text.split())
