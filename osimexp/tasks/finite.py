"""Refusal of numbers that are not finite, by the name of what gave them."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from osimexp.errors import ConfigError, SimulationError


def not_finite(
    parts: Mapping[str, NDArray[Any]], steps: Iterable[int], environments: Iterable[int]
) -> SimulationError | None:
    """Return the error that names the first part with a number that is not finite, or None.

    It is for the search after a cheap test of a sum, which alone is made at each step.

    Args:
        parts: numbers ``(R, ...)`` by the name of what gave them.
        steps: steps of each row's episode so far, ``(R,)``.
        environments: number of each row in the batch, ``(R,)``.
    """
    for name, values in parts.items():
        flat = np.asarray(values).reshape(len(values), -1)
        sound = np.isfinite(flat)
        if sound.all():
            continue
        row = int(np.flatnonzero(~sound.all(axis=1))[0])
        value = flat[row, np.flatnonzero(~sound[row])[0]]
        return SimulationError(
            f"{name} gave {value} in environment {list(environments)[row]}, "
            f"{list(steps)[row]} steps into its episode; only finite numbers can be used."
        )
    return None


def require_finite(
    parts: Mapping[str, NDArray[Any]], steps: NDArray[Any], environments: NDArray[Any] | None = None
) -> None:
    """Refuse numbers that are not finite.

    Args:
        parts: numbers ``(R, ...)`` by the name of what gave them.
        steps: steps of each row's episode so far, ``(R,)``.
        environments: number of each row in the batch, ``(R,)``; None counts the rows.

    Raises:
        SimulationError: a number is not finite; the message names the part, the environment and
            the step.
    """
    rows = np.arange(len(steps)) if environments is None else environments
    error = not_finite(parts, steps.tolist(), rows.tolist())
    if error is not None:
        raise error


def require_finite_step(observations: NDArray[Any], rewards: NDArray[Any], steps: int) -> None:
    """Refuse a step of any environment whose results are not finite.

    Args:
        observations: ``(B, observations)`` after the step.
        rewards: ``(B,)``.
        steps: number of steps of the batch so far.

    Raises:
        SimulationError: a number is not finite.
    """
    if np.isfinite(rewards.sum()) and np.isfinite(observations.sum()):
        return
    for name, values in {"reward": rewards, "observation": observations}.items():
        if not (sound := np.isfinite(values)).all():
            row = np.argwhere(~sound)[0]
            raise SimulationError(
                f"The {name} of environment {row[0]} is {values[tuple(row)]} at step {steps} of "
                "the batch; only finite numbers can be used."
            )


def require_shape(values: object, dimensions: int, size: int, name: str) -> NDArray[Any]:
    """Return what a term gave, if it has a row for each environment.

    Args:
        values: result of the term.
        dimensions: 1 for a number, 2 for a row of numbers in each environment.
        size: number of environments, ``B``.
        name: place of the term in the config.

    Raises:
        ConfigError: the result has another shape.
    """
    found = np.asarray(values)
    shape = found.shape
    if len(shape) != dimensions or shape[0] != size:
        wanted = f"({size},)" if dimensions == 1 else f"({size}, columns)"
        raise ConfigError(
            f"{name} gave an array of shape {shape} for {size} environments, not {wanted}."
        )
    return found
