"""Errors that a user can fix: one sentence that names the thing and what would be right."""

import shlex
from collections.abc import Iterable
from difflib import get_close_matches


class OsimexpError(Exception):
    """An error in what the user gave; its message is all that the command line prints."""


class ConfigError(OsimexpError):
    """A config value is of the wrong type, out of range or unknown."""


class UnlikeSidesError(ConfigError):
    """The two sides of a model are not alike, so that it has no mirror."""


class ModelError(OsimexpError):
    """A model cannot be found, read, built or simulated."""


class BeginningError(ModelError):
    """An episode would begin with a part of the model in the floor."""


class SimulationError(OsimexpError):
    """The simulation's processes cannot be kept alive, or a number in it is not finite."""


class MovementError(OsimexpError):
    """A movement file cannot be read, or a movement lacks what is needed of it."""


class RunFolderError(OsimexpError):
    """A run folder, checkpoint or result file is missing, incomplete or cannot be written."""


class UntrustedError(RunFolderError):
    """A file of a run folder names code, or a cluster, that the user does not trust.

    Args:
        what: beginning of the sentence: the file and what it would do.
        place: place of the name in the file.
        names: names that would have to be trusted.
    """

    def __init__(self, what: str, place: str, names: tuple[str, ...]) -> None:
        said = shlex.quote(",".join(names))  # It is copied into a shell.
        super().__init__(
            f"{what} ({place}), which the folder of a run may only do if you trust it; if you do, "
            f"add trust={said} to the command, or set OSIMEXP_TRUST={said}."
        )
        self.names = names


def near_matches(name: str, known: Iterable[str]) -> str:
    """Return a clause that lists the names nearest to an unknown one, or all of a short list."""
    known = sorted(known)
    near = get_close_matches(name, known, n=4, cutoff=0.5)
    if near:
        return f"did you mean {' or '.join(near)}?"
    shown = ", ".join(known[:12]) + (", ..." if len(known) > 12 else "")
    return f"known are {shown}" if shown else "there are none"
