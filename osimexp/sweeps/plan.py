"""The plan of a sweep: the words of the command that began it, as Hydra's record has them."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from osimexp.config import read_config, selected
from osimexp.errors import ConfigError, RunFolderError, UntrustedError
from osimexp.experiment.run_folder import RunFolder
from osimexp.moved import RENAMED
from osimexp.sweeps.vetting import UnclearError, key_of, leading_out, names_of
from osimexp.trust import WORD, trusted

_FILE = "multirun.yaml"  # Hydra's record of a sweep.


@dataclass(frozen=True)
class Plan:
    """The words of a command that began a sweep.

    Attributes:
        file: Hydra's record that they were read from.
        folders: folders of the user's own options.
        words: words of the command line as they were typed, with present names of renamed keys.
    """

    file: Path
    folders: tuple[str, ...]
    words: tuple[str, ...]

    @classmethod
    def of(cls, folder: Path) -> "Plan | None":
        """Return the plan of a sweep's folder; None if it holds no sweep.

        Raises:
            RunFolderError: the plan cannot be read, or a link leads out of the folder.
        """
        file = folder / _FILE
        if not holds_sweep(folder):
            return None
        RunFolder(folder).check_links()  # What goes on is written there.
        try:
            plan = read_config(file)
            lists = [selected(plan, f"hydra.overrides.{part}") for part in ("hydra", "task")]
            words = [str(word) for part in lists for word in part]
            sources = selected(plan, "hydra.runtime.config_sources")
            folders = tuple(str(s["path"]) for s in sources if s["provider"] == "command-line")
        except (ConfigError, TypeError, KeyError) as error:
            reason = f" ({error})" if isinstance(error, ConfigError) else ""
            raise RunFolderError(f"{file} cannot be read as a sweep's plan{reason}.") from error
        replaced = ("hydra.sweep.dir=", "hydra.mode=")
        kept = (_present(word) for word in words if not word.startswith(replaced))
        return cls(file, folders, tuple(kept))

    @property
    def flags(self) -> list[str]:
        """Flags that name the folders of the user's own options."""
        return [f"--config-dir={folder}" for folder in self.folders]

    def check(self, own_folders: bool, given: Sequence[str]) -> None:
        """Refuse a plan by which more would be run, read or written than the user knows of.

        Args:
            own_folders: whether the user names the folders of options now.
            given: words that the user types now, in place of those of the plan with the same keys.

        Raises:
            RunFolderError: it would run code that the user does not trust, by a word or by a folder
                of options, go on with another run, or have jobs outside of the sweep's folder; it
                says the words to type for that.
        """
        known, keys = trusted(), frozenset(map(key_of, given))
        folders = () if own_folders else tuple(f for f in self.folders if f not in known)
        names: list[str] = []
        left = [word for word in self.words if key_of(word) not in keys]
        for word in left:
            try:
                names += [name for name in names_of(word) if name not in known]
            except UnclearError as error:
                raise RunFolderError(
                    f"{self.file} sets {word}, which {error}; if you want it, give this word "
                    "yourself beside resume."
                ) from error
        if (leading := leading_out(left, given)) is not None:
            raise RunFolderError(
                f"{self.file} sets {leading}, which may put jobs outside of {self.file.parent}; if "
                "you want it, give this word yourself beside resume."
            )
        if folders:
            # Options can set anything, of Hydra too, so they cannot be judged as words are.
            more = [f"--config-dir={folders[0]}"]
            more += [f"{WORD}={','.join(dict.fromkeys(names))}"] if names else []
            raise RunFolderError(
                f"{self.file} takes options of {folders[0]}, which may run any code; if that "
                f"folder is yours, or you trust it, add {shlex.join(more)} to the command."
            )
        if names:
            raise UntrustedError(
                f"{self.file} would run code of {names[0]}",
                "by its words",
                tuple(dict.fromkeys(names)),
            )


def holds_sweep(folder: Path) -> bool:
    """Return whether a folder has the record of a sweep; it need not be readable."""
    return (folder / _FILE).is_file()


def _present(word: str) -> str:
    """Return an override as it is written now, with the new name of a renamed key."""
    key, equals, value = word.partition("=")
    name = key.lstrip("+~")
    return f"{key.removesuffix(name)}{RENAMED.get(name, name)}{equals}{value}"
