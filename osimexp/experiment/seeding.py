"""Seeds of the parts of a run, and deterministic PyTorch."""

import os
from dataclasses import dataclass

import numpy as np
import torch

from osimexp.errors import ConfigError


@dataclass(frozen=True)
class Seeds:
    """The seeds of a run's parts, independent of each other.

    Attributes:
        training: seed of the training environments.
        algorithm: seed of weights, exploration and minibatches.
        evaluation: seed of the first episode of each evaluation during training.
        final_evaluation: seed of the first episode of the final evaluation.
    """

    training: int
    algorithm: int
    evaluation: int
    final_evaluation: int

    @classmethod
    def of(cls, seed: object) -> "Seeds":
        """Return the seeds of a run's parts, drawn from the seed in the config.

        Raises:
            ConfigError: ``seed`` is not a whole number of 0 or more.
        """
        if not isinstance(seed, int) or isinstance(seed, bool) or seed < 0:
            raise ConfigError(f"seed must be a whole number from 0 on, not {seed!r}.")
        return cls(*_draw([seed], 4))


def episode_seed_after_resume(training: int, steps: int) -> int:
    """Return the seed of new episodes that replace those that cannot be continued."""
    return _draw([training, steps], 1)[0]


def prepare_torch(device: str, threads: int | None) -> None:
    """Make PyTorch deterministic and limit its threads.

    Raises:
        ConfigError: the device is unknown or this machine does not have it.
    """
    check_device(device)
    if device.startswith("cuda"):
        # cuBLAS is deterministic only with a workspace of fixed size (PyTorch: Reproducibility).
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True)
    if threads is not None:
        torch.set_num_threads(threads)


def check_device(device: str) -> None:
    """Refuse a device that this machine does not have.

    Raises:
        ConfigError: the machine does not have it, or there is no such kind of device.
    """
    try:
        kind = torch.device(device)
    except (RuntimeError, TypeError) as error:
        raise ConfigError(f"device={device} is not known; known are cpu, cuda, cuda:1.") from error
    if kind.type not in ("cpu", "cuda"):
        raise ConfigError(f"device={device} is not supported; use cpu or cuda.")
    if kind.type == "cuda" and not torch.cuda.is_available():
        raise ConfigError(
            f"device={device} needs a GPU that PyTorch can use and finds none; device=cpu works."
        )
    if kind.type == "cuda" and (kind.index or 0) >= torch.cuda.device_count():
        raise ConfigError(
            f"device={device} is not there; this machine has {torch.cuda.device_count()} GPUs."
        )


def _draw(entropy: list[int], count: int) -> list[int]:
    # 31 bits leave room for environment i to draw from seed + i within 32.
    return [int(word >> 1) for word in np.random.SeedSequence(entropy).generate_state(count)]
