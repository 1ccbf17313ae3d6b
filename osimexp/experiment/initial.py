"""Initial policies of runs, taken from other runs."""

from hashlib import sha256
from typing import Any

from osimexp.algorithms.algorithm import Algorithm
from osimexp.config import check, selected
from osimexp.controllers.labels import Fill, Labels
from osimexp.controllers.policy import Policy
from osimexp.controllers.saved import restored
from osimexp.errors import ConfigError
from osimexp.experiment import checkpoint
from osimexp.experiment.run_folder import RunFolder
from osimexp.experiment.trained import named
from osimexp.tasks.actions import ActionSettings
from osimexp.tasks.make import Task
from osimexp.tasks.specification import Specification
from osimexp.trust import check_trusted


def begin(
    algorithm: Algorithm, source: str, task: Task, labels: Labels, fill: Fill
) -> dict[str, Any]:
    """Let an algorithm start learning from the controller of another run.

    Observation statistics are included; everything else, such as critics and exploration, starts as
    in any run. If actions stand for other drives than before, the policy is changed so that its
    drives stay the same, except where they were clipped. If columns have another order, the weights
    are reordered, so that learning starts with exactly that policy.

    Args:
        algorithm: algorithm that learns.
        source: run folder or name of a packaged controller, see
            ``osimexp.experiment.trained.named``.
        task: task that is to be learned.
        labels: names of the task's columns.
        fill: values for columns that only one side has, see ``osimexp.controllers.labels.fit``.

    Returns:
        Facts for the run's record: the path of the policy, its steps and its digest.

    Raises:
        OsimexpError: there is no such policy, or it does not fit.
    """
    folder = named(source)
    file = folder.checkpoint_file(folder.judged_checkpoint())
    loaded = checkpoint.load(file)
    saved = restored(loaded.controller, str(file))
    controller = saved.controller
    fit = saved.fit(labels, fill, f"init_from={source}")
    before = _action(folder)
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
            f"init_from={source} does not fit: {error}; use its observation, muscles, algo and "
            "task.action."
        ) from error
    return {
        "source": source,
        "checkpoint": file.stem,
        "steps": loaded.steps,
        "sha256": sha256(file.read_bytes()).hexdigest(),
    }


def _action(folder: RunFolder) -> ActionSettings | None:
    """Return a run's map from actions to drives; None for a task without muscles."""
    action = selected(folder.values(), "task.action")
    if action is None:
        return None
    check_trusted({"task": {"action": action}}, str(folder.config_file))
    return check(ActionSettings, action, "task.action")
