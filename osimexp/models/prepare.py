"""Preparation of the exact model that is simulated, as the text of an ``.osim`` file."""

import logging
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import numpy as np
import opensim

from osimexp.cache import digest, kept, sources
from osimexp.errors import ModelError, near_matches
from osimexp.models import anatomy
from osimexp.models.actuators import ExternalForce, add_force
from osimexp.models.build import build
from osimexp.models.carried import carriers, has_contact
from osimexp.models.file_text import ModelText, check_numbers, leaves, read_text
from osimexp.models.fit_paths import fit_paths
from osimexp.models.fitted import Fitted, judge, read_note, with_note
from osimexp.models.muscle_sets import MuscleSet
from osimexp.models.plausible import check_model
from osimexp.models.settings import ModelSettings, Point

log = logging.getLogger("osimexp")

_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")


@dataclass(frozen=True)
class PreparedModel:
    """A model with all edits made, ready to be simulated on any machine.

    Attributes:
        xml: text of the ``.osim`` file that is simulated.
        settings: settings that the model was made from; feet and points are looked up by name in
            ``xml``.
        forces: external forces that were added to the model.
        muscle_set: muscle set that the model was made with; None if only the text is known.
        travels: whether a coordinate lets the model travel; true if only the text is known.
    """

    xml: str
    settings: ModelSettings
    forces: tuple[ExternalForce, ...] = ()
    muscle_set: MuscleSet | None = None
    travels: bool = True

    def foot_bodies(self, bodies: tuple[str, ...]) -> list[int]:
        """Return, for each foot, the index of the first body that one of its patterns matches."""
        return [
            next(i for i, b in enumerate(bodies) if any(fnmatchcase(b, p) for p in patterns))
            for patterns in self.settings.feet.values()
        ]


def prepare(
    settings: ModelSettings, muscle_set: MuscleSet, forces: Sequence[ExternalForce] = ()
) -> PreparedModel:
    """Return a model that is built or loaded, with its edits.

    The edits are the muscle set, points, external forces and paths.

    Raises:
        ModelError: the model cannot be built or read, has no muscles or lacks a body.
        ConfigError: a pattern of the muscle set matches no muscle.
    """
    quiet()
    model, carried = _load(settings)
    with _refusals(settings.path or f"The model {settings.anatomy}"):
        _edit_muscles(model, muscle_set)
        for name, point in settings.points.items():
            _add_point(model, name, point)
        for force in forces:
            add_force(model, force)
        model.finalizeConnections()
        xml = _print(model)
    if settings.paths == "fitted":
        # Fitting takes from a second to a minute, so its result is cached.
        code = sources("models/fit_paths.py", "models/fitted.py", "models/polynomials.py")
        name = digest([xml, code, opensim.GetVersion()])
        xml = kept(f"paths/{name}", lambda: _fitted(model).encode()).decode()
    if carried.off and not read_note(xml).off:
        xml = with_note(xml, carried)
    judge(read_note(xml), settings.anatomy is not None)
    travels = bool(carriers(model))
    if travels and not has_contact(model):
        log.warning(
            "%s has no contact force, so that nothing carries it and it falls freely; add a floor "
            "and contact spheres at the feet, or lock %s.",
            settings.path or settings.anatomy, ", ".join(carriers(model)),
        )  # fmt: skip
    return PreparedModel(xml, settings, tuple(forces), muscle_set, travels)


def quiet() -> None:
    """Stop OpenSim from writing ``opensim.log`` into the working folder and to the terminal."""
    opensim.Logger.removeFileSink()
    opensim.Logger.setLevelString("off")


@contextmanager
def loaded(xml: str) -> Iterator[opensim.Model]:
    """Yield the OpenSim model that the text of an ``.osim`` file describes."""
    quiet()
    with tempfile.TemporaryDirectory(prefix="osimexp-") as folder:
        path = Path(folder) / "model.osim"
        path.write_text(xml, encoding="utf-8")
        with _refusals("the model"):
            model = opensim.Model(str(path))
        yield model


def read_model(path: Path) -> opensim.Model:
    """Return the model in an ``.osim`` file.

    The file may be in any encoding that it declares, or in Latin-1 with no declaration.

    Raises:
        ModelError: the file does not exist, is no model, or OpenSim refuses it.
    """
    return _read(path, read_text(_existing(path)))


def unclamp(model: opensim.Model) -> None:
    """Let a model be assembled in poses beyond the ranges of its clamped coordinates.

    OpenSim's dynamics knows no clamps, but its assembly moves a clamped coordinate into its range,
    which for a pelvis is the length of a laboratory.

    Args:
        model: a model whose system is not yet initialised.
    """
    coordinates = model.getCoordinateSet()
    for number in range(coordinates.getSize()):
        coordinates.get(number).setDefaultClamped(False)


