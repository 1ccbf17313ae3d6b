import errno
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import opensim
import pytest
import tasks
from numpy.testing import assert_allclose, assert_array_equal

from osimexp.errors import ModelError, SimulationError
from osimexp.models.prepare import PreparedModel, loaded
from osimexp.physics.reference.simulation import OpenSimSimulation
from osimexp.physics.running_clock import RunningClock
from osimexp.physics.simulation import COSTLY, Start


@pytest.fixture(scope="module")
def arm() -> PreparedModel:
    return tasks.prepared(*tasks.ARM)


@pytest.fixture(scope="module")
def walker() -> PreparedModel:
    return tasks.prepared(*tasks.WALKER)


@pytest.fixture
def opened() -> Iterator[list[OpenSimSimulation]]:
    """Simulations put in here are closed in the end."""
    simulations: list[OpenSimSimulation] = []
    yield simulations
    for simulation in simulations:
        simulation.close()


def excitations(size: int, muscles: int, steps: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(size=(steps, size, muscles))


def rolled(simulation: OpenSimSimulation, controls: np.ndarray) -> np.ndarray:
    """Return coordinates, speeds and activations after each step."""
    every = np.ones(simulation.size, dtype=bool)
    simulation.reset(every, tasks.default_start(simulation))
    rows = []
    for control in controls:
        state = simulation.step(control)
        rows.append(np.concatenate([state.coordinates, state.speeds, state.activations], axis=1))
    return np.array(rows)


def test_steps_are_opensims_derivatives_integrated(arm: PreparedModel) -> None:
    """Against the classical Runge-Kutta method on what OpenSim says of the derivatives."""
    batch = tasks.simulation(arm, 1, accuracy=1e-9)
    controls = excitations(1, 6, 10)
    ours = rolled(batch, controls)[:, 0, :2]
    with loaded(arm.xml) as model:
        state = model.initSystem()
        for i in range(6):
            model.getMuscles().get(i).setActivation(state, 0.05)
        model.equilibrateMuscles(state)

        def derivative(y: np.ndarray, control: np.ndarray) -> np.ndarray:
            state.setY(opensim.Vector.createFromMat(y))
            model.realizeVelocity(state)
            model.setControls(state, opensim.Vector.createFromMat(control))
            model.realizeAcceleration(state)
            return state.getYDot().to_numpy().copy()

        y, h = state.getY().to_numpy().copy(), 2e-4
        theirs = []
        for control in controls[:, 0]:
            for _ in range(50):
                a = derivative(y, control)
                b = derivative(y + h / 2 * a, control)
                c = derivative(y + h / 2 * b, control)
                d = derivative(y + h * c, control)
                y = y + h / 6 * (a + 2 * b + 2 * c + d)
            theirs.append(y[:2].copy())
    assert_allclose(ours, theirs, atol=1e-7)


def test_a_row_does_not_depend_on_batch_workers_or_neighbours(
    walker: PreparedModel, opened: list[OpenSimSimulation]
) -> None:
    controls = excitations(3, 18, 12)
    alone = [rolled(tasks.simulation(walker, 1), controls[:, b : b + 1])[:, 0] for b in range(3)]
    for workers in (0, 1, 2):
        batch = tasks.simulation(walker, 3, workers)
        opened.append(batch)
        together = rolled(batch, controls)
        for b in range(3):
            assert_array_equal(together[:, b], alone[b])


def test_a_rollout_does_not_depend_on_the_last_one(walker: PreparedModel) -> None:
    batch = tasks.simulation(walker, 1, fields=COSTLY)
    controls = excitations(1, 18, 15)
    first = rolled(batch, controls)
    rolled(batch, excitations(1, 18, 9, seed=5))
    assert_array_equal(rolled(batch, controls), first)


def test_what_is_read_is_opensims_own(walker: PreparedModel) -> None:
    batch = tasks.simulation(walker, 1, fields=COSTLY)
    rolled(batch, excitations(1, 18, 5))
    state = batch.step(np.full((1, 18), 0.5))
    with loaded(walker.xml) as model:
        theirs = model.initSystem()
        for name, value, speed in zip(
            batch.names.coordinates, state.coordinates[0], state.speeds[0], strict=True
        ):
            coordinate = model.getCoordinateSet().get(name)
            coordinate.setValue(theirs, value, False)
            coordinate.setSpeedValue(theirs, speed)
        model.realizeVelocity(theirs)
        assert_allclose(
            state.centre_of_mass[0], model.calcMassCenterPosition(theirs).to_numpy(), atol=1e-12
        )
        assert_allclose(
            state.centre_of_mass_velocity[0],
            model.calcMassCenterVelocity(theirs).to_numpy(),
            atol=1e-12,
        )
        for row, name in zip(state.body_positions[0], batch.names.bodies, strict=True):
            body = model.getBodySet().get(name)
            assert_allclose(row, body.getPositionInGround(theirs).to_numpy(), atol=1e-12)
        assert batch.names.mass == pytest.approx(model.getTotalMass(theirs))


def test_ground_reaction_is_all_that_holds_the_model_up(walker: PreparedModel) -> None:
    """Newton: the mass centre's momentum changes by weight and ground reaction alone."""
    batch = tasks.simulation(walker, 1, fields=COSTLY, accuracy=1e-6)
    every, mass = np.ones(1, dtype=bool), batch.names.mass
    state = batch.reset(every, tasks.default_start(batch))
    forces, velocities = [], []
    for _ in range(40):
        state = batch.step(np.full((1, 18), 0.1))
        forces.append(state.ground_reaction[0].sum(axis=0))
        velocities.append(state.centre_of_mass_velocity[0].copy())
    forces, velocities = np.array(forces), np.array(velocities)
    impulse = 0.01 * np.sum((forces[1:] + forces[:-1]) / 2, axis=0)
    gained = mass * (velocities[-1] - velocities[0])
    weight = np.array([0.0, -9.80665 * mass * 0.39, 0.0])
    assert_allclose(gained, impulse + weight, atol=0.03 * 9.80665 * mass * 0.39)


def test_limits_push_back_into_the_range(arm: PreparedModel) -> None:
    batch = tasks.simulation(arm, 1, fields=frozenset({"limit_torque"}))
    start = tasks.default_start(batch)
    elbow = batch.names.coordinates.index("elbow_flexion")
    start.coordinates[0, elbow] = batch.names.ranges[elbow, 1] - 0.02
    state = batch.reset(np.ones(1, dtype=bool), start)
    assert state.limit_torque[0, elbow] < 0.0


def test_a_step_that_fails_marks_its_row_alone(arm: PreparedModel) -> None:
    batch = tasks.simulation(arm, 2)
    rolled(batch, excitations(2, 6, 3))
    before = batch.step(np.full((2, 6), 0.5)).coordinates.copy()
    state = batch.step(np.array([[np.nan] * 6, [0.5] * 6]))
    assert state.failed.tolist() == [True, False]
    assert_array_equal(state.coordinates[0], before[0])
    assert np.isfinite(state.coordinates).all()
    state = batch.reset(
        np.array([True, False]), Start(before[:1], 0 * before[:1], np.full((1, 6), 0.05))
    )
    assert not state.failed.any()


def test_a_runaway_has_failed(arm: PreparedModel) -> None:
    batch = tasks.simulation(arm, 1, highest_speed=0.5)
    batch.reset(np.ones(1, dtype=bool), tasks.default_start(batch))
    assert any(batch.step(np.ones((1, 6))).failed[0] for _ in range(20))


def test_restore_goes_on_to_the_last_digit(
    walker: PreparedModel, opened: list[OpenSimSimulation]
) -> None:
    first, second = tasks.simulation(walker, 2), tasks.simulation(walker, 2, workers=1)
    opened.append(second)
    controls = excitations(2, 18, 30)
    rolled(first, controls[:10])
    snapshot = first.snapshot()
    second.restore(snapshot)
    for control in controls[10:]:
        ours, theirs = first.step(control), second.step(control)
        assert_array_equal(ours.coordinates, theirs.coordinates)
        assert_array_equal(ours.speeds, theirs.speeds)


def test_a_snapshot_of_a_long_episode(arm: PreparedModel) -> None:
    """The record of excitations grows past what it begins with."""
    batch = tasks.simulation(arm, 1)
    rolled(batch, excitations(1, 6, 300))
    assert len(batch.snapshot()["controls"][0]) == 300


@pytest.mark.parametrize(
    ("stop", "patience"), [(signal.SIGKILL, 20.0), (signal.SIGSTOP, 2.0)], ids=["dies", "hangs"]
)
def test_a_worker_that_dies_or_hangs_is_replaced(
    arm: PreparedModel,
    opened: list[OpenSimSimulation],
    stop: signal.Signals,
    patience: float,
    caplog: pytest.LogCaptureFixture,
) -> None:
    batch = tasks.simulation(arm, 4, workers=2, timeout=patience)
    opened.append(batch)
    rolled(batch, excitations(4, 6, 2))
    os.kill(batch.workers[1].process.pid, stop)
    state = batch.step(np.full((4, 6), 0.3))
    assert state.lost.tolist() == [False, False, True, True]
    assert batch.replaced == 1
    assert "environments 2, 3 ended" in caplog.text
    if stop == signal.SIGKILL:
        assert "ended by SIGKILL, as by a system whose memory runs out" in caplog.text
    state = batch.reset(
        state.lost.copy(), Start(*(a[2:] for a in _fields(tasks.default_start(batch))))
    )
    assert not state.lost.any()
    assert not batch.step(np.full((4, 6), 0.3)).failed.any()


def test_workers_that_cannot_be_started_end_in_a_sentence(
    arm: PreparedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(subprocess, "Popen", refused)
    with pytest.raises(SimulationError, match="Too many open files; take fewer"):
        tasks.simulation(arm, 2, workers=2)


def test_a_worker_that_hangs_takes_no_other_with_it(
    arm: PreparedModel, opened: list[OpenSimSimulation]
) -> None:
    batch = tasks.simulation(arm, 3, workers=3, timeout=1.0)
    opened.append(batch)
    rolled(batch, excitations(3, 6, 2))
    os.kill(batch.workers[0].process.pid, signal.SIGSTOP)
    assert batch.step(np.full((3, 6), 0.3)).lost.tolist() == [True, False, False]
    for worker in batch.workers[:2]:
        os.kill(worker.process.pid, signal.SIGSTOP)
    assert batch.step(np.full((3, 6), 0.3)).lost.tolist() == [True, True, False]


def test_a_stopped_process_that_goes_on_keeps_its_workers(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(
        textwrap.dedent("""
        import time
        import numpy as np
        import tasks
        batch = tasks.simulation(tasks.prepared(*tasks.ARM), 2, workers=2, timeout=1.0)
        batch.reset(np.ones(2, dtype=bool), tasks.default_start(batch))
        print(*(worker.process.pid for worker in batch.workers), flush=True)
        end = time.monotonic() + 3.0
        while time.monotonic() < end:
            batch.step(np.full((2, 6), 0.3))
        print(batch.replaced, flush=True)
        batch.close()
        """)
    )
    here = Path(tasks.__file__).parent
    parent = subprocess.Popen(
        [sys.executable, script],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": f"{here}{os.pathsep}{here.parents[1]}"},
    )
    assert parent.stdout is not None
    workers = [int(pid) for pid in parent.stdout.readline().split()]
    # Its workers stop first, so that it waits for them, and go on last.
    for pid in (*workers, parent.pid):
        os.kill(pid, signal.SIGSTOP)
    time.sleep(2.5)
    for pid in (parent.pid, *workers):
        os.kill(pid, signal.SIGCONT)
    assert parent.stdout.readline() == "0\n"
    assert parent.wait() == 0


def test_workers_import_nothing_from_the_working_folder(
    arm: PreparedModel, place: Path, opened: list[OpenSimSimulation]
) -> None:
    for name in ("numpy", "pydantic"):
        (place / f"{name}.py").write_text("open('imported', 'w').close()\n")
    opened.append(tasks.simulation(arm, 1, workers=1))
    assert np.isfinite(rolled(opened[0], excitations(1, 6, 2))).all()
    assert not (place / "imported").exists()


def test_a_clock_stands_still_while_its_process_does(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter([0.0, 0.5, 1.1, 3601.1, 3601.6])
    monkeypatch.setattr(time, "monotonic", lambda: next(moments))
    clock = RunningClock(0.5)
    assert [clock.tick() for _ in range(4)] == pytest.approx([0.5, 1.1, 2.1, 2.6])


def _fields(start: Start) -> tuple[np.ndarray, ...]:
    return start.coordinates, start.speeds, start.activations


def test_a_pose_that_cannot_be_assembled_is_named(
    arm: PreparedModel, opened: list[OpenSimSimulation]
) -> None:
    for workers in (0, 1):
        batch = tasks.simulation(arm, 1, workers=workers)
        opened.append(batch)
        start = tasks.default_start(batch)
        start.coordinates[:] = np.nan
        with pytest.raises(ModelError, match="elbow_flexion nan"):
            batch.reset(np.ones(1, dtype=bool), start)


def test_closing_leaves_nothing(arm: PreparedModel) -> None:
    batch = tasks.simulation(arm, 2, workers=2)
    folders, processes = zip(*((w.folder, w.process) for w in batch.workers), strict=True)
    batch.close()
    batch.close()
    assert len(processes) == 2
    assert not any(folder.exists() for folder in folders)
    assert all(process.poll() is not None for process in processes)


def test_workers_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(
        textwrap.dedent("""
        import sys, time
        import tasks
        batch = tasks.simulation(tasks.prepared(*tasks.ARM), 1, workers=1)
        print(batch.workers[0].process.pid, batch.workers[0].folder, flush=True)
        time.sleep(60)
        """)
    )
    here = Path(tasks.__file__).parent
    parent = subprocess.Popen(
        [sys.executable, script],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": f"{here}{os.pathsep}{here.parents[1]}"},
    )
    assert parent.stdout is not None
    pid, folder = parent.stdout.readline().split()
    parent.kill()
    parent.wait()
    deadline = time.monotonic() + 10.0
    while Path(folder).exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(folder).exists()
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except FileNotFoundError:
            return
        if state == "Z":  # Ended, and waiting for whoever adopts orphans here.
            return
        time.sleep(0.05)
    pytest.fail("the worker outlived its parent")


def test_rows_of_a_replaced_worker_wait_for_their_reset(
    arm: PreparedModel, opened: list[OpenSimSimulation]
) -> None:
    batch = tasks.simulation(arm, 4, workers=2)
    opened.append(batch)
    rolled(batch, excitations(4, 6, 2))
    batch.workers[0].process.kill()
    first = np.array([True, False, False, False])
    batch.reset(first, Start(*(a[:1] for a in _fields(tasks.default_start(batch)))))
    state = batch.step(np.full((4, 6), 0.3))
    assert state.lost.tolist() == [False, True, False, False]
    assert batch.replaced == 1


def test_a_worker_lost_while_restoring_is_said(
    arm: PreparedModel, opened: list[OpenSimSimulation], monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = tasks.simulation(arm, 2, workers=1)
    opened.append(batch)
    rolled(batch, excitations(2, 6, 3))
    snapshot = batch.snapshot()
    (worker,) = batch.workers
    send = worker.send

    def kill_before_replay(command: str, data: bytes = b"") -> None:
        if command.startswith("replay"):
            worker.process.kill()
        send(command, data)

    monkeypatch.setattr(worker, "send", kill_before_replay)
    with pytest.raises(SimulationError, match="resume again"):
        batch.restore(snapshot)


def test_feet_without_contact_are_named() -> None:
    model = tasks.prepared(*tasks.WALKER, "+model.feet.trunk=[torso]")
    with pytest.raises(ModelError, match=r"model\.feet\.trunk: no contact force"):
        tasks.simulation(model, 1)
