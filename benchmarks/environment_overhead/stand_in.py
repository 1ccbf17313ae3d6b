"""An environment over a simulation that costs nothing: its steps take what is not physics."""

import math
from dataclasses import fields
from itertools import cycle

import numpy as np

from osimexp.arrays import Floats, Mask
from osimexp.models.names import Names
from osimexp.models.prepare import PreparedModel
from osimexp.physics.arrays import layout
from osimexp.physics.reference.simulation import OpenSimSimulation
from osimexp.physics.settings import OpenSimSettings, WorkerSettings
from osimexp.physics.simulation import Kinematics, Snapshot, Start, State
from osimexp.tasks.compose import composed
from osimexp.tasks.musculoskeletal import MusculoskeletalVectorEnv
from osimexp.tasks.specification import Specification

# Without time limits, so that the stand-in alone says how many episodes end.
TASKS = {
    "arm": ("model=arm", "reward=reach", "target.within=null", "task.duration=1e6"),
    "gait2d": ("model=gait2d", "reward=velocity", "start=noisy", "~symmetry", "task.duration=1e6"),
}
ROUND = 64  # steps after which the same environments fail again


class StandIn:
    """A ``Simulation`` whose steps lead nowhere but to the end of some episodes.

    Its one state, random about the default pose, is drawn when it is made. As in the compiled
    simulation, it is always in the same memory, with all that belongs to an environment in one row.

    Args:
        names: those of the model that it stands in for.
        size: simulations in the batch.
        control_period: s.
        reads: the costly arrays of ``State`` that hold something.
        ending: part of the simulations that fail in a step, which ends their episodes.
    """

    def __init__(
        self, names: Names, size: int, control_period: float, reads: frozenset[str], ending: float
    ) -> None:
        self.names, self.size, self.control_period, self.replaced = names, size, control_period, 0
        generator = np.random.default_rng(0)
        self._state = self._drawn(reads, generator)
        self._points = generator.normal(size=(size, len(names.points), 3))
        self._failures = cycle(generator.random((ROUND, size)) < ending)

    def reset(self, which: Mask, start: Start) -> State:
        """Put the starts into the rows that begin."""
        for name in ("coordinates", "speeds", "activations"):
            getattr(self._state, name)[which] = getattr(start, name)
        return self._state

    def step(self, excitations: Floats) -> State:
        """Let the next ones fail."""
        self._state.failed[:] = next(self._failures)
        return self._state

    def kinematics(self, coordinates: Floats) -> Kinematics:
        """Return random points, clear of the floor."""
        count = len(coordinates)
        return Kinematics(self._points[:count], np.full(count, 0.1))

    def snapshot(self) -> Snapshot:
        """Refuse: nothing is simulated that could be gone on with."""
        raise NotImplementedError("A stand-in has no snapshot.")

    def restore(self, snapshot: Snapshot) -> State:
        """Refuse: nothing is simulated that could be gone on with."""
        raise NotImplementedError("A stand-in has no snapshot.")

    def close(self) -> None:
        """Do nothing."""

    def _drawn(self, reads: frozenset[str], generator: np.random.Generator) -> State:
        shapes = {name: shape for name, (shape, _) in layout(self.names, self.size, reads).items()}
        masks = {name: np.zeros(self.size, dtype=bool) for name in ("failed", "lost")}
        wanted = [field.name for field in fields(State) if field.name not in masks]
        ends = np.cumsum([math.prod(shapes[name][1:]) for name in wanted])
        rows = generator.uniform(0.05, 0.95, (self.size, ends[-1]))
        arrays = {
            name: part.reshape(self.size, *shapes[name][1:])[: shapes[name][0]]
            for name, part in zip(wanted, np.split(rows, ends[:-1], axis=1), strict=True)
        }
        spread = generator.uniform(-0.1, 0.1, shapes["coordinates"])
        arrays["coordinates"][:] = self.names.default_pose + spread
        return State(**arrays, **masks)  # type: ignore[arg-type]


class WithoutPhysics(MusculoskeletalVectorEnv):
    """The environment of a task with a stand-in for its simulation.

    Args:
        task: one of ``TASKS``.
        num_envs: environments in the batch.
        ending: part of the episodes that end in a step.
    """

    def __init__(self, task: str, num_envs: int, ending: float) -> None:
        self._ending = ending
        overrides = (*TASKS[task], "workers=none")
        super().__init__(Specification.from_config(composed(*overrides)), num_envs)

    def _simulate(self, model: PreparedModel) -> StandIn:
        task = self.specification
        period, reads = task.task.control_period, task.reads
        # One that simulates is asked for the names alone.
        named = OpenSimSimulation(model, OpenSimSettings(), WorkerSettings(0), 1, period, reads)
        named.close()
        return StandIn(named.names, self.num_envs, period, reads, self._ending)
