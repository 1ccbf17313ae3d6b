"""Ending runs of a search early."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from osimexp.experiment.interruption import Judge


def judge_of(sweeper: Mapping[str, Any], folder: Path, run: DictConfig) -> Judge | None:
    """Return what ends a job early; None where the sweep is no search.

    Args:
        sweeper: the settings of what proposes the jobs.
        folder: of the sweep.
        run: the config's.
    """
    if sweeper.get("trial") is None:
        return None
    # Optuna is an extra of its own.
    from osimexp.sweeps.search.settings import search_settings
    from osimexp.sweeps.search.study import RunningTrial

    return RunningTrial(folder, search_settings(sweeper), run).judge
