"""Compiled contact against OpenSim itself, on a small model at random states."""

from pathlib import Path

import numpy as np
import opensim
import pytest
from force_bench import STATES, Bench, Floats, frame, two_bodies

from osimexp.errors import ModelError
from osimexp.physics.compiled.forces.hunt_crossley import HuntCrossley
from osimexp.physics.compiled.ir.program import evaluate, program


def floor(
    model: opensim.Model, on: opensim.PhysicalFrame | None = None
) -> opensim.ContactHalfSpace:
    down = opensim.Vec3(0.0, 0.0, -np.pi / 2.0)
    space = opensim.ContactHalfSpace(
        opensim.Vec3(0.0), down, on or model.getGround(), f"floor{on.getName() if on else ''}"
    )
    model.addContactGeometry(space)
    return space


def ball(
    model: opensim.Model, on: opensim.PhysicalFrame, name: str, at: tuple[float, float, float]
) -> opensim.ContactSphere:
    made = opensim.ContactSphere(0.05, opensim.Vec3(*at), on, name)
    model.addContactGeometry(made)
    return made


def smooth(sphere: opensim.ContactSphere, space: opensim.ContactHalfSpace, **figures: float):
    force = opensim.SmoothSphereHalfSpaceForce("contact", sphere, space)
    default = {
        "stiffness": 1e6,
        "dissipation": 1.5,
        "static_friction": 0.8,
        "dynamic_friction": 0.5,
        "viscous_friction": 0.3,
        "transition_velocity": 0.15,
    }
    for name, value in {**default, **figures}.items():
        getattr(force, f"set_{name}")(value)
    return force


def near_floor(bench: Bench, seed: int, rows: int = STATES) -> Floats:
    """States with a sphere from 3 cm inside the floor to 4 cm above it, sliding or nearly still."""
    states = bench.draw(seed, rows)
    random = np.random.default_rng(seed)
    speeds = states[:, bench.count :]
    speeds *= 10.0 ** random.uniform(-3.0, 0.3, (rows, 1))
    height = bench.index["root_coord_4"]
    trace, motion = bench.motion()
    sphere = (
        bench.force.surfaces[bench.force.pairs[0].first].shape
        if isinstance(bench.force, HuntCrossley)
        else bench.force.sphere
    )
    place = program("height", trace, [motion.in_ground(sphere.middle)[1]], 2 * bench.count)
    for row in states:
        wanted = 0.05 + random.uniform(-0.03, 0.04)
        row[height] += wanted - evaluate(place, row)[0]
    return states


@pytest.mark.parametrize(
    "figures",
    [
        {},
        {"dissipation": 0.0},
        {"viscous_friction": 0.0, "dynamic_friction": 0.8},
        {
            "constant_contact_force": 1e-3,
            "hertz_smoothing": 150.0,
            "hunt_crossley_smoothing": 20.0,
        },
    ],
)
def test_smooth_sphere_on_the_floor(figures: dict[str, float]) -> None:
    model = two_bodies()
    lower = frame(model, "toe", model.getBodySet().get("lower"))
    force = smooth(ball(model, lower, "ball", (0.02, -0.3, 0.04)), floor(model), **figures)
    bench = Bench(model, force)
    states = near_floor(bench, 1)
    bench.check(states)
    expected = np.array([bench.record(row)[:3] for row in states])
    reaction = bench.reaction()
    found = np.array([evaluate(reaction, row) for row in states])
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-10 * np.abs(expected).max())
    assert bench.force.contacts[0].sphere_body == bench.mechanism.body_index("lower")
    pressed = expected[:, 1] > 1e-3 * expected[:, 1].max()
    assert 0.2 < pressed.mean() < 0.8


def test_smooth_sphere_on_a_moving_plate() -> None:
    model = two_bodies()
    bodies = model.getBodySet()
    plate = floor(model, frame(model, "plate", bodies.get("upper")))
    force = smooth(ball(model, bodies.get("lower"), "ball", (0.0, -0.1, 0.0)), plate)
    bench = Bench(model, force)
    bench.check(bench.draw(2))


def hunt(transition: float = 0.1) -> opensim.HuntCrossleyForce:
    force = opensim.HuntCrossleyForce()
    force.setName("contact")
    force.setStiffness(1e6)
    force.setDissipation(1.5)
    force.setStaticFriction(0.8)
    force.setDynamicFriction(0.5)
    force.setViscousFriction(0.3)
    force.setTransitionVelocity(transition)
    return force


def contact_bench(force: opensim.HuntCrossleyForce, model: opensim.Model, *names: str) -> Bench:
    for name in names:
        force.addGeometry(name)
    return Bench(model, force)


def test_hunt_crossley_sphere_on_the_floor() -> None:
    model = two_bodies()
    space = floor(model)
    ball(model, frame(model, "toe", model.getBodySet().get("lower")), "ball", (0.02, -0.3, 0.04))
    bench = contact_bench(hunt(), model, space.getName(), "ball")
    states = near_floor(bench, 3)
    bench.check(states)
    reaction = bench.reaction()
    expected = np.array([bench.record(row)[-6:-3] for row in states])
    found = np.array([evaluate(reaction, row) for row in states])
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-10 * np.abs(expected).max())
    assert 0.2 < (expected[:, 1] > 0.0).mean() < 0.8
    assert bench.force.contacts[0].sphere_body == bench.mechanism.body_index("lower")


