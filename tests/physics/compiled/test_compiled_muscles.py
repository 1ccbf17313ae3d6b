"""The compiled muscles against OpenSim's own, one muscle that pulls a block at a time."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import opensim
import pytest
from numpy.typing import NDArray

from osimexp.errors import ModelError
from osimexp.physics.compiled.ir.program import Program, evaluate, program
from osimexp.physics.compiled.ir.trace import Trace
from osimexp.physics.compiled.muscles.damped_velocity import damped_velocity
from osimexp.physics.compiled.muscles.millard_curves import VelocityProperties
from osimexp.physics.compiled.muscles.muscle import Muscle
from osimexp.physics.compiled.muscles.reading import read_muscle

Floats = NDArray[np.float64]
Change = Callable[[opensim.Muscle], None]

STATES = 1000
TOLERANCE = 1e-10
FORCE, OPTIMAL, SLACK = 1200.0, 0.08, 0.2
ACTIVATION, FIBRE, LENGTH, SPEED, EXCITATION = range(5)


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Keep OpenSim's notes out of the tests' output."""
    level = opensim.Logger.getLevelString()
    opensim.Logger.setLevelString("error")
    yield
    opensim.Logger.setLevelString(level)


def millard(damping: float = 0.1, rigid: bool = False, change: Change | None = None) -> Change:
    """Return how to set up such a muscle."""

    def apply(muscle: opensim.Muscle) -> None:
        muscle.set_fiber_damping(damping)
        muscle.set_ignore_tendon_compliance(rigid)
        if change is not None:
            change(muscle)

    return apply


def degroote_fregly(change: Change | None = None) -> Change:
    """Return how to set up such a muscle.

    It has the time constants of osimexp's own models: OpenSim's code keeps those of the first such
    muscle that a process works out (static variables of a function), for every model of it, so that
    others here would change what tests of models find that run later.
    """

    def apply(muscle: opensim.Muscle) -> None:
        muscle.set_ignore_tendon_compliance(True)
        muscle.set_activation_time_constant(0.01)
        muscle.set_deactivation_time_constant(0.04)
        if change is not None:
            change(muscle)

    return apply


def like_rajagopal(muscle: opensim.Millard2012EquilibriumMuscle) -> None:
    """Take the curves of the published lower-limb models."""
    muscle.upd_ActiveForceLengthCurve().set_min_norm_active_fiber_length(0.25)
    muscle.upd_ActiveForceLengthCurve().set_max_norm_active_fiber_length(1.9)
    muscle.upd_ActiveForceLengthCurve().set_minimum_value(0.0)
    muscle.upd_ForceVelocityCurve().set_concentric_slope_at_vmax(0.0)


def other_curves(muscle: opensim.Millard2012EquilibriumMuscle) -> None:
    """Change every figure of the curves that can be changed."""
    active = muscle.upd_ActiveForceLengthCurve()
    active.set_min_norm_active_fiber_length(0.35)
    active.set_transition_norm_fiber_length(0.7)
    active.set_max_norm_active_fiber_length(1.7)
    active.set_shallow_ascending_slope(0.7)
    passive = muscle.upd_FiberForceLengthCurve()
    passive.set_strain_at_zero_force(-0.1)
    passive.set_strain_at_one_norm_force(0.5)
    passive.set_stiffness_at_low_force(0.3)
    passive.set_stiffness_at_one_norm_force(4.0)
    passive.set_curviness(0.6)
    tendon = muscle.upd_TendonForceLengthCurve()
    tendon.set_strain_at_one_norm_force(0.06)
    tendon.set_stiffness_at_one_norm_force(30.0)
    tendon.set_norm_force_at_toe_end(0.5)
    tendon.set_curviness(0.4)
    velocity = muscle.upd_ForceVelocityCurve()
    velocity.set_concentric_slope_near_vmax(0.3)
    velocity.set_isometric_slope(6.0)
    velocity.set_eccentric_slope_near_vmax(0.2)
    velocity.set_max_eccentric_velocity_force_multiplier(1.6)
    velocity.set_concentric_curviness(0.4)
    velocity.set_eccentric_curviness(0.7)
    muscle.set_min_control(0.05)
    muscle.set_minimum_activation(0.05)
    muscle.set_activation_time_constant(0.013)
    muscle.set_deactivation_time_constant(0.07)


