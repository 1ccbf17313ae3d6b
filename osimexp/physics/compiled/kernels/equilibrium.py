"""A root finder for fibre equilibrium, as an LLVM function."""

from osimexp.physics.compiled.kernels.workspace import NOT_BRACKETED, OK, ROWS, Layout, Workspace
from osimexp.physics.compiled.llvm.assembly import Function, Module, Term
from osimexp.physics.compiled.llvm.lanes import Shape

EQUILIBRATE = {
    "state": "ptr noalias",
    "controls": "ptr noalias readonly",
    "lower": "ptr noalias readonly",
    "upper": "ptr noalias readonly",
    "status": "ptr noalias",
    **ROWS,
}
"""Parameters of ``equilibrate``; the bounds have one number for each fibre."""

_ROUNDS = 60
_WIDTH = 1e-13
"""Width of the last bracket, relative to its position."""
_PULL = 0.2
"""Factor by which an estimate is moved to the middle: of the squared width over the first width."""


def add_equilibrate(module: Module, residual: str, shape: Shape, layout: Layout) -> None:
    """Add the function ``equilibrate``, which solves for all fibre states of a row at once.

    Residual k rises with fibre state k and depends on no other fibre state. The brackets shrink by
    the method of Oliveira and Takahashi (2020, ACM Transactions on Mathematical Software 47, 5),
    which takes at most one round more than bisection, and few rounds if the residual is smooth.

    Args:
        module: module that the function is added to.
        residual: name of the function that works out the residuals, for numbers of ``shape``.
        shape: SIMD lanes of the numbers, in double precision.
        layout: layout of the rows.
    """
    f = Function(module, "equilibrate", EQUILIBRATE)
    _Search(Workspace(f, shape, layout)).write(residual)
    f.close()


