"""Muscle paths as polynomials."""

from pathlib import Path

import numpy as np
import opensim
import pytest

from osimexp.models import anatomy
from osimexp.models.build import build
from osimexp.models.fit_paths import exponents, fit_paths


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
