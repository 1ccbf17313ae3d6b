"""Short runs on the command line, what a command answered, and a run's metrics."""

import csv
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
SUPPORT = TESTS / "support"

# A run that takes a second or two: a toy task, small networks, everything due often.
SMALL = (
    f"--config-dir={SUPPORT / 'conf'}",
    "task=toy",
    "run.steps=400",
    "run.folder=run",
    "run.log.every=50",
    "run.evaluation.every=100",
    "run.evaluation.episodes=3",
    "run.evaluation.final_episodes=5",
    "run.checkpoint.every=100",
    "run.threads=1",
)
SMALL_SAC = (
    *SMALL,
    "algo=sac",
    "algo.environments=2",
    "algo.hidden_sizes=[8]",
    "algo.batch_size=16",
    "algo.learning_starts=50",
    "algo.updates_per_step=0.5",
)
SMALL_PPO = (
    *SMALL,
    "algo=ppo",
    "algo.environments=4",
    "algo.hidden_sizes=[8]",
    "algo.rollout_steps=16",
    "algo.minibatch_size=16",
    "algo.epochs=2",
)


@dataclass(frozen=True)
class Answer:
    """What a command said and how it ended."""

    code: int
    out: str
    err: str

    def refuses(self, *words: str) -> bool:
        """Whether it ended with one sentence on stderr that has all the words in it."""
        lines = self.err.strip().splitlines()
        return self.code == 2 and len(lines) == 1 and all(word in lines[0] for word in words)


Command = Callable[..., Answer]


def exit_code(main: Callable[[], None], *arguments: str) -> int:
    """Run a command's ``main`` within this process and return the exit code that it ends with."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["osimexp", *arguments])
        try:
            main()
        except SystemExit as ended:
            return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    return 0


def wait_for(file: Path, process: subprocess.Popen[str]) -> None:
    """Wait until a process has written a file."""
    patience = time.monotonic() + 120.0
    while not file.exists():
        assert time.monotonic() < patience
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)


def metrics(folder: Path) -> list[dict[str, str]]:
    """Read a run's metrics, as text and without what depends on the clock."""
    with (folder / "metrics.csv").open(newline="") as stream:
        return [
            {name: value for name, value in row.items() if not name.startswith("time/")}
            for row in csv.DictReader(stream)
        ]
