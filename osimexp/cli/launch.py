"""The frame of every command: Hydra composes, the task runs, mistakes end in one sentence."""

import os
import shlex
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import hydra
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from osimexp.cli.help import help_text
from osimexp.composition import check_given, choices, compose, options, plain
from osimexp.config import config_directory
from osimexp.experiment.interruption import Interrupted
from osimexp.mistakes import MISTAKES, sentence
from osimexp.words import behind_flag, words_and_flags

USER_MISTAKE = 2


@dataclass(frozen=True)
class Job:
    """What the command line asked for, beside the config.

    Attributes:
        overrides: what it changed in the config.
        choices: the option of each config group, as they were composed.
        sweep_folder: this job's folder where it is one of several (``-m``), otherwise None.
        launcher: import path of what starts several.
        sweeper: the settings of what proposes several.
        added: folders of options of the user's own.

    """

    overrides: tuple[str, ...]
    choices: Mapping[str, str | None]
    sweep_folder: Path | None
    launcher: str
    sweeper: Mapping[str, Any]
    added: tuple[Path, ...]

    def facts(self) -> dict[str, Any]:
        """Return what a run's record says of its job.

        The command of a job of a sweep is one that makes this run alone, as the process that does
        it may have been started by anything.
        """
        facts: dict[str, Any] = {"choices": dict(self.choices)}
        if self.sweep_folder is not None:
            flags = [f"--config-dir={path}" for path in self.added]
            facts["command"] = shlex.join(["python", "-m", "osimexp", *flags, *self.overrides])
        return facts


def current_job() -> Job:
    """Return what Hydra knows of the job that it runs now."""
    known = HydraConfig.get()
    several = known.mode == RunMode.MULTIRUN
    folder = Path(known.runtime.output_dir) if several else None
    if folder is not None and folder.is_relative_to(Path.cwd()):
        folder = folder.relative_to(Path.cwd())
    # Left as they were typed: what they interpolate is the task's to resolve.
    overrides = OmegaConf.to_container(known.overrides.task, resolve=False)
    chosen = choices(known.runtime.choices)
    launcher = str(known.launcher["_target_"])
    sweeper = plain(known.sweeper)
    sources = known.runtime.config_sources
    added = tuple(Path(source.path) for source in sources if source.provider == "command-line")
    return Job(tuple(map(str, overrides)), chosen, folder, launcher, sweeper, added)  # type: ignore[arg-type]


def launch(
    task: Callable[[dict[str, Any]], float],
    config_name: str,
    said: str | None,
    settings: Callable[[], Sequence[type]],
    more: Callable[[], str] = str,
) -> None:
    """Compose the config that the command line asks for and run ``task`` on it.

    With ``--help``, what the command does and what its keys mean is printed instead.

    What the user can mend is printed as one sentence, and the process ends with exit code 2; with
    OSIMEXP_TRACEBACK=1 or HYDRA_FULL_ERROR=1 it is raised instead. An interruption ends with 128
    and the signal's number. All else is raised.

    Args:
        task: takes the composed config as plain values; what it returns is what a sweep optimises.
        config_name: of the config that the command begins with.
        said: docstring of the command's module, with which the help begins.
        settings: returns the dataclasses whose docstrings say what the config's keys mean.
        more: returns what the help ends with.

    """
    raised = any(os.environ.get(name) == "1" for name in ("OSIMEXP_TRACEBACK", "HYDRA_FULL_ERROR"))
    begun = False
    words, flags = words_and_flags(sys.argv[1:])
    sys.argv[1:] = [*words, *flags]  # Hydra's parser refuses words on both sides of a flag.

    def job(config: DictConfig) -> float:
        nonlocal begun
        begun = True
        try:
            values = plain(config)
            check_given(values)
            return task(values)
        except MISTAKES as error:
            # Ended here, as Hydra would print a line of its own before handing it on. One of
            # several jobs is not to end the others.
            if raised or current_job().sweep_folder is not None:
                raise
            end(error)
        finally:
            _remove_if_empty(current_job().sweep_folder)

    decorate = hydra.main(
        version_base="1.3", config_path=str(config_directory()), config_name=config_name
    )
    try:
        if asks_for_help(flags):
            print(_help(config_name, words, flags, said, settings(), more()), flush=True)
            return
        with _errors_handed_on():
            decorate(job)()
    except MISTAKES as error:
        if raised:
            raise
        end(error)
    except ValueError as error:
        # Before the task, these are Hydra's words about flags that do not go together.
        if raised or begun:
            raise
        end(error)
    except Interrupted as interrupted:
        sys.exit(128 + interrupted.signal)
    except BrokenPipeError:
        # Who read the output, as `| head` does, has left; nothing more can be said to them.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(128 + 13)
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        sys.exit(130)


def asks_for_help(flags: Iterable[str]) -> bool:
    """Whether flags of a command line ask for its help."""
    return not {"--help", "-h"}.isdisjoint(flags)


def end(error: Exception) -> NoReturn:
    """Say what is wrong in one sentence, and end the process with the exit code for it."""
    print(f"Error: {sentence(error)}", file=sys.stderr)
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
    return f"{text}\n\n{more}" if more else text


@contextmanager
def _errors_handed_on() -> Iterator[None]:
    """Keep Hydra from printing errors and ending the process on its own."""
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


def _remove_if_empty(folder: Path | None) -> None:
    # Hydra makes a sweep's folders before the task can refuse its config.
    if folder is not None and folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
