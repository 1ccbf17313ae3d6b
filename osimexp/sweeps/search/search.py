"""The loop of a search: propose trials, run them, report their results."""

import re
import shlex
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from hydra.core.config_loader import ConfigLoader
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig, OmegaConf
from optuna.trial import TrialState
from rich.table import Table

from osimexp.composition import plain, without_hydra
from osimexp.config import check
from osimexp.errors import ConfigError
from osimexp.experiment.layout import FAILURE, RECORD
from osimexp.experiment.removal import remove_run
from osimexp.experiment.run_folder import RunFolder
from osimexp.experiment.settings import RunSettings
from osimexp.experiment.summary import metrics_of, summarise
from osimexp.files import csv_text, write_text
from osimexp.sweeps.search.best import write_best
from osimexp.sweeps.search.settings import SearchSettings, search_settings
from osimexp.sweeps.search.study import Proposal, SearchStudy, released, value_of
from osimexp.terminal import Console, say

TRIES = 3
"""Number of times that one call of the search starts a trial whose process is killed."""

# Runs jobs, given the overrides of each and the number of the first, and waits for them.
Launch = Callable[[Sequence[Sequence[str]], int], None]


def search(
    values: Mapping[str, Any],
    config: DictConfig,
    arguments: Sequence[str],
    launch: Launch,
    loader: ConfigLoader,
) -> None:
    """Search in the folder of a sweep, or continue there, and write the best as an experiment.

    Args:
        values: settings of the sweeper.
        config: composed config with Hydra's part.
        arguments: words of the command line, which every trial gets.
        launch: function that runs jobs.
        loader: Hydra's loader, which composes configs.

    Raises:
        ConfigError: the search cannot be made with these settings.
    """
    settings = search_settings(plain(OmegaConf.create(dict(values))))
    _check_plain(arguments, settings)
    folder = Path(str(config.hydra.sweep.dir))
    folder.mkdir(parents=True, exist_ok=True)
    OmegaConf.save(config, folder / "multirun.yaml")
    present = {key: _value(config, key) for key in settings.space}
    seed = int(config.seed)
    run = check(RunSettings, without_hydra(config)["run"], "run")
    study = SearchStudy(folder, settings, run, seed)
    for number in study.retry_failed():
        failed = folder / trial_folder(number)
        if failed.is_dir() and not RunFolder(failed).in_use():
            remove_run(failed)
    tries: Counter[int] = Counter()
    while proposals := study.propose(present):
        with released(proposals):
            for proposal in proposals:
                said = ", ".join(f"{key}={value}" for key, value in proposal.values.items())
                say(f"Trial {proposal.number}: {said}")
            jobs = [_overrides(arguments, proposal, seed) for proposal in proposals]
            launch(jobs, proposals[0].number)
            for proposal in proposals:
                tries[proposal.number] += 1
                _tell(study, proposal, folder, settings.figure, tries[proposal.number] >= TRIES)
    _conclude(study, folder, settings, loader)


def trial_folder(number: int) -> str:
    """Return the name of a trial's folder inside the sweep's folder."""
    return f"trial_{number:03d}"


def _value(config: DictConfig, key: str) -> object:
    """Return a value of the config, or the chosen option of a config group."""
    choices = config.hydra.runtime.choices
    value = choices[key] if key in choices else OmegaConf.select(config, key)
    return OmegaConf.to_container(value) if OmegaConf.is_config(value) else value


def _check_plain(arguments: Sequence[str], settings: SearchSettings) -> None:
    for override in OverridesParser.create().parse_overrides(list(arguments)):
        key = override.get_key_element()
        if override.is_sweep_override():
            raise ConfigError(
                f"{key} is given several values, but a search proposes its own; add it to "
                "hydra.sweeper.space instead."
            )
        if key in settings.space:
            raise ConfigError(f"{key} is given a value, but the search chooses it; leave it out.")


def _overrides(arguments: Sequence[str], proposal: Proposal, seed: int) -> list[str]:
    rest = [word for word in arguments if not word.startswith("seed=")]
    return [
        *rest,
        *(f"{key}={value}" for key, value in proposal.values.items()),
        # Each trial has its own seed, so that no setting wins because of one lucky seed.
        f"seed={seed + proposal.number}",
        f"hydra.sweep.subdir={trial_folder(proposal.number)}",
        f"hydra.sweeper.trial={proposal.number}",
    ]


def _tell(
    study: SearchStudy, proposal: Proposal, folder: Path, figure: str, given_up: bool
) -> None:
    """Report the result of a trial to the study, as its run folder has it.

    Nothing is reported for a trial that was cut, until it is given up, so that it is proposed
    again. A trial that still runs although its launcher lost it is waited for.
    """
    job = folder / trial_folder(proposal.number)
    while job.is_dir() and RunFolder(job).in_use():
        time.sleep(1.0)
    if (job / RECORD).is_file():
        state = summarise(RunFolder(job)).state
    else:
        state = "failed" if (job / FAILURE).is_file() else "cut"
    if state == "cut" and not given_up:
        return
    if state == "finished":
        value = value_of(figure, metrics_of(RunFolder(job), "final") or {})
        study.tell(proposal.number, TrialState.COMPLETE, value)
    else:
        ended = TrialState.PRUNED if state == "pruned" else TrialState.FAIL
        study.tell(proposal.number, ended, None)


def _conclude(
    study: SearchStudy, folder: Path, settings: SearchSettings, loader: ConfigLoader
) -> None:
    """Print the best trials, and write all trials and the best one as an experiment."""
    keys = list(settings.space)
    rows = [
        [trial.number, trial.state.name.lower(), trial.value, *study.text(trial).values()]
        for trial in study.trials
        if set(trial.params) == set(keys)
    ]
    write_text(folder / "trials.csv", csv_text([["trial", "state", settings.figure, *keys], *rows]))
    finished = study.finished()
    if not finished:
        say("No trial is finished, so there is no best one.")
        return
    Console().print(_table(study, settings))
    best = finished[0]
    told = f"Trial {best.number} of {len(study.trials)}: {settings.figure} {best.value:.4g}."
    file = write_best(folder, RunFolder(folder / trial_folder(best.number)), told, loader)
    own = [source.path for source in loader.get_sources() if source.provider == "command-line"]
    where = f"after moving it to {own[0]}/experiment" if own else "with other seeds"
    say(f"The best trial is written to {file}; train it again, {where}, by")
    place = shlex.quote(str(own[0] if own else folder))
    say(f"  python -m osimexp --config-dir={place} experiment={file.stem}")


def _table(study: SearchStudy, settings: SearchSettings) -> Table:
    """Return the five best trials, and the values of the config without the search."""
    ends = [key.rpartition(".")[2] for key in settings.space]
    names = ends if len(set(ends)) == len(ends) else list(settings.space)
    finished = study.finished()
    table = Table("trial", settings.figure, *names, title=f"Best of {len(study.trials)} trials")
    for trial in [*finished[:5], *(trial for trial in finished[5:] if trial.number == 0)]:
        values = (_short(text) for text in study.text(trial).values())
        table.add_row(str(trial.number), f"{trial.value:.4g}", *values)
    return table


def _short(text: str) -> str:
    return f"{float(text):.3g}" if re.fullmatch(r"-?\d+\.\d+(e-?\d+)?", text) else text
