"""What models look like and where poses put them, against OpenSim and what is known of them."""

import logging
from pathlib import Path

import numpy as np
import opensim
import pytest
from biped import biped
from tasks import prepared

from osimexp.models.prepare import PreparedModel, loaded
from osimexp.models.settings import ModelSettings
from osimexp.physics.posing.appearance import figure
from osimexp.physics.posing.points import point_positions
from osimexp.physics.posing.poses import Posing
from osimexp.physics.posing.state_paths import state_paths

WALKER = ("model=gait2d", "reward=velocity")


@pytest.fixture(scope="module")
def walker() -> PreparedModel:
    return prepared(*WALKER)


def poses_of(model: PreparedModel, count: int) -> np.ndarray:
    names = state_paths(model).names
    generator = np.random.default_rng(0)
    shape = (count, len(names.coordinates))
    return np.asarray(names.default_pose + generator.uniform(-0.4, 0.4, shape))


def test_bodies_and_paths_are_where_opensim_puts_them(walker: PreparedModel) -> None:
    positions = poses_of(walker, 5)
    found = Posing(walker)(positions)
    names = state_paths(walker).names
    assert found.bodies.shape == (5, len(names.bodies), 4, 4)
    with loaded(prepared(*WALKER, "model.paths=geometry").xml) as model:
        state = model.initSystem()
        for t, row in enumerate(positions):
            for name, value in zip(names.coordinates, row, strict=True):
                model.getCoordinateSet().get(name).setValue(state, value, False)
            model.realizePosition(state)
            centre = model.calcMassCenterPosition(state).to_numpy()
            np.testing.assert_allclose(found.centre_of_mass[t], centre, atol=1e-12)
            for b, name in enumerate(names.bodies):
                body = model.getBodySet().get(name)
                point = opensim.Vec3(0.1, -0.2, 0.3)
                expected = body.findStationLocationInGround(state, point).to_numpy()
                there = found.bodies[t, b] @ [0.1, -0.2, 0.3, 1.0]
                np.testing.assert_allclose(there[:3], expected, atol=1e-12)
            for name, path in zip(names.muscles, found.paths, strict=True):
                muscle = model.getMuscles().get(name)
                length = np.linalg.norm(np.diff(path[t], axis=0), axis=1).sum()
                assert length == pytest.approx(muscle.getLength(state), abs=1e-12)


def test_a_wrapped_path_runs_over_its_surface() -> None:
    model = prepared("model=arm", "reward=reach")
    paths = state_paths(model)
    positions = np.tile(paths.names.default_pose, (2, 1))
    positions[1, paths.names.coordinates.index("elbow_flexion")] = 1.5
    found = Posing(model)(positions)
    with loaded(prepared("model=arm", "reward=reach", "model.paths=geometry").xml) as described:
        state = described.initSystem()
        described.getCoordinateSet().get("elbow_flexion").setValue(state, 1.5)
        described.realizePosition(state)
        for name, path in zip(paths.names.muscles, found.paths, strict=True):
            length = np.linalg.norm(np.diff(path[1], axis=0), axis=1).sum()
            # The surface's points cut its corners.
            expected = described.getMuscles().get(name).getLength(state)
            assert length == pytest.approx(expected, rel=2e-3)


def clamped(model: opensim.Model) -> None:
    """Clamp the pelvis into a laboratory of 5 m, and let one hip follow the other."""
    forward = model.getCoordinateSet().get("pelvis_tx")
    forward.setRangeMin(-5.0)
    forward.setRangeMax(5.0)
    forward.setDefaultClamped(True)
    coupler = opensim.CoordinateCouplerConstraint()
    drivers = opensim.ArrayStr()
    drivers.append("hip_flexion_r")
    coupler.setIndependentCoordinateNames(drivers)
    coupler.setDependentCoordinateName("hip_flexion_l")
    coupler.setFunction(opensim.LinearFunction(-1.0, 0.0))
    model.addConstraint(coupler)
    model.addMarker(opensim.Marker("navel", model.getBodySet().get("pelvis"), opensim.Vec3(0.0)))


