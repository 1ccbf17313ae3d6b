"""Selection of the runs to compare, from the places that a user names."""

from collections.abc import Hashable, Sequence

from osimexp.errors import ConfigError, RunFolderError
from osimexp.experiment.differences import check_comparable, grouped, identity
from osimexp.experiment.finding import find_runs
from osimexp.experiment.run_folder import RunFolder
from osimexp.experiment.summary import Summary, metrics_of, summarise
from osimexp.results.comparison import Comparison, compare


def compared(
    places: Sequence[str], figure: str, allowed: Sequence[str], resamples: int
) -> tuple[Comparison, list[str]]:
    """Return a comparison of the finished runs at places, and sentences on the runs left out.

    Args:
        places: folders, patterns or whole sweeps.
        figure: name of the metric, of final evaluations.
        allowed: keys that may differ, although the runs then do not have the same task.
        resamples: number of resamples of each bootstrap.

    Raises:
        ConfigError: no place is given, or the runs cannot be compared.
        RunFolderError: a place has no run, or none that is finished.
    """
    if not places:
        raise ConfigError("Give the folders of the runs, such as outputs/sweeps.")
    whole, damaged = _whole(find_runs(places))
    chosen, left_out = _chosen(whole, damaged)
    check_comparable(chosen, figure, allowed)
    return compare(grouped(chosen), figure, resamples), left_out


def _whole(runs: Sequence[RunFolder]) -> tuple[list[Summary], list[str]]:
    """Return the summaries of runs, and sentences on those of which a file is damaged."""
    whole, damaged = [], []
    for run in runs:
        try:
            summary = summarise(run)
            _ = summary.returns, metrics_of(run, "final")  # Read now, so that errors come here.
        except RunFolderError as error:
            damaged.append(f"{run.path} (damaged: {str(error).rstrip('.')})")
        else:
            whole.append(summary)
    return whole, damaged


def _chosen(
    summaries: Sequence[Summary], damaged: Sequence[str]
) -> tuple[list[Summary], list[str]]:
    """Return the finished runs, each config and seed once, and sentences on the runs left out."""
    kept: dict[Hashable, Summary] = {}
    left_out = list(damaged)
    for summary in summaries:
        what = identity(summary.config)
        if summary.state != "finished":
            share = 100.0 * summary.steps / max(summary.budget, 1)
            left_out.append(f"{summary.run.path} ({summary.state} at {share:.0f} % of its steps)")
        elif what in kept:
            left_out.append(f"{summary.run.path} (the same as {kept[what].run.path}, seed and all)")
        else:
            kept[what] = summary
    if not kept:
        said = f" ({', '.join(damaged)})" if damaged else ""
        raise RunFolderError(f"No run here is finished, so there is nothing to compare{said}.")
    return list(kept.values()), left_out
