"""The physics back ends, by the class of their settings in ``conf/physics``."""

import logging
from collections.abc import Callable

from osimexp.errors import ModelError
from osimexp.models.prepare import PreparedModel
from osimexp.physics.compiled.model import is_compiled
from osimexp.physics.compiled.simulation import CompiledSimulation
from osimexp.physics.reference.simulation import OpenSimSimulation
from osimexp.physics.settings import (
    AutomaticSettings,
    CompiledSettings,
    OpenSimSettings,
    PhysicsSettings,
    WorkerSettings,
)
from osimexp.physics.simulation import Simulation

log = logging.getLogger("osimexp")


def automatic(
    model: PreparedModel,
    physics: AutomaticSettings,
    workers: WorkerSettings,
    size: int,
    control_period: float,
    fields: frozenset[str],
) -> Simulation:
    """Return a compiled batch, or a batch of OpenSim itself if compiling fails in any way."""
    try:
        return CompiledSimulation(model, physics.compiled, workers, size, control_period, fields)
    except ModelError as error:
        log.warning("OpenSim itself simulates this model, about a hundred times slower: %s", error)
    except Exception as error:  # Tracing and compiling can fail in any way on a model of others.
        log.warning(
            "OpenSim itself simulates this model, about a hundred times slower, because compiling "
            "it failed in a way that is not foreseen (%s: %s); physics=compiled shows where.",
            type(error).__name__, error,
        )  # fmt: skip
    return OpenSimSimulation(model, physics.opensim, workers, size, control_period, fields)


BACKENDS: dict[type, Callable[..., Simulation]] = {
    OpenSimSettings: OpenSimSimulation,
    CompiledSettings: CompiledSimulation,
    AutomaticSettings: automatic,
}
"""Function that makes a batch, for each class of settings; a new back end adds an entry."""


def simulate(
    model: PreparedModel,
    physics: PhysicsSettings,
    workers: WorkerSettings,
    size: int,
    control_period: float,
    fields: frozenset[str],
) -> Simulation:
    """Return a batch of simulations of a model.

    Args:
        model: model to simulate.
        physics: settings of the back end.
        workers: settings of processes and threads.
        size: number of simulations in the batch, ``B``.
        control_period: simulated time of one step, s.
        fields: names of the costly arrays of ``State`` that are read after each step.

    Raises:
        ModelError: the model cannot be simulated with these settings.
        SimulationError: a worker process does not start.
        ConfigError: there is no cluster at the address.
    """
    make = BACKENDS[type(physics)]
    if workers.cluster is None:
        return make(model, physics, workers, size, control_period, fields)
    # Ray is an optional extra, and takes a second to import.
    from osimexp.physics.remote.simulation import RaySimulation

    return RaySimulation(make, model, physics, workers, size, control_period, fields)


def must_compile(model: PreparedModel, physics: PhysicsSettings) -> bool:
    """Return whether a batch of a model begins with compiling it, which takes a while."""
    if isinstance(physics, AutomaticSettings):
        physics = physics.compiled
    return isinstance(physics, CompiledSettings) and not is_compiled(model, physics.lanes)
