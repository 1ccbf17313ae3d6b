"""Commands that are shown to be repeated, of words that a run's or a sweep's folder holds.

The folder may be a stranger's, and its reader copies what is shown. So a word stays only if it sets
a key of the experiment and runs, reads and writes nothing that the reader does not know of.
"""

import re
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from osimexp.sweeps.plan import Plan
from osimexp.sweeps.vetting import UnclearError, key_of, leading_out, names_of
from osimexp.trust import trusted
from osimexp.words import opened, setting, words_and_flags

_SEVERAL = ("-m", "--multirun")


@dataclass(frozen=True)
class Repeated:
    """A command that makes a run or a sweep again.

    Attributes:
        command: command as it is typed in a shell.
        left_out: words that the folder holds and the command does not.
    """

    command: str
    left_out: tuple[str, ...]


def command_of_sweep(folder: Path) -> Repeated | None:
    """Return the command that repeats a sweep in its folder; None if the folder holds no sweep.

    Raises:
        RunFolderError: the sweep's plan cannot be read.
    """
    plan = Plan.of(folder)
    if plan is None:
        return None
    return _repeated(("-m",), plan.flags, plan.words, setting("hydra.sweep.dir", str(folder)))


def command_of_run(recorded: str, folder: Path) -> Repeated | None:
    """Return the command that makes a run in its folder again; None if it was another program's.

    Args:
        recorded: command in the run's record.
        folder: folder of the run.
    """
    try:
        arguments = _arguments(shlex.split(recorded))
    except ValueError:
        return None
    if arguments is None:
        return None
    words, flags = words_and_flags(arguments)
    several = ("-m",) if any(flag in _SEVERAL for flag in flags) else ()
    words = [word for word in words if key_of(word) != "run.folder"]
    flags = [flag for flag in flags if flag not in _SEVERAL]
    return _repeated(several, flags, words, setting("run.folder", str(folder)))


def _arguments(words: Sequence[str]) -> list[str] | None:
    """Return what follows ``osimexp``, or ``osimexp train``, in a command; None in another one."""
    left = list(words)
    if left and re.fullmatch(r"python[\d.]*(\.exe)?", Path(left[0]).name):
        left.pop(0)
        while left and re.fullmatch(r"-[A-Zu]", left[0]) and left[0] not in ("-X", "-W"):
            left.pop(0)
        if left[:1] == ["-m"]:
            left.pop(0)
            if left[:1] not in (["osimexp"], ["osimexp.cli.train"]):
                return None
    name = Path(left[0]).name if left else ""
    if name not in ("osimexp", "osimexp.exe", "osimexp.cli.train"):
        return None
    left.pop(0)
    return left[1:] if left[:1] == ["train"] else left


def _repeated(
    several: Sequence[str], flags: Iterable[str], words: Iterable[str], where: str
) -> Repeated:
    known = trusted()
    kept_flags: list[str] = []
    left_out: list[str] = []
    for flag in flags:
        name, _, folder = flag.partition("=")
        trustworthy = name == "--config-dir" and folder in known
        (kept_flags if trustworthy else left_out).append(flag)
    kept: list[str] = []
    for word in words:
        # A word that cannot be read as it stands is not guessed at.
        (kept if _is_harmless(opened(word), known) else left_out).append(word)
    while (leading := leading_out(kept, ())) is not None:
        left_out += [word for word in kept if word == leading]
        kept = [word for word in kept if word != leading]
    command = shlex.join(["python", "-m", "osimexp", *several, *kept_flags, *kept, where])
    return Repeated(command, tuple(left_out))


def _is_harmless(word: str, known: frozenset[str]) -> bool:
    try:
        return known.issuperset(names_of(word))
    except UnclearError:
        return False
