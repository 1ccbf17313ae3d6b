"""The command that describes a task: ``osimexp describe``."""

from contextlib import closing

from omegaconf import DictConfig
from rich.console import Console

from osimexp.cli.launch import launch
from osimexp.config import option
from osimexp.tasks.description import describe
from osimexp.tasks.make import make


def main() -> None:
    """Describe the task that the command line composes."""
    launch(describe_task, "describe")


def describe_task(config: DictConfig) -> float:
    """Print the tables of a task, and return the number of columns of an observation."""
    if "_target_" not in config.task:
        # OpenSim itself has nothing to compile, and names and units are the same.
        config.physics = option("physics", "opensim")
        config.workers = {"count": 0}
    with closing(make(config, 1)) as environment:
        description = describe(environment)
    console = Console(highlight=False)
    for table in description.tables():
        console.print(table)
    return float(len(description.observations))


if __name__ == "__main__":
    main()
