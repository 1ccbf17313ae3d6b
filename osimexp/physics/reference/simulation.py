"""The reference back end, ``physics=opensim``: OpenSim itself, in worker processes."""

import contextlib
import logging
import os
import shutil
import tempfile
import weakref
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from osimexp.arrays import Floats, Mask
from osimexp.errors import ModelError, SimulationError
from osimexp.models.prepare import PreparedModel
from osimexp.physics.arrays import block, bytes_needed, create_shared
from osimexp.physics.reference.engine import Engine
from osimexp.physics.reference.rows import Rows
from osimexp.physics.reference.worker import Job
from osimexp.physics.reference.worker_process import Watchdog, WorkerGone, WorkerProcess
from osimexp.physics.settings import OpenSimSettings, WorkerSettings
from osimexp.physics.simulation import Backend, Kinematics, Snapshot, Start, State, saved_controls

log = logging.getLogger("osimexp")

BACKEND = Backend("opensim", reference=True)

TRIES = 3
PATIENCE = 60.0  # s, at least, for a process to start in: it imports OpenSim and reads the model


class OpenSimSimulation:
    """A batch of OpenSim simulations; see ``osimexp.physics.simulation.Simulation``.

    Args:
        model: model to simulate.
        physics: settings of the integrator.
        workers: settings of the worker processes.
        size: number of simulations in the batch, ``B``.
        control_period: simulated time of one step, s.
        fields: names of the costly arrays of ``State`` that are read after each step.

    Raises:
        ModelError: OpenSim cannot simulate the model.
        SimulationError: a worker does not start, or there is no space for the shared memory.
    """

    def __init__(
        self,
        model: PreparedModel,
        physics: OpenSimSettings,
        workers: WorkerSettings,
        size: int,
        control_period: float,
        fields: frozenset[str],
    ) -> None:
        self.size = size
        self.control_period = control_period
        self.replaced = 0
        self.backend = BACKEND
        self._engine = Engine(model, physics, control_period, fields)
        self.names = self._engine.names
        self._all = np.ones(size, dtype=bool)
        # The controls of each step of the present episodes.
        self._history = np.zeros((size, 256, len(self.names.controls)))
        self._steps = np.zeros(size, dtype=int)
        needed = bytes_needed(self.names, size, fields)
        count = min(os.cpu_count() or 1 if workers.count is None else workers.count, size)
        self._workers: list[WorkerProcess] = []
        if count == 0:
            self._block = block(bytearray(needed), self.names, size, fields)
            engines = [
                self._engine if b == 0 else Engine(model, physics, control_period, fields)
                for b in range(size)
            ]
            self._rows = Rows(engines, range(size), self._block)
            # An engine that simulates must not be posed, so kinematics have their own engine.
            self._engine = Engine(model, physics, control_period, frozenset())
            return
        self._folder = _shared_folder()
        self._finalizer = weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        shared = create_shared(self._folder / "state", needed)
        self._block = block(shared, self.names, size, fields)
        job = Job(
            model.settings, model.forces, physics, control_period, tuple(sorted(fields)), size
        )
        try:
            job.write(self._folder, model.xml)
        except OSError as error:
            self.close()
            raise SimulationError(f"{self._folder} cannot be written: {error.strerror}.") from error
        self._watchdog = Watchdog(workers.timeout)
        try:
            for rows in np.array_split(np.arange(size), count):
                self._workers.append(WorkerProcess(self._folder, rows.tolist()))
            self._require_start(self._workers)
        except BaseException:
            self.close()
            raise

    @property
    def workers(self) -> tuple[WorkerProcess, ...]:
        """Worker processes of the batch; empty if this process simulates it."""
        return tuple(self._workers)

    def reset(self, which: Mask, start: Start) -> State:
        """Begin an episode in simulations that ``which`` ``(B,)`` marks, and return all rows."""
        for name in ("coordinates", "speeds", "activations"):
            getattr(self._block.start, name)[which] = getattr(start, name)
        self._steps[which] = 0
        self._block.state.controls[which] = 0.0
        if not self._workers:
            self._rows.reset(np.flatnonzero(which).tolist())
            return self._block.state
        waiting = np.flatnonzero(which).tolist()
        for _ in range(TRIES):
            commands = {}
            for index, worker in enumerate(self._workers):
                if mine := [b for b in waiting if b in worker.rows]:
                    commands[index] = " ".join(["reset", *map(str, mine)])
            self._tell(commands)
            waiting = np.flatnonzero(which & self._block.state.lost).tolist()
            if not waiting:
                return self._block.state
        raise SimulationError(
            f"{TRIES} workers in a row died or hung at the start of an episode in environments "
            f"{_listed(waiting)}; check the starting poses, or raise workers.timeout."
        )

    def step(self, controls: Floats) -> State:
        """Apply the controls ``(B, controls)`` for a control period, and return the new state."""
        state = self._block.state
        state.controls[:] = controls
        self._remember()
        if self._workers:
            self._tell(dict.fromkeys(range(len(self._workers)), "step"))
        else:
            self._rows.step()
        return state

    def kinematics(self, coordinates: Floats) -> Kinematics:
        """Return points and clearance at poses ``(R, coordinates)``; no simulation changes."""
        return self._engine.kinematics(coordinates)

    def snapshot(self) -> Snapshot:
        """Return the start of each episode and the controls since.

        The last step size of an integrator cannot be read, so ``restore`` repeats the episodes.
        """
        start = {name: values.copy() for name, values in vars(self._block.start).items()}
        history = [self._history[b, : self._steps[b]].copy() for b in range(self.size)]
        return {**start, "controls": history, "names": self.names.controls}

    def restore(self, snapshot: Snapshot) -> State:
        """Restore every simulation by repeating its episode, and return its state."""
        names = ("coordinates", "speeds", "activations")
        self.reset(self._all, Start(*(snapshot[name] for name in names)))
        for b, saved in enumerate(snapshot["controls"]):
            controls = saved_controls(snapshot, saved, self.names)
            if self._workers:
                index = next(i for i, worker in enumerate(self._workers) if b in worker.rows)
                data = np.ascontiguousarray(controls, dtype=float).tobytes()
                self._tell({index: f"replay {b} {len(controls)}"}, data)
            else:
                self._rows.replay(b, controls)
            while len(controls) > self._history.shape[1]:
                self._grow()
            self._history[b, : len(controls)] = controls
            self._steps[b] = len(controls)
        if self._block.state.lost.any():
            raise SimulationError(
                "A worker died or hung while episodes were restored; resume again, or raise "
                "workers.timeout."
            )
        return self._block.state

    def close(self) -> None:
        """End the worker processes and free the shared memory; may be called twice."""
        if not hasattr(self, "_folder"):
            return
        while self._workers:
            self._workers.pop().close()
        with contextlib.suppress(AttributeError):
            self._watchdog.close()
        self._finalizer()

    def _tell(self, commands: dict[int, str], data: bytes = b"") -> None:
        """Send commands to workers at the same time, and replace those that die or hang."""
        processes = [self._workers[index].process for index in commands]
        gone: dict[int, str] = {}
        errors: list[ModelError] = []
        try:
            begun = self._watchdog.seconds
            for index, command in commands.items():
                worker = self._workers[index]
                with self._watchdog.watching(worker.process, begun):
                    worker.send(command, data)
            for index in commands:
                worker = self._workers[index]
                try:
                    with self._watchdog.watching(worker.process, begun):
                        worker.receive()
                except WorkerGone as epitaph:
                    hung = worker.process.pid in self._watchdog.killed
                    late = f"it did not answer within {self._watchdog.timeout:g} s"
                    gone[index] = late if hung else str(epitaph)
                except ModelError as error:
                    errors.append(error)
        except BaseException:
            # After an interrupt, an answer that is read later would belong to another command.
            for process in processes:
                process.kill()
            raise
        if gone:
            self._replace(gone)
        if errors:
            raise errors[0]

    def _replace(self, gone: dict[int, str]) -> None:
        for index, epitaph in gone.items():
            rows = self._workers[index].rows
            log.warning(
                "A simulation worker was replaced, for %s; the episodes in environments %s ended.",
                epitaph,
                _listed(rows),
            )
            self._workers[index].close()
            self._workers[index] = WorkerProcess(self._folder, rows)
            self._block.state.lost[rows] = True
            self.replaced += 1
        self._require_start([self._workers[index] for index in gone])

    def _require_start(self, workers: Sequence[WorkerProcess]) -> None:
        begun = self._watchdog.seconds
        for worker in workers:
            with self._watchdog.watching(worker.process, begun, PATIENCE):
                worker.require_start()

    def _remember(self) -> None:
        if self._steps.max() == self._history.shape[1]:
            self._grow()
        each, state = np.arange(self.size), self._block.state
        self._history[each, self._steps] = state.controls
        self._steps += 1

    def _grow(self) -> None:
        self._history = np.concatenate([self._history, np.zeros_like(self._history)], axis=1)


def _shared_folder() -> Path:
    memory = Path("/dev/shm")  # Its pages are never written to a disk.
    parent = memory if memory.is_dir() and os.access(memory, os.W_OK) else None
    return Path(tempfile.mkdtemp(prefix="osimexp-", dir=parent))


def _listed(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers))
