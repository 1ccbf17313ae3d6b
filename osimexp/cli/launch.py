"""The frame of every command: a config is composed, a task runs, errors end in one sentence."""

import os
import shlex
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any, NoReturn

import hydra
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from osimexp.cli.help import help_text
from osimexp.composition import (
    check_given,
    check_options,
    choices,
    compose,
    options,
    plain,
    readable,
)
from osimexp.config import config_directory
from osimexp.errors import ConfigError
from osimexp.experiment.interruption import Interrupted
from osimexp.mistakes import USER_MISTAKE, is_mistake, sentence
from osimexp.terminal import say
from osimexp.trust import VARIABLE, WORD, taken_from, trusting
from osimexp.words import behind_flag, opened, words_and_flags

_TRUST = f"""{WORD}=NAME,... lets run folders name code that is not osimexp's: packages of its own
terms, and clusters. So does the environment variable {VARIABLE}."""

# Hydra's flags with which it prints texts of configs, and runs nothing.
_SHOWING = frozenset(("--cfg", "-c", "--info", "-i"))


@dataclass(frozen=True)
class Job:
    """The facts of a job that are not in its config.

    Attributes:
        overrides: overrides of the command line.
        choices: chosen option of each config group.
        sweep_folder: folder of this job if it is one of a sweep (``-m``), else None.
        sweep: folder of the whole sweep.
        launcher: import path of the launcher of a sweep.
        sweeper: settings of the sweeper.
        added: folders of the user's own options.
    """

    overrides: tuple[str, ...]
    choices: Mapping[str, str | None]
    sweep_folder: Path | None
    sweep: Path
    launcher: str
    sweeper: Mapping[str, Any]
    added: tuple[Path, ...]

    def facts(self) -> dict[str, Any]:
        """Return the facts of the job for a run's record.

        The command of a job of a sweep is one that makes this run alone, because the process of the
        job may have been started in any way.
        """
        facts: dict[str, Any] = {"choices": dict(self.choices)}
        if self.sweep_folder is not None:
            flags = [f"--config-dir={path}" for path in self.added]
            facts["command"] = shlex.join(["python", "-m", "osimexp", *flags, *self.overrides])
        return facts


def current_job() -> Job:
    """Return the facts of the job that Hydra runs now."""
    known = HydraConfig.get()
    several = known.mode == RunMode.MULTIRUN
    folder = Path(known.runtime.output_dir) if several else None
    if folder is not None and folder.is_relative_to(Path.cwd()) and not known.job.chdir:
        folder = folder.relative_to(Path.cwd())
    # Overrides are kept as they were typed; the task resolves their interpolations.
    overrides = OmegaConf.to_container(known.overrides.task, resolve=False)
    chosen = choices(known.runtime.choices)
    launcher = str(known.launcher["_target_"])
    sweeper = plain(known.sweeper)
    sources = known.runtime.config_sources
    added = tuple(Path(source.path) for source in sources if source.provider == "command-line")
    sweep = Path(str(known.sweep.dir))
    return Job(tuple(map(str, overrides)), chosen, folder, sweep, launcher, sweeper, added)  # type: ignore[arg-type]


