"""What a search may draw for a key, from YAML to Optuna's terms and to an override."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from osimexp.config import check
from osimexp.errors import ConfigError
from osimexp.words import quoted

Scalar = bool | int | float | str | None


@dataclass(frozen=True)
class Range:
    """Numbers between two; whole ones where both are written without a point.

    Attributes:
        low: the lowest.
        high: the highest.
        log: whether each factor, and not each difference, is as likely.
    """

    low: int | float
    high: int | float
    log: bool = False

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise ValueError("low must be below high")
        if self.log and not self.low > 0:
            raise ValueError("low must be above 0 where log is true")

    @property
    def distribution(self) -> BaseDistribution:
        """What Optuna draws from."""
        if isinstance(self.low, int) and isinstance(self.high, int):
            return IntDistribution(self.low, self.high, log=self.log)
        return FloatDistribution(self.low, self.high, log=self.log)

    def drawn(self, value: object) -> Scalar:
        """Return a value of the config as Optuna would have drawn it; None where it could not."""
        whole = isinstance(self.distribution, IntDistribution)
        if not isinstance(value, int if whole else (int, float)) or isinstance(value, bool):
            return None
        return value if self.low <= value <= self.high else None

    def text(self, drawn: Any) -> str:
        """Return what stands behind the ``=`` of an override."""
        return repr(drawn)


@dataclass(frozen=True)
class Choice:
    """One of several values.

    Attributes:
        choices: numbers, words, null, or lists of these; words may be options of a config group.
    """

    choices: list[Any]

    def __post_init__(self) -> None:
        if len(self.choices) < 2:
            raise ValueError("choices must be two or more")

    @property
    def distribution(self) -> BaseDistribution:
        """What Optuna draws from: the choices as JSON, as it knows no lists."""
        return CategoricalDistribution([json.dumps(choice) for choice in self.choices])

    def drawn(self, value: object) -> Scalar:
        """Return a value of the config as Optuna would have drawn it; None where it could not."""
        return json.dumps(value) if value in self.choices else None

    def text(self, drawn: Any) -> str:
        """Return what stands behind the ``=`` of an override."""
        value = json.loads(drawn)
        if isinstance(value, str):
            return value if re.fullmatch(r"[\w./-]+", value) else quoted(value)
        return str(drawn)


Dimension = Range | Choice


def dimension(key: str, entry: object) -> Dimension:
    """Return what may be drawn for a key.

    Raises:
        ConfigError: the entry is neither a range nor a list of choices.
    """
    where = f"hydra.sweeper.space.{key}"
    match entry:
        case Mapping() if "choices" in entry:
            return check(Choice, dict(entry), where)
        case Mapping():
            return check(Range, dict(entry), where)
    raise ConfigError(f"{where} must be {{low: , high: }} or {{choices: [...]}}, not {entry!r}.")
