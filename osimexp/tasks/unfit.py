"""Tasks that a model cannot do: refused, or, where they allow it, done without a part of them."""

from collections.abc import Mapping

import numpy as np

from osimexp.errors import ConfigError
from osimexp.models.names import Names
from osimexp.tasks.goals.gait import MidGait
from osimexp.tasks.scene import Frame
from osimexp.tasks.specification import Specification
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


def left_out(
    asked: Specification, adapted: Specification, mirrored: bool, names: Names
) -> tuple[str, ...]:
    """Return sentences on what a task asked for where possible, and a model does not allow.

    Args:
        asked: task as it was asked for.
        adapted: task as the model does it.
        mirrored: whether the policy sees mirror images.
        names: names and constants of the model.
    """
    sentences = []
    if isinstance(asked.start, MidGait) and not isinstance(adapted.start, MidGait):
        reason = asked.start.gait.lacking(names)
        sentences.append(f"Episodes begin about the default pose and not in a gait: {reason}.")
    if asked.symmetry is not None and not mirrored:
        sentences.append("The policy sees no mirror images, as the model's sides are not alike.")
    return tuple(sentences)
