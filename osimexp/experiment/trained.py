"""Packaged controllers, and run folders reduced to what playing needs."""

from pathlib import Path

from osimexp.config import with_value
from osimexp.controllers.saved import restored
from osimexp.errors import ConfigError, RunFolderError, near_matches
from osimexp.experiment import checkpoint
from osimexp.experiment.checkpoint import Checkpoint, config_hash
from osimexp.experiment.inputs import kept_inputs, write_inputs
from osimexp.experiment.layout import RECORD
from osimexp.experiment.run_folder import RunFolder
from osimexp.files import write_json

KEPT_OF_RECORD = ("versions", "git", "mirrored")


def trained_names() -> list[str]:
    """Return the names of the packaged controllers."""
    return sorted(path.name for path in _directory().iterdir() if (path / RECORD).is_file())


def trained(name: str) -> RunFolder:
    """Return the folder of a packaged controller.

    Raises:
        ConfigError: there is no controller of that name.
    """
    names = trained_names()
    if name not in names:
        raise ConfigError(f"controller={name} is not known; {near_matches(name, names)}")
    return RunFolder.open(_directory() / name)


def named(source: str) -> RunFolder:
    """Return the run folder that a source names.

    Args:
        source: path of a run folder, or name of a packaged controller.

    Raises:
        ConfigError: it is neither.
        RunFolderError: the folder holds no run.
    """
    names = trained_names()
    if source in names:
        return trained(source)
    if not Path(source).exists():
        raise ConfigError(
            f"{source} is neither the folder of a run nor a controller of osimexp's; "
            f"{near_matches(source, names)}"
        )
    return RunFolder.open(Path(source))


def keep(folder: RunFolder, path: Path) -> RunFolder:
    """Write the controller of a run, with its statistics, names and task, to a new folder.

    Data that only learning needs, such as critics, and metrics are left out.

    Args:
        folder: folder of the run.
        path: folder to be made.

    Raises:
        RunFolderError: ``path`` exists already, or the run cannot be read.
    """
    config = folder.values()
    file = folder.checkpoint_file(folder.judged_checkpoint())
    saved = checkpoint.load(file)
    controller = restored(saved.controller, str(file))
    record = folder.record()
    inputs = kept_inputs(folder.path, record)
    config = with_value(config, "run.folder", str(Path("outputs") / path.name))
    if path.exists():
        raise RunFolderError(f"{path} exists already; give a folder that does not exist.")
    kept = RunFolder(path)
    kept.checkpoint_file("best").parent.mkdir(parents=True)
    kept.write_config(config)
    copies = write_inputs(path, inputs)
    state = {"controller": controller.data()}
    checkpoint.save(
        kept.checkpoint_file("best"), Checkpoint(saved.steps, config_hash(config), state)
    )
    facts = {name: record[name] for name in KEPT_OF_RECORD if name in record}
    if copies:
        facts["inputs"] = copies
    write_json(
        kept.record_file, {"state": "finished", "reason": None, "steps": saved.steps, **facts}
    )
    return kept


def _directory() -> Path:
    return Path(__file__).parent.parent / "trained"
