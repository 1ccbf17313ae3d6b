"""Timing of simulations and environments that step with random actions."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from osimexp.physics.simulation import Simulation, Start
from osimexp.tasks.musculoskeletal import MusculoskeletalVectorEnv

EPISODE = 50  # steps of a simulation alone; a model that is driven longer only lies on the floor


@dataclass(frozen=True)
class Timing:
    """A measurement of steps.

    Attributes:
        steps: environment steps, summed over the batch.
        seconds: wall time of these steps, s.
        failed: number of steps in which the integration failed.
        stalls: number of steps that are left out because they took too long.
        stalled: wall time of those steps, s.
    """

    steps: int
    seconds: float
    failed: int = 0
    stalls: int = 0
    stalled: float = 0.0


Work = Callable[[], object]
"""A function that does one piece of the work that is counted: an update, an epoch or an action."""

Stepper = Callable[[float], Timing]
"""A function that steps for about a given wall time (s) and returns its measurement."""


def simulation_stepper(simulation: Simulation) -> Stepper:
    """Return a function that steps a batch; resets and random draws are not timed."""
    generator = np.random.default_rng(0)
    names, everywhere = simulation.names, np.ones(simulation.size, dtype=bool)
    pose = np.tile(names.default_pose, (simulation.size, 1))
    shape = (simulation.size, len(names.muscles))
    start = Start(pose, np.zeros_like(pose), np.full(shape, 0.05))

    def run(seconds: float) -> Timing:
        spent, calls, failed = 0.0, 0, 0
        while spent < seconds:
            if calls % EPISODE == 0:
                simulation.reset(everywhere, start)
            excitations = generator.uniform(size=shape)
            before = time.perf_counter()
            state = simulation.step(excitations)
            spent += time.perf_counter() - before
            calls += 1
            if state.failed.any():
                failed += int(state.failed.sum())
                simulation.reset(everywhere, start)
        return Timing(calls * simulation.size, spent, failed)

    return run


def environment_stepper(environment: MusculoskeletalVectorEnv) -> Stepper:
    """Return a function that steps a batch of environments; resets of episodes are timed."""
    generator = np.random.default_rng(0)
    shape = environment.action_space.shape
    environment.reset(seed=0)

    def run(seconds: float) -> Timing:
        spent, calls, failed = 0.0, 0, environment.counts()["failed_steps"]
        while spent < seconds:
            actions = generator.uniform(-1.0, 1.0, shape).astype(np.float32)
            before = time.perf_counter()
            environment.step(actions)
            spent += time.perf_counter() - before
            calls += 1
        failed = environment.counts()["failed_steps"] - failed
        return Timing(calls * environment.num_envs, spent, failed)

    return run
