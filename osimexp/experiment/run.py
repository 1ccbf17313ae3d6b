"""One run from its config to its final evaluation."""

import errno
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from osimexp.algorithms.algorithm import Algorithm, Settings
from osimexp.config import build, check, plain
from osimexp.controllers.labels import Labels
from osimexp.errors import ConfigError, RunFolderError
from osimexp.experiment import checkpoint
from osimexp.experiment.checkpoint import Checkpoint, config_hash
from osimexp.experiment.evaluation import Evaluation, evaluate
from osimexp.experiment.initial import begin, fill_of
from osimexp.experiment.interruption import Interrupted, Interruption, Judge, Pruned
from osimexp.experiment.logger import Logger
from osimexp.experiment.looking import Look, looking
from osimexp.experiment.loop import TrainingLoop
from osimexp.experiment.playing import Chosen
from osimexp.experiment.progress import Progress
from osimexp.experiment.provenance import provenance
from osimexp.experiment.resume import resumed_config
from osimexp.experiment.run_folder import RunFolder
from osimexp.experiment.seeding import Seeds, prepare_torch
from osimexp.experiment.settings import RunSettings
from osimexp.experiment.trained import named
from osimexp.files import write_json
from osimexp.tasks.environment import Environment
from osimexp.tasks.make import make

_DISK_FULL = (errno.ENOSPC, errno.EDQUOT)
_READ_ONLY = (errno.EROFS, errno.EACCES, errno.EPERM)


@dataclass(frozen=True)
class Outcome:
    """What a finished run leaves.

    Attributes:
        folder: where it is.
        evaluation: of its final policy.
        checkpoint: the one the policy is of, ``best`` or ``latest``.
        command: evaluates it again.
        verification: of the same policy in the same episodes, simulated by OpenSim itself; None
            where they were before.

    """

    folder: Path
    evaluation: Evaluation
    checkpoint: str
    command: str
    verification: Evaluation | None = None


@dataclass(frozen=True)
class _Parts:
    """What a config is built into before anything is written."""

    settings: RunSettings
    seeds: Seeds
    algorithm: Algorithm
    environment: Environment
    evaluation_environment: Environment
    config_hash: str


def run(
    config: DictConfig,
    overrides: Sequence[str],
    folder: Path,
    facts: Mapping[str, Any] | None = None,
    judge: Judge | None = None,
) -> Outcome:
    """Train what ``config`` describes, or go on with the run that ``config.resume`` names.

    Nothing is written before the config was checked and the environments and the algorithm were
    built.

    Args:
        config: the composed config.
        overrides: what the command line changed in it.
        folder: of the run; left alone where a run is resumed.
        facts: what else the record of the run is to say, or to say otherwise.
        judge: says after each evaluation in training whether the run is to end.

    Raises:
        OsimexpError: the config, the run folder or the checkpoint cannot be used, or the disk is
            full.
        Interrupted: Ctrl-C or SIGTERM; the run was saved.
        Pruned: the judge ended the run.

    """
    resumed: RunFolder | None = None
    saved: Checkpoint | None = None
    if config.resume is not None:
        resumed = RunFolder.open(Path(str(config.resume)))
        config = resumed_config(resumed.config(), config, overrides)
        saved = _checkpoint_to_resume(resumed, config)
    elif config.get("init_from") is None:
        if fill_of(config):
            raise ConfigError("fill is for the policy of init_from, which is not given.")
    else:
        named(str(config.init_from))  # Said before anything is compiled.
    with ExitStack() as stack:
        parts = _build(config, stack)
        origin = {**provenance(), **(facts or {})}
        if saved is None and config.get("init_from") is not None:
            origin["init_from"] = begin(
                parts.algorithm,
                str(config.init_from),
                config.task,
                Labels.of(parts.environment),
                fill_of(config),
            )
        look: Look | None = None
        if parts.settings.evaluation.images:
            look = stack.enter_context(looking(config, parts.seeds.evaluation))
        with _disk_full_said(resumed.path if resumed else folder):
            if resumed is None:
                xml = getattr(parts.environment, "model_xml", None)
                opened = RunFolder.create(folder, config, overrides, origin, xml)
            else:
                opened = resumed
        with opened.claimed():
            return _train(opened, config, parts, saved, look, judge)


def _checkpoint_to_resume(folder: RunFolder, config: DictConfig) -> Checkpoint:
    saved = checkpoint.load(folder.checkpoint_file("latest"))
    budget = check(RunSettings, _run_values(config), "run").steps
    if folder.record()["state"] == "finished" and saved.steps >= budget:
        raise ConfigError(
            f"{folder.path} has finished its {saved.steps} steps; give it a larger budget, "
            f"run.steps={2 * saved.steps}."
        )
    if saved.config_hash != config_hash(config):
        raise RunFolderError(
            f"{folder.config_file} was changed since the run's checkpoint was written; put it back."
        )
    return saved


