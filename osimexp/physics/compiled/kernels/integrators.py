"""Integrators of control steps, as LLVM functions around a compiled derivative.

All are explicit. ``adaptive`` is the pair of Bogacki and Shampine (1989, Applied Mathematics
Letters 2, 321), of order 3 with an error estimate of order 2; its last derivative is the first of
the next step, and each SIMD lane takes steps of its own. ``rk2``, ``rk3`` and ``rk4`` are the
midpoint method, Kutta's method of order 3 and the classical method of order 4, with a fixed step.
``rkc`` is the stabilised method of order 2 of Sommeijer, Shampine and Verwer (1998, Journal of
Computational and Applied Mathematics 88, 315), stable on the negative real axis to about 0.65
(stages^2 - 1) / step.
"""

import math

import numpy as np
from numpy.polynomial import chebyshev
from numpy.typing import NDArray

from osimexp.physics.compiled.kernels.workspace import (
    NOT_FINITE,
    OK,
    OVERRUN,
    ROWS,
    Layout,
    Workspace,
)
from osimexp.physics.compiled.llvm import mathematics
from osimexp.physics.compiled.llvm.assembly import Function, Module, Term
from osimexp.physics.compiled.llvm.lanes import Numbers, Shape

MEMORY = 2
"""Numbers kept for each row between control steps: the next step to try (s) and the last error."""

STEP = {
    "state": "ptr noalias",
    "controls": "ptr noalias readonly",
    "memory": "ptr noalias",
    "scales": "ptr noalias readonly",
    "coefficients": "ptr noalias readonly",
    "status": "ptr noalias",
    "evaluations": "ptr noalias",
    **ROWS,
    "steps": "i64",
    "stages": "i64",
    "bound": "i64",
    "duration": "double",
    "step": "double",
    "tolerance": "double",
    "highest_speed": "double",
}
"""Parameters of every integrator."""


_TABLEAUS: dict[str, tuple[tuple[float, ...], ...]] = {
    "rk2": ((0.5,), (0.0, 1.0)),
    "rk3": ((0.5,), (-1.0, 2.0), (1 / 6, 4 / 6, 1 / 6)),
    "rk4": ((0.5,), (0.0, 0.5), (0.0, 0.0, 1.0), (1 / 6, 2 / 6, 2 / 6, 1 / 6)),
}
"""Weights of the earlier stages in each next stage; the last row has the weights in the step."""


def integrator_name(method: str, element: str) -> str:
    """Return the name of a method's function for ``double`` or ``float``."""
    return f"step_{method}.{element}"


def add_integrators(module: Module, derivative: str, shape: Shape, layout: Layout) -> None:
    """Add the integrators for a shape, under the names that ``integrator_name`` gives.

    Args:
        module: module that the functions are added to.
        derivative: name of the function that works out the derivative, for numbers of ``shape``.
        shape: precision and SIMD lanes of the numbers.
        layout: layout of the rows.
    """

    def workspace(method: str) -> Workspace:
        function = Function(module, integrator_name(method, shape.element), STEP)
        return Workspace(function, shape, layout)

    for method, tableau in _TABLEAUS.items():
        _write_runge_kutta(workspace(method), derivative, tableau)
    _write_chebyshev(workspace("rkc"), derivative)
    _Adaptive(workspace("adaptive"), derivative).write()


def _write_runge_kutta(
    w: Workspace, derivative: str, tableau: tuple[tuple[float, ...], ...]
) -> None:
    f, n, p = w.function, w.numbers, w.function.parameters
    state, inner, controls = w.array(), w.array(), w.array(w.layout.controls)
    rates = [w.array() for _ in tableau]
    step = n.spread(p["step"])
    weights = [[n.multiply(step, n.constant(a)) for a in row] for row in tableau]
    with w.groups() as first:
        w.load(first, "state", w.layout.states, state)
        w.load(first, "controls", w.layout.controls, controls)
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
        taken = f.arithmetic("mul", p["steps"], len(tableau))
        _finish(w, first, state, w.checked(state), n.spread_index(taken))
    f.close()


def _finish(w: Workspace, first: Term, state: Term, status: Term, evaluations: Term) -> None:
    """Write the states of the rows that succeeded, and the status of all rows."""
    w.store(first, "state", w.layout.states, state, status)
    w.store_indices(first, "status", status)
    w.store_indices(first, "evaluations", evaluations)


# Runge-Kutta-Chebyshev


