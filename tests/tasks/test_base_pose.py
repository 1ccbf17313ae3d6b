"""The base body's heading and lean, against rotations made by hand and by OpenSim."""

from pathlib import Path

import numpy as np
import opensim
import pytest
from biped import task
from tasks import environment

from osimexp.tasks.base_pose import BasePose, rotation_matrices


def about(axis: str, angle: float) -> np.ndarray:
    c, s = np.cos(angle), np.sin(angle)
    return {
        "x": np.array([[1, 0, 0], [0, c, -s], [0, s, c]]),
        "y": np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]]),
        "z": np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]),
    }[axis]


def pose(*rotations: np.ndarray) -> BasePose:
    angles = np.array([body_fixed(rotation) for rotation in rotations])
    return BasePose(np.zeros((len(angles), 3)), angles, angles)


def body_fixed(rotation: np.ndarray) -> list[float]:
    matrix = opensim.Mat33(*rotation.ravel().tolist())
    return opensim.Rotation(matrix, True).convertRotationToBodyFixedXYZ().to_numpy().tolist()


@pytest.mark.parametrize("angle", [0.0, 0.4, -1.2, 2.5])
def test_a_planar_model_is_the_special_case(angle: float) -> None:
    spatial = pose(about("z", angle))
    planar = BasePose(spatial.position, spatial.angles, spatial.trunk_angles, planar=True)
    for name in ("heading", "tilt", "lean"):
        np.testing.assert_allclose(getattr(planar, name), getattr(spatial, name), atol=1e-12)
    vectors = np.array([[1.0, 2.0, 3.0]])
    np.testing.assert_allclose(planar.seen(vectors), spatial.seen(vectors), atol=1e-12)


def test_rotations_are_those_of_opensim() -> None:
    angles = np.random.default_rng(0).uniform(-1.4, 1.4, (50, 3))
    found = rotation_matrices(angles)
    for row, matrix in zip(angles, found, strict=True):
        rotation = opensim.Rotation()
        rotation.setRotationToBodyFixedXYZ(opensim.Vec3(*row.tolist()))
        expected = [[rotation.get(i, j) for j in range(3)] for i in range(3)]
        np.testing.assert_allclose(matrix, expected, atol=1e-14)


def test_heading_tilt_and_list_are_told_apart() -> None:
    turned = about("y", 0.7) @ about("x", 0.2) @ about("z", -0.3)
    base = pose(about("z", 0.4), about("y", 1.2), about("x", -0.5), turned)
    np.testing.assert_allclose(base.heading[1], about("y", 1.2), atol=1e-12)
    np.testing.assert_allclose(base.tilt[:3], [0.4, 0.0, 0.0], atol=1e-12)
    np.testing.assert_allclose(base.list[:3], [0.0, 0.0, -0.5], atol=1e-12)
    # Leaning moves the axis to the right only up and down, so that the heading stays.
    np.testing.assert_allclose(base.heading[0], np.eye(3), atol=1e-12)
    np.testing.assert_allclose(base.heading[2], np.eye(3), atol=1e-12)
    up = turned[:, 1]
    np.testing.assert_allclose(base.lean, [0.4, 0.0, 0.5, np.arccos(up[1])], atol=1e-12)


def test_a_vector_is_seen_from_the_heading() -> None:
    base = pose(about("y", np.pi / 2), np.eye(3))
    # Turned to the left by a right angle, forward is against z of the ground.
    seen = base.seen(np.array([[[0.0, 1.0, -2.0]], [[0.0, 1.0, -2.0]]]))
    np.testing.assert_allclose(seen, [[[2.0, 1.0, 0.0]], [[0.0, 1.0, -2.0]]], atol=1e-12)


def test_a_body_on_its_side_keeps_to_the_ground() -> None:
    base = pose(about("x", np.pi / 2))
    np.testing.assert_array_equal(base.heading[0], np.eye(3))
    np.testing.assert_allclose(base.lean, [np.pi / 2])


@pytest.mark.parametrize("angle", [0.0, 0.8, -2.5])
def test_what_is_seen_and_rewarded_does_not_depend_on_the_heading(
    tmp_path: Path, angle: float
) -> None:
    """Turned about the vertical, with all that moves, a model sees and earns the same."""
    found = []
    for turn in (0.0, angle):
        ways = {"pelvis_tx": 1.2 * np.cos(turn), "pelvis_tz": -1.2 * np.sin(turn)}
        walk = (
            "observation=full", "reward=walk", "+model.poses.turned={pelvis_ty: 0.9,"
            f"pelvis_rotation: {turn}, lumbar_bending: 0.2, hip_flexion_r: 0.3}}",
            "start.poses=[turned]",
        )  # fmt: skip
        env = environment(1, *task(tmp_path, *walk))
        env.reset(seed=0)
        state = env.snapshot()
        names = env.scene.names
        for name, speed in ways.items():
            place = len(names.coordinates) + names.coordinates.index(name)
            state["simulation"]["rows"][0, place] = speed
        env.restore(state)
        rows = [env.step(np.full((1, 4), 0.2, np.float32)) for _ in range(5)]
        observed = np.array([row[0][0] for row in rows])
        found.append((observed, np.array([row[1][0] for row in rows])))
        env.close()
    (seen, earned), (other, gain) = found
    np.testing.assert_allclose(seen, other, atol=1e-5)
    np.testing.assert_allclose(earned, gain, atol=1e-6)
    assert seen.shape[1] == 55
