"""Settings of searches, as in ``conf/hydra/sweeper/search.yaml`` and ``conf/sweep``."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field

from osimexp.config import check
from osimexp.errors import ConfigError
from osimexp.sweeps.search.space import Dimension, dimension

Count = Annotated[int, Field(ge=1)]


@dataclass(frozen=True)
class PrunerSettings:
    """Rules that end trials before their budget is spent.

    Attributes:
        kind: ``median`` ends a trial whose best evaluation so far is below the median of the others
            at that many steps; ``hyperband`` is that of Li et al. 2018, JMLR 18(185); ``none`` ends
            no trial.
        startup: number of finished trials before ``median`` ends any.
        warmup: environment steps of a trial before which it is not ended.
        reduction: one in so many trials goes on at each rung of ``hyperband``.
    """

    kind: Literal["median", "hyperband", "none"]
    startup: Annotated[int, Field(ge=0)]
    warmup: Annotated[int, Field(ge=0)]
    reduction: Annotated[int, Field(ge=2)]


@dataclass(frozen=True)
class SearchSettings:
    """Settings of a search.

    Attributes:
        space: range or choices of each key.
        trials: number of trials; those of an earlier call in the same folder count.
        at_once: number of trials that are given to the launcher together.
        startup: number of random trials before the sampler uses a model of the results.
        figure: name of the metric of a trial's evaluations.
        goal: whether the metric is to be high or low.
        pruner: rules that end trials early.
        trial: number of the trial, in the config of one job.
    """

    space: Mapping[str, Dimension]
    trials: Count
    at_once: Count
    startup: Count
    figure: str
    goal: Literal["maximise", "minimise"]
    pruner: PrunerSettings
    trial: int | None


def search_settings(values: Mapping[str, Any]) -> SearchSettings:
    """Return the settings of a search from the config, checked.

    Raises:
        ConfigError: a value is wrong, or the space is empty.
    """
    given = {key: value for key, value in values.items() if key != "_target_"}
    space = given.get("space") or {}
    if not space:
        raise ConfigError(
            "hydra.sweeper.space is empty, so there is nothing to search; choose a search, such "
            "as sweep=sac_search."
        )
    given["space"] = {key: dimension(str(key), entry) for key, entry in space.items()}
    return check(SearchSettings, given, "hydra.sweeper")
