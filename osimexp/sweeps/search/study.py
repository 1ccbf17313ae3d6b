"""The study of a search on disk, which several processes may share."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from filelock import FileLock, Timeout
from optuna.pruners import BasePruner, HyperbandPruner, MedianPruner, NopPruner
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from osimexp.errors import ConfigError, RunFolderError
from osimexp.experiment.settings import RunSettings
from osimexp.sweeps.search.settings import PrunerSettings, SearchSettings

_JOURNAL = "study.log"
_NAME = "search"
_AGAIN = "again"  # Attribute of a trial that repeats another one: the other's number.


@dataclass(frozen=True)
class Proposal:
    """A trial that this process is to run.

    Attributes:
        number: number of the trial.
        values: value of each key, as text behind the ``=`` of an override.
        claim: lock that keeps other processes from the trial until it is released.
    """

    number: int
    values: Mapping[str, str]
    claim: FileLock


class SearchStudy:
    """The trials of a search so far, in ``study.log``, which is Optuna's journal.

    Args:
        folder: folder of the sweep.
        settings: settings of the search.
        run: settings of the run, with the steps of a trial and between its evaluations.
        seed: seed of the sampler; a proposal follows from it, its number and the trials before it.

    Raises:
        ConfigError: the folder has a study with the other goal.
        RunFolderError: its journal cannot be read.
    """

    def __init__(self, folder: Path, settings: SearchSettings, run: RunSettings, seed: int) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        goal = StudyDirection.MAXIMIZE if settings.goal == "maximise" else StudyDirection.MINIMIZE
        self._folder, self._settings, self._seed = folder, settings, seed
        self._study = optuna.create_study(
            storage=_storage(folder),
            study_name=_NAME,
            pruner=_pruner(settings.pruner, run),
            direction=goal,
            load_if_exists=True,
        )
        if self._study.direction != goal:
            raise ConfigError(
                f"{folder / _JOURNAL} belongs to a search whose goal is not {settings.goal}; give "
                "hydra.sweep.dir another folder."
            )
        self._distributions = {key: d.distribution for key, d in settings.space.items()}

    @property
    def trials(self) -> list[FrozenTrial]:
        """All trials so far, in the order of their numbers."""
        return self._study.get_trials(deepcopy=False)

    def finished(self) -> list[FrozenTrial]:
        """Return the finished trials, the best first."""
        done = self._study.get_trials(deepcopy=False, states=[TrialState.COMPLETE])
        sign = -1.0 if self._settings.goal == "maximise" else 1.0
        return sorted(done, key=lambda trial: sign * float(trial.value or 0.0))

    def propose(self, present: Mapping[str, object]) -> list[Proposal]:
        """Return the next trials, ``at_once`` of them or as many as are left.

        Trials whose process was killed come before new ones. The first trial of a search has the
        values of the config, to compare others with.

        Args:
            present: value of each key in the config.
        """
        with FileLock(self._folder / ".study.lock"):
            proposals: list[Proposal] = []
            for trial in self._study.get_trials(deepcopy=False, states=[TrialState.RUNNING]):
                if len(proposals) < self._settings.at_once and (claim := self._claim(trial.number)):
                    proposals.append(self._proposal(trial.number, trial.params, claim))
            while len(proposals) < self._settings.at_once:
                again = self._tried_again()
                asked = [
                    trial
                    for trial in self.trials
                    if trial.state != TrialState.WAITING and trial.number not in again
                ]
                if len(asked) >= self._settings.trials:
                    break
                if not self.trials:
                    dimensions = self._settings.space.items()
                    as_is = {key: d.drawn(present.get(key)) for key, d in dimensions}
                    known = {key: value for key, value in as_is.items() if value is not None}
                    self._study.enqueue_trial(known)
                self._study.sampler = self._sampler(len(asked))
                new = self._study.ask(self._distributions)
                claim = self._claim(new.number)
                assert claim is not None
                proposals.append(self._proposal(new.number, new.params, claim))
        return proposals

    def retry_failed(self) -> list[int]:
        """Add each failed trial again, under another number, and return the old numbers."""
        with FileLock(self._folder / ".study.lock"):
            again = self._tried_again()
            failed = [
                trial
                for trial in self._study.get_trials(deepcopy=False, states=[TrialState.FAIL])
                if trial.number not in again
            ]
            for trial in failed:
                self._study.enqueue_trial(trial.params, {_AGAIN: trial.number})
        return [trial.number for trial in failed]

    def tell(self, number: int, state: TrialState, value: float | None) -> None:
        """Write the end of a trial; a pruned one keeps its last evaluation."""
        self._study.tell(number, value, state, skip_if_finished=True)

    def text(self, trial: FrozenTrial) -> dict[str, str]:
        """Return the values of a trial as text behind the ``=`` of overrides."""
        return {key: self._settings.space[key].text(drawn) for key, drawn in trial.params.items()}

    def _tried_again(self) -> set[int | None]:
        """Return the numbers of failed trials that were added again under another number."""
        return {trial.user_attrs.get(_AGAIN) for trial in self.trials}

    def _proposal(self, number: int, params: Mapping[str, Any], claim: FileLock) -> Proposal:
        space = self._settings.space
        for key, drawn in params.items():
            # It becomes a word of a trial, and the journal may be anybody's.
            if key not in space or not space[key].can_be(drawn):
                raise ConfigError(
                    f"{self._folder / _JOURNAL} proposes {key}={drawn!r}, which is not in the "
                    "space of the search; give hydra.sweep.dir another folder."
                )
        return Proposal(number, {key: space[key].text(v) for key, v in params.items()}, claim)

    def _claim(self, number: int) -> FileLock | None:
        claim = FileLock(self._folder / f".trial_{number:03d}.lock")
        try:
            claim.acquire(timeout=0)
        except Timeout:
            return None
        return claim

    def _sampler(self, number: int) -> optuna.samplers.BaseSampler:
        seed = int(np.random.SeedSequence([self._seed, number]).generate_state(1)[0])
        return optuna.samplers.TPESampler(n_startup_trials=self._settings.startup, seed=seed)


class RunningTrial:
    """A trial in the process that trains it.

    Args:
        folder: folder of the sweep.
        settings: settings of the search, with the number of the trial.
        run: settings of the run, with the steps of a trial and between its evaluations.
    """

    def __init__(self, folder: Path, settings: SearchSettings, run: RunSettings) -> None:
        assert settings.trial is not None
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._figure = settings.figure
        storage = _storage(folder)
        study = optuna.load_study(
            storage=storage, study_name=_NAME, pruner=_pruner(settings.pruner, run)
        )
        number = storage.get_trial_id_from_study_id_trial_number(
            storage.get_study_id_from_name(_NAME), settings.trial
        )
        self._trial = optuna.Trial(study, number)
        self._reported = set(storage.get_trial(number).intermediate_values)

    def judge(self, steps: int, metrics: Mapping[str, float]) -> str | None:
        """Report an evaluation, and return a reason to end the trial; None lets it go on."""
        value = value_of(self._figure, metrics)
        if steps not in self._reported:
            self._trial.report(value, steps)
        if self._trial.should_prune():
            return f"its {self._figure} of {value:.4g} at {steps:,} steps is behind other trials'"
        return None


def value_of(figure: str, metrics: Mapping[str, float | None]) -> float:
    """Return the metric that a search is for.

    Args:
        figure: name of the metric.
        metrics: metrics of an evaluation, by name.

    Raises:
        ConfigError: the evaluation does not have the metric.
    """
    value = metrics.get(figure)
    if value is None:
        raise ConfigError(f"hydra.sweeper.figure is {figure}, which evaluations do not have.")
    return float(value)


@contextmanager
def released(proposals: list[Proposal]) -> Iterator[None]:
    """Release the claims of proposals when the block ends, also by an error."""
    try:
        yield
    finally:
        for proposal in proposals:
            proposal.claim.release()


def _storage(folder: Path) -> JournalStorage:
    """Return the storage of the folder's journal, whose trials have been read.

    Raises:
        RunFolderError: it is no journal of a search, as one of somebody else may be.
    """
    file = str(folder / _JOURNAL)
    try:
        storage = JournalStorage(JournalFileBackend(file, lock_obj=JournalFileOpenLock(file)))
        for study in storage.get_all_studies():
            for trial in storage.get_all_trials(study._study_id, deepcopy=False):
                _check_trial(trial)
    except OSError:
        raise
    except Exception as error:  # Optuna checks nothing, so that any error comes of other content.
        raise RunFolderError(
            f"{file} cannot be read as the journal of a search; put it back as it was, or give "
            "hydra.sweep.dir another folder."
        ) from error
    return storage


def _check_trial(trial: FrozenTrial) -> None:
    """Refuse a trial whose values are of other kinds than a search writes.

    Raises:
        TypeError: one is.
    """
    numbers = [*(trial.values or ()), *trial.intermediate_values.values()]
    numbers += [*trial.intermediate_values, trial.user_attrs.get(_AGAIN, 0)]
    if not all(isinstance(number, int | float) for number in numbers):
        raise TypeError("a value of a trial is no number")


def _pruner(settings: PrunerSettings, run: RunSettings) -> BasePruner:
    match settings.kind:
        case "median":
            return MedianPruner(settings.startup, settings.warmup)
        case "hyperband":
            # A rung below the first evaluation would never be seen.
            least = max(settings.warmup, run.evaluation.every)
            return HyperbandPruner(least, max(run.steps, least), settings.reduction)
    return NopPruner()
