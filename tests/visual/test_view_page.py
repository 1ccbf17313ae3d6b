import json
from typing import Any

import numpy as np
import pytest
from pages import sphere, unpack
from walker import walk, walker

from osimexp.errors import ModelError
from osimexp.motion.movement import Movement
from osimexp.visual.page.encoding import encode_figure, encode_movement, quaternions
from osimexp.visual.page.html import Packed, description, exported
from osimexp.visual.page.packing import pack
from osimexp.visual.page.triangles import Triangles, clustered, lightened


def test_packed_arrays_come_back_within_half_a_level() -> None:
    generator = np.random.default_rng(0)
    given = {
        "odd": generator.normal(size=(7, 3)) * [1.0, 1000.0, 0.0],
        "whole": np.array([[0, 70000, 2]]),
        "none": np.zeros((7, 0, 3)),
        "moving": np.cumsum(generator.normal(size=(50, 2, 3)), axis=0),
    }
    header, arrays = unpack(pack({"name": "ä<"}, given))
    assert header["name"] == "ä<"
    np.testing.assert_array_equal(arrays["whole"], given["whole"])
    for name in ("odd", "none", "moving"):
        assert arrays[name].shape == given[name].shape
        level = np.ptp(given[name], axis=0) / 65535
        assert (np.abs(arrays[name] - given[name]) <= 0.5001 * level + 1e-9).all()


def test_equal_contents_are_equal_bytes() -> None:
    assert encode_figure(walker(), _unread) == encode_figure(walker(), _unread)


def test_values_that_are_no_numbers_are_refused_by_name() -> None:
    movement, poses = walk(1.0)
    poses.centre_of_mass[4, 1] = np.nan
    with pytest.raises(ModelError, match="centre"):
        encode_movement(movement, poses)


def test_quaternions_turn_as_their_matrices_do_and_never_jump() -> None:
    generator = np.random.default_rng(1)
    axis = generator.normal(size=(5, 3))
    axis /= np.linalg.norm(axis, axis=1, keepdims=True)
    angle = np.linspace(0.0, 4 * np.pi, 200)
    k = np.zeros((5, 3, 3))
    for i, j, m in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        k[:, i, j], k[:, j, i] = -axis[:, m], axis[:, m]
    s, c = np.sin(angle)[:, None, None, None], np.cos(angle)[:, None, None, None]
    found = quaternions(np.eye(3) + s * k + (1.0 - c) * k @ k)
    # Once round is a change of sign; the sign of the first is free.
    half = 0.5 * angle[:, None, None]
    wanted = np.concatenate([axis * np.sin(half), np.cos(half) * np.ones((5, 1))], axis=-1)
    np.testing.assert_allclose(found, wanted * np.sign(wanted[:1, :, 3:]), atol=1e-12)


def test_a_movement_keeps_its_units_and_at_least_fifty_moments_a_second() -> None:
    movement, poses = walk(2.0, rate=200)
    header, arrays = unpack(encode_movement(movement, poses))
    np.testing.assert_allclose(arrays["time"], np.arange(101) / 50, atol=1e-4)
    curves = {c["title"]: (c, arrays[f"curves {n}"]) for n, c in enumerate(header["curves"])}
    angles, values = curves["Joint angles"]
    assert angles["unit"] == "°"
    hip = values[:, angles["names"].index("hip_r")]
    np.testing.assert_allclose(hip, np.rad2deg(movement.coordinate("hip_r")[::4]), atol=0.01)
    forces, values = curves["Ground forces"]
    assert forces["unit"] == "body weights"
    assert values[:, forces["names"].index("right up")].max() == pytest.approx(1.1, abs=0.01)
    assert curves["Displacements"][0]["names"] == ["pelvis_tx"]
    np.testing.assert_allclose(arrays["paths"][:, :3], poses.paths[0][::4], atol=1e-4)


def test_a_movement_of_joint_angles_alone_is_shown_without_muscles_and_forces() -> None:
    full, poses = walk(1.0)
    bare = Movement(full.time, full.coordinates, full.rotational, full.positions, full.speeds)
    header, arrays = unpack(encode_movement(bare, poses))
    titles = [curves["title"] for curves in header["curves"]]
    assert titles == ["Joint angles", "Joint speeds", "Displacements", "Speeds"]
    assert header["weight"] == 0.0
    assert arrays["forces"].shape[1:] == (0, 3)


def volume(mesh: Triangles) -> float:
    a, b, c = mesh.vertices[mesh.corners].transpose(1, 0, 2)
    return abs(float((a * np.cross(b, c)).sum())) / 6.0


def test_a_mesh_is_joined_and_keeps_its_shape_with_fewer_triangles() -> None:
    fine = sphere(60)
    joined = clustered(fine, 10**9)
    assert len(joined.vertices) < len(fine.vertices) / 4
    assert volume(joined) == pytest.approx(volume(fine), rel=1e-3)
    coarse = clustered(fine, 1000)
    assert 300 < len(coarse.corners) <= 1000
    assert volume(coarse) == pytest.approx(4 / 3 * np.pi, rel=0.05)


def test_small_meshes_keep_what_large_ones_give_up() -> None:
    large, small = lightened([sphere(60), sphere(12)], 4000)
    assert len(large.corners) <= 3400
    assert len(small.corners) == len(clustered(sphere(12), 10**9).corners)


def test_what_did_not_change_keeps_its_address() -> None:
    before, data = description([Packed("a", b"figure", b"first")], 1, True, "")
    after, _ = description([Packed("a", b"figure", b"second")], 2, True, "")
    one, two = json.loads(before)["movements"][0], json.loads(after)["movements"][0]
    assert one["figure"] == two["figure"]
    assert one["movement"] != two["movement"]
    assert data[one["movement"]] == b"first"


def test_no_name_ends_the_script_that_it_stands_in() -> None:
    page = exported("</title><script>", [Packed("</script><b>", b"", b"")])
    assert "</script><b>" not in page
    assert "<title>&lt;/title&gt;" in page
    assert "http://" not in page.replace("http://www.w3.org", "")


def _unread(file: Any) -> Triangles:
    raise AssertionError(file)
