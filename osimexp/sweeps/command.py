"""The command line that continues a sweep."""

import re
from collections.abc import Sequence
from pathlib import Path

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException

from osimexp.composition import readable
from osimexp.errors import ConfigError
from osimexp.experiment.settings import CHANGEABLE
from osimexp.sweeps.plan import Plan
from osimexp.sweeps.vetting import key_of
from osimexp.trust import taken_from, trusting
from osimexp.words import setting, words_and_flags


def continued(arguments: Sequence[str]) -> list[str]:
    """Return the command line of a sweep in place of one that has ``resume=`` and its folder.

    Other words of the command line, such as another launcher, are added to it.

    Raises:
        ConfigError: a word would make other runs of the sweep's.
        RunFolderError: the sweep's plan cannot be read, or would run code that the user does not
            trust.
    """
    for place, argument in enumerate(arguments):
        folder = _resumed(argument)
        if folder is None:
            continue
        rest = [*arguments[:place], *arguments[place + 1 :]]
        names, words = taken_from(words_and_flags(rest)[0])
        with trusting(names):
            plan = Plan.of(folder)
        if plan is None:
            continue
        said = {word.lstrip("+") for word in plan.words}
        for word in words:
            # Refused now, because Hydra overwrites the plan before a job could refuse it.
            top = re.split(r"[.=/@]", word.lstrip("+~"))[0]
            if word.lstrip("+") not in said and top not in ("hydra", *CHANGEABLE):
                raise ConfigError(
                    f"{word} would make other runs of {folder}; beside resume only hydra, run, "
                    "workers and device may change, and other runs belong in another sweep."
                )
        given = frozenset(word.partition("=")[0] for word in rest)
        own_folders = not given.isdisjoint({"--config-dir", "-cd"})
        with trusting(names):
            plan.check(own_folders, words)
        own = [word for word in plan.words if key_of(word) not in set(map(key_of, words))]
        flags = [] if {"-m", "--multirun"} & given else ["-m"]
        if not own_folders:
            flags += plan.flags
        return [*flags, *own, *rest, setting("hydra.sweep.dir", str(folder))]
    return list(arguments)


def _resumed(argument: str) -> Path | None:
    key, equals, _ = argument.partition("=")
    if key != "resume" or not equals:
        return None
    try:
        value = OverridesParser.create().parse_override(readable(argument)).value()
    except HydraException:
        return None  # The error is raised when the command line is composed.
    return Path(value) if isinstance(value, str) else None
