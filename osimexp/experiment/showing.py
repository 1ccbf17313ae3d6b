"""Movements for the commands that draw and measure: played by a controller or read from a file."""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import Field

from osimexp.analysis.gait.feet import feet_of
from osimexp.analysis.gait.settings import GaitSettings, default_settings
from osimexp.analysis.shown import DrawnModel, Shown
from osimexp.config import check, entry
from osimexp.errors import ConfigError, ModelError
from osimexp.experiment.playing import Changes, Chosen, Played, played
from osimexp.experiment.recording import record, recording_environment
from osimexp.experiment.run_folder import RunFolder
from osimexp.experiment.seeding import Seeds, prepare_torch
from osimexp.models.muscle_sets import MuscleSet
from osimexp.models.prepare import PreparedModel, prepare
from osimexp.models.settings import ModelSettings
from osimexp.motion.files import read_movement, with_ground_reactions
from osimexp.physics.posing.state_paths import state_paths
from osimexp.tasks.specification import Specification


@dataclass(frozen=True)
class ShownSettings:
    """Settings of the movement that is drawn or measured, shared by several commands.

    Attributes:
        run: folder of the run whose controller is played for one episode.
        movement: ``.sto`` or ``.mot`` file to replay instead, on the run's model if a run is given,
            else on that of ``model``.
        ground_reactions: file of the ground reactions that belong to ``movement``.
        controller: the run's own controller (``policy``) or a kind to compare it with; or the name
            of a packaged controller.
        value: value of every action of the constant controller, in [-1, 1].
        excitations: file of excitations that the open-loop controller plays.
        fill: values for columns that the run's controller or the changed task lacks, by patterns of
            names; null leaves a column out.
        checkpoint: checkpoint of the run, ``best`` or ``latest``; null takes the best if there is
            one.
        seed: seed of the episode; null takes that of the first episode of the run's final
            evaluation.
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
            raise ValueError("ground_reactions belong to a movement, which must be given, too")


def shown(config: Mapping[str, Any]) -> tuple[Shown, dict[str, Any]]:
    """Return the movement that a command's config names, and the values that are the command's own.

    Raises:
        OsimexpError: a file, a run or a value cannot be used.
    """
    values = dict(config)
    changes = Changes.taken_from(values)
    own = ShownSettings.__dataclass_fields__
    settings = check(ShownSettings, {k: v for k, v in values.items() if k in own}, "shown")
    rest = {k: v for k, v in values.items() if k not in own}
    if changes.start and settings.movement is not None:
        raise ConfigError("start is for controllers, and a movement is only replayed.")
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
        _with_feet(rest),
    ), rest


def from_run(
    folder: RunFolder,
    settings: ShownSettings,
    kind: Played = "policy",
    changes: Changes | None = None,
) -> Shown:
    """Return the movement of one episode of a run's controller, or of another one in its task.

    Args:
        folder: folder of the run.
        settings: settings of the movement, with its checkpoint and seed.
        kind: the run's own controller, or a kind to compare it with.
        changes: parts of the run's config that are replaced.

    Raises:
        OsimexpError: the run cannot be used, or its task has no musculoskeletal model.
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
        # Nothing is written into the folder of a packaged controller.
        home = None if settings.run is None else folder.path
        return Shown(title, environment.model, movement, home)


def _with_feet(config: Mapping[str, Any]) -> GaitSettings:
    """Return the settings of the feet, of which a command may name others."""
    known = default_settings()
    own = {"feet": config.get("feet", known.feet), "toes": config.get("toes", known.toes)}
    return replace(known, **check(_Feet, own, "gait").__dict__)


@dataclass(frozen=True)
class _Feet:
    """Names of each side's foot body and body of toes."""

    feet: dict[str, tuple[str, ...]]
    toes: dict[str, tuple[str, ...]]


def from_file(
    path: Path,
    model: PreparedModel,
    ground_reactions: Path | None = None,
    settings: GaitSettings | None = None,
) -> Shown:
    """Return a movement from a file.

    Args:
        path: file of the movement.
        model: model that moves.
        ground_reactions: file of its ground reactions, or None.
        settings: settings that name the feet, which the force plates are told by; None takes those
            of ``conf/command/gait.yaml``.

    Raises:
        MovementError: a file cannot be read, or is of another model.
    """
    drawn = DrawnModel(model)
    made = Shown(path.stem, model, read_movement(path, state_paths(model)), drawn=drawn)
    if ground_reactions is None:
        return made
    try:
        feet = feet_of(made, settings or default_settings())
    except ModelError:
        # A model without feet of known names has no side for a plate to belong to.
        return replace(made, movement=with_ground_reactions(made.movement, ground_reactions))
    moved = with_ground_reactions(made.movement, ground_reactions, feet)
    return replace(made, movement=moved, posed=made.poses)
