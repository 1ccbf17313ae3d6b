"""Integrators of control steps, as LLVM functions around a compiled derivative.

All are explicit. ``adaptive`` is the pair of Bogacki and Shampine (1989, Applied Mathematics
Letters 2, 321), of order 3 with an error estimate of order 2, whose last derivative is the first
of the next step. ``rk2``, ``rk3`` and ``rk4`` are the midpoint method, Kutta's method of order 3
and the classical method of order 4, of a fixed step. ``rkc`` is the stabilised method of order 2
of Sommeijer, Shampine and Verwer (1998, Journal of Computational and Applied Mathematics 88, 315),
stable on the negative real axis to about 0.65 (stages^2 - 1) / step.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.polynomial import chebyshev
from numpy.typing import NDArray

from osimexp.physics.compiled import mathematics
from osimexp.physics.compiled.assembly import Function, Module, Term
from osimexp.physics.compiled.lanes import Shape
from osimexp.physics.compiled.workspace import (
    NOT_FINITE,
    OK,
    OVERRUN,
    Layout,
    Workspace,
    scalars,
)

Method = Literal["adaptive", "rk2", "rk3", "rk4", "rkc"]

MEMORY = 2
"""Numbers kept for a row between control steps: the step (s) to begin with, the last error."""

STEP = {
    "state": "ptr noalias",
    "controls": "ptr noalias readonly",
    "memory": "ptr noalias",
    "scales": "ptr noalias readonly",
    "coefficients": "ptr noalias readonly",
    "status": "ptr noalias",
    "evaluations": "ptr noalias",
    "first": "i64",
    "last": "i64",
    "steps": "i64",
    "stages": "i64",
    "bound": "i64",
    "duration": "double",
    "step": "double",
    "tolerance": "double",
    "highest_speed": "double",
}
"""Parameters of every integrator: rows ``first`` to before ``last`` of the arrays are advanced."""


@dataclass(frozen=True)
class IntegratorSettings:
    """How a control step is integrated; nothing here is compiled in.

    Attributes:
        method: see the module.
        tolerance: of ``adaptive``: the greatest error of a step, per state, relative to
            max(scale, |state|), where the scale is 1 unless a machine was given others.
        max_step: s; the others take the fewest equal steps that are no longer.
        stages: of ``rkc``, at least 2.
        evaluations: most derivatives of ``adaptive`` in one control step.
        lanes: whether rows share a register, in single precision; not of ``adaptive``.
        highest_speed: rad/s or m/s; beyond it a row has run away.
    """

    method: Method = "adaptive"
    tolerance: float = 1e-4
    max_step: float = math.inf
    stages: int = 8
    evaluations: int = 3000
    lanes: bool = False
    highest_speed: float = 1000.0

    def __post_init__(self) -> None:
        if self.method not in get_args(Method):
            raise ValueError(f"method is one of {', '.join(get_args(Method))}.")
        if self.method == "adaptive" and self.lanes:
            raise ValueError("adaptive takes rows one by one: lanes is false.")
        if not (self.tolerance > 0.0 and self.max_step > 0.0 and self.highest_speed > 0.0):
            raise ValueError("tolerance, max_step and highest_speed are above 0.")
        if self.stages < 2 or self.evaluations < 4:
            raise ValueError("stages is at least 2 and evaluations at least 4.")
        if self.method != "adaptive" and math.isinf(self.max_step):
            raise ValueError(f"{self.method} needs a max_step.")

    def steps(self, duration: float) -> int:
        """Return how many equal steps a fixed-step method takes."""
        if self.method == "adaptive":
            return 0
        return max(1, math.ceil(duration / self.max_step * (1.0 - 1e-9)))


_TABLEAUS: dict[str, tuple[tuple[float, ...], ...]] = {
    "rk2": ((0.5,), (0.0, 1.0)),
    "rk3": ((0.5,), (-1.0, 2.0), (1 / 6, 4 / 6, 1 / 6)),
    "rk4": ((0.5,), (0.0, 0.5), (0.0, 0.0, 1.0), (1 / 6, 2 / 6, 2 / 6, 1 / 6)),
}
"""Weights of the stages so far in the next stage; in the last row, in the step."""


def add_integrators(module: Module, derivative: str, shape: Shape, layout: Layout) -> None:
    """Add the integrators for a shape: ``step_<method>``, in lanes ``lanes_<method>``.

    Args:
        module: where to.
        derivative: name of the function, of numbers of that shape.
        shape: of the numbers.
        layout: of the rows.
    """
    prefix = "step" if shape.width == 1 else "lanes"

    def workspace(method: str) -> Workspace:
        return Workspace(Function(module, f"{prefix}_{method}", STEP), shape, layout)

    for method, tableau in _TABLEAUS.items():
        _write_runge_kutta(workspace(method), derivative, tableau)
    _write_chebyshev(workspace("rkc"), derivative)
    if shape.width == 1:
        _write_adaptive(workspace("adaptive"), derivative)


def _write_runge_kutta(
    w: Workspace, derivative: str, tableau: tuple[tuple[float, ...], ...]
) -> None:
    f, p = w.function, w.function.parameters
    state, inner = w.array(), w.array()
    rates = [w.array() for _ in tableau]
    n = scalars(f)
    weights = [[n.multiply(p["step"], n.constant(a)) for a in row] for row in tableau]
    with f.count(p["first"], p["last"], w.numbers.shape.width) as row:
        controls = w.load_rows(row, state)
        with f.count(0, p["steps"]):
            f.call(derivative, state, controls, rates[0])
            for stage, ahead in enumerate(weights):
                final = stage == len(tableau) - 1
                parts: list[tuple[Term | None, Term]] = [(None, state)]
                parts += [
                    (weight, rate)
                    for weight, rate, a in zip(ahead, rates, tableau[stage], strict=False)
                    if a != 0.0
                ]
                w.combine(state if final else inner, parts)
                if not final:
                    f.call(derivative, inner, controls, rates[stage + 1])
        w.store_rows(row, w.checked(state), state)
        w.store_count(row, f.arithmetic("mul", p["steps"], len(tableau)))
    f.close()


# Runge-Kutta-Chebyshev


def chebyshev_coefficients(stages: int, step: float) -> NDArray[np.float64]:
    """Return the coefficients of ``rkc``'s stages, those of derivatives times the step.

    Returns:
        ``(stages, 4)``: a stage's weights of the stage before and of the one before that, all
        less the state at the start, of the derivative of the stage before and of that at the
        start. The first stage has the last alone.
    """
    damping = 2.0 / 13.0
    w0 = 1.0 + damping / stages**2

    def polynomial(degree: int, derivative: int) -> float:
        series = np.zeros(degree + 1)
        series[degree] = 1.0
        return float(chebyshev.chebval(w0, chebyshev.chebder(series, derivative)))

    w1 = polynomial(stages, 1) / polynomial(stages, 2)
    b = [0.0, 0.0] + [polynomial(j, 2) / polynomial(j, 1) ** 2 for j in range(2, stages + 1)]
    b[0] = b[1] = b[2]
    rows = np.zeros((stages, 4))
    rows[0, 3] = b[1] * w1 * step
    for j in range(2, stages + 1):
        rate = 2.0 * b[j] * w1 / b[j - 1] * step
        start = -(1.0 - b[j - 1] * polynomial(j - 1, 0)) * rate
        rows[j - 1] = 2.0 * b[j] * w0 / b[j - 1], -b[j] / b[j - 2], rate, start
    return rows


def _write_chebyshev(w: Workspace, derivative: str) -> None:
    f, p = w.function, w.function.parameters
    state, ahead, first_rate, rate = w.array(), w.array(), w.array(), w.array()
    # Stages less the state, which keeps the digits of single precision.
    changes = [w.array(), w.array()]
    # Places of the stage before and of the one before that, which take turns.
    before, last = f.local("ptr"), f.local("ptr")

    def coefficient(stage: Term | int, place: int) -> Term:
        row = f.at(p["coefficients"], "[4 x double]", stage)
        return f.load("double", f.at(row, "double", place))

    with f.count(p["first"], p["last"], w.numbers.shape.width) as row:
        controls = w.load_rows(row, state)
        with f.count(0, p["steps"]):
            f.call(derivative, state, controls, first_rate)
            w.combine(changes[0], [(Term("double", "0.0"), first_rate)])
            w.combine(changes[1], [(coefficient(0, 3), first_rate)])
            f.store(changes[0], last)
            f.store(changes[1], before)
            with f.count(1, p["stages"]) as stage:
                a, b = f.load("ptr", before), f.load("ptr", last)
                w.combine(ahead, [(None, state), (None, a)])
                f.call(derivative, ahead, controls, rate)
                arrays = (a, b, rate, first_rate)
                w.combine(b, [(coefficient(stage, k), array) for k, array in enumerate(arrays)])
                f.store(a, last)
                f.store(b, before)
            w.combine(state, [(None, state), (None, f.load("ptr", before))])
        w.store_rows(row, w.checked(state), state)
        w.store_count(row, f.arithmetic("mul", p["steps"], p["stages"]))
    f.close()


# Error control

_ORDER = 3.0
_INNER = ((1 / 2,), (0.0, 3 / 4), (2 / 9, 1 / 3, 4 / 9))
_ERROR = (-5 / 72, 1 / 12, 1 / 9, -1 / 8)
_SAFETY, _LEAST, _MOST, _AFTER_NAN = 0.95, 0.2, 5.0, 0.1
_NOW, _BEFORE = -0.7 / _ORDER, 0.4 / _ORDER
"""Powers of this step's error and of the last one's in the next step: Gustafsson's controller,
which keeps explicit methods calm where stability and not error bounds the step."""
_SHORTEST = 1e-13
"""Of the duration: a step shorter than this is given up."""


def _write_adaptive(w: Workspace, derivative: str) -> None:
    f, p = w.function, w.function.parameters
    n = scalars(f)
    state, ahead = w.array(), w.array()
    rates = [w.array() for _ in _ERROR]
    step, error, left = f.local("double"), f.local("double"), f.local("double")
    count, going, spoilt = f.local("i64"), f.local("i1"), f.local("i1")
    shortest = n.multiply(p["duration"], n.constant(_SHORTEST))
    true, false = Term("i1", "true"), Term("i1", "false")
    zero = n.constant(0.0)
    with f.count(p["first"], p["last"]) as row:
        memory = f.at(p["memory"], "double", f.arithmetic("mul", row, MEMORY))
        memory_error = f.at(memory, "double", 1)
        controls = w.load_rows(row, state)
        f.call(derivative, state, controls, rates[0])
        f.store(Term("i64", "1"), count)
        kept = f.load("double", memory)
        f.store(f.load("double", memory_error), error)
        f.store(_lesser(f, kept, p["step"]), step)
        with f.when(f.compare("ule", kept, 0.0)):
            f.store(_first_step(w, state, rates[0]), step)
            f.store(n.constant(1.0), error)
        f.store(p["duration"], left)
        f.store(false, spoilt)
        f.store(true, going)
        with f.repeat(going):
            whole, rest = f.load("double", step), f.load("double", left)
            ends = f.compare("ole", rest, whole)
            half = n.multiply(rest, n.constant(0.5))
            used = f.choose(ends, rest, _lesser(f, whole, half))
            for weights, rate in zip(_INNER, rates[1:], strict=True):
                parts: list[tuple[Term | None, Term]] = [(None, state)]
                parts += [
                    (n.multiply(used, n.constant(a)), r)
                    for a, r in zip(weights, rates, strict=False)
                    if a != 0.0
                ]
                w.combine(ahead, parts)
                f.call(derivative, ahead, controls, rate)
            found = _error(w, used, state, rates)
            f.store(f.arithmetic("add", f.load("i64", count), 3), count)
            accepted = f.compare("ole", found, 1.0)
            refused = n.whole("xor", accepted, true)
            with f.when(accepted):
                longer = _next_step(w, used, found, f.load("double", error))
                # A step cut short to end in time says little: the longer one is remembered.
                cut = f.compare("olt", used, whole)
                grown = f.choose(f.compare("ogt", longer, whole), longer, whole)
                f.store(_lesser(f, f.choose(cut, grown, longer), p["step"]), step)
                f.store(found, error)
                f.store(f.choose(ends, zero, n.subtract(rest, used)), left)
                w.combine(state, [(None, ahead)])
                w.combine(rates[0], [(None, rates[-1])])
                f.store(false, spoilt)
            with f.when(refused):
                known = f.compare("olt", found, math.inf)
                shrunk = _next_step(w, used, found, n.constant(1.0))
                again = n.multiply(used, n.constant(_AFTER_NAN))
                f.store(f.choose(known, shrunk, again), step)
                f.store(n.whole("xor", known, true), spoilt)
            more = f.compare("ogt", f.load("double", left), 0.0)
            room = f.compare("sle", f.arithmetic("add", f.load("i64", count), 3), p["bound"])
            sound = f.compare("ogt", f.load("double", step), shortest)
            f.store(n.whole("and", more, n.whole("and", room, sound)), going)
        status = w.checked(state)
        why = f.choose(f.load("i1", spoilt), n.index(NOT_FINITE), n.index(OVERRUN))
        unfinished = f.compare("ogt", f.load("double", left), 0.0)
        late = n.whole("and", unfinished, f.compare("eq", status, OK))
        status = f.choose(late, why, status)
        with f.when(f.compare("eq", status, OK)):
            f.store(f.load("double", step), memory)
            f.store(f.load("double", error), memory_error)
        w.store_rows(row, status, state)
        w.store_count(row, f.load("i64", count))
    f.close()


def _lesser(f: Function, a: Term, b: Term) -> Term:
    """Return the lesser of two; ``b`` where one is NaN."""
    return f.choose(f.compare("olt", a, b), a, b)


def _over_size(w: Workspace, x: Term, here: Callable[[Term], Term], state: Term) -> Term:
    """Return |x| / max(scale, |state|) for a chunk of states."""
    c, f = w.chunk, w.function
    scale = f.load(c.shape.number, here(f.parameters["scales"]), 8)
    size = c.absolute(f.load(c.shape.number, here(state)))
    size = c.select(c.compare("ogt", size, scale), size, scale)
    return c.divide(c.absolute(x), size)


def _error(w: Workspace, used: Term, state: Term, rates: list[Term]) -> Term:
    """Return the greatest error of a step over what is tolerated; NaN if one is."""
    c, f, p = w.chunk, w.function, w.function.parameters

    def chunk(here: Callable[[Term], Term]) -> Term:
        total = c.constant(0.0)
        for weight, rate in zip(_ERROR, rates, strict=True):
            part = f.load(c.shape.number, here(rate))
            total = c.add(total, c.multiply(part, c.constant(weight)))
        return _over_size(w, total, here, state)

    n = scalars(f)
    return n.divide(n.multiply(w.greatest(chunk), used), p["tolerance"])


def _first_step(w: Workspace, state: Term, rate: Term) -> Term:
    """Return a step in which no state changes by more than a hundredth of its size."""
    c, f, p = w.chunk, w.function, w.function.parameters
    fastest = w.greatest(
        lambda here: _over_size(w, f.load(c.shape.number, here(rate)), here, state)
    )
    step = scalars(f).divide(scalars(f).constant(0.01), fastest)
    return _lesser(f, _lesser(f, step, p["duration"]), p["step"])


def _next_step(w: Workspace, used: Term, error: Term, before: Term) -> Term:
    """Return the step that follows a step of that error, one of the error ``before``."""
    n = scalars(w.function)

    def log(x: Term) -> Term:
        least = n.constant(1e-10)
        return mathematics.log(n, n.select(n.compare("ogt", x, least), x, least))

    power = n.add(
        n.multiply(log(error), n.constant(_NOW)), n.multiply(log(before), n.constant(_BEFORE))
    )
    factor = n.multiply(mathematics.exp(n, power), n.constant(_SAFETY))
    for predicate, limit in (("olt", _LEAST), ("ogt", _MOST)):
        end = n.constant(limit)
        factor = n.select(n.compare(predicate, factor, end), end, factor)
    return n.multiply(used, factor)
