"""Machine code of a model, and what runs it over the rows of a batch."""

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from osimexp.physics.compiled.assembly import Function, Module
from osimexp.physics.compiled.emit import emit
from osimexp.physics.compiled.equilibrium import EQUILIBRATE, add_equilibrate
from osimexp.physics.compiled.integrators import (
    MEMORY,
    STEP,
    IntegratorSettings,
    add_integrators,
    chebyshev_coefficients,
)
from osimexp.physics.compiled.lanes import DOUBLE, Shape
from osimexp.physics.compiled.native import Code, has_feature, object_code, processor
from osimexp.physics.compiled.trace import Program
from osimexp.physics.compiled.workspace import CHUNK, OK, Layout

Floats = NDArray[np.float64]

VERSION = 1
"""Raised when the same programs come to be compiled to something else."""

_ROWS = {
    "state": "ptr noalias readonly",
    "controls": "ptr noalias readonly",
    "out": "ptr noalias",
    "first": "i64",
    "last": "i64",
}


@dataclass(frozen=True)
class Programs:
    """What is compiled. Inputs of all are the states, then the controls.

    Attributes:
        derivative: rates of the states.
        output: what is read off a state.
        residual: one a fibre state, None where there are none.
    """

    derivative: Program
    output: Program
    residual: Program | None = None


# Compilation


def lanes_width() -> int:
    """Return how many single-precision numbers this processor works on at once."""
    if has_feature("avx512f"):
        return 16
    return 8 if has_feature("avx2") else 4


def processor_key() -> str:
    """Return what object code depends on besides the programs; a file of it is good for no other.

    The compiler's version, the processor's name and features, and this code's own version.
    """
    return f"{processor()}|{VERSION}"


def compile_module(programs: Programs, layout: Layout, lanes: int = 0) -> bytes:
    """Return object code for this processor.

    Args:
        programs: what to compile.
        layout: of their rows.
        lanes: rows to a register for integrators in single precision: ``lanes_width()`` or less,
            a power of 2; 0 for none.
    """
    if (programs.residual is None) != (not layout.fibres):
        raise ValueError("A residual is given where the layout has fibres, and only there.")
    module = Module(vector_bits=32 * lanes_width())
    shapes = [DOUBLE] + ([Shape("float", lanes)] if lanes else [])
    for shape in shapes:
        name = f"derivative.{shape.element}"
        emit(module, name, programs.derivative, layout.states, shape)
        add_integrators(module, name, shape, layout)
    _add_rows(module, "derivative", "derivative.double", layout.states, layout)
    emit(module, "output.double", programs.output, layout.states, DOUBLE)
    _add_rows(module, "output", "output.double", layout.outputs, layout)
    if programs.residual is not None:
        emit(module, "residual.double", programs.residual, layout.states, DOUBLE)
        _add_rows(module, "residual", "residual.double", len(layout.fibres), layout)
        add_equilibrate(module, "residual.double", layout)
    return object_code(module.text())


def _add_rows(module: Module, name: str, program: str, results: int, layout: Layout) -> None:
    """Add a function that runs a program on rows of a batch."""
    f = Function(module, name, _ROWS)
    p = f.parameters
    widths = {"state": layout.states, "controls": layout.controls, "out": results}
    with f.count(p["first"], p["last"]) as row:
        f.call(
            program,
            *(f.at(p[a], "double", f.arithmetic("mul", row, w)) for a, w in widths.items()),
        )
    f.close()


