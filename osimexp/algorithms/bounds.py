"""Checks of hyperparameters; the messages go on after a config key."""

from typing import Any

LARGEST = 1e30
"""Largest hyperparameter: networks are of single precision, which ends at 3.4e38."""


def within(settings: object, low: float, high: float, *names: str) -> None:
    """Require each named value to be from ``low`` to ``high``.

    Raises:
        ValueError: a value is outside, or not a number.
    """
    for name in names:
        value = getattr(settings, name)
        if not low <= value <= high:
            raise ValueError(f"{name} must be from {low:g} to {high:g}, not {value}")


def positive(settings: object, *names: str) -> None:
    """Require each named value to be above zero, or None where that is allowed.

    Raises:
        ValueError: a value is not.
    """
    for name in names:
        value = getattr(settings, name)
        if value is not None and not 0 < value <= LARGEST:
            least = "above 0" if not value > 0 else f"at most {LARGEST:g}"
            raise ValueError(f"{name} must be {least}, not {value}")


def layer_widths(settings: Any) -> None:
    """Require every width in ``hidden_sizes`` to be above zero.

    Raises:
        ValueError: a width is not.
    """
    if not all(width > 0 for width in settings.hidden_sizes):
        widths = list(settings.hidden_sizes)
        raise ValueError(f"hidden_sizes must be layer widths above 0, not {widths}")
