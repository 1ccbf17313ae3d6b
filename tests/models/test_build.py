"""The OpenSim models that are built from the anatomies, and their behaviour in motion."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import opensim
import pytest

from osimexp.errors import ModelError
from osimexp.models import anatomy
from osimexp.models.build import build
from osimexp.models.fit_paths import fit_paths

GRAVITY = 9.80665
KINDS = (
    ("millard", "elastic"),
    ("millard", "rigid"),
    ("degroote_fregly", "elastic"),
    ("degroote_fregly", "rigid"),
    ("thelen", "elastic"),
)
Read = Callable[[opensim.State], list[float]]
SPHERES = ("heel_r", "toes_r", "heel_l", "toes_l")
# A muscle with a fixed length: its tendon stretched by 4 % and its fibre at its best.
ISOMETRIC = """
gravity: [0, 0, 0]
credits: none
bodies:
  block: {mass: 1, centre: [0, 0, 0], inertia: [1, 1, 1]}
joints:
  fixed: {parent: ground, child: block, location: [0, 0, 0], coordinates: {}}
muscles:
  pull:
    {force: 1000, fibre: 0.1, tendon: 0.2, pennation: 0,
     path: [{body: ground, at: [0, 0, 0]}, {body: block, at: [LENGTH, 0, 0]}]}
