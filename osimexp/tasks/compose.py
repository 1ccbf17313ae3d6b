"""Environments from Python: the main config with overrides, as on the command line."""

from typing import Any

from osimexp.composition import check_given, compose
from osimexp.tasks.adapters.single import MusculoskeletalEnv
from osimexp.tasks.musculoskeletal import MusculoskeletalVectorEnv
from osimexp.tasks.specification import Specification


def composed(*overrides: str) -> dict[str, Any]:
    """Return the main config with overrides, such as ``model=arm``, as plain values.

    Raises:
        ConfigError: the overrides cannot be read or do not fit together, or one is missing.
    """
    values = compose("config", overrides).values
    check_given(values)
    return values


def single(*overrides: str, render_mode: str | None = None) -> MusculoskeletalEnv:
    """Return one environment, simulated in this process.

    Args:
        *overrides: overrides of the main config, such as ``model=arm``.
        render_mode: Gymnasium's ``rgb_array`` or ``human``; None renders nothing.

    Raises:
        OsimexpError: the overrides do not fit together or do not fit the model.
    """
    return MusculoskeletalEnv(Specification.from_config(composed(*overrides)), render_mode)


def vector(
    num_envs: int, *overrides: str, render_mode: str | None = None
) -> MusculoskeletalVectorEnv:
    """Return a batch of environments.

    Args:
        num_envs: number of environments in the batch.
        *overrides: overrides of the main config; ``workers=none`` simulates in this process.
        render_mode: Gymnasium's ``rgb_array``; None renders nothing.

    Raises:
        OsimexpError: the overrides do not fit together or do not fit the model.
    """
    specification = Specification.from_config(composed(*overrides))
    return MusculoskeletalVectorEnv(specification, num_envs, render_mode=render_mode)
