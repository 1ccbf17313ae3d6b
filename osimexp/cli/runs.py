"""List the runs below folders, with their states and mean returns.

Usage: osimexp runs [FOLDER ...] [KEY=VALUE ...] [state=STATE] [--prune]

KEY=VALUE chooses by what a run was composed of. --prune asks, and then removes the runs that are
listed; those that are running are left.

Examples:
    osimexp runs algo=sac seed=3 reward.effort.weight=0.5
    osimexp runs outputs/sweeps state=failed --prune
"""

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Annotated, Any, Literal

from pydantic import Field
from rich.table import Table

from osimexp.cli.launch import launch
from osimexp.composition import value_of
from osimexp.config import check
from osimexp.errors import ConfigError, RunFolderError
from osimexp.experiment.finding import find_runs
from osimexp.experiment.run_folder import RunFolder
from osimexp.experiment.summary import Summary, age, remove, summarise
from osimexp.mistakes import sentence
from osimexp.terminal import Console, is_terminal, say
from osimexp.words import is_place, quoted, words_and_flags


@dataclass(frozen=True)
class RunsSettings:
    """Settings of ``osimexp runs``, as ``conf/command/runs.yaml`` gives them.

    Attributes:
        folders: folders in which runs are searched, or patterns of folders.
        state: state of the runs to list; null lists all.
        where: pairs of a key and a value that listed runs must have.
        prune: whether to remove the listed runs, after a question.
    """

    folders: Annotated[tuple[str, ...], Field(min_length=1)]
    state: Literal["running", "finished", "cut", "failed", "pruned"] | None
    where: tuple[tuple[str, str], ...]
    prune: bool


def main() -> None:
    """List the runs that the command line describes."""
    sys.argv[1:] = as_settings(sys.argv[1:])
    launch(list_runs, "command/runs", __doc__, lambda: (RunsSettings,))


def as_settings(arguments: Iterable[str]) -> list[str]:
    """Return a command line with folders, ``--prune`` and ``KEY=VALUE`` written as settings."""
    own = {field.name for field in fields(RunsSettings)}
    words, flags = words_and_flags(arguments)
    written, pairs, places = [], [], []
    for word in words:
        key, _, value = word.partition("=")
        if is_place(word):
            places.append(word)
        elif key not in own and "hydra" not in key:
            pairs.append([key, value])
        else:
            written.append(word)
    if "--prune" in flags:
        written.append("prune=true")
        flags.remove("--prune")
    if places:
        written.append(f"folders=[{','.join(map(quoted, places))}]")
    if pairs:
        listed = ["[" + ",".join(map(quoted, pair)) + "]" for pair in pairs]
        written.append(f"where=[{','.join(listed)}]")
    return [*written, *flags]


def list_runs(config: dict[str, Any]) -> float:
    """Print the runs, remove them if that is asked for, and return their number."""
    settings = check(RunsSettings, config, "runs")
    found = list(_readable(find_runs(settings.folders)))
    chosen = [
        summary
        for summary in _agreeing(found, settings.where)
        if settings.state in (None, summary.state)
    ]
    console = Console(width=None if is_terminal() else 200)
    if not chosen:
        say(f"None of the {len(found)} runs under {' '.join(settings.folders)} is so.")
        return 0.0
    console.print(table(chosen))
    for summary in chosen:
        if summary.state == "failed" and summary.reason:
            say(f"{summary.run.path} failed: {summary.reason}")
    if settings.prune:
        _prune(chosen)
    return float(len(chosen))


def table(summaries: Sequence[Summary]) -> Table:
    """Return a table for ``rich`` to print, with a row for each run and its mean returns."""
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


def _readable(runs: Iterable[RunFolder]) -> Iterator[Summary]:
    """Yield the summaries of runs, and print which runs are damaged."""
    for run in runs:
        try:
            summary = summarise(run)
            _ = summary.returns  # Read now, so that errors come here; they are cached.
        except RunFolderError as error:
            say(f"Damaged: {sentence(error)}")
        else:
            yield summary


def _agreeing(summaries: Sequence[Summary], where: Iterable[tuple[str, str]]) -> Sequence[Summary]:
    for key, text in where:
        value, kept, known = value_of(key, text), [], False
        for summary in summaries:
            try:
                if summary.says(key, text, value):
                    kept.append(summary)
                known = True
            except KeyError:  # A run of another kind does not have the key.
                continue
        if summaries and not known:
            raise ConfigError(f"{key} is neither a setting of this command nor a key of any run.")
        summaries = kept
    return summaries


def _prune(summaries: Sequence[Summary]) -> None:
    wanted = [summary for summary in summaries if summary.state != "running"]
    if not wanted:
        say("All of them are running, so none is removed.")
        return
    say(f"Remove {len(wanted)} of these with all their files? [y/N] ", end="")
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        say("Nothing was removed.")
        return
    removed = 0
    for summary in wanted:
        try:
            remove(summary.run)
            removed += 1
        except RunFolderError as error:
            say(f"Left: {sentence(error)}")
    say(f"Removed {removed}.")


def _progress(steps: int, budget: int) -> str:
    share = "" if steps >= budget else f" {100.0 * steps / budget:.0f} %"
    for unit, size in (("M", 1_000_000), ("k", 1_000)):
        if steps >= size:
            return f"{steps / size:.3g} {unit}{share}"
    return f"{steps}{share}"


if __name__ == "__main__":
    main()
