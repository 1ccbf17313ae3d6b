"""One run, from its config to its final evaluation."""

import errno
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from osimexp.algorithms.algorithm import Algorithm
from osimexp.config import selected
from osimexp.controllers.labels import Labels
from osimexp.errors import ConfigError, RunFolderError
from osimexp.experiment import checkpoint
from osimexp.experiment.checkpoint import Checkpoint, config_hash
from osimexp.experiment.evaluation import Evaluation, evaluate
from osimexp.experiment.initial import begin
from osimexp.experiment.inputs import read_inputs
from osimexp.experiment.interruption import Interrupted, Interruption, Judge, Pruned
from osimexp.experiment.logger import Logger
from osimexp.experiment.looking import Look, looking
from osimexp.experiment.loop import TrainingLoop
from osimexp.experiment.playing import Chosen
from osimexp.experiment.progress import Progress
from osimexp.experiment.provenance import provenance
from osimexp.experiment.run_folder import RunFolder
from osimexp.experiment.seeding import Seeds, prepare_torch
from osimexp.experiment.summary import summarise
from osimexp.experiment.trained import named
from osimexp.experiment.whole import ExperimentSettings
from osimexp.files import write_json
from osimexp.models.prepare import PreparedModel
from osimexp.plain_yaml import plain_text
from osimexp.tasks.environment import Environment
from osimexp.tasks.make import make, prepared
from osimexp.tasks.specification import Specification
from osimexp.terminal import say
from osimexp.trust import word_for
from osimexp.words import word_of

_FULL = {
    errno.ENOSPC: ("The disk is full", "free some space"),
    errno.EDQUOT: ("The quota of the disk is used up", "free some space"),
    errno.EFBIG: ("A file would be larger than is allowed here", "raise the limit (ulimit -f)"),
}
_UPDATES_OF_A_TRY_OUT = 1000
_READ_ONLY = (errno.EROFS, errno.EACCES, errno.EPERM)


@dataclass(frozen=True)
class Outcome:
    """The result of a finished run.

    Attributes:
        folder: run folder.
        evaluation: final evaluation of the controller.
        checkpoint: checkpoint of that controller, ``best`` or ``latest``.
        command: command that evaluates it again.
        verification: evaluation in the same episodes simulated by OpenSim itself; None if the final
            evaluation was that already.
    """

    folder: Path
    evaluation: Evaluation
    checkpoint: str
    command: str
    verification: Evaluation | None = None


@dataclass(frozen=True)
class _Parts:
    """The parts of a run, which are built before anything is written.

    ``config`` is written to the folder, and ``model`` is shared by all environments.
    """

    settings: ExperimentSettings
    config: Mapping[str, Any]
    seeds: Seeds
    model: PreparedModel | None
    algorithm: Algorithm
    environment: Environment
    evaluation_environment: Environment
    look: Look | None


def run(
    settings: ExperimentSettings,
    folder: Path | None = None,
    *,
    config: Mapping[str, Any] | None = None,
    overrides: Sequence[str] = (),
    facts: Mapping[str, Any] | None = None,
    judge: Judge | None = None,
) -> Outcome:
    """Train by the given settings.

    Nothing is written before the environments and the algorithm are built.

    Args:
        settings: all settings of the run.
        folder: folder of the run; None takes the one in the settings.
        config: config from which the settings were built, which is written to the folder; None
            writes the settings.
        overrides: overrides of the command line.
        facts: further facts for the record of the run; they replace facts with the same name.
        judge: function that can end the run after an evaluation in training.

    Raises:
        OsimexpError: the settings or the run folder cannot be used, or the disk is full.
        Interrupted: Ctrl-C, SIGTERM or SIGHUP; the run was saved.
        Pruned: the judge ended the run.
    """
    path = Path(settings.run.folder) if folder is None else folder
    config = settings.as_config() if config is None else config
    if settings.init_from is not None:
        named(settings.init_from)  # Refused before anything is compiled.
    elif settings.fill:
        raise ConfigError("fill is for the policy of init_from, which is not given.")
    with ExitStack() as stack:
        inputs = read_inputs(config)
        parts = _build(settings, config, stack)
        origin = {**provenance(), **(facts or {})}
        origin.update(_begun(parts))
        origin.update(_mirrored(parts))
        with _disk_full_said(path):
            xml = getattr(parts.environment, "model_xml", None)
            opened = RunFolder.create(path, config, overrides, origin, xml, inputs)
        with opened.claimed():
            return _train(opened, parts, None, judge, anew=False)


