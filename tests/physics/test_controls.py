"""Controls of all kinds by their names, in both back ends, against OpenSim."""

from pathlib import Path

import numpy as np
import opensim
import pytest
from biped import FEET, TRUNK, prepared_biped

from osimexp.errors import ModelError
from osimexp.models.actuators import ExternalForce
from osimexp.models.prepare import PreparedModel
from osimexp.physics.compiled.model import compile_model
from osimexp.physics.compiled.simulation import CompiledSimulation
from osimexp.physics.reference.simulation import OpenSimSimulation
from osimexp.physics.settings import CompiledSettings, OpenSimSettings, WorkerSettings
from osimexp.physics.simulation import COSTLY, Simulation, Start

MUSCLES = ("flexor_r", "extensor_r", "flexor_l", "extensor_l")
TORQUES = tuple(f"{name}_torque" for name in TRUNK)
PUSH = ExternalForce("push", "torso", (0.05, 0.2, 0.1))


def all_kinds(model: opensim.Model) -> None:
    """Add an actuator of each class, and one that is switched off."""
    torso = model.getBodySet().get("torso")
    delayed = opensim.ActivationCoordinateActuator("hip_rotation_r")
    delayed.setName("delayed")
    delayed.setOptimalForce(30.0)
    delayed.set_activation_time_constant(0.03)
    delayed.set_default_activation(0.2)
    between = opensim.TorqueActuator()
    between.setName("between")
    between.set_bodyA("torso")
    between.set_bodyB("thigh_l")
    between.set_torque_is_global(False)
    between.setAxis(opensim.Vec3(0.2, 0.4, 1.0))
    between.setOptimalForce(20.0)
    alone = opensim.TorqueActuator()
    alone.setName("alone")
    alone.set_bodyA("pelvis")
    alone.set_bodyB("ground")
    alone.set_torque_is_global(True)
    alone.setAxis(opensim.Vec3(0.0, 3.0, 0.0))
    alone.setOptimalForce(5.0)
    thrust = opensim.PointActuator("thigh_r")
    thrust.setName("thrust")
    thrust.set_point(opensim.Vec3(0.02, -0.1, 0.03))
    thrust.set_direction(opensim.Vec3(1.0, 2.0, -0.5))
    thrust.set_point_is_global(False)
    thrust.set_force_is_global(False)
    thrust.set_optimal_force(15.0)
    spatial = opensim.BodyActuator()
    spatial.setName("spatial")
    spatial.setBody(torso)
    spatial.set_point(opensim.Vec3(0.1, 0.0, -0.2))
    spatial.set_point_is_global(False)
    spatial.set_spatial_force_is_global(False)
    apart = opensim.PointToPointActuator("thigh_r", "thigh_l")
    apart.setName("apart")
    apart.set_pointA(opensim.Vec3(0.0, 0.1, 0.0))
    apart.set_pointB(opensim.Vec3(0.0, 0.12, 0.02))
    apart.set_optimal_force(25.0)
    cable = opensim.PathActuator()
    cable.setName("cable")
    cable.addNewPathPoint("top", torso, opensim.Vec3(0.1, 0.1, 0.05))
    cable.addNewPathPoint("end", model.getBodySet().get("thigh_r"), opensim.Vec3(0.08, 0.0, 0.0))
    cable.setOptimalForce(40.0)
    off = opensim.CoordinateActuator("hip_flexion_l")
    off.setName("off")
    off.set_appliesForce(False)
    for actuator in (delayed, off, between, alone, thrust, spatial, apart, cable):
        model.addForce(actuator)


def batches(model: PreparedModel, size: int) -> list[Simulation]:
    """Return a batch of each back end, integrated as exactly as both can."""
    here = WorkerSettings(0)
    compiled = CompiledSettings(tolerance=1e-9)
    reference = OpenSimSettings(integrator="runge_kutta_merson", accuracy=1e-9)
    return [
        CompiledSimulation(model, compiled, here, size, 0.01, COSTLY),
        OpenSimSimulation(model, reference, here, size, 0.01, COSTLY),
    ]


def lifted(batch: Simulation) -> Start:
    """Return the default pose, a little bent, in the air and at rest."""
    names = batch.names
    pose = np.tile(names.default_pose, (batch.size, 1))
    for name, value in (("pelvis_ty", 1.5), ("hip_flexion_r", 0.3), ("lumbar_bending", 0.1)):
        pose[:, names.coordinates.index(name)] = value
    return Start(pose, np.zeros_like(pose), np.full((batch.size, len(names.muscles)), 0.05))


def test_controls_are_named_in_their_order(tmp_path: Path) -> None:
    model = prepared_biped(tmp_path / "biped.osim", all_kinds, forces=(PUSH,))
    spatial = [f"spatial_{kind}_{axis}" for kind in ("torque", "force") for axis in "xyz"]
    others = ("delayed", "between", "alone", "thrust", *spatial, "apart", "cable")
    expected = (*MUSCLES, *TORQUES, *others, "push_x", "push_y", "push_z")
    for batch in batches(model, 1):
        assert batch.names.controls == expected
        assert batch.names.force_columns("push") == slice(len(expected) - 3, len(expected))
        named = {one.name: one for one in batch.names.actuators}
        assert named["lumbar_bending_torque"].coordinate == "lumbar_bending"
        assert named["lumbar_bending_torque"].optimal_force == 50.0
        assert named["between"].coordinate is None
        batch.close()


