"""The config of a resumed run: its own, with changes of budget and machine."""

from collections.abc import Mapping, Sequence
from typing import Any

from osimexp.config import selected, with_value
from osimexp.errors import ConfigError
from osimexp.experiment.settings import CHANGEABLE
from osimexp.words import Override

# The group whose options are at another place in the config than its name says.
_KEYS_OF_GROUPS = {"schedule": "run"}

# Groups whose options set values all over the config.
_EVERYWHERE = ("experiment", "sweep")

_NOWHERE = object()


def resumed_config(
    saved: Mapping[str, Any], given: Mapping[str, Any], overrides: Sequence[Override]
) -> dict[str, Any]:
    """Return a run's saved config with the changes that the command line may make.

    Args:
        saved: config of the run folder.
        given: composed config of the command line, with defaults.
        overrides: overrides of the command line; only ``run``, ``workers`` and ``device`` may
            differ from ``saved``.

    Raises:
        ConfigError: an override would make it another run.
    """
    config = dict(saved)
    for override in overrides:
        key = _KEYS_OF_GROUPS.get(override.key, override.key)
        top = key.split(".")[0]
        if key == "resume":
            continue
        if key in _EVERYWHERE and _same_run(config, given):
            continue
        value = selected(given, key, _NOWHERE)
        there = value is not _NOWHERE and not override.deletes
        if there and key != "run.folder" and top in CHANGEABLE:
            folder = selected(saved, "run.folder")
            config = with_value(with_value(config, key, value), "run.folder", folder)
        elif not there or value != selected(config, key):
            raise ConfigError(
                f"{override.line} would make another run of the one that is resumed; beside "
                f"resume only run.steps and the other keys of run (not run.folder), workers and "
                f"device may change."
            )
    return config


def _same_run(saved: Mapping[str, Any], given: Mapping[str, Any]) -> bool:
    keys = {**saved, **given}
    return all(saved.get(key) == given.get(key) for key in keys if key not in CHANGEABLE)
