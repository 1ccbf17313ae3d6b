"""The best trial of a search as an experiment config that composes to the same values."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hydra.core.config_loader import ConfigLoader
from hydra.types import RunMode

from osimexp.composition import without_hydra
from osimexp.errors import ConfigError
from osimexp.experiment.run_folder import RunFolder
from osimexp.files import write_text
from osimexp.plain_yaml import plain_text

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
    for group, option in chosen.items():
        if not re.fullmatch(r"[\w./@-]+", f"{group}{option or ''}"):
            raise ConfigError(f"{run.record_file} has {group!r}: {option!r}, which is no option.")
    values = _difference(run.values(), _composed(loader, chosen), "")
    lines = ["# @package _global_", f"# {told}"]
    if chosen:
        lines.append("defaults:")
        lines += [f"  - override /{group}: {option or 'null'}" for group, option in chosen.items()]
    text = "\n".join(lines) + "\n"
    if values:
        text += plain_text(_literal(values))
    file = folder / "experiment" / "best.yaml"
    file.parent.mkdir(exist_ok=True)
    write_text(file, text)
    return file


def _literal(value: Any) -> Any:
    """Return values of a run such that Hydra resolves nothing in their texts."""
    if isinstance(value, Mapping):
        return {key: _literal(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_literal(item) for item in value]
    if isinstance(value, str):
        return re.sub(r"(\\*)\$\{", lambda found: f"{2 * found[1]}\\${{", value)
    return value


def _composed(loader: ConfigLoader, chosen: Mapping[str, str | None]) -> dict[str, Any]:
    """Return the config that options compose to, without Hydra's part."""
    words = [f"{group}={option}" if option else f"~{group}" for group, option in chosen.items()]
    return without_hydra(loader.load_configuration("config", words, RunMode.RUN))


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
