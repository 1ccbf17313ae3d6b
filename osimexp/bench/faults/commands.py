"""Commands as a shell runs them, in forks that have imported them already."""

import runpy
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from osimexp.bench.faults.processes import Ended, Job, run
from osimexp.errors import SimulationError

READING = ("runs", "compare", "report", "evaluate", "render", "view", "gait", "keep", "resume")
"""Commands that read a run's folder."""

MODULES = ("train", "describe", *READING[:-1])

# A training of seconds: the smallest model, compiled, and small networks.
SMALL = (
    "model=arm",
    "reward=reach",
    "algo=ppo",
    "algo.hidden_sizes=[8]",
    "algo.environments=4",
    "algo.rollout_steps=16",
    "algo.minibatch_size=32",
    "algo.epochs=2",
    "physics=compiled",
    "workers=none",
    "run.threads=1",
    "run.evaluation.images=false",
    "run.evaluation.episodes=2",
    "run.evaluation.final_episodes=2",
)

STEPS, EVERY = 2048, 512
TRAINING = (
    *SMALL,
    f"run.steps={STEPS}",
    "run.log.every=128",
    f"run.evaluation.every={EVERY}",
    f"run.checkpoint.every={EVERY}",
)
"""Command line of a training that is killed, resumed and read."""


@dataclass(frozen=True)
class Setting:
    """The place and the limits of a piece of the campaign.

    Attributes:
        folder: folder for the files of the piece.
        seed: seed of the piece.
        count: number of cases.
        processes: cases that run side by side.
        limit: wall time after which a case hangs, s.
    """

    folder: Path
    seed: int
    count: int
    processes: int
    limit: float


def prepare() -> None:
    """Import the commands, so that forks need not."""
    for name in ("torch", "opensim", "osimexp.experiment.run", "osimexp.experiment.whole"):
        import_module(name)
    for name in MODULES:
        import_module(f"osimexp.cli.{name}")


def command(verb: str, *words: str) -> Callable[[], None]:
    """Return a function that is ``python -m osimexp VERB WORDS``."""

    def run_it() -> None:
        sys.argv = ["osimexp", verb, *words]
        runpy.run_module("osimexp", run_name="__main__")

    return run_it


def reading(verb: str, folder: str) -> Callable[[], None]:
    """Return a function that reads a run's folder by one of ``READING``."""
    words: Mapping[str, Sequence[str]] = {
        "runs": (folder,),
        "compare": (folder, "output=compared", "resamples=100"),
        "report": (folder, "output=page.html", "resamples=100"),
        "evaluate": (f"run={folder}", "episodes=1", "workers=none"),
        "render": (f"run={folder}", "output=clip.png", "moments=2", "width=64", "height=64"),
        "view": (f"run={folder}", "export=view.html"),
        "gait": (f"run={folder}", "output=gait"),
        "keep": (f"run={folder}", "to=kept"),
        "resume": (f"resume={folder}", f"run.steps={STEPS + EVERY}"),
    }
    return command("train" if verb == "resume" else verb, *words[verb])


def trained(setting: Setting) -> Path:
    """Train ``TRAINING`` without a break, and return the run's folder.

    Raises:
        SimulationError: the training failed.
    """
    done(run(Job(command("train", *TRAINING, "run.folder=run"), setting.folder / "base", 600.0)))
    return setting.folder / "base" / "run"


def done(ended: Ended) -> Ended:
    """Return how a job ended that must succeed.

    Raises:
        SimulationError: it failed.
    """
    if ended.code != 0:
        last = (ended.errors.strip().splitlines() or ["it said nothing"])[-1]
        raise SimulationError(f"What the campaign begins from failed by itself: {last}")
    return ended