def test_every_kind_of_actuator_is_opensims_at_random_states(tmp_path: Path) -> None:
    model = prepared_biped(tmp_path / "biped.osim", all_kinds, forces=(PUSH,))
    made = compile_model(model)
    assert made.proof.holds
    assert made.proof.errors["accelerations"] < 1e-10
    assert made.proof.errors["actuator rates"] < 1e-12
    assert made.shape.actuators == (0.2,)


def test_both_back_ends_move_alike_under_every_control(tmp_path: Path) -> None:
    model = prepared_biped(tmp_path / "biped.osim", all_kinds, forces=(PUSH,))
    ends = []
    for batch in batches(model, 2):
        controls = np.random.default_rng(0).uniform(0.1, 1.0, (6, 2, len(batch.names.controls)))
        controls[:, :, -3:] *= 50.0
        batch.reset(np.ones(2, dtype=bool), lifted(batch))
        for row in controls:
            state = batch.step(row)
        ends.append(state.coordinates.copy())
        np.testing.assert_array_equal(state.controls, controls[-1])
        batch.close()
    np.testing.assert_allclose(ends[0], ends[1], atol=1e-6)
    assert np.abs(ends[0][:, 0]).max() > 0.01


@pytest.mark.parametrize("body", ["torso", "thigh_l"])
def test_a_push_sideways_on_any_body_has_the_same_effect(tmp_path: Path, body: str) -> None:
    model = prepared_biped(tmp_path / "biped.osim", forces=(ExternalForce("push", body),))
    effects = []
    for batch in batches(model, 2):
        controls = np.zeros((2, len(batch.names.controls)))
        controls[:, : len(MUSCLES)] = 0.05
        controls[1, batch.names.force_columns("push")] = 0.0, 0.0, 80.0
        batch.reset(np.ones(2, dtype=bool), lifted(batch))
        state = batch.step(controls)
        effects.append(state.speeds[1] - state.speeds[0])
        # In the air nothing else acts sideways: the impulse is the change of momentum.
        momentum = batch.names.mass * state.centre_of_mass_velocity[1, 2]
        np.testing.assert_allclose(momentum, 80.0 * 0.01, rtol=1e-6)
        batch.close()
    np.testing.assert_allclose(effects[0], effects[1], atol=1e-9)
    assert np.abs(effects[0]).max() > 1e-3


def test_actuators_that_nothing_drives_exert_nothing(tmp_path: Path) -> None:
    model = prepared_biped(tmp_path / "biped.osim")
    (compiled, reference) = batches(model, 1)
    for batch in (compiled, reference):
        controls = np.full((1, 7), 0.05)
        controls[:, 4:] = 0.0
        batch.reset(np.ones(1, dtype=bool), lifted(batch))
        still = batch.step(controls).speeds.copy()
        controls[:, 4:] = 0.5
        batch.reset(np.ones(1, dtype=bool), lifted(batch))
        assert np.abs(batch.step(controls).speeds - still).max() > 0.1
        batch.close()


def test_restored_batches_go_on_with_their_controls(tmp_path: Path) -> None:
    model = prepared_biped(tmp_path / "biped.osim", all_kinds, forces=(PUSH,))
    for batch, again in zip(batches(model, 2), batches(model, 2), strict=True):
        controls = np.random.default_rng(1).uniform(0.1, 1.0, (8, 2, len(batch.names.controls)))
        batch.reset(np.ones(2, dtype=bool), lifted(batch))
        for row in controls[:4]:
            batch.step(row)
        restored = again.restore(batch.snapshot())
        np.testing.assert_array_equal(restored.controls, controls[3])
        for row in controls[4:]:
            expected = batch.step(row).coordinates.copy()
            np.testing.assert_array_equal(again.step(row).coordinates, expected)
        batch.close()
        again.close()


def test_the_base_body_and_its_coordinates_are_found(tmp_path: Path) -> None:
    model = prepared_biped(tmp_path / "biped.osim")
    batch = OpenSimSimulation(
        model, OpenSimSettings(), WorkerSettings(0), 1, 0.01, frozenset({"body_positions"})
    )
    names, base = batch.names, batch.names.base
    assert base is not None
    assert (names.bodies[base.body], names.bodies[base.trunk]) == ("pelvis", "torso")
    found = {role: names.coordinates[column] for role, column in base.roles.items()}
    assert found == {
        "forward": "pelvis_tx", "height": "pelvis_ty", "lateral": "pelvis_tz",
        "list": "pelvis_list", "rotation": "pelvis_rotation", "tilt": "pelvis_tilt",
    }  # fmt: skip
    assert not base.planar
    assert names.feet == tuple(FEET)
    batch.close()


def test_a_force_on_a_body_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"push\.body: the model has no body 'toros'.*torso"):
        prepared_biped(tmp_path / "biped.osim", forces=(ExternalForce("push", "toros"),))
