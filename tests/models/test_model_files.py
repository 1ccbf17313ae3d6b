"""Models of the user's own: what is read, what is refused and in which words."""

import re
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


def arm_text(path: Path) -> str:
    written(path, lambda model: None)
    return path.read_text()


def changed(tag: str, value: str) -> Callable[[str], str]:
    """Return a change of the first element of a name to another text."""
    return lambda text: re.sub(rf"<{tag}>[^<]*</{tag}>", f"<{tag}>{value}</{tag}>", text, count=1)


def renamed(kind: str, name: str, other: str) -> Callable[[str], str]:
    return lambda text: text.replace(f'<{kind} name="{name}"', f'<{kind} name="{other}"')


MUSCLE = "DeGrooteFregly2016Muscle"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (changed("tendon_slack_length", "0"), "tendon_slack_length of TRIlong is 0, and must be"),
        (changed("optimal_fiber_length", "0"), "optimal_fiber_length of TRIlong is 0, and must"),
        (changed("max_isometric_force", "NaN"), "max_isometric_force of TRIlong is nan"),
        (changed("max_isometric_force", "-1"), "max_isometric_force of TRIlong is -1, and must be"),
        (changed("max_isometric_force", "1,0"), "is '1,0', which is no number; OpenSim would take"),
        (changed("tendon_slack_length", "1e300"), "tendon_slack_length of TRIlong is 1e.300"),
        (changed("mass_center", "0 inf 0"), "mass_center of .* is inf, and must be finite"),
        (changed("default_value", "1e300"), "default_value of .* is 1e.300, and must be from"),
        (changed("range", "1 -1"), "the upper end of range of .* is -1, and must be from 1"),
        (renamed(MUSCLE, "TRIlat", "TRIlong"), "2 components 'TRIlong' in its ForceSet; give each"),
        (renamed("Body", "forearm", "humerus"), "2 components 'humerus' in its BodySet"),
        (
            renamed("Coordinate", "elbow_flexion", "shoulder_flexion"),
            "2 components 'shoulder_flexion' in its coordinates",
        ),
        (
            lambda text: text.replace("</Model>", "<a>" * 100_000 + "</a>" * 100_000 + "</Model>"),
            "nested more than 200 deep",
        ),
        (lambda text: text.replace("/bodyset/humerus", "/bodyset/nowhere"), "/bodyset/nowhere"),
        (lambda text: text.replace("<Model ", "<Modell ").replace("</Model>", "</Modell>"),
         "it has no Model"),
        (lambda text: text.replace("OpenSimDocument", "Document"), "begins with <Document>"),
        (lambda text: text.replace("?>", "?><!DOCTYPE a>", 1), "has a DOCTYPE"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_named(
    tmp_path: Path, change: Callable[[str], str], words: str
) -> None:
    path = tmp_path / "mine.osim"
    before = arm_text(path)
    text = change(before)
    assert text != before
    path.write_text(text)
    with pytest.raises(ModelError, match=words) as caught:
        prepare(ModelSettings(path=str(path)), MuscleSet())
    assert "mine.osim" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("encoding", "declared"),
    [("latin-1", "UTF-8"), ("latin-1", "ISO-8859-1"), ("utf-8", "UTF-8"), ("utf-8-sig", "UTF-8"),
     ("utf-16", "UTF-16"), ("cp1252", "UTF-8")],
)  # fmt: skip
def test_files_of_any_encoding_are_read(tmp_path: Path, encoding: str, declared: str) -> None:
    path = tmp_path / "mine.osim"
    text = arm_text(path).replace("TRIlong", "TRIl\xf6ng").replace("UTF-8", declared, 1)
    path.write_bytes(text.encode(encoding))
    xml = prepare(ModelSettings(path=str(path)), MuscleSet()).xml
    with loaded(xml) as model:
        assert model.getMuscles().get(0).getName() == "TRIl\xf6ng"


def test_numbers_left_empty_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "mine.osim"
    path.write_text(changed("max_isometric_force", "")(arm_text(path)))
    prepare(ModelSettings(path=str(path)), MuscleSet())
    assert "takes its default: max_isometric_force of TRIlong." in caplog.text


CUBE = """v 0 0 0
v 1 0 0
v 1 1 0
v 0 1 0
v 0 0 1
v 1 0 1
v 1 1 1
v 0 1 1
f 4 3 2
f 4 2 1
f 5 6 7
f 5 7 8
f 1 2 6
f 1 6 5
f 2 3 7
f 2 7 6
f 3 4 8
f 3 8 7
f 4 1 5
f 4 5 8
"""


@pytest.mark.parametrize("folder", [".", "Geometry"])
def test_meshes_of_contact_surfaces_are_found_beside_the_file(tmp_path: Path, folder: str) -> None:
    (tmp_path / folder).mkdir(exist_ok=True)
    mesh = tmp_path / folder / "cube.obj"
    mesh.write_text(CUBE)

    def add_mesh(model: opensim.Model) -> None:
        surface = opensim.ContactMesh()
        surface.setName("cube")
        surface.setFilename("cube.obj")
        surface.setFrame(model.getGround())
        model.addContactGeometry(surface)

    path = Path(written(tmp_path / "mine.osim", add_mesh))
    model = prepare(ModelSettings(path=str(path)), MuscleSet())
    with loaded(model.xml) as found:
        found.initSystem()
    mesh.unlink()
    with pytest.raises(ModelError, match=r"mesh cube\.obj of .* cube lies neither"):
        prepare(ModelSettings(path=str(path)), MuscleSet())


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