def launch(
    task: Callable[[dict[str, Any]], float],
    config_name: str,
    said: str | None,
    settings: Callable[[], Sequence[type]],
    more: Callable[[], str] = str,
) -> None:
    """Compose the config of the command line, and run ``task`` with it.

    An error that the user can fix is printed as one sentence, and the process ends with exit code
    2; with OSIMEXP_TRACEBACK=1 or HYDRA_FULL_ERROR=1 it is raised. An interruption ends with 128
    plus the number of the signal. All other errors are raised.

    Args:
        task: function of the composed config; a sweep optimises the number that it returns.
        config_name: name of the command's config.
        said: docstring of the command's module, for its help.
        settings: function that returns the dataclasses whose docstrings describe the keys, for the
            help.
        more: function that returns text for the end of the help.
    """
    raised = any(os.environ.get(name) == "1" for name in ("OSIMEXP_TRACEBACK", "HYDRA_FULL_ERROR"))
    begun = False
    names, arguments = taken_from(sys.argv[1:])
    words, flags = words_and_flags(arguments)
    words = [opened(readable(word)) for word in words]
    sys.argv[1:] = [*words, *flags]  # Hydra's parser refuses words on both sides of a flag.

    def job(config: DictConfig) -> float:
        nonlocal begun
        begun = True
        try:
            _check_place()
            values = plain(config)
            check_given(values)
            return task(values)
        except Exception as error:
            # Ended here, because Hydra would print a line before it passes the error on. A job of
            # a sweep must not end the others.
            if raised or current_job().sweep_folder is not None or not is_mistake(error):
                raise
            end(error)
        finally:
            _remove_if_empty(current_job().sweep_folder)

    decorate = hydra.main(
        version_base="1.3", config_path=str(config_directory()), config_name=config_name
    )
    try:
        if asks_for_help(flags):
            say(*_help(config_name, words, flags, said, settings(), more()).split("\n"))
            return
        added = behind_flag(flags, "--config-dir", "-cd")
        if added is None or Path(added).is_dir():  # Hydra says that a folder does not exist.
            check_options(words, [] if added is None else [added])
        shows = not _SHOWING.isdisjoint(flag.partition("=")[0] for flag in flags)
        with _errors_handed_on(), trusting(names), _said_visibly() if shows else nullcontext():
            decorate(job)()
    except Interrupted as interrupted:
        sys.exit(128 + interrupted.signal)
    except BrokenPipeError:
        # The reader of the output, such as `| head`, has ended, so nothing more can be printed.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(128 + 13)
    except Exception as error:
        # Before the task, ValueErrors are Hydra's messages about flags that exclude each other.
        flags_clash = isinstance(error, ValueError) and not begun
        if raised or not (is_mistake(error) or flags_clash):
            raise
        end(error)
    except KeyboardInterrupt:
        say("Interrupted.", error=True)
        sys.exit(130)


def asks_for_help(flags: Iterable[str]) -> bool:
    """Return whether flags of a command line ask for its help."""
    return not {"--help", "-h"}.isdisjoint(flags)


def end(error: Exception) -> NoReturn:
    """Print the error in one sentence, and end the process with its exit code."""
    say(f"Error: {sentence(error)}", error=True)
    sys.exit(USER_MISTAKE)


def _help(
    config_name: str,
    words: Sequence[str],
    flags: Sequence[str],
    said: str | None,
    settings: Sequence[type],
    more: str,
) -> str:
    added = behind_flag(flags, "--config-dir", "-cd")
    folders = [] if added is None else [added]
    composed = compose(config_name, words, folders)
    known = options(folders)
    whole = "experiment" in composed.choices  # An option may bring any other group.
    groups = {group: own for group, own in known.items() if whole or group in composed.choices}
    text = help_text(said, composed.values, settings, groups, composed.choices)
    return "\n\n".join(part for part in (text, more, _TRUST) if part)


@contextmanager
def _errors_handed_on() -> Iterator[None]:
    """Stop Hydra from printing errors and ending the process by itself."""
    before = os.environ.get("HYDRA_FULL_ERROR")
    os.environ["HYDRA_FULL_ERROR"] = "1"
    GlobalHydra.instance().clear()
    try:
        yield
    finally:
        GlobalHydra.instance().clear()
        if before is None:
            del os.environ["HYDRA_FULL_ERROR"]
        else:
            os.environ["HYDRA_FULL_ERROR"] = before


@contextmanager
def _said_visibly() -> Iterator[None]:
    """Print what is printed within the block at its end, with every character seen."""
    text = StringIO()
    try:
        with redirect_stdout(text):
            yield
    finally:
        if text.getvalue():
            say(*text.getvalue().split("\n"), end="")


def _check_place() -> None:
    """Refuse to run elsewhere than where the command was started.

    Raises:
        ConfigError: Hydra changed the working folder.
    """
    if HydraConfig.get().job.chdir:
        raise ConfigError(
            "hydra.job.chdir must be false: paths such as those of models and runs are relative to "
            "the folder that the command is started in."
        )


def _remove_if_empty(folder: Path | None) -> None:
    # Hydra makes the folders of a sweep before the task can refuse its config.
    if folder is not None and folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