def go_on(
    folder: RunFolder, config: Mapping[str, Any] | None = None, judge: Judge | None = None
) -> Outcome:
    """Continue a run from its latest checkpoint, or begin it anew if it has not come to the first.

    Args:
        folder: folder of the run.
        config: config of the run, with another budget or for another machine; None takes the run's
            own.
        judge: function that can end the run after an evaluation in training.

    Raises:
        OsimexpError: the config, the run folder or the checkpoint cannot be used, or the disk is
            full.
        Interrupted: Ctrl-C, SIGTERM or SIGHUP; the run was saved.
        Pruned: the judge ended the run.

    """
    config = folder.values() if config is None else config
    settings = ExperimentSettings.from_config(folder.played(config))
    saved = _checkpoint_to_go_on_from(folder, config, settings.run.steps)
    with ExitStack() as stack:
        parts = _build(settings, config, stack)
        with folder.claimed():
            return _train(folder, parts, saved, judge, anew=saved is None)


def _checkpoint_to_go_on_from(
    folder: RunFolder, config: Mapping[str, Any], budget: int
) -> Checkpoint | None:
    """Return the latest checkpoint; None if the run ended before its first one was due."""
    file, record = folder.checkpoint_file("latest"), folder.record()
    if not file.exists() and record["state"] != "finished":
        values = folder.values()
        due = selected(values, "run.checkpoint.every")
        batch = selected(values, "algo.environments")
        steps = summarise(folder).steps
        # The row of the steps at which the first checkpoint is due is written before it.
        if isinstance(due, int) and isinstance(batch, int) and steps < due + max(batch, 1):
            say(f"{folder.path} ended before its first checkpoint, and begins anew.")
            return None
        raise RunFolderError(f"{file} is missing, and the run made {steps} steps; put it back.")
    saved = checkpoint.load(file)
    for part in ("progress", "algorithm", "window", "environment", "logger", "replay", "counts"):
        if part not in saved.state:
            raise RunFolderError(f"{file} holds no {part}, so that the run cannot go on from it.")
    if record["state"] == "finished" and saved.steps >= budget:
        raise ConfigError(
            f"{folder.path} has finished its {saved.steps} steps; give it a larger budget, "
            f"run.steps={2 * saved.steps}."
        )
    if saved.config_hash != config_hash(config):
        raise RunFolderError(
            f"{folder.config_file} was changed since the run's checkpoint was written; put it back."
        )
    return saved


def _build(settings: ExperimentSettings, config: Mapping[str, Any], stack: ExitStack) -> _Parts:
    seeds = Seeds.of(settings.seed)
    prepare_torch(settings.device, settings.run.threads)
    task, judged = settings.task, settings.run.evaluation
    count = settings.algo.environments
    model = prepared(task)
    environment = stack.enter_context(closing(make(task, count, model=model)))
    longest = max(judged.episodes, judged.final_episodes)
    evaluation_environment = make(task, min(count, longest), "evaluation", model)
    stack.enter_context(closing(evaluation_environment))
    algorithm = settings.algo.create(
        environment.single_observation_space.shape[0],
        environment.single_action_space.shape[0],
        seeds.algorithm,
        settings.device,
    )
    look: Look | None = None
    if judged.images and isinstance(task, Specification):
        look = stack.enter_context(looking(task, seeds.evaluation, model))
    return _Parts(
        settings, config, seeds, model, algorithm, environment, evaluation_environment, look
    )


def _begun(parts: _Parts) -> dict[str, Any]:
    """Let the algorithm begin with the policy of ``init_from``, and return facts on it."""
    settings = parts.settings
    if settings.init_from is None:
        return {}
    labels = Labels.of(parts.environment)
    found = begin(parts.algorithm, settings.init_from, settings.task, labels, settings.fill)
    return {"init_from": found}


def _train(
    folder: RunFolder,
    parts: _Parts,
    saved: Checkpoint | None,
    judge: Judge | None,
    anew: bool,
) -> Outcome:
    """Train in a claimed folder, from a checkpoint or from the beginning, which may be ``anew``."""
    say(f"Run folder: {shlex.quote(str(folder.path))}")
    interruption = Interruption()
    loop = _loop(folder, parts, saved, judge, interruption)
    try:
        with _disk_full_said(folder.path), interruption:
            if saved is not None or anew:
                facts = _begun(parts) if anew else {}
                steps = 0 if saved is None else saved.steps
                folder.mark_resumed(steps, parts.config, {**provenance(), **facts})
                folder.drop_after(steps)
            with loop.logger as logger, loop.progress:
                logger.write_config(plain_text(parts.config))
                for sentence in getattr(parts.environment, "left_out", ()):
                    loop.progress.say(sentence)
                if saved is None:
                    loop.begin(parts.seeds.training)
                    _say_if_short(parts.settings)
                loop.run()
            outcome = _final_evaluation(folder, parts, interruption)
            folder.mark("finished")
            return outcome
    except Pruned as pruned:
        folder.mark("pruned", str(pruned))
        say(f"Pruned: {pruned}")
        raise
    except (Interrupted, KeyboardInterrupt, BrokenPipeError) as ended:
        # The second Ctrl-C is Python's own, and the reader of what is printed can leave.
        reasons = {KeyboardInterrupt: "SIGINT", BrokenPipeError: "SIGPIPE"}
        folder.mark("interrupted", reasons.get(type(ended), str(ended)))
        if not isinstance(ended, BrokenPipeError):
            words = f"{word_of('resume', folder.path)}{word_for(parts.config)}"
            say(f"Interrupted; go on with: python -m osimexp {words}")
        raise
    except BaseException as error:
        # A full disk cannot take this either, and its error must not hide the first one.
        try:
            folder.mark("failed", f"{type(error).__name__}: {error}")
        except OSError as second:
            error.add_note(f"The run folder could not be marked as failed ({second}).")
        raise