def chebyshev_coefficients(stages: int, step: float) -> NDArray[np.float64]:
    """Return the coefficients of the stages of ``rkc``; those of derivatives are times the step.

    Returns:
        ``(stages, 4)``: the weights, in each stage, of the stage before, of the one before that, of
        the derivative at the stage before and of the derivative at the start. Stages are taken
        minus the state at the start. The first stage has the last weight alone.
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
    f, n, p = w.function, w.numbers, w.function.parameters
    state, controls = w.array(), w.array(w.layout.controls)
    ahead, first_rate, rate = w.array(), w.array(), w.array()
    # Stages are taken minus the state, which keeps digits in single precision.
    changes = [w.array(), w.array()]
    # Places of the stage before and of the one before that, which are exchanged in each round.
    before, last = f.local("ptr"), f.local("ptr")

    def coefficient(stage: Term | int, place: int) -> Term:
        row = f.at(p["coefficients"], "[4 x double]", stage)
        return n.spread(f.load("double", f.at(row, "double", place)))

    with w.groups() as first:
        w.load(first, "state", w.layout.states, state)
        w.load(first, "controls", w.layout.controls, controls)
        with f.count(0, p["steps"]):
            f.call(derivative, state, controls, first_rate)
            w.fill(changes[0], lambda slot: n.constant(0.0))
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
        taken = f.arithmetic("mul", p["steps"], p["stages"])
        _finish(w, first, state, w.checked(state), n.spread_index(taken))
    f.close()


# Error control

_ORDER = 3.0
_INNER = ((1 / 2,), (0.0, 3 / 4), (2 / 9, 1 / 3, 4 / 9))
_ERROR = (-5 / 72, 1 / 12, 1 / 9, -1 / 8)
_SAFETY, _LEAST, _MOST, _AFTER_NAN = 0.95, 0.2, 5.0, 0.1
_NOW, _BEFORE = -0.7 / _ORDER, 0.4 / _ORDER
"""Powers of the errors of this step and the last one in the size of the next step: Gustafsson's
controller, which keeps steps steady where stability limits them and not the error."""
_SHORTEST = {"double": 1e-13, "float": 1e-6}
"""Shortest step, as a share of the duration; integrations that need a shorter one are given up."""


class _Adaptive:
    """A writer of the integrator whose steps follow from the error, in each SIMD lane by itself.

    Lanes that have reached the end of the control step wait for the others, unchanged.
    """

    def __init__(self, w: Workspace, derivative: str) -> None:
        self.w, self.derivative = w, derivative
        self.state, self.ahead = w.array(), w.array()
        self.controls = w.array(w.layout.controls)
        self.memory = w.array(MEMORY)
        self.rates = [w.array() for _ in _ERROR]
        # For each lane: the step to be tried, the error of the last one, the time that is left.
        self.step, self.error, self.left = w.array(1), w.array(1), w.array(1)
        whole = w.numbers.shape.of("i32")
        # The number of derivatives taken, and whether the last step tried gave a number not finite.
        self.count, self.spoilt = w.function.local(whole), w.function.local(whole)
        self.going = w.function.local("i1")

    def write(self) -> None:
        w, f, n = self.w, self.w.function, self.w.numbers
        with w.groups() as first:
            self._begin(first)
            with f.repeat(self.going):
                self._try()
                f.store(n.any(self._active()), self.going)
            status = self._status()
            sound = n.compare_integers("eq", status, n.index(OK))
            for slot, place in enumerate((self.step, self.error)):
                kept = w.get(self.memory, slot)
                w.put(self.memory, slot, n.select(sound, w.get(place, 0), kept))
            w.store(first, "memory", MEMORY, self.memory)
            count = f.load(n.shape.of("i32"), self.count)
            _finish(w, first, self.state, status, count)
        f.close()

    def _begin(self, first: Term) -> None:
        w, f, n, p = self.w, self.w.function, self.w.numbers, self.w.function.parameters
        w.load(first, "state", w.layout.states, self.state)
        w.load(first, "controls", w.layout.controls, self.controls)
        w.load(first, "memory", MEMORY, self.memory)
        f.call(self.derivative, self.state, self.controls, self.rates[0])
        step, error, duration = (
            w.get(self.memory, 0),
            w.get(self.memory, 1),
            n.spread(p["duration"]),
        )
        fresh = n.compare("ule", step, n.constant(0.0))
        step = n.select(fresh, self._first_step(), step)
        w.put(self.step, 0, _lesser(n, step, duration))
        w.put(self.error, 0, n.select(fresh, n.constant(1.0), error))
        w.put(self.left, 0, duration)
        f.store(n.index(1), self.count)
        f.store(n.index(0), self.spoilt)
        f.store(Term("i1", "true"), self.going)

    def _active(self) -> Term:
        """Return the lanes that have time left, and may and can go on."""
        w, f, n, p = self.w, self.w.function, self.w.numbers, self.w.function.parameters
        more = n.compare("ogt", w.get(self.left, 0), n.constant(0.0))
        count = n.whole("add", f.load(n.shape.of("i32"), self.count), n.index(3))
        room = n.compare_integers("sle", count, n.spread_index(p["bound"]))
        duration = n.spread(p["duration"])
        shortest = n.multiply(duration, n.constant(_SHORTEST[n.shape.element]))
        sound = n.compare("ogt", w.get(self.step, 0), shortest)
        return n.whole("and", more, n.whole("and", room, sound))

    def _try(self) -> None:
        """Try a step in the active lanes: take it, or shorten it if its error is too large."""
        w, f, n = self.w, self.w.function, self.w.numbers
        active = self._active()
        whole, rest = w.get(self.step, 0), w.get(self.left, 0)
        ends = n.compare("ole", rest, whole)
        used = n.select(ends, rest, _lesser(n, whole, n.multiply(rest, n.constant(0.5))))
        used = n.select(active, used, n.constant(0.0))
        for weights, rate in zip(_INNER, self.rates[1:], strict=True):
            parts: list[tuple[Term | None, Term]] = [(None, self.state)]
            parts += [
                (n.multiply(used, n.constant(a)), r)
                for a, r in zip(weights, self.rates, strict=False)
                if a != 0.0
            ]
            w.combine(self.ahead, parts)
            f.call(self.derivative, self.ahead, self.controls, rate)
        found = self._error_of(used)
        one = n.index(1)
        taken = n.select(active, n.index(3), n.index(0))
        kind = n.shape.of("i32")
        f.store(n.whole("add", f.load(kind, self.count), taken), self.count)
        good = n.compare("ole", found, n.constant(1.0))
        accepted = n.whole("and", active, good)
        known = n.compare("olt", found, n.constant(math.inf))
        # A step that was cut to end in time says little, so the longer one is kept for next time.
        longer = self._next_step(used, found, w.get(self.error, 0))
        cut = n.compare("olt", used, whole)
        grown = n.select(n.compare("ogt", longer, whole), longer, whole)
        longer = n.select(cut, grown, longer)
        shrunk = self._next_step(used, found, n.constant(1.0))
        shrunk = n.select(known, shrunk, n.multiply(used, n.constant(_AFTER_NAN)))
        step = n.select(active, n.select(good, longer, shrunk), whole)
        w.put(self.step, 0, step)
        w.put(self.error, 0, n.select(accepted, found, w.get(self.error, 0)))
        after = n.select(ends, n.constant(0.0), n.subtract(rest, used))
        w.put(self.left, 0, n.select(accepted, after, rest))
        unsound = n.select(known, n.index(0), one)
        f.store(n.select(active, unsound, f.load(kind, self.spoilt)), self.spoilt)
        for old, new in ((self.state, self.ahead), (self.rates[0], self.rates[-1])):
            self._take_over(accepted, old, new)

    def _take_over(self, where: Term, old: Term, new: Term) -> None:
        w = self.w
        w.fill(old, lambda slot: w.numbers.select(where, w.get(new, slot), w.get(old, slot)))

    def _status(self) -> Term:
        w, f, n = self.w, self.w.function, self.w.numbers
        status = w.checked(self.state)
        spoilt = n.compare_integers("ne", f.load(n.shape.of("i32"), self.spoilt), n.index(0))
        why = n.select(spoilt, n.index(NOT_FINITE), n.index(OVERRUN))
        unfinished = n.compare("ogt", w.get(self.left, 0), n.constant(0.0))
        well = n.compare_integers("eq", status, n.index(OK))
        return n.select(n.whole("and", unfinished, well), why, status)

    def _over_size(self, x: Term, slot: Term) -> Term:
        """Return |x| / max(scale, |state|) for a state."""
        w, f, n = self.w, self.w.function, self.w.numbers
        scale = n.spread(f.load("double", f.at(f.parameters["scales"], "double", slot)))
        size = n.absolute(w.get(self.state, slot))
        size = n.select(n.compare("ogt", size, scale), size, scale)
        return n.divide(n.absolute(x), size)

    def _error_of(self, used: Term) -> Term:
        """Return the greatest error of a step over the tolerance; NaN if one is NaN."""
        w, n, p = self.w, self.w.numbers, self.w.function.parameters

        def of(slot: Term) -> Term:
            total = n.constant(0.0)
            for weight, rate in zip(_ERROR, self.rates, strict=True):
                part = n.multiply(w.get(rate, slot), n.constant(weight))
                total = n.add(total, part)
            return self._over_size(total, slot)

        greatest = w.greatest(w.layout.states, of)
        return n.divide(n.multiply(greatest, used), n.spread(p["tolerance"]))

    def _first_step(self) -> Term:
        """Return a step in which no state changes by more than a hundredth of its size."""
        w, n = self.w, self.w.numbers
        fastest = w.greatest(
            w.layout.states, lambda slot: self._over_size(w.get(self.rates[0], slot), slot)
        )
        return n.divide(n.constant(0.01), fastest)

    def _next_step(self, used: Term, error: Term, before: Term) -> Term:
        """Return the step to try next, given the errors of the last step and of the one before."""
        n = self.w.numbers

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


def _lesser(n: Numbers, a: Term, b: Term) -> Term:
    """Return the smaller of two numbers; ``b`` if one is NaN."""
    return n.select(n.compare("olt", a, b), a, b)
