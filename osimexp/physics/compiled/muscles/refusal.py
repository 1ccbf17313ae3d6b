"""Errors for muscles that cannot be compiled."""

import opensim

from osimexp.errors import ModelError


def refused(muscle: opensim.Muscle, reason: str) -> ModelError:
    """Return the error that says why a muscle cannot be compiled and what to do.

    Args:
        muscle: muscle that is named in the sentence.
        reason: rest of the sentence after the muscle's name, which says what would be right.
    """
    kind, name = muscle.getConcreteClassName(), muscle.getName()
    return ModelError(f"{kind} {name} {reason}; mend it, or keep physics=opensim.")


def require_dynamics(muscle: opensim.Muscle) -> None:
    """Refuse a muscle without activation dynamics.

    Raises:
        ModelError: the muscle's activation is its excitation.
    """
    if muscle.get_ignore_activation_dynamics():
        raise refused(
            muscle,
            "has no activation, which physics=compiled needs: its ignore_activation_dynamics must "
            "be false",
        )
