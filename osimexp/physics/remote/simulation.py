"""Simulation of a batch by processes of a Ray cluster, ``workers=ray``."""

import contextlib
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from osimexp.arrays import Floats, Mask
from osimexp.errors import ModelError, SimulationError
from osimexp.models.prepare import PreparedModel
from osimexp.physics.arrays import block, bytes_needed
from osimexp.physics.remote.cluster import ray_at
from osimexp.physics.running_clock import RunningClock
from osimexp.physics.settings import PhysicsSettings, WorkerSettings
from osimexp.physics.simulation import Kinematics, Simulation, Snapshot, Start, State

log = logging.getLogger("osimexp")

Packed = NDArray[np.float64]
"""All results of a step in one array, a row for each simulation."""

_INLINE = 90_000
"""Size of an answer in bytes up to which Ray sends it at once; its store takes 6 ms more."""

_STARTING = 600.0
"""Time that a process may take to start, s; compiling a new model takes a minute of it."""

_TRIES = 3
_HERE = WorkerSettings(count=0)

Make = Callable[
    [PreparedModel, Any, WorkerSettings, int, float, frozenset[str]],
    Simulation,
]
"""Makes a batch on one machine; see ``osimexp.physics.backends``."""


class Part:
    """Rows of the batch in one process of the cluster.

    Args:
        make: function that makes the batch of these rows.
        model: model to simulate.
        physics: settings of the back end.
        size: number of rows.
        control_period: simulated time of one step, s.
        fields: names of the costly arrays of ``State`` that are read after each step.
        pieces: number of pieces in which the rows of an answer are sent.
    """

    def __init__(
        self,
        make: Make,
        model: PreparedModel,
        physics: PhysicsSettings,
        size: int,
        control_period: float,
        fields: frozenset[str],
        pieces: int,
    ) -> None:
        self._pieces = pieces
        self._simulation = make(model, physics, _HERE, size, control_period, fields)
        self._begun = np.zeros(size, dtype=bool)

    def ready(self) -> None:
        """Do nothing; the answer comes when the process is running."""

    def reset(self, which: Mask, start: Start) -> Any:
        """Begin an episode in the rows that ``which`` marks, and in rows that have none yet."""
        if not self._begun.all():
            pose = np.zeros(len(which), dtype=int)
            pose[which] = np.arange(np.count_nonzero(which))
            which = which | ~self._begun
            start = Start(*(values[pose[which]] for values in vars(start).values()))
            self._begun[:] = True
        return self._sent(_packed(self._simulation.reset(which, start)))

    def step(self, controls: Floats) -> Any:
        """Step all rows; empty if no episode began since the process was started."""
        if not self._begun.all():
            return self._sent(np.empty((0, 0)))
        return self._sent(_packed(self._simulation.step(controls)))

    def snapshot(self) -> Snapshot:
        """Return the state of the rows, for ``restore``."""
        return self._simulation.snapshot()

    def restore(self, snapshot: Snapshot) -> Any:
        """Restore the rows from a snapshot."""
        self._begun[:] = True
        return self._sent(_packed(self._simulation.restore(snapshot)))

    def _sent(self, packed: Packed) -> Any:
        return packed if self._pieces == 1 else tuple(np.array_split(packed, self._pieces))