def first_line(error: BaseException) -> str:
    """Return the line of an OpenSim exception that says what is wrong."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    # OpenSim's message begins with a place in its source, which ends in a colon.
    telling = [line for line in lines if not line.endswith(":") and "Thrown at" not in line]
    chosen = (telling or lines or [type(error).__name__])[0]
    chosen = re.sub(r"^std::exception in '.*?': ", "", chosen)
    return chosen.rstrip(".") + "."


def require_bodies(feet: Mapping[str, Sequence[str]], bodies: Sequence[str]) -> None:
    """Refuse feet with patterns that match no body.

    Raises:
        ModelError: a pattern of a foot matches no body.
    """
    for foot, patterns in feet.items():
        for pattern in patterns:
            if not any(fnmatchcase(body, pattern) for body in bodies):
                raise ModelError(
                    f"model.feet.{foot}: the model has no body {pattern!r}; "
                    f"{near_matches(pattern, bodies)}"
                )


def _load(settings: ModelSettings) -> tuple[opensim.Model, Fitted]:
    """Return the model, and the facts about paths that were fitted before."""
    if settings.anatomy is not None:
        assert settings.muscle_model is not None
        assert settings.tendon is not None
        description = anatomy.load(settings.anatomy)
        model = build(description, muscle_model=settings.muscle_model, tendon=settings.tendon)
        return model, Fitted()
    assert settings.path is not None
    path = Path(settings.copy or settings.path).expanduser()
    given = read_text(_existing(path))
    model = _read(path, given)
    empty = check_numbers(given.leaves, leaves(_print(model)), path)
    if empty:
        log.warning("%s leaves empty, so that OpenSim takes its default: %s.", path, _few(empty))
    muscles = {model.getMuscles().get(i).getName() for i in range(model.getMuscles().getSize())}
    if not muscles:
        raise ModelError(
            f"{path} has no muscles in its ForceSet; osimexp drives models by their muscles."
        )
    if controllers := model.getControllerSet().getSize():
        # Controllers would add to the controls that the policy sets.
        model.updControllerSet().clearAndDestroy()
        log.warning("The %d controllers of %s were taken out of it.", controllers, path)
    return model, read_note(given.text)


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise ModelError(f"There is no model file {path}; give the path of an .osim file.")
    return path


def _read(path: Path, given: ModelText) -> opensim.Model:
    with tempfile.TemporaryDirectory(prefix="osimexp-") as folder, _refusals(str(path)):
        source = path
        if not given.plain:
            # OpenSim takes the bytes of every file for UTF-8.
            source = Path(folder) / path.name
            source.write_text(_DECLARATION.sub("", given.text), encoding="utf-8")
        model = opensim.Model(str(source))
        check_model(model, path)
        _find_meshes(model, path)
        model.finalizeConnections()
    return model


@contextmanager
def _refusals(name: str) -> Iterator[None]:
    """Turn the errors of OpenSim into sentences that name a file."""
    try:
        yield
    except (RuntimeError, TypeError, UnicodeDecodeError) as error:
        raise ModelError(f"OpenSim cannot read {name}: {first_line(error)}") from error


def _find_meshes(model: opensim.Model, path: Path) -> None:
    """Give the meshes of contact surfaces whole paths, as the model is simulated from elsewhere."""
    geometry = model.updContactGeometrySet()
    for i in range(geometry.getSize()):
        mesh = opensim.ContactMesh.safeDownCast(geometry.get(i))
        if mesh is None:
            continue
        given = Path(mesh.getPropertyByName("filename").toString())
        found = [p for p in (path.parent / given, path.parent / "Geometry" / given) if p.is_file()]
        if not found:
            raise ModelError(
                f"{path}: the mesh {given} of the contact surface {mesh.getName()} lies neither "
                f"beside the model nor in {path.parent / 'Geometry'}."
            )
        mesh.setFilename(str(found[0].absolute()))


def _edit_muscles(model: opensim.Model, muscle_set: MuscleSet) -> None:
    names = [model.getMuscles().get(i).getName() for i in range(model.getMuscles().getSize())]
    kept = muscle_set.kept(names)
    for name, factor in zip(names, muscle_set.strengths(names), strict=True):
        muscle = model.updMuscles().get(name)
        muscle.setMaxIsometricForce(muscle.getMaxIsometricForce() * float(factor))
    forces = model.updForceSet()
    for name in set(names) - set(kept):
        forces.remove(forces.getIndex(name))


def _add_point(model: opensim.Model, name: str, point: Point) -> None:
    bodies = [model.getBodySet().get(i).getName() for i in range(model.getBodySet().getSize())]
    if point.body not in bodies:
        raise ModelError(
            f"model.points.{name}: the model has no body {point.body!r}; "
            f"{near_matches(point.body, bodies)}"
        )
    location = opensim.Vec3(*np.asarray(point.location, dtype=float).tolist())
    model.addMarker(opensim.Marker(name, model.getBodySet().get(point.body), location))


def _fitted(model: opensim.Model) -> str:
    with _refusals("the model"):
        model.initSystem()
        fits = fit_paths(model)
        model.finalizeConnections()
        return with_note(_print(model), Fitted.of(fits))


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _print(model: opensim.Model) -> str:
    with tempfile.TemporaryDirectory(prefix="osimexp-") as folder:
        path = Path(folder) / "model.osim"
        model.printToXML(str(path))
        return path.read_text(encoding="utf-8")