def like_arm26(muscle: opensim.Thelen2003Muscle) -> None:
    """Take the figures of the published arm model."""
    muscle.set_FmaxTendonStrain(0.033)
    muscle.set_KshapeActive(0.5)
    muscle.set_KshapePassive(4.0)
    muscle.set_Af(0.3)
    muscle.set_Flen(1.8)
    muscle.set_activation_time_constant(0.01)
    muscle.set_deactivation_time_constant(0.04)


def other_shape(muscle: opensim.DeGrooteFregly2016Muscle) -> None:
    """Change every figure that has to do with force."""
    muscle.set_active_force_width_scale(1.5)
    muscle.set_fiber_damping(0.02)
    muscle.set_passive_fiber_strain_at_one_norm_force(0.5)


VARIETIES: dict[str, tuple[str, float, Change]] = {
    "millard": ("Millard2012EquilibriumMuscle", 0.0, millard()),
    "millard_pennate": ("Millard2012EquilibriumMuscle", 0.4, millard()),
    "millard_rajagopal": ("Millard2012EquilibriumMuscle", 0.3, millard(change=like_rajagopal)),
    "millard_other": ("Millard2012EquilibriumMuscle", 0.2, millard(0.05, change=other_curves)),
    "millard_lightly_damped": ("Millard2012EquilibriumMuscle", 0.1, millard(0.005)),
    "millard_undamped": ("Millard2012EquilibriumMuscle", 0.2, millard(0.0)),
    "millard_undamped_other": (
        "Millard2012EquilibriumMuscle",
        0.0,
        millard(0.0, change=other_curves),
    ),
    "millard_rigid": ("Millard2012EquilibriumMuscle", 0.3, millard(rigid=True)),
    "millard_rigid_straight": (
        "Millard2012EquilibriumMuscle",
        0.0,
        millard(rigid=True, change=like_rajagopal),
    ),
    "millard_rigid_undamped": ("Millard2012EquilibriumMuscle", 0.2, millard(0.0, rigid=True)),
    "millard_rigid_steep": (
        "Millard2012EquilibriumMuscle",
        0.6,
        millard(rigid=True, change=lambda m: m.set_maximum_pennation_angle(0.9)),
    ),
    "thelen": ("Thelen2003Muscle", 0.0, lambda m: None),
    "thelen_arm26": ("Thelen2003Muscle", 0.2, like_arm26),
    "thelen_steep": ("Thelen2003Muscle", 0.5, lambda m: m.set_maximum_pennation_angle(0.9)),
    "degroote_fregly": ("DeGrooteFregly2016Muscle", 0.0, degroote_fregly()),
    "degroote_fregly_other": ("DeGrooteFregly2016Muscle", 0.35, degroote_fregly(other_shape)),
    "degroote_fregly_active": (
        "DeGrooteFregly2016Muscle",
        0.2,
        degroote_fregly(lambda m: m.set_ignore_passive_fiber_force(True)),
    ),
}
ELASTIC = [name for name in VARIETIES if "rigid" not in name and "degroote" not in name]


@dataclass
class Rig:
    """A block on a slider that a muscle pulls along it."""

    model: opensim.Model
    state: opensim.State
    muscle: opensim.Muscle
    compiled: Muscle

    def set(self, row: Floats) -> None:
        """Put the model into a state."""
        path = self.muscle.getAbsolutePathString()
        self.model.setStateVariableValue(self.state, f"{path}/activation", row[ACTIVATION])
        if self.compiled.elastic:
            self.model.setStateVariableValue(self.state, f"{path}/fiber_length", row[FIBRE])
        coordinate = self.model.getCoordinateSet().get(0)
        coordinate.setValue(self.state, row[LENGTH], False)
        coordinate.setSpeedValue(self.state, row[SPEED])
        self.model.setDefaultControls(opensim.Vector(1, float(row[EXCITATION])))
        self.model.markControlsAsInvalid(self.state)

    def measure(self, row: Floats) -> list[float]:
        """Return what OpenSim finds: see ``traced``."""
        self.set(row)
        self.model.realizeAcceleration(self.state)
        names = ["activation", *(["fiber_length"] if self.compiled.elastic else [])]
        return [
            self.muscle.getTendonForce(self.state),
            self.muscle.getNormalizedFiberLength(self.state),
            self.muscle.getNormalizedFiberVelocity(self.state),
            *(self.muscle.getStateVariableDerivativeValue(self.state, n) for n in names),
        ]


