"""Names and units of the columns of an observation."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol, runtime_checkable

from osimexp.errors import ConfigError
from osimexp.models.names import AXES
from osimexp.tasks.scene import Scene


@dataclass(frozen=True)
class Column:
    """A column of an observation.

    Attributes:
        name: name in its term, such as ``soleus_r``; in an observation the term's key comes first,
            as in ``activations/soleus_r``.
        unit: unit of the quantity, such as ``rad/s``; empty if it is not known.
        scale: factor on the quantity, in 1/unit.
    """

    name: str
    unit: str = ""
    scale: float = 1.0


@runtime_checkable
class Named(Protocol):
    """An observation term or a target that names its columns."""

    def columns(self, scene: Scene) -> tuple[Column, ...]:
        """Return the columns, in their order."""
        ...


def numbered(count: int) -> tuple[Column, ...]:
    """Return columns named ``0``, ``1``, ... without units."""
    return tuple(Column(str(number)) for number in range(count))


def along_axes(names: Iterable[str], unit: str) -> tuple[Column, ...]:
    """Return columns for each name: ``hand_x`` forward, ``hand_y`` up, ``hand_z`` to the right."""
    return tuple(Column(f"{name}_{axis}", unit) for name in names for axis in AXES)


def observed_columns(
    terms: Mapping[str, Any], scene: Scene, widths: Iterable[int]
) -> tuple[Column, ...]:
    """Return the columns of an observation, each named ``<key of its term>/<column>``.

    Args:
        terms: observation terms by their keys in the config; columns of terms that do not name them
            are numbered.
        scene: fixed facts of the task.
        widths: number of columns of each term.

    Raises:
        ConfigError: a term names more or fewer columns than it returns, or two equal ones.
    """
    found: list[Column] = []
    for (key, term), width in zip(terms.items(), widths, strict=True):
        named = isinstance(term, Named)
        columns = term.columns(scene) if named else numbered(width)
        if len(columns) != width:
            raise ConfigError(
                f"observation.{key} names {len(columns)} columns and yields {width}; its columns() "
                "must name each number that it yields."
            )
        for name, count in Counter(column.name for column in columns).items():
            if count > 1:
                raise ConfigError(f"observation.{key} names {count} columns {name}.")
        found += [replace(column, name=f"{key}/{column.name}") for column in columns]
    return tuple(found)