class _Search:
    def __init__(self, w: Workspace) -> None:
        self.w, self.f, self.n = w, w.function, w.numbers
        self.count = len(w.layout.fibres)
        self.slots = self.f.module.array("i64", tuple(float(s) for s in w.layout.fibres))
        self.state, self.controls = w.array(), w.array(w.layout.controls)
        # The ends of the brackets, the residuals at them, the first widths and the results.
        self.low, self.high, self.at_low, self.at_high, self.width, self.found = (
            w.array(self.count) for _ in range(6)
        )
        self.shrink = self.f.local("double")
        # For each lane, whether every root is in a bracket, and whether a bracket is still wide.
        self.sound, self.wide = (self.f.local(self.n.shape.of("i32")) for _ in range(2))

    def write(self, residual: str) -> None:
        w, f, n, p = self.w, self.f, self.n, self.f.parameters
        round_, going = f.local("i64"), f.local("i1")
        with w.groups() as first:
            w.load(first, "state", w.layout.states, self.state)
            w.load(first, "controls", w.layout.controls, self.controls)
            for bound, end, found in (
                (p["lower"], self.low, self.at_low),
                (p["upper"], self.high, self.at_high),
            ):
                with f.count(0, self.count) as k:
                    x = n.spread(f.load("double", f.at(bound, "double", k)))
                    w.put(end, k, x)
                    self._place(k, x)
                f.call(residual, self.state, self.controls, found)
            self._set(self.sound, n.condition(True))
            with f.count(0, self.count) as k:
                w.put(self.width, k, n.subtract(w.get(self.high, k), w.get(self.low, k)))
                below = n.compare("ole", w.get(self.at_low, k), n.constant(0.0))
                above = n.compare("oge", w.get(self.at_high, k), n.constant(0.0))
                both = n.whole("and", below, above)
                self._set(self.sound, n.whole("and", self._is(self.sound), both))
            f.store(Term("i64", "0"), round_)
            f.store(Term("double", "1.0"), self.shrink)
            f.store(n.any(self._is(self.sound)), going)
            with f.repeat(going):
                self._set(self.wide, n.condition(False))
                with f.count(0, self.count) as k:
                    self._place(k, self._estimate(k))
                f.call(residual, self.state, self.controls, self.found)
                with f.count(0, self.count) as k:
                    self._narrow(k)
                f.store(f.arithmetic("fmul", f.load("double", self.shrink), 0.5), self.shrink)
                done = f.arithmetic("add", f.load("i64", round_), 1)
                f.store(done, round_)
                open_ = n.whole("and", self._is(self.wide), self._is(self.sound))
                more = f.arithmetic("and", n.any(open_), f.compare("slt", done, _ROUNDS))
                f.store(more, going)
            with f.count(0, self.count) as k:
                self._place(k, self._result(k))
            status = n.select(self._is(self.sound), n.index(OK), n.index(NOT_BRACKETED))
            w.store(first, "state", w.layout.states, self.state, status)
            w.store_indices(first, "status", status)

    def _is(self, place: Term) -> Term:
        """Return the conditions stored at a place."""
        n = self.n
        return n.compare_integers("ne", self.f.load(n.shape.of("i32"), place), n.index(0))

    def _set(self, place: Term, conditions: Term) -> None:
        self.f.store(self.n.convert("zext", conditions, "i32"), place)

    def _slot(self, k: Term) -> Term:
        return self.f.load("i64", self.f.at(self.slots, "i64", k))

    def _place(self, k: Term, value: Term) -> None:
        """Set the state of fibre k to a number."""
        self.w.put(self.state, self._slot(k), value)

    def _estimate(self, k: Term) -> Term:
        """Return the next point to try: the secant's root, moved to the middle and held near it."""
        w, n = self.w, self.n
        low, high = w.get(self.low, k), w.get(self.high, k)
        at_low, at_high = w.get(self.at_low, k), w.get(self.at_high, k)
        width, first = n.subtract(high, low), w.get(self.width, k)
        half = n.multiply(width, n.constant(0.5))
        middle = n.add(low, half)
        rise = n.subtract(at_high, at_low)
        share = n.divide(n.negate(at_low), rise)
        secant = n.add(low, n.multiply(width, share))
        away = n.subtract(middle, secant)
        distance = n.absolute(away)
        pull = n.divide(n.multiply(n.constant(_PULL), n.multiply(width, width)), first)
        distance = n.subtract(distance, pull)
        zero = n.constant(0.0)
        # NaN, from a bracket of one point or a flat residual, is replaced by the middle.
        distance = n.select(n.compare("ogt", distance, zero), distance, zero)
        shrink = n.spread(self.f.load("double", self.shrink))
        room = n.subtract(n.multiply(first, shrink), half)
        room = n.select(n.compare("ogt", room, zero), room, zero)
        distance = n.select(n.compare("olt", distance, room), distance, room)
        back = n.compare("ogt", away, zero)
        return n.select(back, n.subtract(middle, distance), n.add(middle, distance))

    def _narrow(self, k: Term) -> None:
        """Take the residual just found as one end of the bracket, or as both ends if it is 0."""
        w, n = self.w, self.n
        x, found, zero = w.get(self.state, self._slot(k)), w.get(self.found, k), n.constant(0.0)
        for end, value, side in (
            (self.low, self.at_low, n.compare("ole", found, zero)),
            (self.high, self.at_high, n.compare("oge", found, zero)),
        ):
            w.put(end, k, n.select(side, x, w.get(end, k)))
            w.put(value, k, n.select(side, found, w.get(value, k)))
        known = n.compare("ord", found, zero)
        self._set(self.sound, n.whole("and", self._is(self.sound), known))
        low, high = w.get(self.low, k), w.get(self.high, k)
        enough = n.multiply(n.absolute(high), n.constant(_WIDTH))
        wide = n.compare("ogt", n.subtract(high, low), enough)
        self._set(self.wide, n.whole("or", self._is(self.wide), wide))

    def _result(self, k: Term) -> Term:
        """Return the end of the bracket with the smaller residual."""
        w, n = self.w, self.n
        at_low, at_high = w.get(self.at_low, k), w.get(self.at_high, k)
        nearer = n.compare("olt", n.absolute(at_low), n.absolute(at_high))
        return n.select(nearer, w.get(self.low, k), w.get(self.high, k))
