"""The controller that a command plays."""

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
    """Return the run folder of the controller that a command plays, and the kind of controller.

    Args:
        run: folder of a run; None for a packaged controller.
        controller: one of ``Played``, in the run's task; or the name of a packaged controller, in
            the task that it was trained in.

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
    """The controller that a command plays.

    Attributes:
        folder: folder of the run in whose task the controller acts.
        kind: the run's own controller, or a kind to compare it with.
        checkpoint: ``best`` or ``latest``, for the run's own controller.
        seed: seed of the random controller.
        value: value of every action of the constant controller, in [-1, 1].
        excitations: file that the open-loop controller plays.
        fill: values for columns that the run's own controller or the task lacks, see
            ``osimexp.controllers.labels.fit``.
        device: device of a policy.

    Raises:
        ConfigError: a value is given that the kind does not use, or one that it needs is missing.
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
                "controller=open_loop plays excitations from a file; give it as "
                "excitations=..._controls.sto."
            )
        if self.kind != "open_loop" and self.excitations is not None:
            raise ConfigError("excitations can be given with controller=open_loop alone.")
        if self.kind != "policy" and self.fill:
            raise ConfigError(
                f"fill is for what the run's own controller lacks, and controller={self.kind} is "
                "made for the task."
            )

    @property
    def called(self) -> str:
        """Name in titles and files."""
        return self.checkpoint if self.kind == "policy" else self.kind

    def suited(self, task: AnyTask) -> AnyTask:
        """Return the run's task as one that the controller can act in.

        Raises:
            ConfigError: the controller plays excitations, and the task has no musculoskeletal
                model.
        """
        if self.kind != "open_loop":
            return task
        if not isinstance(task, Specification):
            raise ConfigError(
                f"The task of {self.folder.path} moves no model, so that it has no excitations."
            )
        # A recorded excitation belongs to its own side, so nothing is mirrored.
        return replace(task, symmetry=None)

    def controller(self, environment: Environment) -> Controller:
        """Return the controller for the columns of an environment.

        Raises:
            ConfigError: the controller does not fit the environment's columns.
            MovementError: the file of excitations cannot be used.
            RunFolderError: the checkpoint does not exist or cannot be read.
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
    """Parts of a run's config that a command replaces.

    Attributes:
        model: model to play on, such as ``gait2d_prosthesis``; null keeps the run's.
        muscles: muscle set, such as ``weak_plantarflexors``; null keeps the run's.
        physics: ``opensim`` or ``compiled``; null keeps the run's.
        push: pushes, such as ``random`` with ``push.impulse=10``; null keeps the run's.
        start: values of the run's start to change, such as ``start={standing:1}``.
        workers: processes or threads of the simulation; null keeps the run's.
    """

    model: Mapping[str, Any] | None = None
    muscles: Mapping[str, Any] | None = None
    physics: Mapping[str, Any] | None = None
    push: Mapping[str, Any] | None = None
    start: Mapping[str, Any] | None = None
    workers: Mapping[str, Any] | None = None

    @classmethod
    def taken_from(cls, values: dict[str, Any]) -> "Changes":
        """Return the changes in a command's values, and remove them from the values."""
        return cls(**{field.name: values.pop(field.name, None) for field in fields(cls)})

    def given(self) -> dict[str, Any]:
        """Return the changes that are given, by name."""
        named = {**vars(self), "start": self.start or None}
        return {n: value for n, value in named.items() if value is not None and n != "workers"}

    def of(self, config: Mapping[str, Any]) -> dict[str, Any]:
        """Return a run's config with these changes.

        Raises:
            ConfigError: the run's task has no musculoskeletal model, or its start has no such
                value.
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
