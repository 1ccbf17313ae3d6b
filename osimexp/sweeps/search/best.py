"""The best trial of a search as an experiment config that composes to the same values."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hydra.core.config_loader import ConfigLoader
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import OmegaConf, open_dict

from osimexp.config import plain
from osimexp.errors import ConfigError
from osimexp.experiment.run_folder import RunFolder
from osimexp.files import write_text

# Keys that belong to one run or to the machine, and not to the experiment.
_LEFT_OUT = ("seed", "resume", "workers", "device", "run.folder", "run.name")

# Groups that only choose options of other groups.
_COMPOSING = ("experiment", "sweep")


def write_best(folder: Path, run: RunFolder, told: str, loader: ConfigLoader) -> Path:
    """Write ``experiment/best.yaml`` below ``folder``, and return its path.

    It chooses the options that the run chose, and sets the values that differ from these options.

    Args:
        folder: folder of the search.
        run: run of the best trial.
        told: one line that describes the trial.
        loader: Hydra's loader, which composes configs.

    Raises:
        ConfigError: the run's config cannot be written as options and values.
    """
    usual = loader.load_configuration("config", [], RunMode.RUN).hydra.runtime.choices
    chosen = {
        group: option
        for group, option in (run.record().get("choices") or {}).items()
        if group not in (*_COMPOSING, *_LEFT_OUT) and group in usual and usual[group] != option
    }
    values = _difference(plain(run.config()), _composed(loader, chosen), "")
    lines = ["# @package _global_", f"# {told}"]
    if chosen:
        lines.append("defaults:")
        lines += [f"  - override /{group}: {option or 'null'}" for group, option in chosen.items()]
    text = "\n".join(lines) + "\n"
    if values:
        text += OmegaConf.to_yaml(OmegaConf.create(values))
    file = folder / "experiment" / "best.yaml"
    file.parent.mkdir(exist_ok=True)
    write_text(file, text)
    return file


def _composed(loader: ConfigLoader, chosen: Mapping[str, str | None]) -> dict[str, Any]:
    """Return the config that options compose to, without Hydra's part."""
    words = [f"{group}={option}" if option else f"~{group}" for group, option in chosen.items()]
    config = loader.load_configuration("config", words, RunMode.RUN)
    # Interpolations of Hydra's part are resolved while that part is still there.
    HydraConfig.instance().set_config(config)
    with open_dict(config):
        del config["hydra"]
    return plain(config)


def _difference(
    wanted: Mapping[str, Any], present: Mapping[str, Any], before: str
) -> dict[str, Any]:
    found = {}
    for key, value in wanted.items():
        place = f"{before}{key}"
        if place in _LEFT_OUT or (key in present and present[key] == value):
            continue
        if isinstance(value, Mapping) and isinstance(present.get(key), Mapping):
            if inner := _difference(value, present[key], f"{place}."):
                found[key] = inner
        else:
            found[key] = value
    for key in present:
        if key not in wanted and f"{before}{key}" not in _LEFT_OUT:
            raise ConfigError(
                f"The best trial has no {before}{key}, which an experiment cannot remove; keep its "
                "run folder instead."
            )
    return found
