"""Which implementation simulates a model, as ``conf/physics`` chooses."""

import logging

from osimexp.errors import ModelError
from osimexp.physics.compiled.model import compile_model
from osimexp.physics.compiled_simulation import CompiledSimulation
from osimexp.physics.model import PreparedModel
from osimexp.physics.opensim_simulation import OpenSimSimulation
from osimexp.physics.settings import (
    AutomaticSettings,
    CompiledSettings,
    OpenSimSettings,
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
    """
    if isinstance(physics, AutomaticSettings):
        physics = chosen(model, physics)
    if isinstance(physics, CompiledSettings):
        return CompiledSimulation(model, physics, workers, size, control_period, fields)
    return OpenSimSimulation(model, physics, workers, size, control_period, fields)


def chosen(model: PreparedModel, physics: AutomaticSettings) -> CompiledSettings | OpenSimSettings:
    """Return the compiled equations if the model can be compiled, else OpenSim, and say so."""
    try:
        compile_model(model, physics.compiled.lanes)
    except ModelError as error:
        log.warning("OpenSim itself simulates this model, about a hundred times slower: %s", error)
        return physics.opensim
    return physics.compiled
