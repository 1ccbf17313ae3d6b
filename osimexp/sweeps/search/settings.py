"""What ``conf/hydra/sweeper/search.yaml`` and the searches in ``conf/sweep`` say."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import Field

from osimexp.config import check
from osimexp.errors import ConfigError
from osimexp.sweeps.search.space import Dimension, dimension

Count = Annotated[int, Field(ge=1)]


@dataclass(frozen=True)
class PrunerSettings:
    """Which trials are ended before their budget is spent.

    Attributes:
        kind: ``median`` ends a trial whose best evaluation so far is below the median of the others
            at that many steps; ``hyperband`` is Li et al. 2018, JMLR 18(185); ``none`` ends none.
        startup: trials that are finished before any is ended; of ``median``.
        warmup: environment steps of a trial before which it is not ended.
        reduction: of each rung of ``hyperband``, a third of the trials goes on where it is 3.
    """

    kind: Literal["median", "hyperband", "none"] = "median"
    startup: Annotated[int, Field(ge=0)] = 5
    warmup: Annotated[int, Field(ge=0)] = 0
    reduction: Annotated[int, Field(ge=2)] = 3


@dataclass(frozen=True)
class SearchSettings:
    """A search.

    Attributes:
        space: what is drawn from for each key.
        trials: in all; those of an earlier call in the same folder count.
        at_once: trials that are handed to the launcher together.
        startup: trials that are drawn at random before the sampler models what is good.
        figure: of a trial's evaluations.
        goal: whether more or less of the figure is better.
        pruner: ends trials early.
        trial: of one job, its number.
    """

    space: Mapping[str, Dimension]
    trials: Count
    at_once: Count
    startup: Count
    figure: str
    goal: Literal["maximise", "minimise"]
    pruner: PrunerSettings = field(default_factory=PrunerSettings)
    trial: int | None = None


def search_settings(values: Mapping[str, Any]) -> SearchSettings:
    """Return what the config says, checked.

    Raises:
        ConfigError: a value is wrong, or nothing is to be searched.
    """
    given = {key: value for key, value in values.items() if key != "_target_"}
    space = given.get("space") or {}
    if not space:
        raise ConfigError(
            "hydra.sweeper.space is empty, so that there is nothing to search; choose a search, "
            "as sweep=sac_search."
        )
    given["space"] = {key: dimension(str(key), entry) for key, entry in space.items()}
    return check(SearchSettings, given, "hydra.sweeper")