def rig(kind: str, pennation: float, change: Change) -> Rig:
    """Return a model of one muscle whose path is as long as its coordinate's value."""
    model = opensim.Model()
    model.setGravity(opensim.Vec3(0))
    block = opensim.Body("block", 1.0, opensim.Vec3(0), opensim.Inertia(1, 1, 1, 0, 0, 0))
    model.addBody(block)
    joint = opensim.SliderJoint("slider", model.getGround(), block)
    joint.updCoordinate().setName("x")
    model.addJoint(joint)
    muscle = getattr(opensim, kind)()
    muscle.setName("muscle")
    muscle.set_max_isometric_force(FORCE)
    muscle.set_optimal_fiber_length(OPTIMAL)
    muscle.set_tendon_slack_length(SLACK)
    muscle.set_pennation_angle_at_optimal(pennation)
    change(muscle)
    muscle.addNewPathPoint("origin", model.getGround(), opensim.Vec3(0))
    muscle.addNewPathPoint("insertion", block, opensim.Vec3(0))
    model.addForce(muscle)
    model.finalizeConnections()
    state = model.initSystem()
    muscle = getattr(opensim, kind).safeDownCast(model.getMuscles().get(0))
    return Rig(model, state, muscle, read_muscle(muscle))


def traced(muscle: Muscle) -> Program:
    """Return tendon force, fibre length and velocity, and the rates of the states."""
    trace = Trace()
    activation, fibre, length, speed, excitation = trace.inputs(0, 5)
    pull = muscle.pull(activation, fibre if muscle.elastic else None, length, speed)
    results = [pull.tendon_force, pull.fibre_length, pull.fibre_velocity]
    results.append(muscle.activation_rate(excitation, activation))
    if pull.fibre_rate is not None:
        results.append(pull.fibre_rate)
    return program("pull", trace, results, 5)


def states(count: int, elastic: bool, seed: int = 0) -> Floats:
    """Return random states that reach slack tendons and fibres at their shortest."""
    generator = np.random.default_rng(seed)
    fibre = OPTIMAL * generator.uniform(0.15, 1.7, count)
    strain = generator.uniform(-0.02, 0.08, count)
    length = fibre + SLACK * (1.0 + strain) if elastic else fibre + SLACK
    return np.stack(
        [
            generator.uniform(0.0, 1.0, count) ** 2,
            fibre,
            length - 0.005 * generator.uniform(0.0, 1.0, count),
            OPTIMAL * generator.uniform(-12.0, 12.0, count),
            generator.uniform(0.0, 1.0, count),
        ],
        axis=-1,
    )


@pytest.mark.parametrize("variety", VARIETIES)
def test_muscles_do_what_opensims_do(variety: str) -> None:
    one = rig(*VARIETIES[variety])
    found = traced(one.compiled)
    rows = states(STATES, one.compiled.elastic)
    expected = np.array([one.measure(row) for row in rows])
    given = np.array([evaluate(found, row) for row in rows])
    error = np.abs(given - expected).max(axis=0) / np.abs(expected).max(axis=0)
    assert (error < TOLERANCE).all(), error


@pytest.mark.parametrize("variety", VARIETIES)
def test_curves_are_near_enough_and_operations_few(variety: str) -> None:
    one = rig(*VARIETIES[variety])
    assert one.compiled.tabulation_error < 1e-11
    most = 300 if variety.startswith("millard") else 90
    assert len(traced(one.compiled).operations) < most


@pytest.mark.parametrize("pace", [0.0, 1.0])
@pytest.mark.parametrize("variety", ELASTIC)
def test_equilibrium_is_where_opensim_finds_it(variety: str, pace: float) -> None:
    one = rig(*VARIETIES[variety])
    trace = Trace()
    found = program("imbalance", trace, [one.compiled.imbalance(*trace.inputs(0, 4))], 4)
    for row in states(40, elastic=True, seed=1) * [1.0, 1.0, 1.0, pace, 1.0]:
        one.set(row)
        try:
            one.muscle.computeInitialFiberEquilibrium(one.state)
        except RuntimeError:
            continue  # OpenSim's own search does not always converge.
        one.model.realizeVelocity(one.state)
        expected = one.model.getStateVariableValue(
            one.state, f"{one.muscle.getAbsolutePathString()}/fiber_length"
        )
        given = root(found, one.compiled.fibre_range, row)
        # OpenSim stops at forces within 1e-8, which says little where both curves are flat.
        assert given == pytest.approx(expected, abs=2e-6 * OPTIMAL)


