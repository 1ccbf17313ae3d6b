"""The search space of a key, from YAML to Optuna's distributions and to overrides."""

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
    """A range of numbers; they are whole numbers if both ends are.

    Attributes:
        low: lowest number.
        high: highest number.
        log: whether numbers are uniform on a logarithmic scale.
    """

    low: int | float
    high: int | float
    log: bool = False

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise ValueError("low must be below high")
        if self.log and not self.low > 0:
            raise ValueError("low must be above 0 if log is true")

    @property
    def distribution(self) -> BaseDistribution:
        """Optuna's distribution of the numbers."""
        if isinstance(self.low, int) and isinstance(self.high, int):
            return IntDistribution(self.low, self.high, log=self.log)
        return FloatDistribution(self.low, self.high, log=self.log)

    def drawn(self, value: object) -> Scalar:
        """Return a value of the config in Optuna's form; None if it is not in the range."""
        whole = isinstance(self.distribution, IntDistribution)
        if not isinstance(value, int if whole else (int, float)) or isinstance(value, bool):
            return None
        return value if self.low <= value <= self.high else None

    def can_be(self, drawn: Any) -> bool:
        """Return whether a value in Optuna's form is a number."""
        return isinstance(drawn, int | float) and not isinstance(drawn, bool)

    def text(self, drawn: Any) -> str:
        """Return the text of a number behind the ``=`` of an override."""
        return repr(drawn)


@dataclass(frozen=True)
class Choice:
    """A choice of one of several values.

    Attributes:
        choices: numbers, words, null, or lists of these; words may be options of a config group.
    """

    choices: list[Any]

    def __post_init__(self) -> None:
        if len(self.choices) < 2:
            raise ValueError("there must be two choices or more")

    @property
    def distribution(self) -> BaseDistribution:
        """Optuna's distribution of the choices, as JSON, because Optuna knows no lists."""
        return CategoricalDistribution([json.dumps(choice) for choice in self.choices])

    def drawn(self, value: object) -> Scalar:
        """Return a value of the config in Optuna's form; None if it is not a choice."""
        return json.dumps(value) if value in self.choices else None

    def can_be(self, drawn: Any) -> bool:
        """Return whether a value in Optuna's form is one of the choices."""
        return drawn in [json.dumps(choice) for choice in self.choices]

    def text(self, drawn: Any) -> str:
        """Return the text of a choice behind the ``=`` of an override."""
        value = json.loads(drawn)
        if isinstance(value, str):
            return value if re.fullmatch(r"[\w./-]+", value) else quoted(value)
        return str(drawn)


Dimension = Range | Choice


def dimension(key: str, entry: object) -> Dimension:
    """Return the range or the choices of a key.

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
