"""Steps of a batch of environments beside other work of the process."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from osimexp.algorithms.algorithm import Mask, Rewards
from osimexp.controllers.controller import Actions, Observations
from osimexp.tasks.environment import Environment

Step = tuple[Observations, Rewards, Mask, Mask, dict[str, Any]]
"""Observations, rewards, terminated, truncated and infos of a step; see ``Environment.step``."""

Stepping = Callable[[], tuple[Step, float]]
"""Function that waits for the end of a step, and returns it and the time that it took, s."""


@contextmanager
def stepper(environment: Environment, beside: bool) -> Iterator[Callable[[Actions], Stepping]]:
    """Return a function that begins a step with actions ``(B, actions)``.

    Args:
        environment: batch of environments.
        beside: whether a thread makes the step while the caller goes on, which is of use where
            simulating releases Python's lock; if not, the step is made when it is waited for. The
            results are the same.
    """

    def timed(actions: Actions) -> tuple[Step, float]:
        begin = time.perf_counter()
        step = environment.step(actions)
        return step, time.perf_counter() - begin

    if not beside:
        yield lambda actions: lambda: timed(actions)
        return
    with ThreadPoolExecutor(1, "simulation") as thread:
        yield lambda actions: thread.submit(timed, actions).result
