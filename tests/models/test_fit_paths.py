"""Muscle paths as polynomials."""

import logging
from pathlib import Path

import numpy as np
import opensim
import pytest
import tasks

from osimexp.errors import ModelError
from osimexp.models import anatomy
from osimexp.models.build import build
from osimexp.models.fit_paths import fit_paths
from osimexp.models.fitted import Fitted, judge, read_note, with_note
from osimexp.models.muscle_sets import MuscleSet
from osimexp.models.polynomials import exponents
from osimexp.models.prepare import prepare
from osimexp.models.settings import ModelSettings


def test_terms_stand_in_opensim_s_order() -> None:
    generator = np.random.default_rng(0)
    for dimension in (1, 2, 3):
        powers = exponents(dimension, 4)
        coefficients = generator.normal(size=len(powers))
        vector = opensim.Vector.createFromMat(coefficients)
        polynomial = opensim.MultivariatePolynomialFunction(vector, dimension, 4)
        for x in generator.uniform(-1.5, 1.5, (5, dimension)):
            worked = coefficients @ np.prod(x**powers, axis=1)
            assert polynomial.calcValue(opensim.Vector.createFromMat(x)) == pytest.approx(worked)


@pytest.mark.parametrize("name", ["arm", "gait2d"])
def test_fits_hold_between_the_samples(name: str) -> None:
    described = anatomy.load(name)
    geometry, fitted = build(described), build(described)
    fits = fit_paths(fitted)
    assert list(fits) == list(described.muscles)
    states = geometry.initSystem(), fitted.initSystem()
    models = geometry, fitted
    generator = np.random.default_rng(1)
    lengths, arms = ({muscle: [] for muscle in fits} for _ in range(2))
    for _ in range(60):
        for coordinate, described_coordinate in described.coordinates.items():
            if described_coordinate.limit:
                angle = float(np.radians(generator.uniform(*described_coordinate.range)))
                for model, state in zip(models, states, strict=True):
                    model.getCoordinateSet().get(coordinate).setValue(state, angle, False)
        for model, state in zip(models, states, strict=True):
            model.realizePosition(state)
        for muscle, fit in fits.items():
            pairs = [
                (m, m.getMuscles().get(muscle), s) for m, s in zip(models, states, strict=True)
            ]
            lengths[muscle].append(np.subtract(*(m.getLength(s) for _, m, s in pairs)))
            for path in fit.coordinates:
                arms[muscle].append(
                    np.subtract(
                        *(
                            m.computeMomentArm(s, model.getCoordinateSet().get(path.split("/")[-1]))
                            for model, m, s in pairs
                        )
                    )
                )
    for muscle, fit in fits.items():
        length_rms, arm_rms = (np.sqrt(np.mean(np.square(e[muscle]))) for e in (lengths, arms))
        assert length_rms <= max(1.5 * fit.length_rms, 1e-4)
        assert arm_rms <= max(1.5 * fit.moment_arm_rms, 5e-4)
        assert fit.length_rms < 2.5e-3
        assert fit.moment_arm_rms < 2e-3


def test_each_path_depends_on_the_joints_it_crosses() -> None:
    fits = fit_paths(build(anatomy.load("gait2d")))
    crossed = {
        muscle: [path.removeprefix("/jointset/") for path in fit.coordinates]
        for muscle, fit in fits.items()
    }
    assert crossed["soleus_l"] == ["ankle_l/ankle_angle_l"]
    assert crossed["hamstrings_r"] == ["hip_r/hip_flexion_r", "knee_r/knee_angle_r"]
    assert crossed["gastroc_r"] == ["knee_r/knee_angle_r", "ankle_r/ankle_angle_r"]


def test_a_fit_is_exact_where_the_path_is_a_polynomial() -> None:
    """A tendon pulled straight along a slider has the length 0.3 + x."""
    text = """
    gravity: [0, 0, 0]
    credits: none
    bodies: {block: {mass: 1, centre: [0, 0, 0], inertia: [1, 1, 1]}}
    joints:
      slider:
        {parent: ground, child: block, location: [0, 0, 0],
         coordinates: {x: {motion: tx, range: [-0.1, 0.1]}}}
    muscles:
      pull:
        {force: 1, fibre: 0.1, tendon: 0.2, pennation: 0,
         path: [{body: ground, at: [0, 0, 0]}, {body: block, at: [0.3, 0, 0]}]}
    """
    model = build(anatomy.parse("slider", text))
    fit = fit_paths(model)["pull"]
    assert (fit.order, fit.coordinates) == (1, ("/jointset/slider/x",))
    assert fit.length_max < 1e-12
    state = model.initSystem()
    model.getCoordinateSet().get("x").setValue(state, 0.05)
    model.realizePosition(state)
    assert model.getMuscles().get(0).getLength(state) == pytest.approx(0.35)