class RaySimulation:
    """A batch on a Ray cluster; see ``osimexp.physics.simulation.Simulation``.

    The processes are spread over the nodes by their processors. If a node is lost, or a process
    dies or hangs, its rows are marked as lost and simulated by new processes on the remaining
    nodes, which may then have more processes than processors.

    Args:
        make: function that makes the batch of each process.
        model: model to simulate.
        physics: settings of the back end.
        workers: address of the cluster and number of processes.
        size: number of simulations in the batch, ``B``.
        control_period: simulated time of one step, s.
        fields: names of the costly arrays of ``State`` that are read after each step.

    Raises:
        ConfigError: there is no cluster at the address.
        ModelError: the model cannot be simulated.
        SimulationError: the cluster has no processors, or its processes do not start.
    """

    def __init__(
        self,
        make: Make,
        model: PreparedModel,
        physics: PhysicsSettings,
        workers: WorkerSettings,
        size: int,
        control_period: float,
        fields: frozenset[str],
    ) -> None:
        assert workers.cluster is not None
        self._parts: list[Any] = []
        # It refuses a model that cannot be simulated, and it works out kinematics.
        self._own: Simulation = make(model, physics, _HERE, 1, control_period, frozenset())
        self.names, self.backend = self._own.names, self._own.backend
        self.size, self.control_period, self.replaced = size, control_period, 0
        self._timeout = workers.timeout
        self._ray = ray_at(workers.cluster)
        needed = bytes_needed(self.names, size, fields)
        self._state = block(bytearray(needed), self.names, size, fields).state
        count = min(workers.count or len(self._processors()), size)
        self._rows = np.array_split(np.arange(size), count)
        self._pieces = min(-(-needed // (count * _INLINE)), size // count)
        self._arguments = (make, model, physics)
        self._further = (control_period, fields, self._pieces)
        self._nodes = [""] * count
        self._parts = [None] * count
        try:
            self._start(range(count))
        except BaseException:
            self.close()
            raise

    def reset(self, which: Mask, start: Start) -> State:
        """Begin an episode in simulations that ``which`` ``(B,)`` marks, and return all rows."""
        poses = np.zeros(self.size, dtype=int)
        poses[which] = np.arange(np.count_nonzero(which))
        waiting = which.copy()
        for _ in range(_TRIES):
            self._state.lost[waiting] = False

            def begin(part: Any, rows: NDArray[np.int64]) -> Any:
                own = waiting[rows]  # noqa: B023 (called within this turn of the loop)
                chosen = poses[rows[own]]
                return self._sending(part.reset).remote(
                    own, Start(*(v[chosen] for v in vars(start).values()))
                )

            asked = [i for i, rows in enumerate(self._rows) if waiting[rows].any()]
            self._take_in(self._ask(begin, asked))
            waiting = which & self._state.lost
            if not waiting.any():
                return self._state
        raise SimulationError(
            f"{_TRIES} processes of the cluster in a row died or hung at the start of an episode; "
            "check the starting poses, or raise workers.timeout."
        )

    def step(self, controls: Floats) -> State:
        """Apply the controls ``(B, controls)`` for a control period, and return the new state."""
        self._take_in(self._ask(lambda part, rows: self._sending(part.step).remote(controls[rows])))
        return self._state

    def kinematics(self, coordinates: Floats) -> Kinematics:
        """Return points and clearance at poses ``(R, coordinates)``; no simulation changes."""
        return self._own.kinematics(coordinates)

    def snapshot(self) -> Snapshot:
        """Return the state of all simulations, for ``restore`` with any number of processes.

        Raises:
            SimulationError: processes are lost as fast as they are replaced.
        """
        for _ in range(_TRIES):
            answers = self._ask(lambda part, rows: part.snapshot.remote())
            if len(answers) == len(self._parts):
                parts = [answers[index][0] for index in range(len(self._parts))]
                return {name: _joined([part[name] for part in parts]) for name in parts[0]}
            self._begin_anew()
        raise SimulationError("The cluster loses processes faster than they can be replaced.")

    def restore(self, snapshot: Snapshot) -> State:
        """Restore every simulation from a snapshot, and return its state.

        Raises:
            SimulationError: a process is lost in the meantime.
        """

        def put_back(part: Any, rows: NDArray[np.int64]) -> Any:
            return self._sending(part.restore).remote(
                {name: _cut(values, rows) for name, values in snapshot.items()}
            )

        self._state.lost[:] = False
        self._take_in(self._ask(put_back))
        if self._state.lost.any():
            raise SimulationError(
                "A process of the cluster was lost while episodes were restored; resume again."
            )
        return self._state

    def close(self) -> None:
        """End the processes; may be called twice."""
        while self._parts:
            self._end(self._parts.pop())
        self._own.close()

    def _start(self, indices: Iterable[int]) -> None:
        """Start the processes of some parts, each on the next node in turn.

        Raises:
            ModelError: they cannot simulate the model.
            SimulationError: they do not start.
        """
        waiting, said = list(indices), ""
        for _ in range(_TRIES):
            for index in waiting:
                self._parts[index] = self._begun(index)
            died = {}
            for index in waiting:
                try:
                    self._ray.get(self._parts[index].ready.remote(), timeout=_STARTING)
                except self._ray.exceptions.RayTaskError as error:
                    raise _own_error(error) from error
                except self._ray.exceptions.RayError as error:
                    died[index] = _first_line(error)
            if not died:
                return
            waiting, said = list(died), next(iter(died.values()))
        raise SimulationError(f"A process of the cluster did not start: {said}")

    def _begun(self, index: int) -> Any:
        """Return a new process for a part, on another node than before if there is one.

        A lost node may still be listed for a while.
        """
        nodes = self._processors()
        others = [node for node in nodes if node != self._nodes[index]] or nodes
        self._nodes[index] = others[index % len(others)]
        strategy = self._ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(
            self._nodes[index], soft=False
        )
        # No processors are requested, because the parts of a lost node share those of the others.
        kind = self._ray.remote(num_cpus=0, scheduling_strategy=strategy)(Part)
        return kind.remote(*self._arguments, len(self._rows[index]), *self._further)

    def _sending(self, method: Any) -> Any:
        """Return a part's method as one whose answer comes in pieces."""
        return method.options(num_returns=self._pieces)

    def _end(self, part: Any) -> None:
        with contextlib.suppress(Exception):  # The process or its cluster may have ended already.
            self._ray.kill(part)

    def _processors(self) -> list[str]:
        """Return the node of each processor of the cluster.

        Raises:
            SimulationError: the cluster has no processors.
        """
        nodes = [node for node in self._ray.nodes() if node["Alive"]]
        most = max((int(node["Resources"].get("CPU", 0)) for node in nodes), default=0)
        # The nodes take turns, so that few processes are spread over all nodes.
        found = [
            str(node["NodeID"])
            for turn in range(most)
            for node in nodes
            if turn < int(node["Resources"].get("CPU", 0))
        ]
        if not found:
            raise SimulationError("The Ray cluster has no processors; start nodes that have some.")
        return found

    def _ask(
        self, call: Callable[[Any, NDArray[np.int64]], Any], asked: Sequence[int] | None = None
    ) -> dict[int, list[Any]]:
        """Call a method of parts at the same time, and replace the parts that are lost.

        An answer may come in pieces.

        Args:
            call: function that calls a part, given the part and its rows.
            asked: numbers of the parts; None is all.
        """
        asked = range(len(self._parts)) if asked is None else asked
        sent = {}
        for index in asked:
            answer = call(self._parts[index], self._rows[index])
            sent[index] = answer if isinstance(answer, list) else [answer]
        every = [piece for pieces in sent.values() for piece in pieces]
        clock = RunningClock(min(1.0, self._timeout / 4))
        with contextlib.suppress(self._ray.exceptions.RayError):  # Errors are handled below.
            found = iter(self._got(every, clock))
            return {index: [next(found) for _ in pieces] for index, pieces in sent.items()}
        answers, gone = {}, {}
        for index, answer in sent.items():
            try:
                answers[index] = self._got(answer, clock)
            except self._ray.exceptions.GetTimeoutError:
                gone[index] = f"it did not answer within {self._timeout:g} s"
            except self._ray.exceptions.RayTaskError as error:
                raise _own_error(error) from error
            except self._ray.exceptions.RayError as error:
                gone[index] = _first_line(error)
        if gone:
            self._replace(gone)
        return answers

    def _got(self, answers: list[Any], clock: RunningClock) -> list[Any]:
        """Return the values of answers, waiting until the clock is past the timeout."""
        while True:
            try:
                found: list[Any] = self._ray.get(answers, timeout=clock.slice)
                return found
            except self._ray.exceptions.GetTimeoutError:
                if clock.tick() >= self._timeout:
                    raise

    def _replace(self, gone: Mapping[int, str]) -> None:
        for index, epitaph in gone.items():
            rows = self._rows[index]
            log.warning(
                "A process of the cluster was replaced, for %s; %d episodes ended.",
                epitaph,
                len(rows),
            )
            self._end(self._parts[index])
            self._state.lost[rows] = True
            self.replaced += 1
        self._start(gone)

    def _begin_anew(self) -> None:
        """Reset the rows of lost parts to the default pose, so that they can be saved."""
        lost = self._state.lost.copy()
        poses = np.tile(self.names.default_pose, (int(lost.sum()), 1))
        rest = np.full((len(poses), len(self.names.muscles)), 0.05)
        self.reset(lost, Start(poses, np.zeros_like(poses), rest))
        self._state.lost[lost] = True

    def _take_in(self, answers: Mapping[int, Sequence[Packed]]) -> None:
        """Write the answers of parts into the batch; lost rows keep their last state."""
        arrays = [v for name, v in vars(self._state).items() if len(v) and name != "lost"]
        for index, pieces in answers.items():
            packed = np.concatenate(pieces)
            if not len(packed):
                continue
            sound = ~self._state.lost[self._rows[index]]
            rows, packed, column = self._rows[index][sound], packed[sound], 0
            for array in arrays:
                width = int(np.prod(array.shape[1:]))
                values = packed[:, column : column + width]
                array[rows] = values.reshape(len(rows), *array.shape[1:])
                column += width


def _packed(state: State) -> Packed:
    """Return the results of a step as one array, without the fields that nobody reads."""
    arrays = (v for name, v in vars(state).items() if len(v) and name != "lost")
    return np.concatenate([array.reshape(len(array), -1) for array in arrays], axis=1, dtype=float)


def _joined(values: Sequence[Any]) -> Any:
    """Return the answers of parts as one for the batch.

    A list has an entry for each row; a tuple has values that all rows share.
    """
    if isinstance(values[0], tuple):
        return values[0]
    if isinstance(values[0], list):
        return [entry for part in values for entry in part]
    return np.concatenate(values)


def _cut(values: Any, rows: NDArray[np.int64]) -> Any:
    if isinstance(values, tuple):
        return values
    return [values[row] for row in rows] if isinstance(values, list) else values[rows]


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), repr(error))


def _own_error(error: Any) -> Exception:
    """Return the error that a process of the cluster raised, as if it had been raised here."""
    cause = error.cause
    return cause if isinstance(cause, ModelError | SimulationError) else error
