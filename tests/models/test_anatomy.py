"""The project's own models as data, and their soundness as models of a body."""

from collections.abc import Iterator

import numpy as np
import opensim
import pytest
from tasks import reference

from osimexp.errors import OsimexpError
from osimexp.models import anatomy
from osimexp.models.build import build

# Moment arms of arm26 about shoulder and elbow (mm), read from it with computeMomentArm.
MUSCLES = ("TRIlong", "TRIlat", "TRImed", "BIClong", "BICshort", "BRA")
MOMENT_ARMS = {
    (-45, 20): (
        [-19.2, 0.0, 0.0, 20.3, 32.7, 0.0],
        [-24.1, -24.1, -24.1, 21.0, 21.0, 13.7],
    ),
    (0, 90): ([-37.5, 0.0, 0.0, 21.6, 7.4, 0.0], [-19.9, -19.9, -19.9, 48.8, 48.8, 22.7]),
    (45, 60): ([-30.0, 0.0, 0.0, 14.6, -28.8, 0.0], [-21.2, -21.2, -21.2, 40.5, 40.5, 16.7]),
    (90, 120): ([-17.2, 0.0, 0.0, -4.8, -32.1, 0.0], [-19.7, -19.7, -19.7, 45.6, 45.6, 23.5]),
}
# The greatest each reaches over the range, against which a tenth is taken.
GREATEST = np.array([[37.5, 1.0, 1.0, 21.6, 33.6, 1.0], [24.3, 24.3, 24.3, 49.4, 49.4, 24.1]])

SMALL = """
gravity: [0, -9.80665, 0]
credits: none
bodies:
  rod: {mass: 1, centre: [0, -0.5, 0], inertia: [0.1, 0.1, 0.1]}
joints:
  hinge:
    parent: ground
    child: rod
    location: [0, 1, 0]
    coordinates: {angle: {motion: rz, range: [-90, 90]}}
muscles:
  pull:
    {force: 100, fibre: 0.1, tendon: 0.1, pennation: 0,
     path: [{body: ground, at: [0.1, 1, 0]}, {body: rod, at: [0, -0.2, 0]}]}
"""


def poses(model: opensim.Model, angles: dict[str, list[float]]) -> Iterator[opensim.State]:
    """Put a model in every combination of angles (degrees)."""
    state = model.initSystem()
    for degrees in np.stack(np.meshgrid(*angles.values()), -1).reshape(-1, len(angles)):
        for name, angle in zip(angles, degrees, strict=True):
            model.getCoordinateSet().get(name).setValue(state, float(np.radians(angle)), False)
        model.realizePosition(state)
        yield state


def moment_arms(
    model: opensim.Model, coordinates: tuple[str, str], angles: tuple[list[float], list[float]]
) -> np.ndarray:
    """Return moment arms ``(poses, 2, muscles)`` in mm."""
    axes = [model.getCoordinateSet().get(name) for name in coordinates]
    muscles = [model.getMuscles().get(name) for name in MUSCLES]
    return 1e3 * np.array(
        [
            [[muscle.computeMomentArm(state, axis) for muscle in muscles] for axis in axes]
            for state in poses(model, dict(zip(coordinates, angles, strict=True)))
        ]
    )


@pytest.mark.parametrize("pose", MOMENT_ARMS)
def test_moment_arms_of_the_arm_are_those_of_arm26(pose: tuple[float, float]) -> None:
    model = build(anatomy.load("arm"))
    found = moment_arms(model, ("shoulder_flexion", "elbow_flexion"), ([pose[0]], [pose[1]]))[0]
    assert (np.abs(found - np.array(MOMENT_ARMS[pose])) <= 0.1 * GREATEST).all()


def test_moment_arms_of_the_arm_follow_arm26_over_the_range() -> None:
    angles = (list(np.linspace(-60, 100, 12)), list(np.linspace(0, 130, 8)))
    theirs = opensim.Model(str(reference("arm26.osim")))
    expected = moment_arms(theirs, ("r_shoulder_elev", "r_elbow_flex"), angles)
    model = build(anatomy.load("arm"))
    found = moment_arms(model, ("shoulder_flexion", "elbow_flexion"), angles)
    greatest = np.maximum(np.abs(expected).max(axis=0), 1.0)
    assert (np.abs(found - expected) <= 0.1 * greatest).all()


def test_masses() -> None:
    # arm26: 1.864572 + 1.534315 kg; gait10dof18musc: 75.1646 kg.
    for name, mass in (("arm", 3.398887), ("gait2d", 75.1646)):
        described = anatomy.load(name)
        model = build(described)
        assert described.mass == pytest.approx(mass)
        assert model.getTotalMass(model.initSystem()) == pytest.approx(mass)


@pytest.mark.parametrize(
    ("muscle_model", "tendon"), [("degroote_fregly", "rigid"), ("millard", "elastic")]
)
def test_fibres_of_the_arm_keep_to_their_range(muscle_model: str, tendon: str) -> None:
    described = anatomy.load("arm")
    model = build(described, muscle_model, tendon)  # type: ignore[arg-type]
    free = {n: list(np.linspace(*c.limit.free, 8)) for n, c in described.coordinates.items()}
    assert_fibres(model, free, set(described.muscles))


