"""The command that describes a task: ``osimexp describe``."""

from contextlib import closing
from dataclasses import replace
from typing import Any

from rich.console import Console

from osimexp.cli.launch import launch
from osimexp.config import build, option
from osimexp.tasks.description import describe
from osimexp.tasks.make import make, task_of
from osimexp.tasks.specification import Specification


def main() -> None:
    """Describe the task that the command line composes."""
    launch(describe_task, "command/describe")


def describe_task(config: dict[str, Any]) -> float:
    """Print the tables of a task, and return the number of columns of an observation."""
    task = task_of(config)
    if isinstance(task, Specification):
        # OpenSim itself has nothing to compile, and names and units are the same.
        physics = build(option("physics", "opensim"), "physics")
        task = replace(task.with_workers(0), physics=physics)
    with closing(make(task, 1)) as environment:
        description = describe(environment)
    console = Console(highlight=False)
    for table in description.tables():
        console.print(table)
    return float(len(description.observations))


if __name__ == "__main__":
    main()
