"""Describe the observations, actions, rewards and terminations of a task, with their units.

Usage: osimexp describe [group=option ...] [key=value ...]

It takes what osimexp train takes, and trains nothing.

Examples:
    osimexp describe model=arm reward=reach
    osimexp describe experiment=walk
    osimexp describe task=gym task.id=Pendulum-v1
"""

from contextlib import closing
from dataclasses import replace
from typing import Any

from osimexp.cli.launch import launch
from osimexp.cli.train import settings_of_main
from osimexp.config import build, option
from osimexp.experiment.whole import ExperimentSettings
from osimexp.tasks.description import describe
from osimexp.tasks.make import make
from osimexp.tasks.specification import Specification
from osimexp.terminal import Console


def main() -> None:
    """Describe the task that the command line composes."""
    launch(describe_task, "command/describe", __doc__, settings_of_main)


def describe_task(config: dict[str, Any]) -> float:
    """Print the tables of a task, and return the number of columns of an observation."""
    task = ExperimentSettings.from_config(config).task
    if isinstance(task, Specification):
        # OpenSim itself has nothing to compile, and names and units are the same.
        physics = build(option("physics", "opensim"), "physics")
        task = replace(task.with_workers(0), physics=physics)
    with closing(make(task, 1)) as environment:
        description = describe(environment)
    console = Console()
    for table in description.tables():
        console.print(table)
    return float(len(description.observations))


if __name__ == "__main__":
    main()