def test_a_walk_goes_beyond_the_range_of_a_clamped_pelvis(tmp_path: Path) -> None:
    file = biped(tmp_path / "biped.osim", clamped)
    model = PreparedModel(file.read_text(), ModelSettings(path=str(file)))
    names = state_paths(model).names
    positions = np.tile(names.default_pose, (4, 1))
    positions[:, names.coordinates.index("pelvis_tx")] = [0.0, 4.0, 8.0, -7.0]
    positions[:, names.coordinates.index("hip_flexion_r")] = 0.3
    found = Posing(model)(positions)
    pelvis = found.bodies[:, names.bodies.index("pelvis"), 0, 3]
    np.testing.assert_allclose(pelvis, [0.0, 4.0, 8.0, -7.0], atol=1e-6)
    thigh = found.bodies[2, names.bodies.index("thigh_l"), :2, :2]
    assert np.arctan2(thigh[1, 0], thigh[0, 0]) == pytest.approx(-0.3, abs=1e-6)
    # The same in the engine, which poses points and begins episodes.
    points = point_positions(model, positions)["navel"]
    np.testing.assert_allclose(points[:, 0], [0.0, 4.0, 8.0, -7.0], atol=1e-6)


def test_muscles_that_were_taken_out_are_not_posed() -> None:
    model = prepared(*WALKER, "muscles.removed=[soleus_*]")
    everyone = prepared(*WALKER)
    names, all_names = state_paths(model).names.muscles, state_paths(everyone).names.muscles
    assert len(names) < len(all_names)
    found, expected = (Posing(m)(poses_of(everyone, 2)).paths for m in (model, everyone))
    assert len(found) == len(names) == len(figure(model).muscles)
    for name, path in zip(names, found, strict=True):
        np.testing.assert_array_equal(path, expected[all_names.index(name)])


def test_shapes_are_of_a_human_size(walker: PreparedModel) -> None:
    made = figure(walker)
    limbs = {
        name: [p for p in made.pieces if p.part == "bone" and made.bodies[p.body] == name]
        for name in made.bodies
    }
    assert all(limbs.values())
    (thigh,) = limbs["femur_r"]
    assert thigh.kind == "capsule"
    radius, half, _ = thigh.size
    # From the hip to the knee, which slides some 0.4 m below it.
    middle = thigh.placement[:3, 3]
    np.testing.assert_allclose(middle, [0.0, -0.2, 0.0], atol=0.01)
    assert 0.15 < half < 0.2
    assert 0.02 < radius < 0.05
    assert any(piece.kind == "ellipsoid" for piece in limbs["torso"])
    soles = [p for p in made.pieces if p.part == "contact"]
    assert {made.bodies[p.body] for p in soles} == {"foot_r", "foot_l"}
    assert {p.size for p in soles} == {(0.03, 0.03, 0.03)}
    assert made.foot_bodies == (made.bodies.index("foot_r"), made.bodies.index("foot_l"))
    strongest = made.muscles[int(made.muscle_radii.argmax())]
    assert strongest.startswith("soleus")
    assert 0.005 < made.muscle_radii.max() < 0.03


def test_meshes_are_found_beside_the_model(
    tmp_path: Path,
    walker: PreparedModel,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    with loaded(walker.xml) as model:
        body = model.getBodySet().get("torso")
        mesh = opensim.Mesh("bone.obj")
        mesh.set_scale_factors(opensim.Vec3(1.0, 2.0, 3.0))
        mesh.setColor(opensim.Vec3(0.1, 0.2, 0.3))
        body.attachGeometry(mesh)
        body.attachGeometry(opensim.Mesh("missing.obj"))
        model.finalizeConnections()
        model.printToXML(str(tmp_path / "own.osim"))
    (tmp_path / "Geometry").mkdir()
    (tmp_path / "Geometry" / "bone.obj").write_text("v 0 0 0\n")
    xml = (tmp_path / "own.osim").read_text()
    settings = ModelSettings(path=str(tmp_path / "own.osim"))
    beside = [p for p in figure(PreparedModel(xml, settings)).pieces if p.kind == "mesh"]
    assert [p.file for p in beside] == [tmp_path / "Geometry" / "bone.obj"]
    assert "The meshes missing.obj are neither beside the model" in caplog.text
    assert beside[0].size == (1.0, 2.0, 3.0)
    assert beside[0].colour == (0.1, 0.2, 0.3)
    elsewhere = PreparedModel(xml, ModelSettings(path="nowhere/own.osim"))
    assert not [p for p in figure(elsewhere).pieces if p.kind == "mesh"]
    monkeypatch.setenv("OPENSIM_GEOMETRY_PATH", str(tmp_path / "Geometry"))
    assert [p for p in figure(elsewhere).pieces if p.kind == "mesh"]