@pytest.mark.parametrize(
    ("muscle_model", "tendon"), [("degroote_fregly", "rigid"), ("millard", "elastic")]
)
def test_fibres_of_the_walker_keep_to_their_range(muscle_model: str, tendon: str) -> None:
    described = anatomy.load("gait2d")
    model = build(described, muscle_model, tendon)  # type: ignore[arg-type]
    free = {
        name: list(np.linspace(*coordinate.limit.free, 10))
        for name, coordinate in described.coordinates.items()
        if coordinate.limit
    }
    one_joint = ("bifemsh", "glut_max", "iliopsoas", "vasti", "soleus", "tib_ant")
    for name, angles in free.items():
        muscles = {m for m in described.muscles if m.startswith(one_joint)}
        assert_fibres(model, {name: angles}, muscles)
    # Muscles over two joints are too short or too long where people cannot hold a leg either:
    # the hip flexed with a straight knee, the knee flexed with an extended hip.
    for hip, knee, ankle in (
        (-20, 0, 0), (-20, -50, 0), (0, 0, 20), (0, 0, -35), (0, -90, 0), (30, 0, 0), (30, -100, 0),
        (45, 0, 0), (45, -110, 10), (60, -30, 20), (85, -60, 20), (85, -110, 20), (30, -60, -20),
    ):  # fmt: skip
        pose = {"hip_flexion_r": [hip], "knee_angle_r": [knee], "ankle_angle_r": [ankle]}
        assert_fibres(model, pose, {"hamstrings_r", "rect_fem_r", "gastroc_r"})


def assert_fibres(model: opensim.Model, angles: dict[str, list[float]], muscles: set[str]) -> None:
    """Assert that fibres have 0.4 to 1.6 optimal lengths in every combination of angles."""
    every = [model.getMuscles().get(name) for name in sorted(muscles)]
    for state in poses(model, angles):
        model.equilibrateMuscles(state)
        model.realizePosition(state)
        for muscle in every:
            length = muscle.getNormalizedFiberLength(state)
            assert 0.4 <= length <= 1.6, (muscle.getName(), length, angles)


def test_left_mirrors_right() -> None:
    described = anatomy.load("gait2d")
    for name, body in described.bodies.items():
        if name.endswith("_r"):
            other = described.bodies[f"{name[:-2]}_l"]
            assert (other.mass, other.inertia) == (body.mass, body.inertia)
            assert other.centre == (body.centre[0], body.centre[1], -body.centre[2])
    for name, muscle in described.muscles.items():
        if name.endswith("_r"):
            for right, left in zip(
                muscle.path, described.muscles[f"{name[:-2]}_l"].path, strict=True
            ):
                assert left.at == (right.at[0], right.at[1], -right.at[2])
                assert left.body == (f"{right.body[:-2]}_l" if right.body != "pelvis" else "pelvis")
                assert [key[:-2] for key in left.when] == [key[:-2] for key in right.when]
    assert described.feet == {"foot_r": ("heel_r", "toes_r"), "foot_l": ("heel_l", "toes_l")}


def test_feet_just_touch_the_ground_in_the_default_pose() -> None:
    described = anatomy.load("gait2d")
    model = build(described)
    state = model.initSystem()
    model.realizePosition(state)
    for sphere in described.spheres.values():
        body = model.getBodySet().get(sphere.body)
        centre = body.findStationLocationInGround(state, opensim.Vec3(*sphere.at))
        assert 0.0 <= centre.get(1) - sphere.radius < 1e-3


def test_the_hand_is_where_the_segments_put_it() -> None:
    model = build(anatomy.load("arm"))
    state = model.initSystem()
    model.getCoordinateSet().get("elbow_flexion").setValue(state, np.pi / 2)
    model.realizePosition(state)
    hand = model.getMarkerSet().get("hand").getLocationInGround(state)
    # The upper arm hangs down from the origin, the forearm points forward.
    assert hand.get(0) == pytest.approx(0.0061 + 0.3218)
    assert hand.get(1) == pytest.approx(-0.2904)


def test_names() -> None:
    assert anatomy.names() == ("arm", "gait2d", "gait2d_prosthesis")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("force: 100", "forse: 100"),
         "small.muscles.pull.forse is not a known key; did you mean force"),
        (("force: 100", "force: strong"), "small.muscles.pull.force: "),
        (("mass: 1", "mass: 0"), "small.bodies.rod: mass and inertia must be above 0"),
        (("body: rod, at: [0, -0.2, 0]", "body: rood, at: [0, 0, 0]"),
         "small.muscles.pull.path[2]: there is no body 'rood'; did you mean rod"),
        (("body: ground, at: [0.1, 1, 0]", "body: ground, at: [0.1, 1]"),
         "small.muscles.pull.path[1]"),
        (("child: rod", "child: rode"), "small.joints.hinge.child: there is no body 'rode'"),
        (("motion: rz", "motion: spin"), "small.joints.hinge.coordinates.angle.motion: "),
        (("range: [-90, 90]", "range: [10, 90]"), "the default 0 must lie within the range"),
        (("gravity:", "gravity"), "The description of small is not YAML"),
        (("joints:", "joins:"), "small.joins is not a known key; did you mean joints"),
    ],
)  # fmt: skip
def test_a_wrong_description_ends_with_one_sentence(change: tuple[str, str], message: str) -> None:
    assert change[0] in SMALL
    with pytest.raises(OsimexpError) as caught:
        anatomy.parse("small", SMALL.replace(*change))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_small_description_is_read_and_built() -> None:
    model = build(anatomy.parse("small", SMALL))
    assert model.getTotalMass(model.initSystem()) == 1.0


def test_an_unknown_model_names_those_there_are() -> None:
    with pytest.raises(OsimexpError, match="did you mean gait2d"):
        anatomy.load("gait2")
