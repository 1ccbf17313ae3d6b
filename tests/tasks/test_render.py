"""What is drawn, against what is known of the scene."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from render_walk import walking
from walker import placed, walker

from osimexp.errors import ModelError
from osimexp.physics.posing.figure import Figure, Piece
from osimexp.visual.camera import FIELD_OF_VIEW, ViewSettings, eye_and_axes, followed
from osimexp.visual.drawing import Drawing, Moment, activation_colour
from osimexp.visual.meshes import read_mesh
from osimexp.visual.shapes import box, capsule, cone, cylinder, look, sphere
from osimexp.visual.track import Track
from osimexp.visual.tubes import STATIONS, stations

LEVEL = ViewSettings(elevation=0.0, distance=4.0)
RED, BLUE = (0.9, 0.1, 0.1), (0.1, 0.1, 0.9)


def ball(x: float, y: float, z: float, colour: tuple[float, float, float], **more: object) -> Piece:
    return Piece(0, "ellipsoid", (0.2, 0.2, 0.2), placed(x, y, z), colour, **more)  # type: ignore[arg-type]


def picture(
    *pieces: Piece,
    view: ViewSettings = LEVEL,
    muscles: int = 0,
    activation: float = 0.0,
    floor: bool = False,
) -> np.ndarray:
    """Draw pieces, seen from 4 m along z, with muscles from x = -0.5 to 0.5."""
    names = tuple(f"m{i}" for i in range(muscles))
    figure = Figure(("body",), pieces, names, np.full(muscles, 0.1), (), (), 1.0)
    drawing = Drawing(look(figure), 320, 240, view, 1.0, floor)
    paths = np.zeros((muscles, STATIONS, 3), dtype=np.float32)
    paths[:, :, 0] = np.linspace(-0.5, 0.5, STATIONS)
    none = np.zeros((0, 3), dtype=np.float32)
    return drawing.picture(
        Moment(
            bodies=np.eye(4, dtype=np.float32)[None],
            muscles=paths,
            activations=np.full(muscles, activation, dtype=np.float32),
            forces=none,
            points=none,
            targets=none,
            aim=np.zeros(3, dtype=np.float32),
        )
    )


def reddish(image: np.ndarray) -> np.ndarray:
    return (image[..., 0] > image[..., 2].astype(int) + 60) & (image[..., 0] > 80)


def test_a_sphere_is_drawn_where_it_is_as_large_as_it_is() -> None:
    image = picture(ball(0.3, 0.2, 0.0, RED))
    rows, columns = np.nonzero((image != picture()).any(axis=-1))
    assert reddish(image)[int(rows.mean()), int(columns.mean())]
    # A pinhole: 120 pixels from the middle of the picture to its edge, at half the field of view.
    pixels = 120 / np.tan(np.radians(FIELD_OF_VIEW / 2)) / 4.0
    assert columns.mean() == pytest.approx(159.5 + 0.3 * pixels, abs=1.0)
    assert rows.mean() == pytest.approx(119.5 - 0.2 * pixels, abs=1.0)
    assert len(rows) == pytest.approx(np.pi * (0.2 * pixels) ** 2, rel=0.03)


@pytest.mark.parametrize("order", [1, -1])
def test_the_nearer_hides_the_farther(order: int) -> None:
    image = picture(*[ball(0, 0, 0.5, RED), ball(0, 0, -0.5, BLUE)][::order])
    assert reddish(image)[120, 160]
    image = picture(*[ball(0, 0, -0.5, RED), ball(0, 0, 0.5, BLUE)][::order])
    assert image[120, 160, 2] > image[120, 160, 0] + 60


def test_what_is_half_seen_through_shows_both() -> None:
    red = picture(ball(0, 0, 0.5, RED))[120, 160].astype(float)
    blue = picture(ball(0, 0, -0.5, BLUE))[120, 160].astype(float)
    both = picture(ball(0, 0, 0.5, RED, opacity=0.5), ball(0, 0, -0.5, BLUE))[120, 160]
    np.testing.assert_allclose(both, 0.5 * (red + blue), atol=2.0)


def test_the_floor_hides_what_is_below_it_and_takes_a_shadow() -> None:
    above = ViewSettings(elevation=30.0, distance=4.0)
    assert reddish(picture(ball(0, -0.5, 0, RED), view=above)).any()
    assert not reddish(picture(ball(0, -0.5, 0, RED), view=above, floor=True)).any()
    bare = picture(view=above, floor=True).astype(int)
    shadowed = picture(ball(0, 0.25, 0, RED), view=above, floor=True).astype(int)
    darker = (bare - shadowed).min(axis=-1) > 20
    assert (darker & ~reddish(shadowed)).sum() > 200


def test_an_active_muscle_is_redder() -> None:
    rest, active = (picture(muscles=1, activation=a)[120, 160].astype(int) for a in (0.0, 1.0))
    assert active[0] - active[2] > rest[0] - rest[2] + 100
    colours = activation_colour(np.linspace(0, 1, 5, dtype=np.float32))
    assert (np.diff(colours[:, 0]) > 0).all()
    assert (np.diff(colours[:, 2]) < 0).all()


def test_a_muscle_is_thickest_in_its_middle_and_ends_where_its_path_does() -> None:
    drawn = reddish(picture(muscles=1, activation=1.0))
    columns = np.flatnonzero(drawn.any(axis=0))
    pixels = 120 / np.tan(np.radians(FIELD_OF_VIEW / 2)) / 4.0
    np.testing.assert_allclose(columns[[0, -1]], 159.5 + np.array([-0.5, 0.5]) * pixels, atol=3.0)
    thickness = drawn.sum(axis=0)
    assert thickness[160] == pytest.approx(0.2 * pixels, abs=2.5)
    assert thickness[columns[0] + 10] < 0.75 * thickness[160]


def test_stations_lie_at_equal_distances_on_the_path() -> None:
    bend = np.array([[[0, 0, 0], [1, 0, 0], [1, 1, 0], [1, 1, 0]]], dtype=float)
    found = stations(bend)[0]
    along = found[:, 0] + found[:, 1]
    np.testing.assert_allclose(along, np.linspace(0, 2, STATIONS), atol=1e-6)
    np.testing.assert_allclose(np.minimum(1 - found[:, 0], found[:, 1]), 0.0, atol=1e-6)


def test_views_look_from_where_they_say() -> None:
    aim = np.array([1.0, 0.5, -1.0])
    for name, outward in {"side": [0, 0, 1], "front": [1, 0, 0], "back": [-1, 0, 0]}.items():
        view = ViewSettings(view=name, elevation=0.0)  # type: ignore[arg-type]
        eye, right, up, forward = eye_and_axes(view, aim, 3.0)
        np.testing.assert_allclose(eye, aim + 3.0 * np.array(outward), atol=1e-12)
        np.testing.assert_allclose(forward, -np.array(outward), atol=1e-12)
        np.testing.assert_allclose(up, [0, 1, 0], atol=1e-12)
        np.testing.assert_allclose(right, np.cross(forward, up), atol=1e-12)


def test_the_camera_follows_even_walking_without_delay_and_evens_out_the_rest() -> None:
    time = np.linspace(0, 4, 401)
    even = np.stack([1.2 * time, np.ones(401), np.zeros(401)], axis=1)
    np.testing.assert_allclose(followed(time, even), even, atol=1e-9)
    shaken = even + 0.1 * np.sin(2 * np.pi * 2.0 * time)[:, None]
    assert np.abs(followed(time, shaken) - even)[50:-50].max() < 0.01


def test_the_model_stays_in_the_picture() -> None:
    movement, poses = walking(3.0)
    track = Track(look(walker()), movement, poses)
    for time in (0.0, 1.4, 3.0):
        moment = track.at(time)
        assert moment.aim[0] == pytest.approx(1.2 * time, abs=0.02)
    still = Track(look(walker()), movement, poses, follow=False)
    assert still.at(0.0).aim[0] == still.at(3.0).aim[0]


def test_a_time_between_two_moments_is_between_them() -> None:
    movement, poses = walking(1.0)
    track = Track(look(walker()), movement, poses)
    between = track.at(0.255)
    np.testing.assert_allclose(between.bodies[0, 0, 3], 1.2 * 0.255, atol=1e-6)
    np.testing.assert_array_equal(track.at(0.25).bodies, track.moment(25).bodies)
    np.testing.assert_array_equal(track.at(99.0).bodies, track.moment(100).bodies)


def test_forces_are_drawn_in_body_weights() -> None:
    movement, poses = walking(0.5)
    reaction = np.zeros((51, 2, 3))
    reaction[:, 0, 1] = movement.mass * 9.80665
    points = np.zeros((51, 2, 3))
    movement = dataclasses.replace(movement, ground_reaction=reaction, foot_positions=points)
    track = Track(look(walker()), movement, poses)
    np.testing.assert_allclose(track.moment(0).forces, [[0, 1, 0], [0, 0, 0]], atol=1e-6)


@pytest.mark.parametrize("made", [sphere(), capsule(0.3, 0.5), box(), cone(), cylinder()])
def test_normals_look_outward(made: object) -> None:
    vertices, normals, triangles = made.vertices, made.normals, made.triangles  # type: ignore[attr-defined]
    np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1.0, atol=1e-9)
    a, b, c = (vertices[triangles[:, i]] for i in range(3))
    flat = np.cross(b - a, c - a)
    centre = (a + b + c) / 3 - [0, vertices[:, 1].mean(), 0]
    outward = (normals[triangles[:, 0]] * centre).sum(axis=1)
    assert (outward[np.linalg.norm(flat, axis=1) > 1e-9] > 0).all()


SQUARE = """<VTKFile type="PolyData" byte_order="LittleEndian"{more}><PolyData><Piece
NumberOfPoints="4" NumberOfPolys="1"><Points><DataArray type="Float32" NumberOfComponents="3"
format="{format}">{points}</DataArray></Points><Polys>
<DataArray type="Int32" Name="connectivity" format="ascii">0 1 2 3</DataArray>
<DataArray type="Int32" Name="offsets" format="ascii">4</DataArray>
</Polys></Piece></PolyData></VTKFile>"""


def test_each_kind_of_mesh_file_gives_the_same_square(tmp_path: Path) -> None:
    import base64
    import struct
    import zlib

    corners = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], dtype="<f4")
    raw = corners.tobytes()
    packed = zlib.compress(raw)
    heads = struct.pack("<I", len(raw)), struct.pack("<4I", 1, len(raw), 0, len(packed))
    plain = base64.b64encode(heads[0] + raw).decode()
    dense = (base64.b64encode(heads[1]) + base64.b64encode(packed)).decode()
    text = " ".join(map(str, corners.ravel()))
    zipped = ' compressor="vtkZLibDataCompressor"'
    facets = [corners[[0, 1, 2]], corners[[0, 2, 3]]]
    lines = "".join(
        "facet normal 0 0 1\nouter loop\n"
        + "".join("vertex {} {} {}\n".format(*corner) for corner in facet)
        + "endloop\nendfacet\n"
        for facet in facets
    )
    binary = b"\0" * 80 + struct.pack("<I", 2)
    binary += b"".join(struct.pack("<3f", 0, 0, 1) + f.tobytes() + b"\0\0" for f in facets)
    files = {
        "ascii.vtp": SQUARE.format(more="", format="ascii", points=text).encode(),
        "plain.vtp": SQUARE.format(more="", format="binary", points=plain).encode(),
        "dense.vtp": SQUARE.format(more=zipped, format="binary", points=dense).encode(),
        "text.stl": f"solid s\n{lines}endsolid s\n".encode(),
        "binary.stl": binary,
        "square.obj": b"v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nf 1/1 2/2 3/3 -1/4\n",
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
        mesh = read_mesh(tmp_path / name)
        found = mesh.vertices[mesh.triangles]
        np.testing.assert_array_equal(found, np.array(facets, dtype=float), err_msg=name)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.vtp", b"<VTKFile"),
        ("a.vtp", b"<VTKFile/>"),
        ("a.stl", b"solid s\nvertex 0 0\n"),
        ("a.obj", b"v 0 0 0\nf 1 2 3\n"),
        ("a.ply", b""),
        ("none.obj", None),
    ],
)
def test_an_unsound_mesh_ends_in_one_sentence(
    tmp_path: Path, name: str, content: bytes | None
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ModelError, match=name):
        read_mesh(tmp_path / name)
