"""Refusals of tasks that a model cannot do: to travel on a fixed base, or to begin fallen."""

from collections.abc import Mapping

import numpy as np

from osimexp.errors import ConfigError
from osimexp.tasks.scene import Frame
from osimexp.tasks.terms.rewards import RewardTerm


def refuse_travel(rewards: Mapping[str, RewardTerm]) -> None:
    """Refuse rewards for travelling of a model whose base is fixed to the ground.

    A class says by ``TRAVELS: ClassVar[bool] = True`` that it rewards travelling.

    Args:
        rewards: reward terms by their names in the config.

    Raises:
        ConfigError: a term rewards travelling.
    """
    for name, term in rewards.items():
        still = getattr(term, "target", None) == 0.0
        if getattr(term, "TRAVELS", False) and term.weight and not still:
            raise ConfigError(
                f"reward.{name} rewards travelling, and no coordinate lets this model travel: its "
                "base is fixed to the ground; choose another reward, such as reward=reach with "
                "target.point."
            )


def over_at_once(term: str, frame: Frame) -> ConfigError:
    """Return the error of a task whose every episode is over where it begins.

    Args:
        term: name of the termination term in the config.
        frame: a beginning.
    """
    where = ""
    if frame.base is not None:
        height, lean = float(frame.base.position[0, 1]), float(np.abs(frame.base.lean[0]))
        where = f" (its base body is {height:.3f} m high and its trunk leans by {lean:.2f} rad)"
    return ConfigError(
        f"Every episode would end where it begins, by termination.{term}{where}; begin in another "
        f"pose (model.poses and start.poses), or change or leave out termination.{term}."
    )