def test_coordinates_that_a_coupler_drives_are_followed(tmp_path: Path) -> None:
    model = build(anatomy.load("arm"))
    coupler = opensim.CoordinateCouplerConstraint()
    drivers = opensim.ArrayStr()
    drivers.append("shoulder_flexion")
    coupler.setIndependentCoordinateNames(drivers)
    coupler.setDependentCoordinateName("elbow_flexion")
    coupler.setFunction(opensim.LinearFunction(0.5, 1.0))
    model.addConstraint(coupler)
    model.finalizeConnections()
    fits = fit_paths(model, length_tolerance=1e-4, moment_arm_tolerance=0.01)
    assert fits["BRA"].coordinates == ("/jointset/shoulder/shoulder_flexion",)
    state, plain = model.initSystem(), build(anatomy.load("arm"))
    plain_state = plain.initSystem()
    model.getCoordinateSet().get("shoulder_flexion").setValue(state, 0.4)
    model.realizePosition(state)
    plain.getCoordinateSet().get("elbow_flexion").setValue(plain_state, 0.5 * 0.4 + 1.0)
    plain.realizePosition(plain_state)
    found, worked = (
        m.getMuscles().get("BRA").getLength(s) for m, s in ((model, state), (plain, plain_state))
    )
    assert found == pytest.approx(worked, abs=5e-4)


def test_fitted_models_are_left_alone() -> None:
    model = build(anatomy.load("gait2d"))
    assert fit_paths(model)
    assert fit_paths(model) == {}


def bent(end: float, onset: float) -> opensim.Model:
    """Return a hinge whose muscle takes a detour from an angle on, both in degrees."""
    text = f"""
    gravity: [0, 0, 0]
    credits: none
    bodies: {{arm: {{mass: 1, centre: [0, 0, 0], inertia: [1, 1, 1]}}}}
    joints:
      hinge:
        {{parent: ground, child: arm, location: [0, 0, 0],
         coordinates: {{turn: {{motion: rz, range: [-{end}, {end}]}}}}}}
    muscles:
      pull:
        {{force: 1, fibre: 0.1, tendon: 0.2, pennation: 0,
         path: [{{body: ground, at: [0, 0.3, 0]}},
                {{body: ground, at: [0, 0.4, 0], when: {{turn: [{onset}, 170]}}}},
                {{body: arm, at: [0.3, 0, 0]}}]}}
    """
    return build(anatomy.parse("hinge", text))


def test_poses_in_which_the_path_itself_jumps_are_left_out() -> None:
    model = bent(30.0, 29.9)
    state = model.initSystem()
    lengths = []
    for degrees in (29.89, 29.91):
        model.getCoordinateSet().get("turn").setValue(state, np.radians(degrees))
        model.realizePosition(state)
        lengths.append(model.getMuscles().get(0).getPath().getLength(state))
    assert lengths[1] - lengths[0] > 0.1
    fit = fit_paths(model, margin=0.0)["pull"]
    assert 0.0 < fit.jumps < 0.05
    assert fit.length_max < 1e-3
    assert fit.holds == (0.0,)


def test_a_fit_holds_as_far_as_the_path_is_as_it_was() -> None:
    (held,) = fit_paths(bent(20.0, 30.0), margin=0.0)["pull"].holds
    assert 0.12 < held < np.radians(10.0)
    assert fit_paths(bent(20.0, 160.0), margin=0.0)["pull"].holds == (0.5,)


def test_what_is_known_of_the_fits_goes_with_the_text() -> None:
    fitted = Fitted({"a--b": 0.004}, {"a--b": 0.01}, {"x": 0.3})
    text = with_note(with_note("<a/>\n", Fitted({"old": 1.0})), fitted)
    assert text.count("<!--") == 1
    assert "--" not in text.split("<!--")[1].split("-->")[0]
    assert read_note(text) == fitted
    assert read_note("<a/>") == Fitted()
    with pytest.raises(ModelError, match="cannot be read"):
        read_note(text.replace("0.3", "NaN"))


@pytest.mark.parametrize(
    ("off", "level"), [(0.004, logging.INFO), (0.006, logging.WARNING), (0.019, logging.WARNING)]
)
def test_fits_that_are_far_off_are_told(
    off: float, level: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    judge(Fitted({"glmax1": off, "soleus": 0.001}, {}, {"hip": 0.1}), packaged=False)
    assert caplog.records[0].levelno == level
    assert f"glmax1 is off by {1e3 * off:.1f} mm" in caplog.text
    assert "least for hip" in caplog.text


def test_fits_that_are_too_far_off_are_refused() -> None:
    fitted = Fitted({"soleus": 0.001, "glmax1": 0.195}, {"glmax1": 0.03}, {})
    with pytest.raises(ModelError, match=r"glmax1 is off by 195\.0 mm.*jumps in up to 3\.0%"):
        judge(fitted, packaged=False)


def test_fits_are_judged_each_time_and_stay_with_a_file(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    first = tasks.prepared(*tasks.ARM)
    assert "off by" in caplog.text
    caplog.clear()
    again = tasks.prepared(*tasks.ARM)
    assert "off by" in caplog.text
    assert again.xml == first.xml
    holds = read_note(first.xml).holds
    assert holds.keys() == {"shoulder_flexion", "elbow_flexion"}
    assert min(holds.values()) >= 0.05
    file = tmp_path / "arm.osim"
    file.write_text(first.xml)
    for paths in ("geometry", "fitted"):
        assert read_note(prepare(ModelSettings(path=str(file), paths=paths), MuscleSet()).xml) == (
            read_note(first.xml)
        )
