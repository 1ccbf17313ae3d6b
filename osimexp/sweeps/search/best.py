"""The best trial as an experiment that composes to the same config."""

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

# What is of one run, or of the machine, and not of the experiment.
_LEFT_OUT = ("seed", "resume", "workers", "device", "run.folder", "run.name")

# Groups that only serve to compose the others.
_COMPOSING = ("experiment", "sweep")


def write_best(folder: Path, run: RunFolder, told: str, loader: ConfigLoader) -> Path:
    """Write ``experiment/best.yaml`` below ``folder`` and return the file.

    It chooses the options that the run chose, and sets the values in which the run differs from
    these options.

    Args:
        folder: of the search.
        run: the best trial.
        told: one line that says what it is.
        loader: composes configs.

    Raises:
        ConfigError: the run's config cannot be had from options and values.
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
    """Return what options compose to, without Hydra's part."""
    words = [f"{group}={option}" if option else f"~{group}" for group, option in chosen.items()]
    config = loader.load_configuration("config", words, RunMode.RUN)
    # What interpolates Hydra's part is resolved while that part is known.
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
                f"The best trial has no {before}{key}, which an experiment cannot take away; "
                "keep its run folder instead."
            )
    return found
