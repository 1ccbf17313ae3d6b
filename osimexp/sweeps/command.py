"""The command of a sweep: how one that was begun is gone on with, or made again."""

import re
import shlex
from collections.abc import Sequence
from pathlib import Path

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import OverrideParseException
from omegaconf import OmegaConf

from osimexp.errors import ConfigError, RunFolderError
from osimexp.experiment.settings import CHANGEABLE
from osimexp.words import setting, words_and_flags

_PLAN = "multirun.yaml"  # What Hydra writes of a sweep.


def continued(arguments: Sequence[str]) -> list[str]:
    """Return a command line with ``resume=`` a sweep written as the sweep's own command.

    What else is on the command line is added to it, such as another launcher.

    Raises:
        ConfigError: it would make other runs.
        RunFolderError: the sweep's plan cannot be read.
    """
    for place, argument in enumerate(arguments):
        folder = _resumed(argument)
        if folder is None or not (folder / _PLAN).is_file():
            continue
        rest = [*arguments[:place], *arguments[place + 1 :]]
        for word in words_and_flags(rest)[0]:
            # Said now, as Hydra writes the plan anew before a job could refuse it.
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
    """Return the command that makes a sweep again where it lies; None where there is none.

    Raises:
        RunFolderError: the sweep's plan cannot be read.
    """
    if not (folder / _PLAN).is_file():
        return None
    flags, own = _plan(folder)
    where = setting("hydra.sweep.dir", str(folder))
    return shlex.join(["python", "-m", "osimexp", "-m", *flags, *own, where])


def _plan(folder: Path) -> tuple[list[str], list[str]]:
    """Return the flags and the other words of the command that a sweep was begun by."""
    try:
        plan = OmegaConf.load(folder / _PLAN)
        words = [*plan.hydra.overrides.hydra, *plan.hydra.overrides.task]
        sources = plan.hydra.runtime.config_sources
        flags = [f"--config-dir={s.path}" for s in sources if s.provider == "command-line"]
    except Exception as error:
        raise RunFolderError(f"{folder / _PLAN} cannot be read as a sweep's plan.") from error
    replaced = ("hydra.sweep.dir=", "hydra.mode=")
    return flags, [str(word) for word in words if not str(word).startswith(replaced)]


def _resumed(argument: str) -> Path | None:
    key, equals, _ = argument.partition("=")
    if key != "resume" or not equals:
        return None
    try:
        value = OverridesParser.create().parse_override(argument).value()
    except OverrideParseException:
        return None  # Said when the command line is composed.
    return Path(value) if isinstance(value, str) else None
