"""The compiled programs of a model, and their execution over the rows of a batch."""

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
"""Version of this code; it is raised when the same programs are compiled to other machine code."""

_READ = {
    "state": "ptr noalias readonly",
    "controls": "ptr noalias readonly",
    "out": "ptr noalias",
    **ROWS,
}


@dataclass(frozen=True)
class Programs:
    """The programs of a model; the inputs of each are the states and then the controls.

    Attributes:
        derivative: program for the rates of the states.
        read: further programs, by name.
        residual: program with one residual for each fibre state; None without fibre states.
    """

    derivative: Program
    read: dict[str, Program]
    residual: Program | None = None


# Compilation


def register_bits() -> int:
    """Return the width of this processor's vector registers, in bits."""
    if has_feature("avx512f"):
        return 512
    return 256 if has_feature("avx2") else 128


def processor_key() -> str:
    """Return a text of all that object code depends on besides the programs.

    These are the compiler's version, the processor's name and features, and the version of this
    code. Object code is valid only for the same text.
    """
    return f"{processor()}|{VERSION}"


def shapes(single: bool, bits: int | None = None) -> list[Shape]:
    """Return the shapes to compile for: registers of double and, if wanted, of single precision.

    Args:
        single: whether single precision is wanted as well.
        bits: width of a register in bits; None takes this processor's.
    """
    bits = register_bits() if bits is None else bits
    return [Shape("double", bits // 64)] + ([Shape("float", bits // 32)] if single else [])


def compile_module(
    programs: Programs, layout: Layout, single: bool = False, bits: int | None = None
) -> bytes:
    """Return object code for this processor.

    Args:
        programs: programs to compile.
        layout: layout of the rows that they work on.
        single: whether to add integrators in single precision.
        bits: width of the registers to use, in bits; None takes this processor's.

    Raises:
        ValueError: there is a residual without fibre states, or fibre states without a residual.
    """
    if (programs.residual is None) != (not layout.fibres):
        raise ValueError("A residual must be given if the layout has fibres, and only then.")
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
    """Object code that runs over the rows of a batch.

    Arrays are C-contiguous and, unless said otherwise, ``float64``. The result of a row depends on
    that row alone, not on the batch or on the number of threads.
    """

    def __init__(self, code: bytes, layout: Layout, scales: Floats | None = None) -> None:
        """Load object code.

        Args:
            code: object code from ``compile_module``, made on a processor with the same
                ``processor_key``.
            layout: layout that the code was compiled with.
            scales: ``(states,)`` size of each state below which its error counts in full; None
                takes 1.
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
        """Run a program on every row of states, and write the results into ``out``.

        Args:
            name: ``derivative``, ``residual`` or one of the programs that were compiled to be read.
            state: ``(B, states)``.
            controls: ``(B, controls)``.
            out: ``(B, results)``, written.
            threads: number of threads that share the rows.
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
        """Set the fibre states to values at which their residuals are 0.

        Args:
            state: ``(B, states)``, changed in place; a row that fails is left unchanged.
            controls: ``(B, controls)``.
            bounds: lower and upper bounds, ``(fibres,)`` each.
            status: ``(B,)``, written: 0, or 4 if the residuals at the bounds do not have opposite
                signs.
            threads: number of threads that share the rows.
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
        """Advance states by a control step, with constant controls.

        Args:
            settings: integrator and its options.
            duration: length of the control step, s.
            state: ``(B, states)``, changed in place; a row that fails is left unchanged.
            controls: ``(B, controls)``.
            memory: ``(B, MEMORY)``, kept from step to step; 0 at the start of an episode.
            status: ``(B,)``, written: 0, 1 for not finite, 2 for too fast, 3 for too many
                derivatives.
            evaluations: ``(B,)``, written: number of derivatives worked out.
            threads: number of threads that share the rows.
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
        numbers = (
            steps,
            settings.stages,
            settings.evaluations,
            duration,
            duration / steps,
            settings.tolerance,
            settings.highest_speed,
        )
        name = integrator_name(settings.integrator, "float" if settings.lanes else "double")
        self._run(name, STEP, arrays, numbers, rows, threads)

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
        numbers: tuple[float, ...],
        rows: int,
        threads: int,
    ) -> None:
        """Run a function; all threads take rows until none are left."""
        function = self._function(name, parameters)
        taken = ctypes.c_int64(0)
        arguments = (*(a.ctypes.data for a in arrays), ctypes.addressof(taken), rows, *numbers)
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
        raise ValueError(
            f"{name} must be a C-contiguous array of {kind.__name__} of shape {shape}."
        )
    return array
