"""Machine code of a model, and what runs it over the rows of a batch."""

import ctypes
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from osimexp.arrays import Floats
from osimexp.physics.compiled.ir.program import Program
from osimexp.physics.compiled.kernels.equilibrium import EQUILIBRATE, add_equilibrate
from osimexp.physics.compiled.kernels.integrators import (
    MEMORY,
    STEP,
    add_integrators,
    chebyshev_coefficients,
    integrator_name,
)
from osimexp.physics.compiled.kernels.workspace import OK, ROWS, Layout, Workspace
from osimexp.physics.compiled.llvm.assembly import Function, Module
from osimexp.physics.compiled.llvm.emit import emit
from osimexp.physics.compiled.llvm.lanes import Shape
from osimexp.physics.compiled.llvm.native import Code, has_feature, object_code, processor
from osimexp.physics.compiled.run.crew import Crew
from osimexp.physics.settings import CompiledSettings

VERSION = 2
"""Raised when the same programs come to be compiled to something else."""

_READ = {
    "state": "ptr noalias readonly",
    "controls": "ptr noalias readonly",
    "out": "ptr noalias",
    **ROWS,
}


@dataclass(frozen=True)
class Programs:
    """What is compiled. Inputs of all are the states, then the controls.

    Attributes:
        derivative: rates of the states.
        read: what else is worked out from states, by name.
        residual: one a fibre state, None where there are none.
    """

    derivative: Program
    read: dict[str, Program]
    residual: Program | None = None


# Compilation


def register_bits() -> int:
    """Return how wide this processor's vector registers are."""
    if has_feature("avx512f"):
        return 512
    return 256 if has_feature("avx2") else 128


def processor_key() -> str:
    """Return what object code depends on besides the programs; a file of it is good for no other.

    The compiler's version, the processor's name and features, and this code's own version.
    """
    return f"{processor()}|{VERSION}"


