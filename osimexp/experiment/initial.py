"""Where a run's policy begins, if not from nothing."""

import math
from hashlib import sha256
from typing import Any

from omegaconf import DictConfig

from osimexp.algorithms.algorithm import Algorithm
from osimexp.config import check, plain
from osimexp.controllers.labels import Fill, Labels
from osimexp.controllers.policy import Policy
from osimexp.controllers.saved import restored
from osimexp.errors import ConfigError
from osimexp.experiment import checkpoint
from osimexp.experiment.trained import named
from osimexp.tasks.actions import ActionSettings


def begin(
    algorithm: Algorithm, source: str, task: DictConfig, labels: Labels, fill: Fill
) -> dict[str, Any]:
    """Let an algorithm begin with the policy of another run, observation statistics included.

    Everything else, such as critics and exploration, begins as it does without. Where actions mean
    other drives than they did, the policy's are changed so that its drives stay what they were,
    short of where they were clipped. Where columns stand in another order, its weights are put
    into that, so that learning begins with exactly that policy.

    Args:
        algorithm: that learns.
        source: see ``osimexp.experiment.trained.named``.
        task: the config's, that is to be learned.
        labels: of that task.
        fill: what becomes of columns that the policy or the task lacks; see
            ``osimexp.controllers.labels.fit``.

    Returns:
        What the run's record says of it: where it lies, how long it had learned and its digest.

    Raises:
        OsimexpError: there is no such policy, or it does not fit.
    """
    folder = named(source)
    file = folder.checkpoint_file(folder.judged_checkpoint())
    loaded = checkpoint.load(file)
    saved = restored(loaded.controller, str(file))
    controller = saved.controller
    fit = saved.fit(labels, fill, f"init_from={source}")
    before, now = _action(folder.config().task), _action(task)
    try:
        if isinstance(controller, Policy):
            if before is not None and now is not None and before != now:
                controller.rescale(before.gain / now.gain, (before.rest - now.rest) / now.gain)
            if not fit.same:
                controller = controller.rearranged(fit)
        algorithm.begin_with(controller)
    except ValueError as error:
        raise ConfigError(
            f"init_from={source} does not fit: {error}; take its observation, muscles, algo and "
            "task.action."
        ) from error
    return {
        "source": source,
        "checkpoint": file.stem,
        "steps": loaded.steps,
        "sha256": sha256(file.read_bytes()).hexdigest(),
    }


def fill_of(config: DictConfig) -> Fill:
    """Return what a run's config says of columns that the policy or the task lacks.

    Raises:
        ConfigError: it is no mapping of patterns to numbers or null.
    """
    given = config.get("fill") or {}
    if not isinstance(given, DictConfig | dict):
        raise ConfigError(f"fill maps patterns of names to numbers or null, and is {given!r}.")
    values = plain(given)
    for pattern, value in values.items():
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not (value is None or (number and math.isfinite(value))):
            raise ConfigError(f"fill.{pattern} must be a finite number or null, not {value!r}.")
    return values


def _action(task: DictConfig) -> ActionSettings | None:
    """Return how a task's actions become drives; None where they move no muscles."""
    action = task.get("action")
    return None if action is None else check(ActionSettings, plain(action), "task.action")
