"""Where a run's policy begins, if not from nothing."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from osimexp.algorithms.algorithm import Algorithm
from osimexp.config import check
from osimexp.controllers.labels import Fill, Labels
from osimexp.controllers.policy import Policy
from osimexp.controllers.saved import restored
from osimexp.errors import ConfigError
from osimexp.experiment import checkpoint
from osimexp.experiment.trained import named
from osimexp.tasks.actions import ActionSettings
from osimexp.tasks.make import Task
from osimexp.tasks.specification import Specification


def begin(
    algorithm: Algorithm, source: str, task: Task, labels: Labels, fill: Fill
) -> dict[str, Any]:
    """Let an algorithm begin with the policy of another run, observation statistics included.

    Everything else, such as critics and exploration, begins as it does without. Where actions mean
    other drives than they did, the policy's are changed so that its drives stay what they were,
    short of where they were clipped. Where columns stand in another order, its weights are put
    into that, so that learning begins with exactly that policy.

    Args:
        algorithm: that learns.
        source: see ``osimexp.experiment.trained.named``.
        task: that is to be learned.
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
    before = _action(folder.config().get("task") or {})
    now = task.task.action if isinstance(task, Specification) else None
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


def _action(task: Mapping[str, Any]) -> ActionSettings | None:
    """Return how actions become drives in a config's task; None where they move no muscles."""
    action = task.get("action")
    return None if action is None else check(ActionSettings, action, "task.action")
