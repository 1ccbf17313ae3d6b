"""Folders of runs whose scores were made up."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from osimexp.config import with_value
from osimexp.experiment.run_folder import RunFolder
from osimexp.files import write_json

CONFIG = {
    "seed": 0,
    "model": {"path": "a.osim"},
    "reward": {"velocity": {"weight": 1.0}},
    "algo": {"_target_": "osimexp.algorithms.sac.Settings", "batch_size": 256},
    "run": {"steps": 300, "name": "a_velocity_sac_s0", "evaluation": {"final_episodes": 50}},
    "workers": {"processes": 1},
}


def make_run(
    path: Path,
    scores: list[float],
    choices: Mapping[str, str] | None = None,
    state: str = "finished",
    **changes: Any,
) -> None:
    """Write a run whose evaluations had these mean returns, the last of them at its end."""
    config: dict[str, Any] = CONFIG
    for key, value in changes.items():
        config = with_value(config, key.replace("__", "."), value)
    record = {"choices": {"algo": "sac", "reward": "velocity", **(choices or {})}}
    folder = RunFolder.create(path, config, [], record)
    names = [str(100 * (i + 1)) for i in range(len(scores) - 1)] + ["final"]
    for name, score in zip(names, scores, strict=True):
        figures = {"return": {"mean": score}, "distance": {"mean": 2.0 * score}}
        write_json(folder.evaluation_file(name), {"figures": figures})
    folder.metrics_file.write_text("steps\n300\n")
    folder.mark(state)
