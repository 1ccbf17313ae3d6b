"""What the commands that draw and measure are given: a played or recorded movement."""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import Field

from osimexp.analysis.shown import Shown
from osimexp.config import check, entry
from osimexp.errors import ConfigError
from osimexp.experiment.playing import Changes, Chosen, Played, played
from osimexp.experiment.recording import record, recording_environment
from osimexp.experiment.run_folder import RunFolder
from osimexp.experiment.seeding import Seeds, prepare_torch
from osimexp.models.muscle_sets import MuscleSet
from osimexp.models.prepare import PreparedModel, prepare
from osimexp.models.settings import ModelSettings
from osimexp.motion.files import read_movement
from osimexp.physics.posing.state_paths import state_paths
from osimexp.tasks.specification import Specification


@dataclass(frozen=True)
class ShownSettings:
    """Settings that say what is drawn or measured, shared by several commands.

    Attributes:
        run: folder of a run whose policy is played for one episode.
        movement: a ``.sto`` or ``.mot`` file to be replayed instead; on the run's model where a
            run is given, else on that of ``model``.
        ground_reactions: a file of the forces that belong to ``movement``.
        controller: the run's ``policy``; ``random``, ``constant`` or ``open_loop``, to compare it
            with in the run's own task; or one of osimexp's own, such as ``walk``, in its own task.
        value: of every action of the constant controller, in [-1, 1].
        excitations: file of excitations that the open-loop controller plays back.
        fill: value in the place of columns that only the controller or only the task has, by
            patterns of their names, such as ``{activations/*: 0.0}``; null leaves them out.
        checkpoint: the policy, ``best`` or ``latest``; null takes the best if there is one.
        seed: of the episode; null takes that of the first of the run's final evaluation.
    """

    run: str | None = None
    movement: str | None = None
    ground_reactions: str | None = None
    controller: str = "policy"
    value: float = 0.0
    excitations: str | None = None
    fill: dict[str, float | None] | None = None
    checkpoint: Literal["best", "latest"] | None = None
    seed: Annotated[int, Field(ge=0)] | None = None

    def __post_init__(self) -> None:
        if self.run is None and self.movement is None and self.controller in get_args(Played):
            raise ValueError(
                "give a run (run=outputs/...), a movement (movement=walk.mot) or a controller that "
                "comes with osimexp (controller=walk)"
            )
        if self.ground_reactions is not None and self.movement is None:
            raise ValueError("ground_reactions belong to a movement, which must be given too")


def shown(config: Mapping[str, Any]) -> tuple[Shown, dict[str, Any]]:
    """Return what a command's config shows, and those of its values that are the command's own.

    Raises:
        OsimexpError: a file, a run or a value cannot be used.
    """
    values = dict(config)
    changes = Changes.taken_from(values)
    own = ShownSettings.__dataclass_fields__
    settings = check(ShownSettings, {k: v for k, v in values.items() if k in own}, "shown")
    rest = {k: v for k, v in values.items() if k not in own}
    if changes.start and settings.movement is not None:
        raise ConfigError("start belongs to what is played, and a movement is only replayed.")
    if settings.movement is None:
        folder, kind = played(settings.run, settings.controller)
        return from_run(folder, settings, kind, changes), rest
    model, muscles = changes.model, changes.muscles
    if settings.run is not None:
        run_config = RunFolder.open(Path(settings.run)).config()
        model = model or entry(run_config, "model")
        muscles = muscles or entry(run_config, "muscles")
    elif model is None:
        raise ConfigError(
            "A movement needs the model that moves: model=gait2d, model=file model.path=my.osim or "
            "run=outputs/..."
        )
    muscle_set = check(MuscleSet, muscles or {}, "muscles")
    prepared = prepare(check(ModelSettings, model, "model"), muscle_set)
    return from_file(
        Path(settings.movement),
        prepared,
        None if settings.ground_reactions is None else Path(settings.ground_reactions),
    ), rest


def from_run(
    folder: RunFolder,
    settings: ShownSettings,
    kind: Played = "policy",
    changes: Changes | None = None,
) -> Shown:
    """Play a run's policy, or another controller in the run's task, for one episode.

    Args:
        folder: of the run.
        settings: which checkpoint and which episode.
        kind: which controller.
        changes: what takes the place of parts of the run's config.

    Raises:
        OsimexpError: the run cannot be used, or its task moves no model.
    """
    config = folder.config()
    if "_target_" in entry(config, "task"):
        raise ConfigError(f"The task of {folder.path} moves no musculoskeletal model to be shown.")
    task = Specification.from_config((changes or Changes()).of(config))
    prepare_torch("cpu", 1)
    seed = settings.seed
    if seed is None:
        seed = Seeds.of(config.get("seed")).final_evaluation
    name = settings.checkpoint or folder.judged_checkpoint()
    chosen = Chosen(
        folder, kind, name, seed, settings.value, settings.excitations, settings.fill or {}
    )
    with closing(recording_environment(chosen.suited(task))) as environment:
        movement = record(environment, chosen.controller(environment), seed)
        title = f"{folder.path.name} ({chosen.called})"
        # Nothing is written beside a controller that comes with the package.
        home = None if settings.run is None else folder.path
        return Shown(title, environment.model, movement, home)


def from_file(path: Path, model: PreparedModel, ground_reactions: Path | None = None) -> Shown:
    """Take a movement from a file.

    Raises:
        MovementError: a file cannot be read, or is of another model.
    """
    return Shown(path.stem, model, read_movement(path, state_paths(model), ground_reactions))
