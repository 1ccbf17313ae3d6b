"""List runs, and remove those that are no longer wanted: ``python -m osimexp.runs``."""

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Literal

from omegaconf import DictConfig
from rich.console import Console
from rich.table import Table

from osimexp.command_line import launch, quoted
from osimexp.config import check, plain
from osimexp.errors import ConfigError
from osimexp.results.finding import find_runs
from osimexp.results.summary import Summary, age, remove, summarise


@dataclass(frozen=True)
class RunsSettings:
    """What ``conf/runs.yaml`` says.

    Attributes:
        folder: where runs are looked for; a pattern may name several.
        state: which runs are listed; null lists all.
        where: a key and its value each, which listed runs agree with.
        prune: whether to remove what is listed, once it was confirmed.
    """

    folder: str
    state: Literal["running", "finished", "cut", "failed", "pruned"] | None
    where: tuple[tuple[str, str], ...]
    prune: bool


def main() -> None:
    """List what the command line describes."""
    sys.argv[1:] = as_settings(sys.argv[1:])
    launch(list_runs, "runs")


def as_settings(arguments: Iterable[str]) -> list[str]:
    """Return a command line with ``--prune`` and ``KEY=VALUE`` of runs written as settings."""
    own = {field.name for field in fields(RunsSettings)}
    written, pairs = [], []
    for argument in arguments:
        key, equals, value = argument.partition("=")
        if argument == "--prune":
            written.append("prune=true")
        elif equals and not key.startswith("-") and key not in own and "hydra" not in key:
            pairs.append([key, value])
        else:
            written.append(argument)
    if pairs:
        listed = ["[" + ",".join(map(quoted, pair)) + "]" for pair in pairs]
        written.append(f"where=[{','.join(listed)}]")
    return written


def list_runs(config: DictConfig) -> float:
    """Show the runs, remove them where that is asked for, and return how many there are."""
    settings = check(RunsSettings, plain(config), "runs")
    found = [summarise(run) for run in find_runs([settings.folder])]
    chosen = [
        summary
        for summary in _agreeing(found, settings.where)
        if settings.state in (None, summary.state)
    ]
    console = Console(width=None if sys.stdout.isatty() else 200)
    if not chosen:
        print(f"None of the {len(found)} runs under {settings.folder} is so.")
        return 0.0
    console.print(table(chosen))
    for summary in chosen:
        if summary.state == "failed" and summary.reason:
            print(f"{summary.run.path} failed: {summary.reason}")
    if settings.prune:
        _prune(chosen)
    return float(len(chosen))


def table(summaries: Sequence[Summary]) -> Table:
    """Return a row for each run, with mean returns of its evaluations, for ``rich`` to print."""
    shown = Table(box=None, pad_edge=False)
    for name in ("run", "state", "group"):
        shown.add_column(name, overflow="fold")
    for name in ("seed", "steps", "last", "best", "age"):
        shown.add_column(name, justify="right", no_wrap=True)
    for summary in summaries:
        shown.add_row(
            str(summary.run.path),
            summary.state,
            summary.group,
            str(summary.config.get("seed")),
            _progress(summary.steps, summary.budget),
            *("" if value is None else f"{value:.4g}" for value in (summary.last, summary.best)),
            "" if summary.started is None else age(summary.started),
        )
    return shown


def _agreeing(summaries: Sequence[Summary], where: Iterable[tuple[str, str]]) -> Sequence[Summary]:
    for key, value in where:
        kept, known = [], False
        for summary in summaries:
            try:
                if summary.says(key, value):
                    kept.append(summary)
                known = True
            except KeyError:  # A run of another kind: it has no such key.
                continue
        if summaries and not known:
            raise ConfigError(f"{key} is neither a setting of this command nor a key of any run.")
        summaries = kept
    return summaries


def _prune(summaries: Sequence[Summary]) -> None:
    wanted = [summary for summary in summaries if summary.state != "running"]
    if not wanted:
        print("They are all running, so none is removed.")
        return
    print(f"Remove {len(wanted)} of these with all their files? [y/N] ", end="", flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        print("Nothing was removed.")
        return
    for summary in wanted:
        remove(summary.run)
    print(f"Removed {len(wanted)}.")


def _progress(steps: int, budget: int) -> str:
    share = "" if steps >= budget else f" {100.0 * steps / budget:.0f} %"
    for unit, size in (("M", 1_000_000), ("k", 1_000)):
        if steps >= size:
            return f"{steps / size:.3g} {unit}{share}"
    return f"{steps}{share}"


if __name__ == "__main__":
    main()
