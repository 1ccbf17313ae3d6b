"""The controller that a command is asked to play."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

import numpy as np

from osimexp.config import entry
from osimexp.controllers.controller import Controller
from osimexp.controllers.labels import Fill, Labels
from osimexp.controllers.saved import restored
from osimexp.controllers.scripted import Constant, Uniform
from osimexp.errors import ConfigError, near_matches
from osimexp.experiment import checkpoint
from osimexp.experiment.open_loop import open_loop
from osimexp.experiment.run_folder import RunFolder
from osimexp.experiment.trained import trained
from osimexp.tasks.environment import Environment
from osimexp.tasks.make import Task
from osimexp.tasks.musculoskeletal import MusculoskeletalVectorEnv
from osimexp.tasks.specification import Specification

AnyTask = TypeVar("AnyTask", bound=Task)

Played = Literal["policy", "random", "constant", "open_loop"]


def played(run: str | None, controller: str) -> tuple[RunFolder, Played]:
    """Return the folder of what a command plays, and which controller of it.

    Args:
        run: folder of a run, None for a controller that comes with the package.
        controller: of ``Played``, in the run's task; or the name of one that comes with the
            package, in the task that it was trained in.

    Raises:
        ConfigError: neither or both are given, or there is no such controller.
        RunFolderError: the run cannot be used.
    """
    for kind in get_args(Played):
        if controller == kind:
            if run is None:
                raise ConfigError(
                    "Give a run (run=outputs/...) or a controller that comes with osimexp "
                    "(controller=walk)."
                )
            return RunFolder.open(Path(run)), kind
    folder = trained(controller)
    if run is not None:
        raise ConfigError(
            f"controller={controller} brings its own task; leave run out, or take "
            "controller=policy to play the run's."
        )
    return folder, "policy"


@dataclass(frozen=True)
class Chosen:
    """The controller that a command is asked to play.

    Attributes:
        folder: of the run in whose task it acts.
        kind: the run's own controller, or one to compare it with.
        checkpoint: ``best`` or ``latest``, of the run's own.
        seed: of the random controller.
        value: of every action of the constant controller, in [-1, 1].
        excitations: file that the open-loop controller plays back.
        fill: what becomes of columns that the run's own controller or the task lacks; see
            ``osimexp.controllers.labels.fit``.
        device: what a policy runs on.

    Raises:
        ConfigError: a value is given to a kind that has no use for it, or is missing.
    """

    folder: RunFolder
    kind: Played
    checkpoint: str
    seed: int = 0
    value: float = 0.0
    excitations: str | None = None
    fill: Fill = field(default_factory=dict)
    device: str = "cpu"

    def __post_init__(self) -> None:
        if self.kind == "open_loop" and self.excitations is None:
            raise ConfigError(
                "controller=open_loop plays back excitations; give their file, as "
                "excitations=..._controls.sto."
            )
        if self.kind != "open_loop" and self.excitations is not None:
            raise ConfigError("excitations are played back by controller=open_loop alone.")
        if self.kind != "policy" and self.fill:
            raise ConfigError(
                f"fill is for what the run's own controller lacks, and controller={self.kind} is "
                "made for the task."
            )

    @property
    def called(self) -> str:
        """What titles and files call it."""
        return self.checkpoint if self.kind == "policy" else self.kind

    def suited(self, task: AnyTask) -> AnyTask:
        """Return the run's task as one that the controller can act in.

        Raises:
            ConfigError: excitations are to be played, and the task moves no model.
        """
        if self.kind != "open_loop":
            return task
        if not isinstance(task, Specification):
            raise ConfigError(
                f"The task of {self.folder.path} moves no model, so that it has no excitations."
            )
        # A recorded excitation belongs to its own side.
        return replace(task, symmetry=None)

    def controller(self, environment: Environment) -> Controller:
        """Return the controller, fitted to the columns of an environment.

        Raises:
            ConfigError: it observes or does something else than the environment.
            MovementError: the file of excitations cannot be used.
            RunFolderError: there is no such checkpoint, or it cannot be read.
        """
        actions = environment.single_action_space.shape[0]
        if self.kind == "constant":
            return Constant(actions, self.value)
        if self.kind == "random":
            return Uniform(actions, np.random.default_rng(self.seed))
        if self.kind == "open_loop":
            assert self.excitations is not None
            assert isinstance(environment, MusculoskeletalVectorEnv)
            return open_loop(Path(self.excitations), environment)
        file = self.folder.checkpoint_file(self.checkpoint)
        saved = restored(checkpoint.load(file).controller, str(file), self.device)
        who = f"The controller of {self.folder.path}"
        return saved.fitted(Labels.of(environment), self.fill, who)


@dataclass(frozen=True)
class Changes:
    """Parts of a run's config that a command plays it with others of.

    Attributes:
        model: the body that moves, such as ``gait2d_prosthesis``, or ``file`` with
            ``model.path=my.osim``; null is that of the run.
        muscles: which muscles it has and how strong they are, such as ``weak_plantarflexors``;
            null are those of the run.
        physics: what simulates it, ``opensim`` or ``compiled``; null is that of the run.
        push: pushes in an episode, ``random`` with ``push.impulse=10``; null are those of the run.
        start: values of the run's start to be changed, as ``start={standing:1}``; noise that only
            helps to learn stays out.
        workers: processes or threads that simulate; null are those of the run.
    """

    model: Mapping[str, Any] | None = None
    muscles: Mapping[str, Any] | None = None
    physics: Mapping[str, Any] | None = None
    push: Mapping[str, Any] | None = None
    start: Mapping[str, Any] | None = None
    workers: Mapping[str, Any] | None = None

    @classmethod
    def taken_from(cls, values: dict[str, Any]) -> "Changes":
        """Take the parts that are named so out of a command's values."""
        return cls(**{field.name: values.pop(field.name, None) for field in fields(cls)})

    def given(self) -> dict[str, Any]:
        """Return those that are given and change what is played, by name."""
        named = {**vars(self), "start": self.start or None}
        return {n: value for n, value in named.items() if value is not None and n != "workers"}

    def of(self, config: Mapping[str, Any]) -> dict[str, Any]:
        """Return a run's config with these parts in the place of its own.

        Raises:
            ConfigError: the run's task moves no model, or its start has no such value.
        """
        given = self.given()
        if given and "_target_" in entry(config, "task"):
            name = next(iter(given))
            raise ConfigError(f"The run's task moves no model, so that {name} cannot be given.")
        changed = dict(config)
        start = dict(given.pop("start", {}))
        if start:
            present = entry(config, "start")
            for key in start:
                if key not in present:
                    known = [name for name in present if not str(name).startswith("_")]
                    raise ConfigError(f"start.{key} is not a known key; {near_matches(key, known)}")
            changed["start"] = {**present, **start}
        if self.workers is not None:
            changed["workers"] = self.workers
        return {**changed, **given}