def _build(config: DictConfig, stack: ExitStack) -> _Parts:
    settings = check(RunSettings, _run_values(config), "run")
    seeds = Seeds.of(config.seed)
    device = str(config.device)
    prepare_torch(device, settings.threads)
    hyperparameters: Settings = build(config.algo, "algo")
    count = hyperparameters.environments
    environment = stack.enter_context(closing(make(config, count)))
    longest = max(settings.evaluation.episodes, settings.evaluation.final_episodes)
    evaluation_environment = make(config, min(count, longest), "evaluation")
    stack.enter_context(closing(evaluation_environment))
    algorithm = hyperparameters.create(
        environment.single_observation_space.shape[0],
        environment.single_action_space.shape[0],
        seeds.algorithm,
        device,
    )
    return _Parts(
        settings, seeds, algorithm, environment, evaluation_environment, config_hash(config)
    )


def _run_values(config: DictConfig) -> dict[str, Any]:
    values = plain(config.run)
    values.pop("name", None)  # It only serves to make up the folder's default.
    return values


def _train(
    folder: RunFolder,
    config: DictConfig,
    parts: _Parts,
    saved: Checkpoint | None,
    look: Look | None,
    judge: Judge | None,
) -> Outcome:
    path = shlex.quote(str(folder.path))
    print(f"Run folder: {path}", flush=True)
    interruption = Interruption()
    try:
        with _disk_full_said(folder.path), interruption:
            if saved is not None:
                folder.mark_resumed(saved.steps, config, provenance())
                folder.drop_evaluations_after(saved.steps)
            _loop(folder, config, parts, saved, look, judge, interruption)
            outcome = _final_evaluation(folder, config, parts, interruption)
            folder.mark("finished")
            return outcome
    except Pruned as pruned:
        folder.mark("pruned", str(pruned))
        print(f"Pruned: {pruned}", flush=True)
        raise
    except Interrupted as interrupted:
        folder.mark("interrupted", str(interrupted))
        print(f"Interrupted; go on with: python -m osimexp resume={path}", flush=True)
        raise
    except BaseException as error:
        # A disk that is full cannot take this either, and must not hide what went wrong.
        try:
            folder.mark("failed", f"{type(error).__name__}: {error}")
        except OSError as second:
            error.add_note(f"The run folder could not be marked as failed ({second}).")
        raise


def _loop(
    folder: RunFolder,
    config: DictConfig,
    parts: _Parts,
    saved: Checkpoint | None,
    look: Look | None,
    judge: Judge | None,
    interruption: Interruption,
) -> None:
    logger_state = None if saved is None else saved.state["logger"]
    with (
        Logger(folder.metrics_file, folder.path, logger_state) as logger,
        Progress(
            parts.settings.steps, saved.steps if saved else 0, parts.settings.table
        ) as progress,
    ):
        logger.write_config(OmegaConf.to_yaml(config, resolve=True))
        loop = TrainingLoop(
            settings=parts.settings,
            environment=parts.environment,
            algorithm=parts.algorithm,
            judged=parts.evaluation_environment,
            evaluation_seed=parts.seeds.evaluation,
            logger=logger,
            folder=folder,
            config_hash=parts.config_hash,
            progress=progress,
            interruption=interruption,
            look=look,
            judge=judge,
        )
        if saved is None:
            loop.begin(parts.seeds.training)
        else:
            loop.resume(saved, parts.seeds.training)
        loop.run()


def _final_evaluation(
    folder: RunFolder,
    config: DictConfig,
    parts: _Parts,
    interruption: Interruption,
) -> Outcome:
    """Evaluate the best policy, or the last where none was evaluated yet, on unseen episodes."""
    name = folder.judged_checkpoint()
    chosen = Chosen(folder, "policy", name, device=str(config.device))
    controller = chosen.controller(parts.evaluation_environment)
    episodes = parts.settings.evaluation.final_episodes
    seed = parts.seeds.final_evaluation
    evaluation = evaluate(
        parts.evaluation_environment, controller, episodes, seed, interruption.check
    )
    write_json(
        folder.evaluation_file("final"),
        {"controller": "policy", "checkpoint": name, **evaluation.as_json()},
    )
    path = shlex.quote(str(folder.path))
    command = f"python -m osimexp.evaluate run={path} episodes={episodes} checkpoint={name}"
    verification: Evaluation | None = None
    backend = parts.evaluation_environment.backend
    if backend is not None and not backend.reference:
        count = parts.evaluation_environment.num_envs
        with closing(make(config, count, "verification")) as environment:
            print("Evaluating on OpenSim itself, which takes longer.", flush=True)
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
        if error.errno not in _DISK_FULL:
            raise
        raise RunFolderError(
            f"The disk is full, so that {folder} cannot be written; free some space and go on from "
            f"the last whole checkpoint, if there is one, by resume={folder}."
        ) from error
