"""Step simulations and environments under random drive for a while, and time it."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from osimexp.physics.simulation import Simulation, Start
from osimexp.tasks.musculoskeletal import MusculoskeletalVectorEnv

EPISODE = 50  # steps of a simulation alone; longer random excitation would time a heap on the floor


@dataclass(frozen=True)
class Timing:
    """What was done in a while.

    Attributes:
        steps: environment steps, those of all the batch counted.
        seconds: of wall time in them.
        failed: steps in which the integration failed.
        stalls: steps left out for taking too long.
        stalled: s of wall time in those.
    """

    steps: int
    seconds: float
    failed: int = 0
    stalls: int = 0
    stalled: float = 0.0


Work = Callable[[], object]
"""Does one piece of what is counted: an update, an epoch, an action."""

Stepper = Callable[[float], Timing]
"""Steps for about as many seconds of wall time as it is told."""


def simulation_stepper(simulation: Simulation) -> Stepper:
    """Return what steps a batch; beginning episodes and drawing excitations are not timed."""
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
    """Return what steps a batch of environments; the episodes they begin anew are timed."""
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