"""


def simulate(
    model: opensim.Model,
    seconds: float,
    excitations: Callable[[], np.ndarray],
    read: Read,
    start: dict[str, float] | None = None,
) -> np.ndarray:
    """Return what ``read`` gives after each 10 ms."""
    state = model.initSystem()
    for name, value in (start or {}).items():
        model.getCoordinateSet().get(name).setValue(state, value, False)
    model.equilibrateMuscles(state)
    manager = opensim.Manager(model)
    manager.setWriteToStorage(False)
    manager.setPerformAnalyses(False)
    manager.setIntegratorAccuracy(1e-3)
    manager.setIntegratorMinimumStepSize(1e-4)
    manager.initialize(state)
    state = manager.getState()
    rows = []
    for step in range(1, round(seconds / 0.01) + 1):
        model.setDefaultControls(opensim.Vector.createFromMat(excitations()))
        model.markControlsAsInvalid(state)
        state = manager.integrate(0.01 * step)
        model.realizeDynamics(state)
        rows.append(read(state))
    return np.array(rows)


def stiff_walker() -> opensim.Model:
    """Return the walker as a statue in the default pose that can only move up and down."""
    described = anatomy.load("gait2d")
    joints = {name: replace(j, coordinates={}, slide=None) for name, j in described.joints.items()}
    up = {"pelvis_ty": described.coordinates["pelvis_ty"]}
    joints["ground_pelvis"] = replace(joints["ground_pelvis"], coordinates=up)
    for side in "rl":
        # Where the knee's slide is when it is straight.
        joints[f"knee_{side}"] = replace(joints[f"knee_{side}"], location=(-0.0042, -0.396, 0.0))
    return build(replace(described, joints=joints, muscles={}))


def upward_force(model: opensim.Model, state: opensim.State) -> float:
    """Return the force of the ground on all feet, N."""
    # The records begin with the force on the sphere's own body, X, Y and Z.
    forces = [model.getForceSet().get(name).getRecordValues(state) for name in SPHERES]
    return float(sum(force.get(1) for force in forces))


def relaxed() -> np.ndarray:
    return np.full(18, 0.01)


@pytest.mark.parametrize(("height", "seconds"), [(0.0, 1.0), (0.05, 1.5)])
def test_the_ground_carries_the_body_still_and_after_a_fall(height: float, seconds: float) -> None:
    model = stiff_walker()
    pelvis = model.getCoordinateSet().get("pelvis_ty")

    def read(state: opensim.State) -> list[float]:
        height, speed = pelvis.getValue(state), pelvis.getSpeedValue(state)
        return [height, speed, upward_force(model, state)]

    rows = simulate(model, seconds, lambda: np.empty(0), read, {"pelvis_ty": 0.954 + height})
    weight = anatomy.load("gait2d").mass * GRAVITY
    assert rows[-1, 2] == pytest.approx(weight, rel=0.02)
    assert abs(rows[-1, 1]) < 1e-3
    assert rows[:, 0].min() > 0.934  # sinks in by less than 2 cm
    landed = rows[int(rows[:, 2].argmax()) :, 0]
    assert landed.max() < 0.954  # does not leave the ground again


def test_random_excitations_do_not_drive_joints_out_of_range() -> None:
    for name in anatomy.names():
        described = anatomy.load(name)
        model = build(described)
        kept = [n for n, coordinate in described.coordinates.items() if coordinate.limit]
        axes = [model.getCoordinateSet().get(n) for n in kept]
        generator = np.random.default_rng(3)
        count = len(described.muscles)
        # A draw held for 0.1 s drives a joint further than one that changes with every step.
        draws = iter(np.repeat(generator.random((20, count)).round(), 10, axis=0))
        rows = simulate(
            model,
            2.0,
            lambda draws=draws: next(draws),
            lambda s, a=axes: [x.getValue(s) for x in a],
        )
        for n, column in zip(kept, np.degrees(rows).T, strict=True):
            low, high = described.coordinates[n].range
            assert low < column.min(), (n, column.min())
            assert column.max() < high, (n, column.max())


@pytest.mark.parametrize(("muscle_model", "tendon"), KINDS)
def test_isometric_force_at_the_best_length_is_the_muscle_s(muscle_model: str, tendon: str) -> None:
    length = 0.3 if tendon == "rigid" else 0.3 + 0.04 * 0.2
    text = ISOMETRIC.replace("LENGTH", str(length))
    model = build(anatomy.parse("isometric", text), muscle_model, tendon)  # type: ignore[arg-type]
    state = model.initSystem()
    muscle = model.getMuscles().get(0)
    muscle.setActivation(state, 1.0)
    model.equilibrateMuscles(state)
    model.realizeDynamics(state)
    assert muscle.getActuation(state) == pytest.approx(1000.0, rel=0.03)


@pytest.mark.parametrize("fitted", [False, True])
@pytest.mark.parametrize(("muscle_model", "tendon"), KINDS)
def test_a_printed_model_moves_as_the_built_one(
    muscle_model: str, tendon: str, fitted: bool, tmp_path: Path
) -> None:
    for name in anatomy.names():
        model = build(anatomy.load(name), muscle_model, tendon)  # type: ignore[arg-type]
        if fitted:
            fit_paths(model)
        model.printToXML(str(tmp_path / "model.osim"))
        again = opensim.Model(str(tmp_path / "model.osim"))
        assert (derivatives(model) == derivatives(again)).all()


def derivatives(model: opensim.Model) -> np.ndarray:
    state = model.initSystem()
    for i in range(model.getCoordinateSet().getSize()):
        coordinate = model.getCoordinateSet().get(i)
        coordinate.setValue(state, coordinate.getDefaultValue() - 0.02 * (i + 1), False)
        coordinate.setSpeedValue(state, 0.1 * i)
    model.equilibrateMuscles(state)
    model.realizeAcceleration(state)
    return state.getYDot().to_numpy().copy()


@pytest.mark.parametrize("fitted", [False, True])
def test_the_walker_is_symmetric(fitted: bool) -> None:
    """Swapping the legs' angles, speeds and excitations swaps their accelerations."""
    model = build(anatomy.load("gait2d"))
    if fitted:
        fit_paths(model)
    names = list(anatomy.load("gait2d").coordinates)
    generator = np.random.default_rng(0)
    pose = dict(zip(names, generator.uniform(-0.3, 0.0, len(names)), strict=True))
    pose["pelvis_ty"] = 0.93
    first = accelerations(model, pose)
    second = accelerations(model, {swap(name): value for name, value in pose.items()})
    for name in names:
        assert second[swap(name)] == pytest.approx(first[name], rel=1e-8, abs=1e-8)


def swap(name: str) -> str:
    sides = {"_r": "_l", "_l": "_r"}
    return name[:-2] + sides[name[-2:]] if name[-2:] in sides else name


