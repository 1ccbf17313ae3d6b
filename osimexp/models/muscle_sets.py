"""Muscle sets: the muscles that a model has, their strengths, and the actions that drive them.

A muscle set names muscles by patterns (``soleus_*``), so that it composes with any model.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

import numpy as np

from osimexp.arrays import Floats
from osimexp.errors import ConfigError, near_matches
from osimexp.models.sides import without_side


@dataclass(frozen=True)
class MuscleSet:
    """A muscle set, as in ``conf/muscles``.

    Attributes:
        driven: patterns of the muscles that actions drive.
        held: excitation in [0, 1] of the muscles that no action drives.
        removed: patterns of the muscles that are taken out of the model.
        strength: factor on the maximum isometric force by pattern; factors of all matching patterns
            are multiplied.
        mirror: whether one action drives a muscle and its counterpart on the other side.
        synergies: a mapping of patterns to weights for each action, in place of an action for each
            muscle; the excitation of a muscle is the weighted sum over the actions.
    """

    driven: tuple[str, ...] = ("*",)
    held: float = 0.01
    removed: tuple[str, ...] = ()
    strength: dict[str, float] = field(default_factory=dict)
    mirror: bool = False
    synergies: tuple[dict[str, float], ...] = ()

    def __post_init__(self) -> None:
        if not 0.0 <= self.held <= 1.0:
            raise ValueError("held is an excitation and must be in [0, 1]")
        for pattern, factor in self.strength.items():
            if not factor > 0.0:
                raise ValueError(
                    f"the strength of {pattern} must be above 0; to take a muscle out, name it "
                    "under removed"
                )
        if self.mirror and self.synergies:
            raise ValueError("mirror and synergies cannot be used together")

    def kept(self, muscles: Sequence[str]) -> list[str]:
        """Return the muscles that are not removed, in their order.

        Raises:
            ConfigError: no muscle is left, or a pattern matches none.
        """
        removed = matching(self.removed, muscles, "muscles.removed")
        kept = [name for name in muscles if name not in removed]
        if not kept:
            raise ConfigError("muscles.removed takes out every muscle; at least one must stay.")
        return kept

    def strengths(self, muscles: Sequence[str]) -> Floats:
        """Return the factor ``(muscles,)`` on each muscle's maximum isometric force."""
        factors = np.ones(len(muscles))
        for pattern, factor in self.strength.items():
            matched = matching([pattern], muscles, "muscles.strength")
            factors *= [factor if name in matched else 1.0 for name in muscles]
        return factors

    def weights(self, muscles: Sequence[str]) -> Floats:
        """Return the matrix ``(actions, muscles)`` from actions to excitations.

        The column of a muscle that no action drives is 0.

        Raises:
            ConfigError: no muscle is driven, or a pattern matches none.
        """
        driven = matching(self.driven, muscles, "muscles.driven")
        if not driven:
            raise ConfigError("muscles.driven names no muscle; at least one must be driven.")
        if self.synergies:
            matrix = np.zeros((len(self.synergies), len(muscles)))
            for row, synergy in zip(matrix, self.synergies, strict=True):
                for pattern, weight in synergy.items():
                    matched = matching([pattern], muscles, "muscles.synergies")
                    row[[name in matched and name in driven for name in muscles]] = weight
            return matrix
        keys = [without_side(name) if self.mirror else name for name in muscles]
        actions = list(dict.fromkeys(k for k, m in zip(keys, muscles, strict=True) if m in driven))
        matrix = np.zeros((len(actions), len(muscles)))
        for column, (key, name) in enumerate(zip(keys, muscles, strict=True)):
            if name in driven:
                matrix[actions.index(key), column] = 1.0
        return matrix

    def action_names(self, muscles: Sequence[str]) -> list[str]:
        """Return the name of each action after what it drives, for tables and plots."""
        if self.synergies:
            return [f"synergy_{i}" for i in range(len(self.synergies))]
        return [
            "+".join(m for m, w in zip(muscles, row, strict=True) if w)
            for row in self.weights(muscles)
        ]


def matching(patterns: Iterable[str], names: Sequence[str], where: str) -> set[str]:
    """Return the names that match any of the patterns (``*``, ``?`` and ``[...]`` as in a shell).

    Raises:
        ConfigError: a pattern matches nothing.
    """
    found: set[str] = set()
    for pattern in patterns:
        matched = {name for name in names if fnmatchcase(name, pattern)}
        if not matched and pattern != "*":
            raise ConfigError(
                f"{where}: the model has no {pattern!r}; {near_matches(pattern, names)}"
            )
        found |= matched
    return found
