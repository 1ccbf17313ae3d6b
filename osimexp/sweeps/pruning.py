"""Pruning: early ends of trials of a search."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from osimexp.experiment.interruption import Judge
from osimexp.experiment.settings import RunSettings


def judge_of(sweeper: Mapping[str, Any], folder: Path, run: RunSettings) -> Judge | None:
    """Return the judge that can end a job early; None if the sweep is not a search.

    Args:
        sweeper: settings of the sweeper.
        folder: folder of the sweep.
        run: settings of the run of the job.
    """
    if sweeper.get("trial") is None:
        return None
    # Optuna is an optional extra.
    from osimexp.sweeps.search.settings import search_settings
    from osimexp.sweeps.search.study import RunningTrial

    return RunningTrial(folder, search_settings(sweeper), run).judge
