"""Results of runs, read without the code that is tested."""

import csv
import json
from pathlib import Path


def metrics(folder: Path) -> list[dict[str, str]]:
    """Return the rows of a run's metrics as text, without those that depend on the clock."""
    with (folder / "metrics.csv").open(newline="", encoding="utf-8") as stream:
        return [
            {name: value for name, value in row.items() if not name.startswith("time/")}
            for row in csv.DictReader(stream)
        ]


def logged(folder: Path) -> int:
    """Return the steps in the last whole row of a run's metrics; 0 without one."""
    file = folder / "metrics.csv"
    lines = file.read_text(encoding="utf-8").split("\n")[1:-1] if file.is_file() else []
    return int(lines[-1].partition(",")[0]) if lines else 0


def resumptions(folder: Path) -> list[int]:
    """Return the steps from which a run was resumed, each time that it was."""
    file = folder / "run.json"
    record = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    return [int(one["steps"]) for one in record.get("resumed", [])]
