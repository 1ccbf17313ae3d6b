"""Models of the user's own: what is read, what is refused and in which words."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import opensim
import pytest
import tasks

from osimexp.errors import ModelError, OsimexpError
from osimexp.models.muscle_sets import MuscleSet
from osimexp.models.prepare import loaded, prepare, quiet
from osimexp.models.settings import ModelSettings, Point


def written(path: Path, edit: Callable[[opensim.Model], None]) -> str:
    """Write the arm with an edit and return the path."""
    with loaded(tasks.prepared(*tasks.ARM).xml) as model:
        edit(model)
        model.finalizeConnections()
        model.printToXML(str(path))
    return str(path)


def remove_muscles(model: opensim.Model) -> None:
    forces = model.updForceSet()
    for i in reversed(range(forces.getSize())):
        forces.remove(i)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "There is no model file"),
        ("this is no XML", "not an OpenSim model, because it is not XML"),
        ("<OpenSimDocument Version='40600'><Model name='a'>", "is not XML"),
        (remove_muscles, "has no muscles"),
    ],
    ids=["missing", "text", "cut short", "no muscles"],
)
def test_files_that_cannot_be_used_are_named(
    tmp_path: Path, content: str | Callable[[opensim.Model], None] | None, words: str
) -> None:
    path = tmp_path / "mine.osim"
    if isinstance(content, str):
        path.write_text(content)
    elif content is not None:
        written(path, content)
    with pytest.raises(ModelError, match=words) as caught:
        prepare(ModelSettings(path=str(path)), MuscleSet())
    assert "mine.osim" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_xml_that_is_no_model_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "page.osim"
    path.write_text("<html><body>hello</body></html>")
    with pytest.raises(OsimexpError):
        prepare(ModelSettings(path=str(path)), MuscleSet())


def test_unknown_bodies_are_named() -> None:
    settings = tasks.specification(*tasks.ARM).model
    with pytest.raises(ModelError, match=r"points\.tip: the model has no body 'forarm'.*forearm"):
        prepare(
            ModelSettings(
                anatomy="arm",
                muscle_model=settings.muscle_model,
                tendon=settings.tendon,
                points={"tip": Point("forarm", (0.0, 0.0, 0.0))},
            ),
            MuscleSet(),
        )


def test_opensim_leaves_no_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    quiet()
    tasks.prepared(*tasks.WALKER)
    assert not list(tmp_path.iterdir())


def test_a_files_own_controllers_do_not_add_to_the_policys(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def add_brain(model: opensim.Model) -> None:
        brain = opensim.PrescribedController()
        muscle = model.getMuscles().get(0)
        brain.addActuator(muscle)
        name = muscle.getAbsolutePathString()
        brain.prescribeControlForActuator(name, opensim.Constant(0.7))
        model.addController(brain)

    model = prepare(ModelSettings(path=written(tmp_path / "brain.osim", add_brain)), MuscleSet())
    assert "controllers" in caplog.text
    batch = tasks.simulation(model, 1)
    batch.reset(np.ones(1, dtype=bool), tasks.default_start(batch))
    for _ in range(5):
        state = batch.step(np.full((1, 6), 0.1))
    assert np.ptp(state.activations) < 1e-9
