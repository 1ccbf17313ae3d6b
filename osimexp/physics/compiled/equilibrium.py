"""The search for states at which residuals vanish, as an LLVM function."""

from osimexp.physics.compiled.assembly import Function, Module, Term
from osimexp.physics.compiled.lanes import DOUBLE, Numbers
from osimexp.physics.compiled.workspace import NOT_BRACKETED, OK, Layout, Workspace, scalars

EQUILIBRATE = {
    "state": "ptr noalias",
    "controls": "ptr noalias readonly",
    "lower": "ptr noalias readonly",
    "upper": "ptr noalias readonly",
    "status": "ptr noalias",
    "first": "i64",
    "last": "i64",
}
"""Parameters: rows ``first`` to before ``last`` are worked on; bounds have one number a fibre."""

_ROUNDS = 60
_WIDTH = 1e-13
"""Width of the last bracket, relative to where it lies."""
_PULL = 0.2
"""Of the width, squared over the first width: how far an estimate is moved to the middle."""


def add_equilibrate(module: Module, residual: str, layout: Layout) -> None:
    """Add ``equilibrate``, which solves for all fibre states of a row at once.

    Residual k rises with fibre state k and depends on no other fibre state. The brackets shrink by
    the method of Oliveira and Takahashi (2020, ACM Transactions on Mathematical Software 47, 5),
    which takes no more than one round more than halving them would, and few where the residual is
    smooth.

    Args:
        module: where to.
        residual: name of the function, of ``double``.
        layout: of the rows.
    """
    f = Function(module, "equilibrate", EQUILIBRATE)
    _Search(f, layout).write(residual)
    f.close()


class _Search:
    def __init__(self, function: Function, layout: Layout) -> None:
        self.f = function
        self.n: Numbers = scalars(function)
        self.w = Workspace(function, DOUBLE, layout)
        self.count = len(layout.fibres)
        self.slots = function.module.array("i64", tuple(float(s) for s in layout.fibres))
        self.state = self.w.array()
        # Ends of the brackets, the residuals there, the widths at the start, the results.
        self.low, self.high, self.at_low, self.at_high, self.width, self.found = (
            function.local("double", self.count) for _ in range(6)
        )
        self.sound, self.going = function.local("i1"), function.local("i1")
        self.shrink = function.local("double")

    def write(self, residual: str) -> None:
        f, n, p = self.f, self.n, self.f.parameters
        true, false = Term("i1", "true"), Term("i1", "false")
        round_ = f.local("i64")
        with f.count(p["first"], p["last"]) as row:
            controls = self.w.load_rows(row, self.state)
            f.store(true, self.sound)
            for bound, end, found in (
                (p["lower"], self.low, self.at_low),
                (p["upper"], self.high, self.at_high),
            ):
                with f.count(0, self.count) as k:
                    x = self._get(bound, k)
                    self._set(end, k, x)
                    self._place(k, x)
                f.call(residual, self.state, controls, found)
            with f.count(0, self.count) as k:
                self._set(
                    self.width, k, n.subtract(self._get(self.high, k), self._get(self.low, k))
                )
                below = f.compare("ole", self._get(self.at_low, k), 0.0)
                above = f.compare("oge", self._get(self.at_high, k), 0.0)
                both = n.whole("and", below, above)
                f.store(n.whole("and", f.load("i1", self.sound), both), self.sound)
            f.store(Term("i64", "0"), round_)
            f.store(n.constant(1.0), self.shrink)
            f.store(f.load("i1", self.sound), self.going)
            with f.repeat(self.going):
                f.store(false, self.going)
                with f.count(0, self.count) as k:
                    self._place(k, self._estimate(k))
                f.call(residual, self.state, controls, self.found)
                with f.count(0, self.count) as k:
                    self._narrow(k)
                half = n.multiply(f.load("double", self.shrink), n.constant(0.5))
                f.store(half, self.shrink)
                done = f.arithmetic("add", f.load("i64", round_), 1)
                f.store(done, round_)
                more = n.whole("and", f.load("i1", self.going), f.compare("slt", done, _ROUNDS))
                f.store(more, self.going)
            with f.count(0, self.count) as k:
                self._place(k, self._result(k))
            status = f.choose(f.load("i1", self.sound), n.index(OK), n.index(NOT_BRACKETED))
            self.w.store_rows(row, status, self.state)

    def _get(self, array: Term, k: Term) -> Term:
        return self.f.load("double", self.f.at(array, "double", k))

    def _set(self, array: Term, k: Term, value: Term) -> None:
        self.f.store(value, self.f.at(array, "double", k))

    def _place(self, k: Term, value: Term) -> None:
        """Put a number into the state of fibre k."""
        slot = self.f.load("i64", self.f.at(self.slots, "i64", k))
        self._set(self.state, slot, value)

    def _estimate(self, k: Term) -> Term:
        """Return where to look next: the secant's root, moved to the middle and held near it."""
        n = self.n
        low, high = self._get(self.low, k), self._get(self.high, k)
        at_low, at_high = self._get(self.at_low, k), self._get(self.at_high, k)
        width, first = n.subtract(high, low), self._get(self.width, k)
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
        # NaN, from a bracket of one point or a flat residual, ends in the middle.
        distance = n.select(n.compare("ogt", distance, zero), distance, zero)
        room = n.subtract(n.multiply(first, self.f.load("double", self.shrink)), half)
        room = n.select(n.compare("ogt", room, zero), room, zero)
        distance = n.select(n.compare("olt", distance, room), distance, room)
        back = n.compare("ogt", away, zero)
        return n.select(back, n.subtract(middle, distance), n.add(middle, distance))

    def _narrow(self, k: Term) -> None:
        """Take the residual just found as one end of the bracket, as both where it is 0."""
        f, n = self.f, self.n
        slot = f.load("i64", f.at(self.slots, "i64", k))
        x, found = self._get(self.state, slot), self._get(self.found, k)
        for end, value, side in (
            (self.low, self.at_low, f.compare("ole", found, 0.0)),
            (self.high, self.at_high, f.compare("oge", found, 0.0)),
        ):
            self._set(end, k, f.choose(side, x, self._get(end, k)))
            self._set(value, k, f.choose(side, found, self._get(value, k)))
        unknown = f.compare("uno", found, 0.0)
        sound = n.whole("xor", unknown, Term("i1", "true"))
        f.store(n.whole("and", f.load("i1", self.sound), sound), self.sound)
        low, high = self._get(self.low, k), self._get(self.high, k)
        enough = n.multiply(n.absolute(high), n.constant(_WIDTH))
        wide = f.compare("ogt", n.subtract(high, low), enough)
        f.store(n.whole("or", f.load("i1", self.going), wide), self.going)

    def _result(self, k: Term) -> Term:
        """Return the end of the bracket with the smaller residual."""
        n = self.n
        at_low, at_high = self._get(self.at_low, k), self._get(self.at_high, k)
        nearer = n.compare("olt", n.absolute(at_low), n.absolute(at_high))
        return n.select(nearer, self._get(self.low, k), self._get(self.high, k))