class Machine:
    """Runs object code over rows. Arrays are C-contiguous, of ``float64`` where not said otherwise.

    What comes of a row depends on that row alone: not on the batch, nor on the threads.
    """

    def __init__(
        self, code: bytes, layout: Layout, lanes: int = 0, scales: Floats | None = None
    ) -> None:
        """Load object code.

        Args:
            code: from ``compile_module`` on a processor of the same ``processor_key``.
            layout: as it was compiled with.
            lanes: as it was compiled with.
            scales: ``(states,)``, the size of each state below which its error counts in full;
                1 where none are given.
        """
        self.layout = layout
        self._lanes = lanes
        self._code = Code(code)
        self._functions: dict[str, Callable[..., None]] = {}
        self._pools: dict[int, ThreadPoolExecutor] = {}
        self._scales = np.ones(-(-layout.states // CHUNK) * CHUNK)
        if scales is not None:
            self._scales[: layout.states] = scales
        self._coefficients: dict[tuple[int, float], Floats] = {}

    def derivative(self, state: Floats, controls: Floats, out: Floats, threads: int = 1) -> None:
        """Write the rates of states ``(B, states)`` into ``out`` of the same shape."""
        self._run_rows("derivative", state, controls, out, self.layout.states, threads)

    def output(self, state: Floats, controls: Floats, out: Floats, threads: int = 1) -> None:
        """Write what is read off states into ``out``, ``(B, outputs)``."""
        self._run_rows("output", state, controls, out, self.layout.outputs, threads)

    def residual(self, state: Floats, controls: Floats, out: Floats, threads: int = 1) -> None:
        """Write the residuals of the fibre states into ``out``, ``(B, fibres)``."""
        self._run_rows("residual", state, controls, out, len(self.layout.fibres), threads)

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
        settings: IntegratorSettings,
        duration: float,
        state: Floats,
        controls: Floats,
        memory: Floats,
        status: NDArray[np.int32],
        evaluations: NDArray[np.int64],
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
        if settings.lanes and not self._lanes:
            raise ValueError("This machine was compiled without lanes.")
        steps = settings.steps(duration)
        length = duration / steps if steps else settings.max_step
        coefficients = self._scales
        if settings.method == "rkc":
            coefficients = self._chebyshev(settings.stages, length)
        arrays = (
            state,
            controls,
            _checked("memory", memory, (rows, MEMORY)),
            self._scales,
            coefficients,
            _checked("status", status, (rows,), np.int32),
            _checked("evaluations", evaluations, (rows,), np.int64),
        )
        figures = (
            steps,
            settings.stages,
            settings.evaluations,
            duration,
            length,
            settings.tolerance,
            settings.highest_speed,
        )
        name = f"{'lanes' if settings.lanes else 'step'}_{settings.method}"
        grain = self._lanes if settings.lanes else 1
        self._run(name, STEP, arrays, figures, rows, threads, grain)

    def close(self) -> None:
        """End the threads."""
        for pool in self._pools.values():
            pool.shutdown()
        self._pools.clear()

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

    def _run_rows(
        self, name: str, state: Floats, controls: Floats, out: Floats, results: int, threads: int
    ) -> None:
        rows = self._rows(state, controls)
        arrays = (state, controls, _checked("out", out, (rows, results)))
        self._run(name, _ROWS, arrays, (), rows, threads)

    def _run(
        self,
        name: str,
        parameters: dict[str, str],
        arrays: tuple[NDArray[Any], ...],
        figures: tuple[float, ...],
        rows: int,
        threads: int,
        grain: int = 1,
    ) -> None:
        """Run a function, the rows in pieces of whole grains among the threads."""
        function = self._function(name, parameters)
        pointers = [a.ctypes.data for a in arrays]
        pieces = 1 if threads == 1 else _PIECES * threads
        size = max(1, math.ceil(rows / grain / pieces)) * grain
        starts = range(0, rows, size)

        def run(start: int) -> None:
            function(*pointers, start, min(start + size, rows), *figures)

        if len(starts) == 1:
            run(0)
            return
        for done in self._pool(threads).map(run, starts):
            assert done is None

    def _function(self, name: str, parameters: dict[str, str]) -> Callable[..., None]:
        if name not in self._functions:
            self._functions[name] = self._code.function(name, parameters.values())
        return self._functions[name]

    def _pool(self, threads: int) -> ThreadPoolExecutor:
        if threads not in self._pools:
            self._pools[threads] = ThreadPoolExecutor(threads)
        return self._pools[threads]


_PIECES = 4
"""Of the rows, to a thread: rows take unequal times."""


def _checked(
    name: str, array: NDArray[Any], shape: tuple[int, ...], kind: type = np.float64
) -> NDArray[Any]:
    if array.shape != shape or array.dtype != kind or not array.flags.c_contiguous:
        raise ValueError(f"{name} is a C-contiguous array of {kind.__name__} of shape {shape}.")
    return array
