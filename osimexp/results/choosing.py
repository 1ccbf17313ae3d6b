"""Selection of the runs to compare, from the places that a user names."""

from collections.abc import Hashable, Sequence

from osimexp.errors import ConfigError, RunFolderError
from osimexp.experiment.differences import check_comparable, grouped, identity
from osimexp.experiment.finding import find_runs
from osimexp.experiment.summary import Summary, summarise
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
    chosen, left_out = _chosen([summarise(run) for run in find_runs(places)])
    check_comparable(chosen, figure, allowed)
    return compare(grouped(chosen), figure, resamples), left_out


def _chosen(summaries: Sequence[Summary]) -> tuple[list[Summary], list[str]]:
    """Return the finished runs, each config and seed once, and sentences on the runs left out."""
    kept: dict[Hashable, Summary] = {}
    left_out = []
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
        raise RunFolderError("No run here is finished, so there is nothing to compare.")
    return list(kept.values()), left_out