def accelerations(model: opensim.Model, pose: dict[str, float]) -> dict[str, float]:
    state = model.initSystem()
    for name, value in pose.items():
        model.getCoordinateSet().get(name).setValue(state, value, False)
    model.equilibrateMuscles(state)
    model.realizeAcceleration(state)
    coordinates = [model.getCoordinateSet().get(name) for name in pose]
    return {c.getName(): c.getAccelerationValue(state) for c in coordinates}


def test_both_contacts_follow_the_same_law() -> None:
    """Pressed 1 cm in at rest, F = 4/3 k sqrt(R k) x^1.5 with k = E^(2/3) / 2 for each sphere.

    The smooth force lies 6 % above, for its smoothing adds to the depth.
    """
    described = anatomy.load("gait2d")
    assert described.floor is not None
    k = 0.5 * described.floor.stiffness ** (2.0 / 3.0)
    worked = 4 * 4.0 / 3.0 * k * np.sqrt(0.03 * k) * 0.01**1.5
    for contact, tolerance in (("smooth", 0.07), ("hunt_crossley", 0.02)):
        model = build(described, contact=contact)  # type: ignore[arg-type]
        state = model.initSystem()
        model.getCoordinateSet().get("pelvis_ty").setValue(state, 0.944, False)
        model.realizeDynamics(state)
        assert upward_force(model, state) == pytest.approx(worked, rel=tolerance)


def test_the_trunk_is_held_up() -> None:
    described = anatomy.load("gait2d")
    pelvis = replace(described.joints["ground_pelvis"], coordinates={})
    back = {"ground_pelvis": pelvis, "back": described.joints["back"]}
    bodies = {name: described.bodies[name] for name in ("pelvis", "torso")}
    trunk_only = replace(described, bodies=bodies, joints=back, muscles={}, spheres={}, floor=None)
    model = build(trunk_only)
    trunk = model.getCoordinateSet().get("lumbar_extension")
    start = {"lumbar_extension": 0.2}
    rows = simulate(model, 2.0, lambda: np.empty(0), lambda s: [trunk.getValue(s)], start)
    # It comes to rest where the spring balances the trunk's weight: 1000 q = m g (0.03 + 0.32 q).
    weight = bodies["torso"].mass * GRAVITY
    assert rows[-1, 0] == pytest.approx(0.03 * weight / (1000 - 0.32 * weight), abs=1e-3)


def test_an_episode_does_not_depend_on_the_one_before() -> None:
    for name, kind in (("arm", ("degroote_fregly", "rigid")), ("gait2d", ("millard", "elastic"))):
        model = build(anatomy.load(name), *kind)  # type: ignore[arg-type]
        fit_paths(model)
        axes = list(model.getCoordinateSet())
        count = len(anatomy.load(name).muscles)

        def read(state: opensim.State, axes: list[opensim.Coordinate] = axes) -> list[float]:
            return [axis.getValue(state) for axis in axes]

        def episode(
            seed: int, model: opensim.Model = model, count: int = count, read: Read = read
        ) -> np.ndarray:
            generator = np.random.default_rng(seed)
            return simulate(model, 0.1, lambda: generator.random(count), read)

        first = episode(0)
        assert (episode(1) != first).any()
        assert (episode(0) == first).all()


def test_thelen_has_no_rigid_tendon() -> None:
    with pytest.raises(ModelError, match="cannot have rigid tendons"):
        build(anatomy.load("arm"), "thelen", "rigid")


def test_activation_follows_the_excitation_within_its_time_constants() -> None:
    model = build(anatomy.load("arm"))
    muscle = model.getMuscles().get("BRA")

    def read(state: opensim.State) -> list[float]:
        return [muscle.getActivation(state)]

    rise = simulate(model, 0.1, lambda: np.ones(6), read)[:, 0]
    # da/dt = (u - a) / (tau (0.5 + 1.5 a)) from 0.05, integrated by hand to 10 ms and 100 ms.
    a, worked = 0.05, []
    for step in range(10000):
        a += 1e-5 * (1.0 - a) / (0.01 * (0.5 + 1.5 * a))
        worked += [a] if step in (999, 9999) else []
    assert rise[[0, 9]] == pytest.approx(worked, abs=0.01)