def test_a_half_space_may_be_called_ground() -> None:
    model = two_bodies()
    space = floor(model)
    space.setName("ground")
    ball(model, frame(model, "toe", model.getBodySet().get("lower")), "ball", (0.02, -0.3, 0.04))
    bench = contact_bench(hunt(), model, "ground", "ball")
    bench.check(near_floor(bench, 3))


def test_hunt_crossley_leaves_out_what_follows_a_parting_pair() -> None:
    model = two_bodies()
    space = floor(model)
    upper, lower = (model.getBodySet().get(name) for name in ("upper", "lower"))
    names = [space.getName()]
    random = np.random.default_rng(0)
    for i in range(5):
        on = upper if i % 2 else lower
        names.append(f"ball{i}")
        ball(model, on, names[-1], tuple(random.uniform(-0.08, 0.08, 3)))
    bench = contact_bench(hunt(), model, *names)
    states = bench.draw(4, speed=3.0)
    random = np.random.default_rng(4)
    # Turned far enough to change the axis that the search runs along, and all near the floor.
    states[:, bench.index["root_coord_4"]] = random.uniform(-0.1, 0.25, len(states))
    bench.check(states)
    for number, contact in enumerate(bench.force.contacts):
        name = bench.mechanism.bodies[contact.sphere_body].name
        labels = [bench.given.getRecordLabels().get(i) for i in range(6 * len(names))]
        column = labels.index(f"contact.{name}.force.X")
        expected = np.array([bench.record(row)[column : column + 3] for row in states])
        reaction = bench.reaction(number)
        found = np.array([evaluate(reaction, row) for row in states])
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-10 * np.abs(expected).max())
    # The states do reach the quirk: without it the forces would be others.
    trace, motion = bench.motion()
    parted = [touch.parts for touch in bench.force.touches(motion)]
    assert len(parted) == len(bench.force.pairs)
    parts = program("parts", trace, parted, 2 * bench.count)
    assert np.mean([evaluate(parts, row).any() for row in states]) > 0.05


def test_hunt_crossley_of_two_materials(tmp_path: Path) -> None:
    model = two_bodies()
    upper, lower = (model.getBodySet().get(name) for name in ("upper", "lower"))
    plate = floor(model, frame(model, "plate", upper))
    ball(model, lower, "ball", (0.0, -0.1, 0.02))
    ball(model, upper, "other", (0.05, -0.3, 0.0))
    force = hunt()
    force.addGeometry("ball")
    model.addForce(force)
    model.finalizeConnections()
    model.printToXML(str(tmp_path / "model.osim"))
    text = (tmp_path / "model.osim").read_text()
    names = ("stiffness", "dissipation", "static_friction", "dynamic_friction", "viscous_friction")
    figures = "".join(
        f"<{n}>{v}</{n}>" for n, v in zip(names, (3e5, 0.4, 0.5, 0.0, 0.1), strict=True)
    )
    end = "</HuntCrossleyForce::ContactParameters>"
    more = f"<geometry>{plate.getName()} other</geometry>{figures}"
    added = f"{end}<{end[2:-1]}>{more}{end}"
    (tmp_path / "model.osim").write_text(text.replace(end, added))
    bench = Bench(opensim.Model(str(tmp_path / "model.osim")))
    assert [pair.hertz for pair in bench.force.pairs]
    assert len(bench.force.pairs) == 2
    bench.check(bench.draw(5))


def test_contact_sets_in_without_a_jump_and_friction_opposes_sliding() -> None:
    for kind in ("smooth", "hunt"):
        model = two_bodies()
        space = floor(model)
        sphere = ball(model, model.getBodySet().get("lower"), "ball", (0.0, -0.1, 0.02))
        if kind == "smooth":
            bench = Bench(model, smooth(sphere, space))
        else:
            bench = contact_bench(hunt(), model, space.getName(), "ball")
        reaction = bench.reaction()
        states = near_floor(bench, 6, 100)
        trace, motion = bench.motion()
        found = bench.force.sphere if kind == "smooth" else bench.force.surfaces[1].shape
        results = [*motion.in_ground(found.middle), *motion.velocity(found.middle)]
        results += list(motion.angular_velocity(found.middle.body))
        middle = program("middle", trace, results, 2 * bench.count)
        height = bench.index["root_coord_4"]
        for row in states:
            point = evaluate(middle, row)
            force = evaluate(reaction, row)
            depth = 0.05 - point[1]
            velocity = point[3:6] + np.cross(point[6:], [0.0, -0.05 + 0.5 * depth, 0.0])
            # The smooth one pulls a little where the two part fast.
            assert force[1] >= -1e-2
            assert force[0] * velocity[0] + force[2] * velocity[2] <= 1e-2
            touching = row.copy()
            touching[height] -= point[1] - 0.05
            forces = []
            for step in (-1e-9, 0.0, 1e-9):
                moved = touching.copy()
                moved[height] += step
                forces.append(evaluate(reaction, moved))
            np.testing.assert_allclose(forces[0], forces[1], atol=1e-3)
            np.testing.assert_allclose(forces[2], forces[1], atol=1e-3)


@pytest.mark.parametrize("figure", ["transition_velocity", "hunt_crossley_smoothing"])
def test_contact_without_a_finite_force_is_refused(figure: str) -> None:
    model = two_bodies()
    sphere = ball(model, model.getBodySet().get("lower"), "ball", (0.0, 0.0, 0.0))
    force = smooth(sphere, floor(model), dissipation=0.0, **{figure: 0.0})
    with pytest.raises(ModelError, match=rf"contact \(SmoothSphereHalfSpaceForce\): set {figure}"):
        Bench(model, force)
