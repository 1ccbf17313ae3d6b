"""The list of models: every option that is osimexp's own, as its command composes it."""

from pathlib import Path

from commands import Command

from osimexp.cli.models import main
from osimexp.config import config_directory
from osimexp.models.prepare import loaded


def test_every_model_is_listed_and_written(command: Command, place: Path) -> None:
    answer = command("steps=2", "osim=models", main=main)
    assert answer.code == 0, answer.err
    own = {file.stem for file in (config_directory() / "model").glob("*.yaml")} - {"file"}
    assert {file.stem for file in (place / "models").iterdir()} == own
    muscles = {}
    for name in own:
        assert name in answer.out
        with loaded((place / "models" / f"{name}.osim").read_text()) as model:
            muscles[name] = model.getMuscles().getSize()
    # The prosthesis builds on the walker and lacks the three muscles below its right knee.
    assert muscles["gait2d"] - muscles["gait2d_prosthesis"] == 3


def test_a_folder_that_cannot_be_written_is_named(command: Command, place: Path) -> None:
    (place / "models").write_text("a file")
    assert command("steps=1", "osim=models", main=main).refuses("arm.osim cannot be written")
