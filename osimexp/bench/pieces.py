"""Pieces of learning and acting, ready to be timed, in both libraries."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from osimexp.algorithms.algorithm import Algorithm, Transition, learn
from osimexp.algorithms.ppo import PPO
from osimexp.bench.timing import Work
from osimexp.bench.trainings import Plan, our_algorithm, their_algorithm
from osimexp.tasks.adapters.stable_baselines import StableBaselinesEnv
from osimexp.tasks.environment import Environment
from osimexp.tasks.make import Task, make

STARTS = 1000  # transitions in a replay before the first update
ROLLOUT = {"environments": 8, "rollout_steps": 256}
EPOCHS = 10  # enough that work done once for each rollout is a small part, as in training
MANY = 64  # size of a batch of observations to act on


class Pieces:
    """Pieces of work by name and library, made by ``pieces``."""

    def __init__(self, works: Mapping[tuple[str, str], Work], opened: list[Environment]) -> None:
        self._works, self._opened = works, opened
        self.names = list(dict.fromkeys(name for name, _ in works))

    def work(self, name: str, library: str) -> Work:
        """Return the function that does one piece."""
        return self._works[name, library]

    def close(self) -> None:
        """Close the environments."""
        for environment in self._opened:
            environment.close()


def pieces(task: Task, hidden_sizes: tuple[int, ...], batch_size: int) -> Pieces:
    """Return the updates, epochs and actions of each algorithm in each library.

    Args:
        task: task whose observations and actions are used.
        hidden_sizes: widths of the hidden layers of every network.
        batch_size: transitions in every gradient step.
    """
    works: dict[tuple[str, str], Work] = {}
    opened: list[Environment] = []
    off_policy = {
        "environments": 1,
        "learning_starts": STARTS,
        "batch_size": batch_size,
        "normalise_observations": False,
        # What both libraries do.
        "updates_per_step": 1.0,
        "horizon": 1,
        "layer_norm": False,
    }
    on_policy = {
        **ROLLOUT, "minibatch_size": batch_size, "epochs": EPOCHS, "max_kl": None,
        "desired_kl": None, "normalise_observations": False, "scale_rewards": False,
    }  # fmt: skip
    for kind, settings in (("sac", off_policy), ("ddpg", off_policy), ("ppo", on_policy)):
        sized = {**settings, "hidden_sizes": hidden_sizes}
        plan = Plan("", task, kind, sized, STARTS + 10, 1, 1, 0)
        what = f"{EPOCHS} epochs" if kind == "ppo" else "update"
        count = plan.hyperparameters.environments
        batches = [make(task, count), make(task, count)]
        opened += batches
        ours = our_algorithm(plan, batches[0])
        theirs = their_algorithm(plan, StableBaselinesEnv(batches[1], 0))
        works[f"{kind} {what}", "osimexp"] = _learning(ours, batches[0])
        works[f"{kind} {what}", "stable_baselines3"] = _learning_theirs(theirs, kind, batch_size)
        for rows in (1, MANY):
            seen = np.zeros((rows, *batches[0].single_observation_space.shape), dtype=np.float32)
            name = f"{kind} act on {rows}"
            works[name, "osimexp"] = partial(ours.controller.act, seen)
            works[name, "stable_baselines3"] = partial(theirs.predict, seen, deterministic=True)
    return Pieces(works, opened)


def _learning_theirs(model: Any, kind: str, batch_size: int) -> Work:
    """Return a function for one update in Stable-Baselines3, after the steps that it needs."""
    if kind == "ppo":
        model.learn(ROLLOUT["environments"] * ROLLOUT["rollout_steps"])
        return partial(model.train)
    model.learn(STARTS + 10)
    return partial(model.train, 1, batch_size)


def _learning(algorithm: Algorithm, batch: Environment) -> Work:
    """Return a function for one update in this library, after the steps that it needs."""
    observations, _ = batch.reset(seed=0)
    updated = False
    while not updated:
        actions = algorithm.act(observations)
        following, rewards, terminated, truncated, _ = batch.step(actions)
        step = Transition(observations, actions, rewards, following, terminated, truncated)
        updated = bool(learn(algorithm, step))
        observations = following

    def again() -> None:
        if isinstance(algorithm, PPO):
            # The rollout is unchanged; its last step is added once more, which makes it full.
            algorithm.rollout.filled = len(algorithm.rollout.rewards) - 1
        learn(algorithm, step)

    return again
