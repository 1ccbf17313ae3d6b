"""A small biped in three dimensions, with muscles, torques and feet, made for the tests."""

from collections.abc import Callable
from pathlib import Path

import opensim

from osimexp.models.actuators import ExternalForce
from osimexp.models.muscle_sets import MuscleSet
from osimexp.models.prepare import PreparedModel, prepare, quiet
from osimexp.models.settings import Base, ModelSettings

TRUNK = ("lumbar_extension", "lumbar_bending", "lumbar_rotation")
FEET: dict[str, tuple[str, ...]] = {"right": ("thigh_r",), "left": ("thigh_l",)}
Edit = Callable[[opensim.Model], None]


def biped(path: Path, *edits: Edit) -> Path:
    """Write the biped, with edits, and return its file."""
    quiet()
    model = opensim.Model()
    model.setName("biped")
    pelvis = _body(model, "pelvis", 12.0, 0.1)
    _joint(
        model, "root", model.getGround(), (0.0, 0.0, 0.0), pelvis, (0.0, 0.0, 0.0),
        ("pelvis_tilt", "pelvis_list", "pelvis_rotation"), ("z", "x", "y"),
        ("pelvis_tx", "pelvis_ty", "pelvis_tz"),
    )  # fmt: skip
    torso = _body(model, "torso", 30.0, 1.0)
    _joint(model, "back", pelvis, (0.0, 0.1, 0.0), torso, (0.0, -0.2, 0.0), TRUNK, ("z", "x", "y"))
    for side, sign in (("r", 1.0), ("l", -1.0)):
        thigh = _body(model, f"thigh_{side}", 8.0, 0.15)
        # As in OpenSim's models, adduction and rotation to the inside are positive on both sides.
        axes = ("z", "x" if sign > 0 else "-x", "y" if sign > 0 else "-y")
        names = tuple(f"hip_{kind}_{side}" for kind in ("flexion", "adduction", "rotation"))
        _joint(
            model, f"hip_{side}", pelvis, (0.0, -0.05, 0.09 * sign), thigh, (0.0, 0.4, 0.0),
            names, axes,
        )  # fmt: skip
        _muscle(model, f"flexor_{side}", pelvis, (0.06, 0.02, 0.09 * sign), thigh, (0.04, 0.2, 0.0))
        _muscle(
            model, f"extensor_{side}", pelvis, (-0.07, 0.0, 0.08 * sign), thigh, (-0.03, 0.2, 0.0)
        )
        _foot(model, thigh, side)
    for name in TRUNK:
        motor = opensim.CoordinateActuator(name)
        motor.setName(f"{name}_torque")
        motor.setOptimalForce(50.0)
        model.addForce(motor)
    for edit in edits:
        edit(model)
    model.finalizeConnections()
    model.printToXML(str(path))
    return path


def prepared_biped(
    path: Path, *edits: Edit, forces: tuple[ExternalForce, ...] = ()
) -> PreparedModel:
    """Return the biped ready to be simulated."""
    settings = ModelSettings(
        path=str(biped(path, *edits)), base=Base(body="pelvis"), trunk=TRUNK, feet=FEET
    )
    return prepare(settings, MuscleSet(), forces)


def task(path: Path, *overrides: str) -> tuple[str, ...]:
    """Return the overrides of a task with the biped, in the air."""
    return (
        "model=file", f"model.path={biped(path / 'biped.osim')}", "model.base.body=pelvis",
        f"model.trunk=[{','.join(TRUNK)}]", "workers=none", "physics=compiled", "start=default",
        "+model.feet.right=[thigh_r]", "+model.feet.left=[thigh_l]", "termination=none", *overrides,
    )  # fmt: skip


def _body(model: opensim.Model, name: str, mass: float, inertia: float) -> opensim.Body:
    moments = opensim.Inertia(inertia, 0.5 * inertia, 1.2 * inertia)
    made = opensim.Body(name, mass, opensim.Vec3(0.01, 0.02, 0.0), moments)
    model.addBody(made)
    return made


def _joint(
    model: opensim.Model,
    name: str,
    parent: opensim.PhysicalFrame,
    at: tuple[float, float, float],
    child: opensim.Body,
    on: tuple[float, float, float],
    turns: tuple[str, ...],
    axes: tuple[str, ...],
    ways: tuple[str, ...] = (),
) -> None:
    """Add a joint that turns about three axes, and travels along three where ``ways`` are given."""
    transform = opensim.SpatialTransform()
    vectors = {"x": (1, 0, 0), "y": (0, 1, 0), "z": (0, 0, 1), "-x": (-1, 0, 0), "-y": (0, -1, 0)}
    driven = [*zip(turns, axes, strict=True), *zip(ways or (None,) * 3, "xyz", strict=True)]
    for number, (coordinate, axis) in enumerate(driven):
        one = transform.updTransformAxis(number)
        one.setAxis(opensim.Vec3(*vectors[axis]))
        if coordinate is not None:
            names = opensim.ArrayStr()
            names.append(coordinate)
            one.setCoordinateNames(names)
            function = opensim.LinearFunction(1.0, 0.0)
            function.thisown = False  # The axis frees it.
            one.setFunction(function)
    zero = opensim.Vec3(0.0)
    joint = opensim.CustomJoint(
        name, parent, opensim.Vec3(*at), zero, child, opensim.Vec3(*on), zero, transform
    )
    joint.finalizeFromProperties()  # Makes the coordinates.
    model.addJoint(joint)
    for number, coordinate in enumerate((*turns, *ways)):
        found = joint.upd_coordinates(number)
        found.setName(coordinate)
        low, high = (-10.0, 10.0) if coordinate in ways else (-1.0, 1.0)
        if coordinate == "pelvis_ty":
            low, high = 0.0, 2.0
            found.setDefaultValue(1.0)
        found.setRangeMin(low)
        found.setRangeMax(high)


def _muscle(
    model: opensim.Model,
    name: str,
    first: opensim.Body,
    at: tuple[float, float, float],
    last: opensim.Body,
    on: tuple[float, float, float],
) -> None:
    # Of a DeGrooteFregly2016Muscle, OpenSim keeps the constants of the first one in a process.
    muscle = opensim.Millard2012EquilibriumMuscle(name, 800.0, 0.15, 0.1, 0.0)
    muscle.set_ignore_tendon_compliance(True)
    muscle.addNewPathPoint("origin", first, opensim.Vec3(*at))
    muscle.addNewPathPoint("insertion", last, opensim.Vec3(*on))
    model.addForce(muscle)


def _foot(model: opensim.Model, thigh: opensim.Body, side: str) -> None:
    if not model.getContactGeometrySet().contains("floor"):
        floor = opensim.ContactHalfSpace(
            opensim.Vec3(0.0), opensim.Vec3(0.0, 0.0, -1.5707963267948966), model.getGround(),
            "floor",
        )  # fmt: skip
        model.addContactGeometry(floor)
    sphere = opensim.ContactSphere(0.05, opensim.Vec3(0.0, -0.5, 0.0), thigh, f"sole_{side}")
    model.addContactGeometry(sphere)
    geometry = model.getContactGeometrySet()
    contact = opensim.SmoothSphereHalfSpaceForce(
        f"contact_{side}",
        opensim.ContactSphere.safeDownCast(geometry.get(f"sole_{side}")),
        opensim.ContactHalfSpace.safeDownCast(geometry.get("floor")),
    )
    model.addForce(contact)
