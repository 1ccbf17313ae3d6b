"""The command line of a sweep: to continue it, or to repeat it."""

import re
import shlex
from collections.abc import Sequence
from pathlib import Path

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import OverrideParseException
from omegaconf import OmegaConf

from osimexp.errors import ConfigError, RunFolderError
from osimexp.experiment.settings import CHANGEABLE
from osimexp.moved import RENAMED
from osimexp.words import setting, words_and_flags

_PLAN = "multirun.yaml"  # Hydra's record of a sweep.


def continued(arguments: Sequence[str]) -> list[str]:
    """Return the command line of a sweep in place of one that has ``resume=`` and its folder.

    Other words of the command line, such as another launcher, are added to it.

    Raises:
        ConfigError: a word would make other runs of the sweep's.
        RunFolderError: the sweep's plan cannot be read.
    """
    for place, argument in enumerate(arguments):
        folder = _resumed(argument)
        if folder is None or not (folder / _PLAN).is_file():
            continue
        rest = [*arguments[:place], *arguments[place + 1 :]]
        for word in words_and_flags(rest)[0]:
            # Refused now, because Hydra overwrites the plan before a job could refuse it.
            if re.split(r"[.=/@]", word.lstrip("+~"))[0] not in ("hydra", *CHANGEABLE):
                raise ConfigError(
                    f"{word} would make other runs of {folder}; beside resume only hydra, run, "
                    "workers and device may change, and other runs belong in another sweep."
                )
        given = {word.partition("=")[0] for word in rest}
        planned, own = _plan(folder)
        own = [word for word in own if word.partition("=")[0] not in given]
        flags = [] if {"-m", "--multirun"} & given else ["-m"]
        if not {"--config-dir", "-cd"} & given:
            flags += planned
        return [*flags, *own, *rest, setting("hydra.sweep.dir", str(folder))]
    return list(arguments)


def command_of_sweep(folder: Path) -> str | None:
    """Return the command that repeats a sweep in its folder; None if the folder holds no sweep.

    Raises:
        RunFolderError: the sweep's plan cannot be read.
    """
    if not (folder / _PLAN).is_file():
        return None
    flags, own = _plan(folder)
    where = setting("hydra.sweep.dir", str(folder))
    return shlex.join(["python", "-m", "osimexp", "-m", *flags, *own, where])


def _plan(folder: Path) -> tuple[list[str], list[str]]:
    """Return the flags and the other words of the command that started a sweep."""
    try:
        plan = OmegaConf.load(folder / _PLAN)
        words = [*plan.hydra.overrides.hydra, *map(_present, plan.hydra.overrides.task)]
        sources = plan.hydra.runtime.config_sources
        flags = [f"--config-dir={s.path}" for s in sources if s.provider == "command-line"]
    except Exception as error:
        raise RunFolderError(f"{folder / _PLAN} cannot be read as a sweep's plan.") from error
    replaced = ("hydra.sweep.dir=", "hydra.mode=")
    return flags, [str(word) for word in words if not str(word).startswith(replaced)]


def _present(word: str) -> str:
    """Return an override as it is written now, with the new name of a renamed key."""
    key, equals, value = word.partition("=")
    name = key.lstrip("+~")
    return f"{key.removesuffix(name)}{RENAMED.get(name, name)}{equals}{value}"


def _resumed(argument: str) -> Path | None:
    key, equals, _ = argument.partition("=")
    if key != "resume" or not equals:
        return None
    try:
        value = OverridesParser.create().parse_override(argument).value()
    except OverrideParseException:
        return None  # The error is raised when the command line is composed.
    return Path(value) if isinstance(value, str) else None
