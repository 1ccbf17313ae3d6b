"""Where a run's policy begins, if not from nothing."""

from hashlib import sha256
from pathlib import Path
from typing import Any

from osimexp.algorithms.algorithm import Algorithm
from osimexp.errors import ConfigError
from osimexp.experiment import checkpoint
from osimexp.experiment.run_folder import RunFolder
from osimexp.experiment.trained import trained, trained_names


def begin(algorithm: Algorithm, source: str) -> dict[str, Any]:
    """Let an algorithm begin with the policy of another run, observation statistics included.

    Everything else, such as critics and exploration, begins as it does without.

    Args:
        algorithm: that learns.
        source: a run folder, or the name of a controller that comes with the package.

    Returns:
        What the run's record says of it: where it lies, how long it had learned and its digest.

    Raises:
        OsimexpError: there is no such policy, or it does not fit.
    """
    folder = trained(source) if source in trained_names() else RunFolder.open(Path(source))
    file = folder.checkpoint_file(folder.judged_checkpoint())
    saved = checkpoint.load(file)
    try:
        algorithm.begin_with(saved.state["policy"])
    except ValueError as error:
        raise ConfigError(
            f"init_from={source} does not fit: {error}; take its observation, muscles and algo."
        ) from error
    return {
        "source": source,
        "checkpoint": file.stem,
        "steps": saved.steps,
        "sha256": sha256(file.read_bytes()).hexdigest(),
    }
