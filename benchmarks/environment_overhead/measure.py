"""Measure what a step of the environments takes above the physics, and what acting takes.

Run ``OMP_NUM_THREADS=1 python benchmarks/environment_overhead/measure.py > results.csv`` in the
virtual environment of osimexp, with nothing else running; README.md says what the figures mean.
"""

import argparse
import csv
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import product

import numpy as np
import torch
from stand_in import TASKS, WithoutPhysics

from osimexp.algorithms.algorithm import Transition
from osimexp.algorithms.ppo import PPO
from osimexp.config import build, option

COLUMNS = ("round", "what", "task", "batch", "calls", "median_ms", "mean_ms", "us_per_step")
ENDING = {"step with 1 % ending": 0.01, "step with none ending": 0.0}
HIDDEN = ((128, 128), (256, 256))
# Shorter than a rollout, so that ``learn`` takes steps in and never updates.
STEPS = 32

Timed = tuple[str, str, int, Callable[[], object]]


def environments(batches: list[int]) -> Iterator[Timed]:
    """Give a step of each task at each size of the batch."""
    for task, batch, what in product(TASKS, batches, ENDING):
        env = WithoutPhysics(task, batch, ENDING[what])
        env.reset(seed=0)
        drawn = np.random.default_rng(0).uniform(-1.0, 1.0, env.action_space.shape)
        yield what, task, batch, partial(env.step, drawn.astype(np.float32))


def controllers(batches: list[int]) -> Iterator[Timed]:
    """Give acting and taking in for networks of several sizes."""
    for task, batch in product(TASKS, batches):
        env = WithoutPhysics(task, batch, 0.0)
        observations, _ = env.reset(seed=0)
        sizes = observations.shape[1], env.single_action_space.shape[0]
        over = np.zeros(batch, dtype=bool)
        for hidden in HIDDEN:
            given = {
                "environments": batch,
                "hidden_sizes": hidden,
                "rollout_steps": STEPS + 1,
                "minibatch_size": STEPS,
            }
            settings = build({**option("algo", "ppo"), **given}, "algo")
            ppo = PPO(settings, *sizes, seed=0, device="cpu")
            actions = ppo.act(observations)
            step = Transition(observations, actions, np.ones(batch), observations, over, over)
            calls = {
                "policy acts": partial(ppo.controller.act, observations),
                "PPO acts": partial(ppo.act, observations),
                "PPO takes in": partial(take_in, ppo, step),
            }
            for what, call in calls.items():
                yield f"{what} {'x'.join(map(str, hidden))}", task, batch, call


def take_in(ppo: PPO, step: Transition) -> None:
    """Have a step taken in and no update made."""
    if ppo.rollout.filled == STEPS:
        ppo.rollout.clear()
    ppo.learn(step)


def spent(call: Callable[[], object], seconds: float) -> list[float]:
    """Return the times in s that calls take, made one after the other for ``seconds``."""
    end, times = time.perf_counter() + seconds, []
    while not times or time.perf_counter() < end:
        begin = time.perf_counter()
        call()
        times.append(time.perf_counter() - begin)
    return times


def main() -> None:
    """Write a row for each round of each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 256, 4096])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.5, help="of each in each round")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    writer = csv.writer(sys.stdout)
    writer.writerow(COLUMNS)
    measured = [*environments(asked.batches), *controllers(asked.batches)]
    for *_, call in measured:
        spent(call, 0.1)
    for number in range(asked.rounds):
        for what, task, batch, call in measured:
            times = 1e3 * np.array(spent(call, asked.seconds))
            figures = np.median(times), times.mean(), 1e3 * times.mean() / batch
            writer.writerow(
                [number, what, task, batch, len(times), *(f"{figure:.4f}" for figure in figures)]
            )
            sys.stdout.flush()


if __name__ == "__main__":
    main()
