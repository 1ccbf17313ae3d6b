"""The training loop: act, step, learn; log, evaluate and save when each is due."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any

import numpy as np

from osimexp.algorithms.algorithm import Algorithm, Transition
from osimexp.controllers.controller import Actions, Observations
from osimexp.controllers.labels import Labels
from osimexp.controllers.saved import Saved, restored
from osimexp.errors import RunFolderError, SimulationError
from osimexp.experiment import checkpoint
from osimexp.experiment.checkpoint import Checkpoint
from osimexp.experiment.evaluation import evaluate
from osimexp.experiment.interruption import Interrupted, Interruption, Judge, Pruned
from osimexp.experiment.logger import Logger
from osimexp.experiment.looking import Look
from osimexp.experiment.progress import Progress, in_words
from osimexp.experiment.run_folder import RunFolder
from osimexp.experiment.seeding import episode_seed_after_resume
from osimexp.experiment.settings import RunSettings
from osimexp.experiment.stepping import Stepping, stepper
from osimexp.experiment.window import Window
from osimexp.files import write_json
from osimexp.tasks.environment import Environment
from osimexp.tasks.finite import require_finite_step


@dataclass
class Progressed:
    """The progress of a run, which is part of its checkpoints.

    Attributes:
        steps: environment steps made, summed over the batch.
        episodes: number of episodes that ended.
        evaluated: steps at the last evaluation.
        logged: steps at the last row of metrics.
        saved: steps at the last regular checkpoint.
        best_return: highest mean return of an evaluation.
        seconds: wall time, s.
        last: means of the metrics of the last episodes that ended.
    """

    steps: int = 0
    episodes: int = 0
    evaluated: int = 0
    logged: int = 0
    saved: int = 0
    best_return: float | None = None
    seconds: float = 0.0
    last: dict[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, saved: Mapping[str, Any]) -> "Progressed":
        """Return saved progress; that of 0.1.0 has a last return in place of the last metrics."""
        values = dict(saved)
        before = values.pop("last_return", None)
        return cls(**values) if before is None else cls(**values, last={"return": before})

    def check(self, steps: int) -> None:
        """Refuse what is not the progress of a run after ``steps``.

        Raises:
            ValueError: a number is none, or not of that many steps.
        """
        counted = (self.steps, self.episodes, self.evaluated, self.logged, self.saved)
        if not all(type(n) is int and 0 <= n <= steps for n in counted) or self.steps != steps:
            raise ValueError("its progress is not of its steps")
        means = [*self.last.values(), self.seconds]
        if self.best_return is not None:
            means.append(self.best_return)
        if not all(isinstance(mean, float | int) for mean in means):
            raise ValueError("its returns or its time are no numbers")


@dataclass
class TrainingLoop:
    """The training of one algorithm on one batch of environments.

    Call ``begin`` or ``resume`` first, then ``run``.

    Attributes:
        settings: budget and intervals.
        environment: training environments.
        algorithm: algorithm that learns.
        judged: environments in which the controller is evaluated.
        evaluation_seed: seed of the first episode of each evaluation.
        logger: writer of the metrics.
        folder: folder for checkpoints and evaluations.
        config_hash: hash that is written to the checkpoints.
        progress: display of the progress.
        interruption: context that notes signals.
        look: function that makes the images of an evaluation; None makes none.
        judge: function that can end the run after an evaluation; None never does.
    """

    settings: RunSettings
    environment: Environment
    algorithm: Algorithm
    judged: Environment
    evaluation_seed: int
    logger: Logger
    folder: RunFolder
    config_hash: str
    progress: Progress
    interruption: Interruption
    look: Look | None = None
    judge: Judge | None = None
    at: Progressed = field(default_factory=Progressed)

    def __post_init__(self) -> None:
        self._labels = Labels.of(self.environment)
        self._observations: Observations = np.empty((0, 0), dtype=np.float32)
        self._window = Window()
        self._clock = Window()
        self._counted_before: dict[str, int] = {}
        self._notes: list[str] = []

    def begin(self, seed: int) -> None:
        """Begin the first episodes."""
        self._observations, _ = self.environment.reset(seed=seed)

    def resume(self, saved: Checkpoint, seed: int) -> None:
        """Continue from a checkpoint; episodes that cannot be restored begin again.

        Nothing is written.

        Raises:
            RunFolderError: the columns of the task are not those that the controller was trained
                with.
            Exception: the state of a part is not one that it can have.
        """
        self._check_labels(saved)
        state = saved.state
        self.at = Progressed.of(state["progress"])
        self.at.check(saved.steps)
        self.algorithm.load_state_dict(state["algorithm"])
        self._window.load_state_dict(state["window"])
        if state["environment"] is None:
            self._notes.append("These environments cannot be restored: new episodes begin.")
            seed = episode_seed_after_resume(seed, self.at.steps)
            self._observations, _ = self.environment.reset(seed=seed)
        else:
            self._observations = self.environment.restore(state["environment"])
        if not state["replay"]:
            self._notes.append(
                "The checkpoint holds no replay: learning goes on with an empty one."
            )
        size = self.environment.single_observation_space.shape
        if self._observations.shape != (self.environment.num_envs, *size):
            raise ValueError("its environments are of another number")
        if not np.isfinite(self._observations).all():
            raise ValueError("the observations of its environments are not finite")
        if not all(type(count) is int for count in state["counts"].values()):
            raise ValueError("its counts are no numbers")
        # An environment may or may not restore its counts with its snapshot.
        now = self.environment.counts()
        self._counted_before = {name: n - now.get(name, 0) for name, n in state["counts"].items()}

    def run(self) -> None:
        """Train until the budget is spent.

        Work that is due is done before the next step and not after the last one, so that a run that
        was saved between the two does it when it is resumed.

        Raises:
            Interrupted: a signal came; a checkpoint was written.
            Pruned: the judge ended the run.
        """
        for note in self._notes:
            self.progress.say(note)
        # Environments of other packages may not bear to be stepped in another thread.
        beside = self.algorithm.off_policy and self.environment.backend is not None
        try:
            with stepper(self.environment, beside) as begin_step:
                while True:
                    self._do_what_is_due()
                    if self.at.steps >= self.settings.steps:
                        break
                    self.interruption.check()
                    self._step(begin_step)
                    self.progress.update(self.at.steps, self.at.last)
        except Interrupted:
            self.save()
            raise
        self.save()
        if self.at.steps > self.at.logged:
            self.logger.write(self.at.steps, self._row(), partial=True)

    def save(self) -> None:
        """Write the checkpoint from which the run can continue exactly."""
        replay = self.settings.checkpoint.replay
        self._write_checkpoint(
            "latest",
            {
                "progress": vars(self.at),
                "algorithm": self.algorithm.state_dict(replay=replay),
                "replay": replay,
                "controller": self._controller(),
                "environment": self.environment.snapshot(),
                "counts": self._counts(),
                "window": self._window.state_dict(),
                "logger": self.logger.state_dict(),
            },
        )

    def _step(self, begin_step: Callable[[Actions], Stepping]) -> None:
        begin = time.perf_counter()
        observations, algorithm = self._observations, self.algorithm
        actions = algorithm.act(observations)
        stepping = begin_step(actions)
        # The updates that the steps so far made due, while this one is simulated.
        metrics = algorithm.update() if algorithm.off_policy else {}
        updated = time.perf_counter()
        stepped, simulated = stepping()
        waited = time.perf_counter()
        following, rewards, terminated, truncated, infos = stepped
        next_observations = following
        if "final_obs" in infos:
            ended = infos["_final_obs"]
            next_observations = following.copy()
            next_observations[ended] = infos["final_obs"][ended]
        number = self.at.steps // self.environment.num_envs + 1
        require_finite_step(next_observations, rewards, number)
        algorithm.take(
            Transition(observations, actions, rewards, next_observations, terminated, truncated)
        )
        if not algorithm.off_policy:
            metrics = algorithm.update()
        _require_finite_losses(metrics, self.at.steps)
        self._observations = following
        self._take_in(metrics, infos)
        end = time.perf_counter()
        self._clock.add("simulation", simulated)
        self._clock.add("learning", updated - begin + end - waited)
        self._clock.add("whole", end - begin)
        self.at.seconds += end - begin

    def _take_in(self, metrics: dict[str, float], infos: dict[str, Any]) -> None:
        self.at.steps += self.environment.num_envs
        self.at.episodes += self._window.add_episodes(infos)
        if "episode" in infos:
            ended = infos["_episode"]
            self.at.last = {
                name: float(np.mean(values[ended]))
                for name, values in infos["episode"].items()
                if not name.startswith("_")
            }
        for name, value in metrics.items():
            self._window.add(f"learning/{name}", value)

    def _do_what_is_due(self) -> None:
        at, settings = self.at, self.settings
        if _due(at.steps, at.evaluated, settings.evaluation.every):
            self._evaluate()
            at.evaluated = at.steps
        if _due(at.steps, at.logged, settings.log.every):
            row = self._row()
            self.logger.write(at.steps, row)
            self.progress.show(row)
            at.logged = at.steps
            self._window.clear()
            self._clock.clear()
        if _due(at.steps, at.saved, settings.checkpoint.every):
            at.saved = at.steps
            self.save()

    def _evaluate(self) -> None:
        begin = time.perf_counter()
        evaluated = evaluate(
            self.judged,
            self.algorithm.controller,
            self.settings.evaluation.episodes,
            self.evaluation_seed,
            self.interruption.check,
        )
        means = evaluated.means()
        write_json(
            self.folder.evaluation_file(str(self.at.steps)),
            {"steps": self.at.steps, **evaluated.as_json()},
        )
        for name, value in means.items():
            self._window.add(f"evaluation/{name}", value)
        if self.at.best_return is None or means["return"] > self.at.best_return:
            self.at.best_return = means["return"]
            self._write_checkpoint("best", {"controller": self._controller()})
        if self.look is not None:
            images = self.look(self.algorithm.controller, self.interruption.check)
            self.logger.write_images(self.at.steps, images)
        self.at.seconds += time.perf_counter() - begin
        fallen = f", {means['fallen']:.0%} fallen" if "fallen" in means else ""
        self.progress.say(f"Evaluation at {self.at.steps:,} steps: {in_words(means)}{fallen}.")
        if self.judge is not None and (reason := self.judge(self.at.steps, means)) is not None:
            raise Pruned(reason)

    def _row(self) -> dict[str, float]:
        spent = self._clock.means()
        # The mean is over steps of the batch; each is one step in every environment.
        rates = {name: self.environment.num_envs / mean for name, mean in spent.items() if mean}
        together = rates.pop("whole", 0.0)
        return {
            "episodes": self.at.episodes,
            **{f"counts/{name}": count for name, count in self._counts().items()},
            **self._window.means(),
            "time/elapsed": self.at.seconds,
            "time/steps_per_second": together,
            **{f"time/{name}_steps_per_second": rate for name, rate in rates.items()},
        }

    def _counts(self) -> dict[str, int]:
        before = self._counted_before
        return {name: n + before.get(name, 0) for name, n in self.environment.counts().items()}

    def _check_labels(self, saved: Checkpoint) -> None:
        labels = restored(saved.controller, str(self.folder.checkpoint_file("latest"))).labels
        if labels is None:
            return
        before = (*labels.observations, *labels.actions)
        now = (*self._labels.observations, *self._labels.actions)
        for then, here in zip_longest(before, now, fillvalue="nothing"):
            if then != here:
                raise RunFolderError(
                    f"{self.folder.path} was trained with {then}, and its task has {here} now, so "
                    f"it cannot be continued; begin a new run with init_from={self.folder.path}."
                )

    def _controller(self) -> dict[str, Any]:
        """Return the controller that is being learned as plain data."""
        return Saved(self.algorithm.controller, self._labels).data()

    def _write_checkpoint(self, name: str, state: dict[str, Any]) -> None:
        content = Checkpoint(self.at.steps, self.config_hash, state)
        checkpoint.save(self.folder.checkpoint_file(name), content)


def _due(steps: int, last: int, every: int) -> bool:
    """Return whether a multiple of ``every`` is above ``last`` and not above ``steps``."""
    return steps // every > last // every


def _require_finite_losses(metrics: dict[str, float], steps: int) -> None:
    for name, value in metrics.items():
        if "loss" in name and not np.isfinite(value):
            raise SimulationError(
                f"The {name} became {value} after {steps} steps, so that nothing can be learned "
                "any more; a lower learning rate or smaller rewards may help."
            )
