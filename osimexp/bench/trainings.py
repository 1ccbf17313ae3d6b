"""Training of an algorithm by this library or by Stable-Baselines3, on the same problem.

Both libraries get the same batch of environments, hyperparameters, network and budget, and both are
evaluated with the same episodes.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from stable_baselines3 import DDPG, PPO, SAC
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.noise import NormalActionNoise
from stable_baselines3.common.vec_env import VecEnv, VecNormalize

from osimexp.algorithms import ddpg, ppo, sac
from osimexp.algorithms.algorithm import Algorithm, Settings, Transition, learn
from osimexp.config import build, option
from osimexp.controllers.controller import Actions, Agent, Observations
from osimexp.experiment.evaluation import evaluate
from osimexp.experiment.seeding import Seeds
from osimexp.tasks.adapters.stable_baselines import StableBaselinesEnv
from osimexp.tasks.environment import Environment
from osimexp.tasks.make import Task, make

ACTIVATIONS = {"relu": torch.nn.ReLU, "tanh": torch.nn.Tanh}
LIBRARIES = ("osimexp", "stable_baselines3")


@dataclass(frozen=True)
class Plan:
    """A training that both libraries make.

    Attributes:
        problem: name of the problem.
        task: task of the problem.
        algorithm: ``sac``, ``ppo`` or ``ddpg``.
        settings: hyperparameters, by our names.
        steps: budget in environment steps.
        evaluations: number of evaluations, at equal intervals.
        episodes: episodes of each evaluation.
        seed: seed of the training.
    """

    problem: str
    task: Task
    algorithm: str
    settings: Mapping[str, Any]
    steps: int
    evaluations: int
    episodes: int
    seed: int

    @property
    def hyperparameters(self) -> Any:
        """Hyperparameters as our algorithm's settings; missing ones are those of its option."""
        return build({**option("algo", self.algorithm), **self.settings}, "algo")


@dataclass
class Curve:
    """The evaluations of a training.

    Attributes:
        steps: environment steps before each evaluation.
        returns: mean return over the episodes of each evaluation.
        seconds: time of training before each evaluation, without evaluations, s.
    """

    steps: list[int] = field(default_factory=list)
    returns: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)


class Judge:
    """An evaluator of a controller, called during its training."""

    def __init__(self, plan: Plan) -> None:
        self.curve = Curve()
        self._plan = plan
        self._seeds = Seeds.of(plan.seed)
        self._environment = make(plan.task, plan.episodes, "evaluation")
        self._spent = 0.0
        self._since = time.perf_counter()

    def look(self, steps: int, controller: Agent) -> None:
        """Evaluate the controller if an evaluation is due after so many steps."""
        plan, done = self._plan, len(self.curve.steps)
        if done >= plan.evaluations or steps < plan.steps * (done + 1) // plan.evaluations:
            return
        self._spent += time.perf_counter() - self._since
        found = evaluate(self._environment, controller, plan.episodes, self._seeds.final_evaluation)
        self.curve.steps.append(steps)
        self.curve.returns.append(float(np.mean(found.metrics["return"])))
        self.curve.seconds.append(self._spent)
        self._since = time.perf_counter()

    def close(self) -> None:
        """Close the environments."""
        self._environment.close()


def train(plan: Plan, library: str) -> Curve:
    """Train by one of ``LIBRARIES`` and return the learning curve."""
    settings: Settings = plan.hyperparameters
    with closing(Judge(plan)) as judge, _environments(plan, settings.environments) as batch:
        if library == "osimexp":
            _train_ours(plan, batch, settings, judge)
        else:
            _train_theirs(plan, batch, settings, judge)
        return judge.curve


def our_algorithm(plan: Plan, environment: Environment) -> Algorithm:
    """Return this library's algorithm for a batch of environments."""
    settings: Settings = plan.hyperparameters
    return settings.create(
        environment.single_observation_space.shape[0],
        environment.single_action_space.shape[0],
        Seeds.of(plan.seed).algorithm,
        "cpu",
    )


