"""The compiled back end, ``physics=compiled``: OpenSim's equations as machine code."""

import logging
import os

import numpy as np

from osimexp.arrays import Floats, Mask
from osimexp.models.prepare import PreparedModel
from osimexp.physics.compiled.kernels.integrators import MEMORY
from osimexp.physics.compiled.model import CompiledModel, compile_model
from osimexp.physics.settings import CompiledSettings, WorkerSettings
from osimexp.physics.simulation import (
    COSTLY,
    Backend,
    Kinematics,
    Snapshot,
    Start,
    State,
    saved_controls,
    unsound,
)

log = logging.getLogger("osimexp")

BACKEND = Backend("compiled", reference=False)

_TRIED = 16
"""Number of environments in which the error of single precision is measured."""


class CompiledSimulation:
    """A batch of compiled simulations; see ``osimexp.physics.simulation.Simulation``.

    The result of a simulation depends on its own state and controls alone: the size of the batch
    and the number of threads do not change a bit of it.

    Args:
        model: model to simulate.
        physics: settings of the integrator.
        workers: number of threads that share the batch; ``count`` 0 is this thread alone.
        size: number of simulations in the batch, ``B``.
        control_period: simulated time of one step, s.
        fields: names of the costly arrays of ``State`` that are read after each step.

    Attributes:
        model: compiled model, with its proof.
        evaluations: number of derivatives worked out so far, summed over all simulations.
        lanes_error: error of single precision, rad or m, see ``_measured_error``; None in double
            precision.

    Raises:
        ModelError: the model cannot be compiled, or the compiled model differs from OpenSim.
    """

    def __init__(
        self,
        model: PreparedModel,
        physics: CompiledSettings,
        workers: WorkerSettings,
        size: int,
        control_period: float,
        fields: frozenset[str],
    ) -> None:
        self.size = size
        self.control_period = control_period
        self.replaced = 0
        self.backend = BACKEND
        self.model: CompiledModel = compile_model(model, physics.lanes)
        self.names = self.model.names
        self._settings = physics
        self._threads = min(os.cpu_count() or 1 if workers.count is None else workers.count, size)
        self._threads = max(self._threads, 1)
        self._machine = self.model.machine()
        shape = self.model.shape
        self._shape = shape
        self._rows = np.zeros((size, shape.states))
        self._rows[:, shape.fibres] = self.model.fibre_ranges.mean(axis=1)
        self._memory = np.zeros((size, MEMORY))
        self._controls = np.zeros((size, shape.controls))
        self._read = np.zeros((size, shape.outputs))
        self._status = np.zeros(size, dtype=np.int32)
        self._evaluations = np.zeros(size, dtype=np.int32)
        self.evaluations = 0
        self._steps = np.zeros(size, dtype=np.int64)
        self._state = self._views(fields)
        self.lanes_error = self._measured_error() if physics.lanes else None

    def reset(self, which: Mask, start: Start) -> State:
        """Begin an episode in simulations that ``which`` ``(B,)`` marks, and return all rows."""
        rows = np.flatnonzero(which)
        shape, free = self._shape, self.model.free
        states = np.zeros((len(rows), shape.states))
        states[:, : shape.free] = start.coordinates[:, free]
        states[:, shape.speeds] = start.speeds[:, free]
        states[:, shape.activations] = start.activations
        states[:, shape.blocks["actuators"]] = shape.actuators
        idle = np.zeros((len(rows), shape.controls))
        if shape.elastic:
            self._equilibrate(states, idle, start)
        read = np.empty((len(rows), shape.outputs))
        self._machine.read("output", states, idle, read, self._threads)
        if not np.isfinite(read).all():
            bad = int(np.flatnonzero(~np.isfinite(read).all(axis=1))[0])
            raise unsound(self.names, start.coordinates[bad], "its state is not finite.")
        self._rows[rows], self._read[rows] = states, read
        self._controls[rows] = 0.0
        self._memory[rows] = 0.0
        self._steps[rows] = 0
        self._state.time[rows] = 0.0
        self._state.failed[rows] = False
        return self._state

    def step(self, controls: Floats) -> State:
        """Apply the controls ``(B, controls)`` for a control period, and return the new state."""
        self._controls[:] = controls
        self._steps += 1
        self._machine.step(
            self._settings,
            self.control_period,
            self._rows,
            self._controls,
            self._memory,
            self._status,
            self._evaluations,
            self._threads,
        )
        self.evaluations += int(self._evaluations.sum())
        self._machine.read("output", self._rows, self._controls, self._read, self._threads)
        np.multiply(self._steps, self.control_period, out=self._state.time)
        np.not_equal(self._status, 0, out=self._state.failed)
        return self._state

    def kinematics(self, coordinates: Floats) -> Kinematics:
        """Return points and clearance at poses ``(R, coordinates)``; no simulation changes."""
        shape = self._shape
        states = np.zeros((len(coordinates), shape.states))
        states[:, : shape.free] = coordinates[:, self.model.free]
        found = np.empty((len(states), 3 * shape.points + shape.spheres))
        idle = np.zeros((len(states), shape.controls))
        self._machine.read("kinematics", states, idle, found, self._threads)
        points, heights = np.split(found, [3 * shape.points], axis=1)
        clearance = heights.min(axis=1, initial=np.inf)
        return Kinematics(points.reshape(len(states), shape.points, 3), clearance)

    def snapshot(self) -> Snapshot:
        """Return the state of all simulations, for ``restore``."""
        return {
            "rows": self._rows.copy(),
            "memory": self._memory.copy(),
            "controls": self._controls.copy(),
            "steps": self._steps.copy(),
            "names": self.names.controls,
        }

    def restore(self, snapshot: Snapshot) -> State:
        """Restore every simulation from a snapshot, and return its state."""
        self._rows[:] = snapshot["rows"]
        self._memory[:] = snapshot["memory"]
        self._controls[:] = saved_controls(snapshot, snapshot["controls"], self.names)
        self._steps[:] = snapshot["steps"]
        self._machine.read("output", self._rows, self._controls, self._read, self._threads)
        np.multiply(self._steps, self.control_period, out=self._state.time)
        self._state.failed[:] = False
        return self._state

    def close(self) -> None:
        """End the threads; may be called twice."""
        self._machine.close()

    def _measured_error(self) -> float:
        """Return the error of single precision with these settings, and log it.

        It is the root mean square, over coordinates and environments, of the differences after 0.2
        s of random excitations from the default pose, against steps in double precision with a
        tolerance of 1e-7.
        """
        rows = np.zeros((_TRIED, self._shape.states))
        rows[:, : self._shape.free] = self.names.default_pose[self.model.free]
        rows[:, self._shape.activations] = 0.05
        controls = np.zeros((_TRIED, self._shape.controls))
        low, high = (np.ascontiguousarray(ends) for ends in self.model.fibre_ranges.T)
        status, taken = np.zeros((2, _TRIED), dtype=np.int32)
        self._machine.equilibrate(rows, controls, (low, high), status)
        results = []
        for settings in (self._settings, CompiledSettings(tolerance=1e-7)):
            generator = np.random.default_rng(0)
            state, memory = rows.copy(), np.zeros((_TRIED, MEMORY))
            shape = (_TRIED, self._shape.muscles)
            for _ in range(20):
                controls[:, : self._shape.muscles] = generator.random(shape)
                self._machine.step(settings, 0.01, state, controls, memory, status, taken)
            results.append(state[:, : self._shape.free])
        error = float(np.sqrt(np.mean((results[0] - results[1]) ** 2)))
        log.info("Single precision differs from exact steps by %.1e (rad or m) in 0.2 s.", error)
        return error

    def _equilibrate(self, states: Floats, idle: Floats, start: Start) -> None:
        low, high = (np.ascontiguousarray(ends) for ends in self.model.fibre_ranges.T)
        status = np.zeros(len(states), dtype=np.int32)
        self._machine.equilibrate(states, idle, (low, high), status, self._threads)
        if status.any():
            bad = int(np.flatnonzero(status)[0])
            raise unsound(
                self.names, start.coordinates[bad], "a fibre has no equilibrium with its tendon."
            )

    def _views(self, fields: frozenset[str]) -> State:
        """Return the state whose arrays are views of the last output.

        An array that no term reads has no rows, so that reading it fails at once.
        """
        views = {
            name: self._read[:, place].reshape(self.size, *shape)
            if name not in COSTLY - fields
            else np.empty((0, *shape))
            for name, (place, shape) in self._shape.places.items()
        }
        for name, view in views.items():
            assert not view.size or np.shares_memory(view, self._read), name
        return State(
            time=np.zeros(self.size),
            controls=self._controls,
            failed=np.zeros(self.size, dtype=bool),
            lost=np.zeros(self.size, dtype=bool),
            **views,
        )
