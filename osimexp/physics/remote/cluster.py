"""Connection to a Ray cluster, for jobs of a sweep and simulations of a run."""

import importlib
import logging
import os
import re
import socket
from typing import Any

from osimexp.errors import ConfigError

_PATIENCE = 10.0  # s


def ray_at(address: str) -> Any:
    """Return Ray, connected to a cluster until the process ends.

    Args:
        address: address of the cluster's head, such as ``10.0.0.1:6379``; ``auto`` is the cluster
            that this machine belongs to, and ``local`` starts one here.

    Raises:
        ConfigError: Ray is not installed, or there is no cluster at the address.
    """
    try:
        ray = importlib.import_module("ray")
    except ImportError as error:
        raise ConfigError("Ray is not installed; it comes with the extra osimexp[ray].") from error
    if not ray.is_initialized():
        named = os.environ.get("RAY_ADDRESS", address) if address == "auto" else address
        try:
            _reach(named)
            ray.init(address, logging_level=logging.ERROR, include_dashboard=None)
        except (OSError, ValueError, RuntimeError) as error:
            raise ConfigError(
                f"There is no Ray cluster at {address!r} ({' '.join(str(error).split())[:200]}); "
                "start one by `ray start --head`, or give local as the address."
            ) from error
    return ray


def _reach(address: str) -> None:
    """Connect to a head once; Ray itself would try for minutes, and then end the process.

    Raises:
        OSError: nothing answers at the address.
    """
    if found := re.fullmatch(r"([^:/]+):(\d+)", address):
        socket.create_connection((found[1], int(found[2])), timeout=_PATIENCE).close()
