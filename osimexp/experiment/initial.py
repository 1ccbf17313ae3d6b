"""Where a run's policy begins, if not from nothing."""

from hashlib import sha256
from typing import Any

from omegaconf import DictConfig

from osimexp.algorithms.algorithm import Algorithm
from osimexp.config import check, plain
from osimexp.controllers.policy import Policy
from osimexp.errors import ConfigError
from osimexp.experiment import checkpoint
from osimexp.experiment.trained import named
from osimexp.tasks.actions import ActionSettings


def begin(algorithm: Algorithm, source: str, task: DictConfig) -> dict[str, Any]:
    """Let an algorithm begin with the policy of another run, observation statistics included.

    Everything else, such as critics and exploration, begins as it does without. Where actions mean
    other drives than they did, the policy's are changed so that its drives stay what they were,
    short of where they were clipped.

    Args:
        algorithm: that learns.
        source: see ``osimexp.experiment.trained.named``.
        task: the config's, that is to be learned.

    Returns:
        What the run's record says of it: where it lies, how long it had learned and its digest.

    Raises:
        OsimexpError: there is no such policy, or it does not fit.
    """
    folder = named(source)
    file = folder.checkpoint_file(folder.judged_checkpoint())
    saved = checkpoint.load(file)
    policy = Policy.from_state_dict(saved.state["policy"])
    before, now = _action(folder.config().task), _action(task)
    try:
        if before is not None and now is not None and before != now:
            policy.rescale(before.gain / now.gain, (before.rest - now.rest) / now.gain)
        algorithm.begin_with(policy.state_dict())
    except ValueError as error:
        raise ConfigError(
            f"init_from={source} does not fit: {error}; take its observation, muscles, algo and "
            "task.action."
        ) from error
    return {
        "source": source,
        "checkpoint": file.stem,
        "steps": saved.steps,
        "sha256": sha256(file.read_bytes()).hexdigest(),
    }


def _action(task: DictConfig) -> ActionSettings | None:
    """Return how a task's actions become drives; None where they move no muscles."""
    action = task.get("action")
    return None if action is None else check(ActionSettings, plain(action), "task.action")