def _mirrored(parts: _Parts) -> dict[str, bool]:
    """Return whether the policy sees mirror images, for the record; nothing without a symmetry."""
    task = parts.settings.task
    if not isinstance(task, Specification) or task.symmetry is None:
        return {}
    return {"mirrored": getattr(parts.environment, "mirror", None) is not None}


def _say_if_short(settings: ExperimentSettings) -> None:
    """Say that a run is a try-out if its policy hardly changes in it."""
    steps = settings.run.steps
    updates = settings.algo.gradient_steps(steps)
    if updates < _UPDATES_OF_A_TRY_OUT:
        say(
            f"This is a try-out: run.steps={steps} makes {updates:,} updates, and learning takes "
            "thousands; leave run.steps out, or raise it, to train."
        )


def _loop(
    folder: RunFolder,
    parts: _Parts,
    saved: Checkpoint | None,
    judge: Judge | None,
    interruption: Interruption,
) -> TrainingLoop:
    """Return the loop, restored from a checkpoint if there is one; nothing is written.

    Raises:
        RunFolderError: the checkpoint's state does not fit.
    """
    settings = parts.settings.run

    def made(logger_state: dict[str, Any] | None, steps: int) -> TrainingLoop:
        return TrainingLoop(
            settings=settings,
            environment=parts.environment,
            algorithm=parts.algorithm,
            judged=parts.evaluation_environment,
            evaluation_seed=parts.seeds.evaluation,
            logger=Logger(folder.metrics_file, folder.path, logger_state),
            folder=folder,
            config_hash=config_hash(parts.config),
            progress=Progress(settings.steps, steps, settings.table),
            interruption=interruption,
            look=parts.look,
            judge=judge,
        )

    if saved is None:
        return made(None, 0)
    try:
        loop = made(saved.state["logger"], saved.steps)
        loop.resume(saved, parts.seeds.training)
        return loop
    except (RunFolderError, MemoryError, OSError):
        raise
    except Exception as error:  # A state can be wrong in any way.
        said = (str(error).splitlines() or [""])[0].removesuffix(".")[:200]
        raise RunFolderError(
            f"{folder.checkpoint_file('latest')} does not fit the run, which cannot go on from it "
            f"({type(error).__name__}: {said}); put back the one that the run wrote."
        ) from error


def _final_evaluation(
    folder: RunFolder,
    parts: _Parts,
    interruption: Interruption,
) -> Outcome:
    """Evaluate the best controller, or the last one without evaluations, on unseen episodes."""
    name = folder.judged_checkpoint()
    chosen = Chosen(folder, "policy", name, device=parts.settings.device)
    controller = chosen.controller(parts.evaluation_environment)
    episodes = parts.settings.run.evaluation.final_episodes
    seed = parts.seeds.final_evaluation
    evaluation = evaluate(
        parts.evaluation_environment, controller, episodes, seed, interruption.check
    )
    write_json(
        folder.evaluation_file("final"),
        {"controller": "policy", "checkpoint": name, **evaluation.as_json()},
    )
    words = f"{word_of('run', folder.path)} episodes={episodes} checkpoint={name}"
    command = f"python -m osimexp.evaluate {words}{word_for(parts.config)}"
    verification: Evaluation | None = None
    backend = parts.evaluation_environment.backend
    if backend is not None and not backend.reference:
        count = parts.evaluation_environment.num_envs
        task, model = parts.settings.task, parts.model
        with closing(make(task, count, "verification", model)) as environment:
            say("Evaluating on OpenSim itself, which takes longer.")
            verification = evaluate(environment, controller, episodes, seed, interruption.check)
        write_json(
            folder.evaluation_file("final_opensim"),
            {"controller": "policy", "checkpoint": name, **verification.as_json()},
        )
    return Outcome(folder.path, evaluation, name, command, verification)


@contextmanager
def _disk_full_said(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in _READ_ONLY:
            raise RunFolderError(f"{folder} cannot be written: {error.strerror}.") from error
        if error.errno not in _FULL:
            raise
        reason, remedy = _FULL[error.errno]
        again = f"go on by {word_of('resume', folder)}"
        if not RunFolder(folder).record_file.is_file():
            again = f"begin the run again with {word_of('run.folder', folder)}"
        raise RunFolderError(
            f"{reason}, so that {folder} cannot be written; {remedy} and {again}."
        ) from error
