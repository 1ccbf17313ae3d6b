"""Which implementation simulates a model, as ``conf/physics`` chooses."""

import logging

from osimexp.errors import ModelError
from osimexp.physics.compiled_simulation import CompiledSimulation
from osimexp.physics.model import PreparedModel
from osimexp.physics.opensim_simulation import OpenSimSimulation
from osimexp.physics.settings import (
    AutomaticSettings,
    CompiledSettings,
    PhysicsSettings,
    WorkerSettings,
)
from osimexp.physics.simulation import Simulation

log = logging.getLogger("osimexp")


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
        model: what to simulate.
        physics: by what and how.
        workers: in which processes or threads.
        size: simulations in the batch, ``B``.
        control_period: s of simulated time in one step.
        fields: the costly arrays of ``State`` that are read after each step.

    Raises:
        ModelError: the model cannot be simulated so.
        SimulationError: a worker process does not start.
        ConfigError: there is no cluster at the address.
    """
    if workers.cluster is not None:
        # Ray is an extra of its own, and takes a second to import.
        from osimexp.physics.ray_simulation import RaySimulation

        return RaySimulation(model, physics, workers, size, control_period, fields)
    if isinstance(physics, AutomaticSettings):
        try:
            return CompiledSimulation(
                model, physics.compiled, workers, size, control_period, fields
            )
        except ModelError as error:
            log.warning(
                "OpenSim itself simulates this model, about a hundred times slower: %s", error
            )
            physics = physics.opensim
    if isinstance(physics, CompiledSettings):
        return CompiledSimulation(model, physics, workers, size, control_period, fields)
    return OpenSimSimulation(model, physics, workers, size, control_period, fields)
