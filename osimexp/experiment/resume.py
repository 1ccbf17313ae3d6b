"""Which config a resumed run has: its own, but for the budget and the machine."""

from collections.abc import Sequence

from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig, OmegaConf, open_dict

from osimexp.config import plain
from osimexp.errors import ConfigError
from osimexp.experiment.settings import CHANGEABLE

# The group whose options are put elsewhere in the config than its name says.
_KEYS_OF_GROUPS = {"schedule": "run"}

# Groups whose options set values all over the config.
_EVERYWHERE = ("experiment", "sweep")

_NOWHERE = object()


def resumed_config(saved: DictConfig, given: DictConfig, overrides: Sequence[str]) -> DictConfig:
    """Return a run's saved config with what the command line may change in it.

    Args:
        saved: config of the run folder.
        given: what the command line composed to, defaults included.
        overrides: of the command line, of which only ``run``, ``workers`` and ``device`` may say
            something else than ``saved`` does.

    Raises:
        ConfigError: an override would make it another run.

    """
    config = saved.copy()
    OmegaConf.set_struct(config, True)
    for override in OverridesParser.create().parse_overrides(overrides=list(overrides)):
        key = _KEYS_OF_GROUPS.get(override.key_or_group, override.key_or_group)
        top = key.split(".")[0]
        if key == "resume":
            continue
        if key in _EVERYWHERE and _same_run(config, given):
            continue
        value = OmegaConf.select(given, key, default=_NOWHERE)
        if key != "run.folder" and top in CHANGEABLE and not override.is_delete():
            folder = config.run.folder
            with open_dict(config):
                OmegaConf.update(config, key, value, merge=False)
                config.run.folder = folder
        elif override.is_delete() or value is _NOWHERE or value != OmegaConf.select(config, key):
            raise ConfigError(
                f"{override.input_line} would make another run of the one that is resumed; beside "
                f"resume only run.steps and the other keys of run (not run.folder), workers and "
                f"device may change."
            )
    return config


def _same_run(saved: DictConfig, given: DictConfig) -> bool:
    one, other = plain(saved), plain(given)
    return all(one.get(key) == other.get(key) for key in one | other if key not in CHANGEABLE)
