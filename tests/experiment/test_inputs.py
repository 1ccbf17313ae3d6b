"""A run on a file of the user's plays what the file was when it began, wherever it is played."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from commands import Command, metrics

from osimexp.cli.evaluate import main as evaluate
from osimexp.cli.keep import main as keep
from osimexp.cli.render import main as render
from osimexp.composition import compose
from osimexp.config import check, option
from osimexp.experiment.inputs import read_inputs
from osimexp.experiment.layout import is_written
from osimexp.experiment.removal import remove_run
from osimexp.experiment.run_folder import RunFolder
from osimexp.models.muscle_sets import MuscleSet
from osimexp.models.prepare import prepare
from osimexp.models.settings import ModelSettings

SMALL = (
    "model=file",
    "model.path=models/my.osim",
    "model.points.hand={body: forearm, location: [0.016, -0.3, 0.01]}",
    "muscles=all",
    "muscles.strength={BIC*: 0.5}",
    "reward=reach",
    "target=reach",
    "target.point=hand",
    "observation=default",
    "physics=opensim",
    "workers=none",
    "task.duration=0.1",
    "algo=ppo",
    "algo.environments=1",
    "algo.hidden_sizes=[8]",
    "algo.rollout_steps=8",
    "algo.minibatch_size=8",
    "run.steps=16",
    "run.folder=run",
    "run.threads=1",
    "run.evaluation.every=1000",
    "run.evaluation.episodes=1",
    "run.evaluation.final_episodes=2",
)


@pytest.fixture
def trained(command: Command, place: Path) -> Path:
    """Return the folder of a short run on a model's file, and make the file another model."""
    arm = check(ModelSettings, compose("config", ["model=arm"]).values["model"], "model")
    (place / "models").mkdir()
    (place / "models/my.osim").write_text(prepare(arm, MuscleSet()).xml)
    answer = command(*SMALL)
    assert answer.code == 0, answer.err
    file = place / "models/my.osim"
    file.write_text(file.read_text().replace("<gravity>0 -9.8", "<gravity>0 -1.6"))
    return place / "run"


def each(folder: Path, name: str) -> dict[str, list[float]]:
    """Return the metrics of each episode of an evaluation."""
    written = json.loads((folder / f"evaluations/{name}.json").read_text())
    found: dict[str, list[float]] = written["each"]
    return found