def shapes(single: bool, bits: int | None = None) -> list[Shape]:
    """Return the numbers that are compiled for: a register of double, then of single precision.

    Args:
        single: whether single precision is wanted as well.
        bits: of a register; None takes this processor's.
    """
    bits = register_bits() if bits is None else bits
    return [Shape("double", bits // 64)] + ([Shape("float", bits // 32)] if single else [])


def compile_module(
    programs: Programs, layout: Layout, single: bool = False, bits: int | None = None
) -> bytes:
    """Return object code for this processor.

    Args:
        programs: what to compile.
        layout: of their rows.
        single: with integrators in single precision as well.
        bits: of the registers to be used; None takes this processor's.
    """
    if (programs.residual is None) != (not layout.fibres):
        raise ValueError("A residual is given where the layout has fibres, and only there.")
    module = Module(vector_bits=register_bits() if bits is None else bits)
    double, *others = shapes(single, bits)
    for shape in (double, *others):
        name = f"derivative.{shape.element}"
        emit(module, name, programs.derivative, layout.states, shape)
        add_integrators(module, name, shape, layout)
    read = {"derivative": programs.derivative, **programs.read}
    if programs.residual is not None:
        read["residual"] = programs.residual
    for kind, program in read.items():
        name = f"{kind}.{double.element}"
        if kind != "derivative":
            emit(module, name, program, layout.states, double)
        _add_reading(module, kind, name, len(program.results), double, layout)
    if programs.residual is not None:
        add_equilibrate(module, "residual.double", double, layout)
    return object_code(module.text())


def _add_reading(
    module: Module, name: str, program: str, results: int, shape: Shape, layout: Layout
) -> None:
    """Add a function that runs a program on rows of a batch."""
    f = Function(module, name, _READ)
    w = Workspace(f, shape, layout)
    state, controls, out = w.array(), w.array(layout.controls), w.array(results)
    with w.groups() as first:
        w.load(first, "state", layout.states, state)
        w.load(first, "controls", layout.controls, controls)
        f.call(program, state, controls, out)
        w.store(first, "out", results, out)
    f.close()


class Machine:
    """Runs object code over rows. Arrays are C-contiguous, of ``float64`` where not said otherwise.

    What comes of a row depends on that row alone: not on the batch, nor on the threads.
    """

    def __init__(self, code: bytes, layout: Layout, scales: Floats | None = None) -> None:
        """Load object code.

        Args:
            code: from ``compile_module`` on a processor of the same ``processor_key``.
            layout: as it was compiled with.
            scales: ``(states,)``, the size of each state below which its error counts in full;
                1 where none are given.
        """
        self.layout = layout
        self._code = Code(code)
        self._functions: dict[str, Callable[..., None]] = {}
        self._crews: dict[int, Crew] = {}
        self._scales = np.ones(layout.states)
        if scales is not None:
            self._scales[:] = scales
        self._coefficients: dict[tuple[int, float], Floats] = {}

    def read(
        self, name: str, state: Floats, controls: Floats, out: Floats, threads: int = 1
    ) -> None:
        """Write what a program works out from states into ``out``, a row for each.

        Args:
            name: ``derivative``, ``residual`` or one of the programs that were compiled to be read.
            state: ``(B, states)``.
            controls: ``(B, controls)``.
            out: ``(B, results)``, as many as the program has.
            threads: that share the rows.
        """
        rows = self._rows(state, controls)
        arrays = (state, controls, _checked("out", out, (rows, out.shape[-1])))
        self._run(name, _READ, arrays, (), rows, threads)

    def equilibrate(
        self,
        state: Floats,
        controls: Floats,
        bounds: tuple[Floats, Floats],
        status: NDArray[np.int32],
        threads: int = 1,
    ) -> None:
        """Set the fibre states to where their residuals vanish.

        Args:
            state: ``(B, states)``, changed in place; a row that fails is left alone.
            controls: ``(B, controls)``.
            bounds: lower and upper, ``(fibres,)`` each.
            status: ``(B,)``, written: 0, or 4 where the residuals at the bounds are not of
                opposite signs.
            threads: that share the rows.
        """
        rows = self._rows(state, controls)
        fibres = (len(self.layout.fibres),)
        if fibres == (0,):
            status[:] = OK
            return
        arrays = (
            state,
            controls,
            _checked("lower", bounds[0], fibres),
            _checked("upper", bounds[1], fibres),
            _checked("status", status, (rows,), np.int32),
        )
        self._run("equilibrate", EQUILIBRATE, arrays, (), rows, threads)

    def step(
        self,
        settings: CompiledSettings,
        duration: float,
        state: Floats,
        controls: Floats,
        memory: Floats,
        status: NDArray[np.int32],
        evaluations: NDArray[np.int32],
        threads: int = 1,
    ) -> None:
        """Advance states by a control step, the controls held.

        Args:
            settings: how.
            duration: s.
            state: ``(B, states)``, changed in place; a row that fails is left as it was.
            controls: ``(B, controls)``.
            memory: ``(B, MEMORY)``, kept from step to step; 0 at the start of an episode.
            status: ``(B,)``, written: 0, 1 not finite, 2 ran away, 3 took too many derivatives.
            evaluations: ``(B,)``, written: derivatives taken.
            threads: that share the rows.
        """
        rows = self._rows(state, controls)
        steps = max(1, ceil(duration / settings.maximum_step * (1.0 - 1e-9)))
        coefficients = self._scales
        if settings.integrator == "rkc":
            coefficients = self._chebyshev(settings.stages, duration / steps)
        arrays = (
            state,
            controls,
            _checked("memory", memory, (rows, MEMORY)),
            self._scales,
            coefficients,
            _checked("status", status, (rows,), np.int32),
            _checked("evaluations", evaluations, (rows,), np.int32),
        )
        figures = (
            steps,
            settings.stages,
            settings.evaluations,
            duration,
            duration / steps,
            settings.tolerance,
            settings.highest_speed,
        )
        name = integrator_name(settings.integrator, "float" if settings.lanes else "double")
        self._run(name, STEP, arrays, figures, rows, threads)

    def close(self) -> None:
        """End the threads."""
        for crew in self._crews.values():
            crew.close()
        self._crews.clear()

    def _chebyshev(self, stages: int, step: float) -> Floats:
        key = (stages, step)
        if key not in self._coefficients:
            self._coefficients[key] = chebyshev_coefficients(stages, step)
        return self._coefficients[key]

    def _rows(self, state: Floats, controls: Floats) -> int:
        rows = len(state)
        _checked("state", state, (rows, self.layout.states))
        _checked("controls", controls, (rows, self.layout.controls))
        return rows

    def _run(
        self,
        name: str,
        parameters: dict[str, str],
        arrays: tuple[NDArray[Any], ...],
        figures: tuple[float, ...],
        rows: int,
        threads: int,
    ) -> None:
        """Run a function; all threads take rows until none are left."""
        function = self._function(name, parameters)
        taken = ctypes.c_int64(0)
        arguments = (*(a.ctypes.data for a in arrays), ctypes.addressof(taken), rows, *figures)
        if threads > 1:
            self._crew(threads - 1).run(function, arguments)
        else:
            function(*arguments)

    def _function(self, name: str, parameters: dict[str, str]) -> Callable[..., None]:
        if name not in self._functions:
            self._functions[name] = self._code.function(name, parameters.values())
        return self._functions[name]

    def _crew(self, size: int) -> Crew:
        if size not in self._crews:
            self._crews[size] = Crew(size)
        return self._crews[size]


def _checked(
    name: str, array: NDArray[Any], shape: tuple[int, ...], kind: type = np.float64
) -> NDArray[Any]:
    if array.shape != shape or array.dtype != kind or not array.flags.c_contiguous:
        raise ValueError(f"{name} is a C-contiguous array of {kind.__name__} of shape {shape}.")
    return array
