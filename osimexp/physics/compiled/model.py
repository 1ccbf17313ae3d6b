"""Compilation of a prepared model, with a proof against OpenSim, and a cache on disk."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import opensim
from numpy.typing import NDArray

from osimexp.arrays import Floats
from osimexp.cache import cached_file, digest, kept, sources
from osimexp.errors import ModelError
from osimexp.models.names import Names
from osimexp.models.prepare import PreparedModel, loaded
from osimexp.physics.compiled.equations import Shape, trace_equations
from osimexp.physics.compiled.kernels.workspace import Layout
from osimexp.physics.compiled.muscles.degroote_fregly import DeGrooteFreglyMuscle
from osimexp.physics.compiled.proof import BOUND, Proof, prove, samples
from osimexp.physics.compiled.run.machine import (
    Machine,
    Programs,
    compile_module,
    processor_key,
)
from osimexp.physics.compiled.stored import read, written
from osimexp.physics.compiled.system import read_system
from osimexp.physics.reference.engine import Engine
from osimexp.physics.settings import OpenSimSettings
from osimexp.physics.simulation import COSTLY

log = logging.getLogger("osimexp")


SOURCES = (
    "models/actuators.py",
    "models/base.py",
    "models/names.py",
    "physics/arrays.py",
    "physics/simulation.py",
    "physics/reference/engine.py",
    "physics/compiled",
)
"""Code that determines the content of a compiled model in the cache."""

STATES = 100
"""Number of random states at which a model is compared with OpenSim when it is compiled."""


@dataclass(frozen=True)
class CompiledModel:
    """The machine code of a model, with its proof.

    Attributes:
        names: names of the columns of a simulation's arrays.
        shape: order of numbers in states and outputs.
        free: numbers of the free coordinates, in the order of the state.
        fibre_ranges: ``(k, 2)`` lowest and highest length of each elastic fibre in an equilibrium,
            m.
        proof: comparison with OpenSim.
        tabulation_error: greatest error found in tabulated muscle curves, relative to 1.
        operations: number of operations in the derivative.
        code: object code for the processor that it was compiled on.
    """

    names: Names
    shape: Shape
    free: NDArray[np.intp]
    fibre_ranges: Floats
    proof: Proof
    tabulation_error: float
    operations: int
    code: bytes

    def machine(self) -> Machine:
        """Return the loaded code, ready to run."""
        return Machine(self.code, layout(self.shape))


def compile_model(model: PreparedModel, single: bool = False) -> CompiledModel:
    """Return the compiled model, from the cache if it was compiled before.

    Args:
        model: model to compile.
        single: whether to compile integrators in single precision, too.

    Raises:
        ModelError: a component cannot be compiled, or the compiled model differs from OpenSim.
    """
    name = _name(model, single)
    content = kept(f"compiled/{name}", lambda: written(_compiled(model, single)))
    return read(CompiledModel, content)


def is_compiled(model: PreparedModel, single: bool = False) -> bool:
    """Return whether a model was compiled before, so that the cache has its code."""
    return cached_file(f"compiled/{_name(model, single)}").is_file()


def _name(model: PreparedModel, single: bool) -> str:
    return digest(
        [
            model.xml,
            repr((model.settings.feet, sorted(model.settings.points))),
            repr((model.settings.base, model.settings.trunk)),
            repr(model.forces),
            sources(*SOURCES),
            opensim.GetVersion(),
            processor_key(),
            str(single),
        ]
    )


def layout(shape: Shape) -> Layout:
    """Return the layout of the rows of a model's states and controls."""
    return Layout(
        shape.states,
        shape.controls,
        (shape.speeds.start, shape.speeds.stop),
        tuple(range(shape.fibres.start, shape.fibres.stop)),
    )


def _compiled(model: PreparedModel, single: bool) -> CompiledModel:
    begun = time.perf_counter()
    engine = Engine(model, OpenSimSettings(), 0.01, COSTLY)
    names = engine.names
    with loaded(model.xml) as described:
        described.initSystem()
        system = read_system(described, model.settings, names.points, model.forces)
    equations = trace_equations(system)
    shape = equations.shape
    traced = time.perf_counter()
    programs = Programs(
        equations.derivative,
        {"output": equations.output, "kinematics": equations.kinematics},
        equations.balance if shape.elastic else None,
    )
    code = compile_module(programs, layout(shape), single)
    machine = Machine(code, layout(shape))
    compiled = time.perf_counter()
    free = np.array(system.mechanism.free, dtype=np.intp)
    proof = compare(model, engine, machine, shape, free, STATES, np.random.default_rng(0))
    log.info(
        "Compiled the model's %d operations in %.1f s, and compared it with OpenSim at %d states "
        "in %.1f s: %s differ most, by %.1e.",
        len(equations.derivative.operations),
        compiled - begun,
        proof.states,
        time.perf_counter() - compiled,
        *proof.worst,
    )
    log.debug("Traced in %.1f s.", traced - begun)
    if not proof.holds:
        if proof.errors["activation rates"] > BOUND and any(
            isinstance(muscle, DeGrooteFreglyMuscle) for muscle in system.muscles
        ):
            raise ModelError(
                "The compiled model differs from OpenSim in its activation rates, because OpenSim "
                "keeps activation_time_constant and its like of the first "
                "DeGrooteFregly2016Muscle of a process, which another model had; use this model in "
                "a process of its own."
            )
        raise ModelError(
            f"The compiled model differs from OpenSim in its {proof.worst[0]} by "
            f"{proof.worst[1]:.1e}, more than is allowed, and is not used; keep physics=opensim."
        )
    muscles = [system.muscles[i] for i in shape.elastic]
    return CompiledModel(
        names,
        shape,
        free,
        np.array([muscle.fibre_range for muscle in muscles], dtype=float).reshape(-1, 2),
        proof,
        max((muscle.tabulation_error for muscle in system.muscles), default=0.0),
        len(equations.derivative.operations),
        code,
    )


def compare(
    model: PreparedModel,
    engine: Engine,
    machine: Machine,
    shape: Shape,
    free: NDArray[np.intp],
    states: int,
    generator: np.random.Generator,
) -> Proof:
    """Return the proof of a compiled model against OpenSim at random states.

    Args:
        model: prepared model.
        engine: OpenSim's engine of the model.
        machine: compiled programs of the model.
        shape: order of numbers in states and outputs.
        free: numbers of the free coordinates, in the order of the state.
        states: number of random states.
        generator: random generator of the states.
    """
    return prove(
        list(samples(model, engine, states, generator)),
        engine.names,
        shape,
        free,
        _applied(machine, "derivative", shape.states),
        _applied(machine, "output", shape.outputs),
    )


def _applied(machine: Machine, name: str, width: int) -> Callable[[Floats, Floats], Floats]:
    """Return a program of a machine as a function of states and controls to ``(S, width)``."""

    def applied(states: Floats, controls: Floats) -> Floats:
        out = np.empty((len(states), width))
        machine.read(name, states, controls, out)
        return out

    return applied