def test_a_model_of_a_file_is_played_as_it_was(
    command: Command, trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    final = each(trained, "final")
    again = ("episodes=2", "checkpoint=latest")
    assert command("run=run", *again, main=evaluate).code == 0
    (name,) = (file.stem for file in (trained / "evaluations").glob("latest_*.json"))
    assert each(trained, name) == final
    # Without the file, from elsewhere.
    (trained / f"evaluations/{name}.json").unlink()
    shutil.rmtree("models")
    Path("elsewhere").mkdir()
    monkeypatch.chdir("elsewhere")
    answer = command("run=../run", *again, main=evaluate)
    assert answer.code == 0, answer.err
    assert each(trained, name) == final
    # What is kept of it is whole.
    assert command("run=../run", "to=kept", main=keep).code == 0
    answer = command("run=kept", *again[:1], main=evaluate)
    assert answer.code == 0, answer.err
    assert each(Path("kept"), name.replace("latest", "best")) == final
    # And it goes on with the same model, of the same text.
    before = (trained / "model.osim").read_text()
    answer = command("resume=../run", "run.steps=32")
    assert answer.code == 0, answer.err
    config = RunFolder.open(trained).config()
    settings = check(ModelSettings, config["model"], "model")
    assert prepare(settings, check(MuscleSet, config["muscles"], "muscles")).xml == before
    assert RunFolder.open(trained).values()["model"]["path"] == "models/my.osim"
    assert metrics(trained)[-1]["steps"] == "32"
    # Changes begin with the model as it was, before its muscles were changed.
    changed = command("run=../run", *again, "muscles=all", "episodes=1", main=evaluate)
    assert changed.code == 0, changed.err


def test_a_copy_that_was_changed_is_refused(command: Command, trained: Path) -> None:
    copy = trained / "inputs/model.osim"
    text = copy.read_text()
    copy.write_text(text.replace("Biceps", "Triceps") + "\n")
    for words, main in (
        (("run=run", "episodes=1"), evaluate),
        (("run=run", "-o", "a.png"), render),
        (("run=run", "to=kept"), keep),
    ):
        assert command(*words, main=main).refuses("inputs/model.osim", "was changed since then")
    assert command("resume=run", "run.steps=32").refuses("inputs/model.osim")
    copy.unlink()
    assert command("resume=run", "run.steps=32").refuses("inputs/model.osim", "put it back")
    copy.write_text(text)
    record = json.loads((trained / "run.json").read_text())
    record["inputs"]["model.path"]["file"] = "../../mine/model.osim"
    (trained / "run.json").write_text(json.dumps(record))
    assert command("run=run", main=evaluate).refuses("run.json names no file of its folder")


def test_a_model_that_an_earlier_version_did_not_keep_is_said(
    trained: Path, caplog: pytest.LogCaptureFixture
) -> None:
    record = json.loads((trained / "run.json").read_text())
    del record["inputs"]
    (trained / "run.json").write_text(json.dumps(record))
    RunFolder.open(trained).config()
    assert "run keeps no copy of its model.path, so models/my.osim is read as it is now" in (
        caplog.text
    )


def test_a_recorded_gait_is_kept_with_its_run(place: Path) -> None:
    moment = np.linspace(0.0, 2.4, 241)
    columns = {
        "pelvis_tx": 1.2 * moment,
        "hip_flexion_r": np.rad2deg(0.4 * np.sin(2.0 * np.pi * moment / 1.2)),
        "hip_flexion_l": np.rad2deg(0.4 * np.sin(2.0 * np.pi * (moment / 1.2 + 0.5))),
    }
    rows = np.column_stack([moment, *columns.values()])
    file = place / "walk.mot"
    head = f"walk\nversion=1\nnRows={len(rows)}\nnColumns=4\ninDegrees=yes\nendheader\n"
    text = "\n".join("\t".join(f"{value:.9f}" for value in row) for row in rows)
    file.write_text(head + "time\t" + "\t".join(columns) + "\n" + text + "\n")
    target = option("target", "recorded") | {"movement": str(file)}
    other = place / "reach.mot"
    other.write_text(head.replace("walk", "reach") + "time\thip_flexion_r\n0 1\n1 2\n")
    tracked = {"shoulder_*": {"stiffness": 5.0, "movement": str(other)}, "elbow.x": 3.0}
    config = {
        "target": target,
        "start": {"gait": dict(target), "standing": 0.5},
        "actuators": {"tracked": tracked},
        "seed": 1,
    }
    folder = RunFolder.create(place / "run", config, [], {}, inputs=read_inputs(config))
    file.unlink()
    other.unlink()
    kept = folder.config()
    copy = {"movement": str(place / "run/inputs/movement.mot")}
    assert kept["target"] == kept["start"]["gait"] == target | copy
    shoulder = kept["actuators"]["tracked"]["shoulder_*"]
    assert shoulder == {"stiffness": 5.0, "movement": str(place / "run/inputs/movement.2.mot")}
    assert Path(shoulder["movement"]).read_text().startswith("reach\n")
    assert kept["actuators"]["tracked"]["elbow.x"] == 3.0
    assert (place / "run/inputs/movement.mot").read_text().startswith("walk\n")
    assert folder.values() == config
    # Nothing of it is taken for somebody else's.
    remove_run(folder.path)
    assert not folder.path.exists()


@pytest.mark.parametrize("suffix", ["", ".mot", ".sto2", ".ö", ".mot~", ".a b", ".2"])
def test_a_run_on_a_file_of_any_suffix_is_read_and_removed(place: Path, suffix: str) -> None:
    names = [f"one{suffix}", "two"]
    for name in names:
        (place / name).write_text(name)
    config = {
        "model": {"path": names[0]},
        "target": {"movement": names[0]},
        "start": {"gait": {"movement": names[1]}},
    }
    folder = RunFolder.create(place / "run", config, [], {}, inputs=read_inputs(config))
    kept = folder.config()
    assert Path(kept["model"]["copy"]).read_text() == names[0]
    assert Path(kept["target"]["movement"]).read_text() == names[0]
    assert Path(kept["start"]["gait"]["movement"]).read_text() == names[1]
    remove_run(folder.path)
    assert not folder.path.exists()


def test_a_run_knows_every_file_that_it_names(place: Path) -> None:
    folder = RunFolder(place)
    files = [
        folder.config_file, folder.overrides_file, folder.record_file, folder.model_file,
        folder.metrics_file, folder.checkpoint_file("best"), folder.evaluation_file("final"),
    ]  # fmt: skip
    assert all(is_written(file.relative_to(place).as_posix()) for file in files)
    others = ("inputs/model.osim.sh", "inputs/mine", "inputs/model/x", "notes", "a/run.json")
    assert not any(map(is_written, others))