def their_algorithm(plan: Plan, environment: VecEnv) -> BaseAlgorithm:
    """Return Stable-Baselines3's algorithm, with hyperparameters translated from ours."""
    s = plan.hyperparameters
    network = {"net_arch": list(s.hidden_sizes), "activation_fn": ACTIVATIONS[s.activation]}
    common: dict[str, Any] = {
        "policy": "MlpPolicy",
        "env": environment,
        "gamma": s.discount,
        "seed": Seeds.of(plan.seed).algorithm,
        "device": "cpu",
    }
    match s:
        case sac.Settings():
            return SAC(
                **common,
                **_off_policy(s),
                learning_rate=s.learning_rate,
                ent_coef=f"auto_{s.initial_temperature}",
                policy_kwargs=network,
            )
        case ddpg.Settings():
            size = environment.action_space.shape[0]
            noise = NormalActionNoise(np.zeros(size), np.full(size, s.exploration_noise))
            return DDPG(
                **common,
                **_off_policy(s),
                learning_rate=s.critic_learning_rate,
                action_noise=noise,
                policy_kwargs=network,
            )
    return PPO(
        **common,
        learning_rate=s.learning_rate,
        n_steps=s.rollout_steps,
        batch_size=s.minibatch_size,
        n_epochs=s.epochs,
        gae_lambda=s.gae_lambda,
        clip_range=s.clip_range,
        ent_coef=s.entropy_coefficient,
        vf_coef=s.value_coefficient,
        max_grad_norm=s.max_gradient_norm,
        policy_kwargs={**network, "log_std_init": s.initial_log_std},
    )


def _off_policy(s: Any) -> dict[str, Any]:
    return {
        "batch_size": s.batch_size,
        "tau": s.target_rate,
        "learning_starts": s.learning_starts,
        "buffer_size": s.replay_capacity,
        "train_freq": 1,
        "gradient_steps": -1,  # one for each transition
    }


def _train_ours(plan: Plan, batch: Environment, settings: Settings, judge: Judge) -> None:
    algorithm = our_algorithm(plan, batch)
    observations, _ = batch.reset(seed=Seeds.of(plan.seed).training)
    steps = 0
    while steps < plan.steps:
        actions = algorithm.act(observations)
        following, rewards, terminated, truncated, infos = batch.step(actions)
        last = following
        if "final_obs" in infos:
            ended = infos["_final_obs"]
            last = following.copy()
            last[ended] = infos["final_obs"][ended]
        learn(algorithm, Transition(observations, actions, rewards, last, terminated, truncated))
        observations = following
        steps += settings.environments
        judge.look(steps, algorithm.controller)


def _train_theirs(plan: Plan, batch: Environment, settings: Settings, judge: Judge) -> None:
    environment: VecEnv = StableBaselinesEnv(batch, Seeds.of(plan.seed).training)
    normalised: VecNormalize | None = None
    if isinstance(settings, ppo.Settings):
        normalised = VecNormalize(
            environment,
            norm_obs=settings.normalise_observations,
            norm_reward=settings.scale_rewards,
            clip_obs=settings.observation_clip,
            clip_reward=settings.reward_clip,
            gamma=settings.discount,
        )
        environment = normalised
    model = their_algorithm(plan, environment)
    watching = _Watching(judge.look, Theirs(model, normalised))
    model.learn(plan.steps, callback=watching)


@dataclass(frozen=True)
class Theirs:
    """The deterministic policy of a model of Stable-Baselines3, as a controller."""

    model: BaseAlgorithm
    normalised: VecNormalize | None = None

    def reset(self, which: Any) -> None:
        """Do nothing, because an action depends on the observation alone."""

    def act(self, observations: Observations) -> Actions:
        """Return actions ``(B, actions)``."""
        if self.normalised is not None:
            observations = self.normalised.normalize_obs(observations)
        actions, _ = self.model.predict(observations, deterministic=True)
        return np.asarray(np.clip(actions, -1.0, 1.0), dtype=np.float32)


class _Watching(BaseCallback):
    def __init__(self, look: Callable[[int, Agent], None], controller: Agent) -> None:
        super().__init__()
        self._look, self._controller = look, controller

    def _on_step(self) -> bool:
        self._look(self.num_timesteps, self._controller)
        return True


@contextmanager
def _environments(plan: Plan, count: int) -> Iterator[Environment]:
    with closing(make(plan.task, count)) as environment:
        yield environment