def root(found: Program, ends: tuple[float, float], row: Floats) -> float:
    """Return the fibre length of no imbalance, or the shortest where there is none."""

    def imbalance(fibre: float) -> float:
        inputs = np.array([row[ACTIVATION], fibre, row[LENGTH], row[SPEED]])
        return float(evaluate(found, inputs)[0])

    low, high = ends
    if imbalance(low) >= 0.0:
        return low
    assert imbalance(high) > 0.0
    for _ in range(40):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if imbalance(middle) < 0.0 else (low, middle)
    return low


def test_the_corners_of_other_curves_are_solved_too() -> None:
    properties = VelocityProperties(0.0, 0.2, 4.0, 0.0, 0.1, 1.5, 0.8, 0.3)
    curve = opensim.ForceVelocityCurve(0.0, 0.2, 4.0, 0.0, 0.1, 1.5, 0.8, 0.3)
    for damping in (0.5, 0.02):
        solver = damped_velocity(properties, damping)
        for active in (0.0, 0.003, 0.4, 1.0):
            for velocity in (-3.0, -1.0, -0.93, -0.9, -0.4, 0.0, 0.6, 0.95, 1.0, 1.7):
                force = active * curve.calcValue(velocity) + damping * velocity
                assert solver.velocity(active, force) == pytest.approx(velocity, abs=1e-10)


ACTIVATION_RATES = """
import opensim
opensim.Logger.setLevelString("error")
from test_compiled_muscles import degroote_fregly, rig, states, traced
from osimexp.physics.compiled.ir.program import evaluate
def change(muscle):
    muscle.set_activation_time_constant(0.012)
    muscle.set_deactivation_time_constant(0.05)
    muscle.set_activation_dynamics_smoothing(8.0)
one = rig("DeGrooteFregly2016Muscle", 0.0, degroote_fregly(change))
found = traced(one.compiled)
for row in states(200, elastic=False):
    expected, given = one.measure(row)[3], evaluate(found, row)[3]
    assert abs(given - expected) < 1e-12 * 90.0, (given, expected)
other = rig("DeGrooteFregly2016Muscle", 0.0, degroote_fregly())
found = traced(other.compiled)
assert any(abs(evaluate(found, r)[3] - other.measure(r)[3]) > 1.0 for r in states(20, False))
print("as expected")
"""


def test_activation_of_degroote_fregly_and_that_opensim_keeps_the_first_constants() -> None:
    # In a process of its own, since OpenSim keeps what its first such muscle has.
    done = subprocess.run(
        [sys.executable, "-c", ACTIVATION_RATES],
        cwd=Path(__file__).parent,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[3])])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip().endswith("as expected"), done.stderr


@pytest.mark.parametrize(
    ("kind", "change", "word"),
    [
        ("DeGrooteFregly2016Muscle", lambda m: None, "tendon=rigid"),
        (
            "Millard2012EquilibriumMuscle",
            lambda m: m.set_ignore_activation_dynamics(True),
            "ignore_activation_dynamics",
        ),
        ("Thelen2003Muscle", lambda m: m.set_appliesForce(False), "appliesForce"),
        ("RigidTendonMuscle", lambda m: None, "RigidTendonMuscle muscle"),
        (
            "Millard2012EquilibriumMuscle",
            lambda m: m.set_maximum_pennation_angle(0.5 * np.pi),
            "maximum_pennation_angle",
        ),
    ],
)
def test_what_is_not_honoured_is_refused(kind: str, change: Change, word: str) -> None:
    with pytest.raises(ModelError, match=word):
        rig(kind, 0.1, change)


def test_unequal_constants_of_degroote_fregly_are_refused() -> None:
    model = opensim.Model()
    for name, rise in (("one", 0.01), ("other", 0.02)):
        muscle = opensim.DeGrooteFregly2016Muscle()
        muscle.setName(name)
        muscle.set_ignore_tendon_compliance(True)
        muscle.set_activation_time_constant(rise)
        muscle.addNewPathPoint("a", model.getGround(), opensim.Vec3(0))
        muscle.addNewPathPoint("b", model.getGround(), opensim.Vec3(1, 0, 0))
        model.addForce(muscle)
    model.finalizeConnections()
    with pytest.raises(ModelError, match="activation_time_constant"):
        read_muscle(model.getMuscles().get(0))
