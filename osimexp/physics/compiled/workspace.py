"""Rows of a batch, brought where compiled code works on them, and their checks."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from osimexp.physics.compiled.assembly import Function, Term
from osimexp.physics.compiled.lanes import DOUBLE, Numbers, Shape

OK, NOT_FINITE, RAN_AWAY, OVERRUN, NOT_BRACKETED = range(5)
"""What became of a row: 0 where all is well."""

CHUNK = 8
"""States worked on at a time where a number stands by itself; arrays of them are padded to it."""


@dataclass(frozen=True)
class Layout:
    """What stands where in the rows of a machine.

    Attributes:
        states: numbers in a row of the state.
        controls: numbers in a row of the controls, held through a control step.
        outputs: results of the output program.
        speeds: first slot of the state that is a speed, and the one after the last.
        fibres: slots of the state that an equilibrium is sought for, one a residual.
    """

    states: int
    controls: int
    outputs: int
    speeds: tuple[int, int]
    fibres: tuple[int, ...] = ()


class Workspace:
    """Writes what is done with the state of one row, or of as many rows as there are lanes.

    An array of the workspace holds a number for every state. It is gone through in chunks: eight
    neighbouring states of one row, or one state in all lanes.
    """

    def __init__(self, function: Function, shape: Shape, layout: Layout) -> None:
        self.function = function
        self.layout = layout
        self.numbers = Numbers(function, shape)
        by_itself = shape.width == 1
        self.chunk = Numbers(function, Shape(shape.element, CHUNK) if by_itself else shape)
        self.chunks = -(-layout.states // CHUNK) if by_itself else layout.states
        self._controls = None if by_itself else function.local(shape.number, layout.controls)

    def array(self) -> Term:
        """Return a pointer to a new array, 0 where it is padded."""
        kind = self.chunk.shape.number
        array = self.function.local(kind, self.chunks)
        last = self.function.at(array, kind, self.chunks - 1)
        self.function.store(self.chunk.constant(0.0), last)
        return array

    # Over the states

    @contextmanager
    def every_chunk(self) -> Iterator[Callable[[Term], Term]]:
        """Go through the chunks; yields what points to the present chunk of an array."""
        with self.function.count(0, self.chunks) as i:
            yield lambda array: self.function.at(array, self.chunk.shape.number, i)

    def combine(self, target: Term, parts: list[tuple[Term | None, Term]]) -> None:
        """Set an array to a sum of arrays, each times a ``double`` where one is given."""
        c, f = self.chunk, self.function
        kind = c.shape.number
        factors = [None if factor is None else c.spread(factor) for factor, _ in parts]
        with self.every_chunk() as here:
            total = None
            for factor, (_, array) in zip(factors, parts, strict=True):
                part = f.load(kind, here(array))
                if factor is not None:
                    part = c.multiply(part, factor)
                total = part if total is None else c.add(total, part)
            assert total is not None
            f.store(total, here(target))

    def greatest(self, of: Callable[[Callable[[Term], Term]], Term]) -> Term:
        """Return the greatest of a chunk-wise number over one row's states; NaN if one is."""
        c, f = self.chunk, self.function
        kind = c.shape.number
        place = f.local(kind)
        f.store(c.constant(0.0), place)
        with self.every_chunk() as here:
            f.store(c.greater_or_nan(f.load(kind, place), of(here)), place)
        name = f"llvm.vector.reduce.fmaximum.v{c.shape.width}f64"
        return f.intrinsic(name, "double", f.load(kind, place))

    # Rows in and out

    def load_rows(self, first: Term, target: Term) -> Term:
        """Bring the states of rows into an array; return a pointer to their controls.

        Lanes beyond the last row repeat it.
        """
        p, layout = self.function.parameters, self.layout
        self._load(first, p["state"], layout.states, target)
        if self._controls is None:
            return self._row(p["controls"], first, layout.controls)
        self._load(first, p["controls"], layout.controls, self._controls)
        return self._controls

    def _row(self, array: Term, row: Term, columns: int) -> Term:
        f = self.function
        return f.at(array, "double", f.arithmetic("mul", row, columns))

    def _load(self, first: Term, source: Term, columns: int, target: Term) -> None:
        f, shape = self.function, self.numbers.shape
        final = f.arithmetic("sub", f.parameters["last"], 1)
        with f.count(0, shape.width) as lane:
            row = f.arithmetic("add", first, lane)
            row = f.choose(f.compare("slt", row, final), row, final)
            start = self._row(source, row, columns)
            with f.count(0, columns) as column:
                value = f.load("double", f.at(start, "double", column))
                if shape.element == "float":
                    value = f.value("float", f"fptrunc {value} to float")
                f.store(value, self._element(target, column, lane))

    def _element(self, array: Term, column: Term, lane: Term) -> Term:
        f, shape = self.function, self.numbers.shape
        place = f.arithmetic("add", f.arithmetic("mul", column, shape.width), lane)
        return f.at(array, shape.element, place)

    def store_rows(self, first: Term, status: Term, source: Term) -> None:
        """Write the status of rows, and the states of those whose status is 0."""
        f, shape, p = self.function, self.numbers.shape, self.function.parameters
        kept = f.local(shape.of("i32"))
        f.store(status, kept)
        with f.count(0, shape.width) as lane:
            row = f.arithmetic("add", first, lane)
            with f.when(f.compare("slt", row, p["last"])):
                its = f.load("i32", f.at(kept, "i32", lane))
                f.store(its, f.at(p["status"], "i32", row))
                with f.when(f.compare("eq", its, OK)):
                    start = self._row(p["state"], row, self.layout.states)
                    with f.count(0, self.layout.states) as column:
                        value = f.load(shape.element, self._element(source, column, lane))
                        if shape.element == "float":
                            value = f.value("double", f"fpext {value} to double")
                        f.store(value, f.at(start, "double", column))

    def store_count(self, first: Term, count: Term) -> None:
        """Write how many derivatives rows took."""
        f, p = self.function, self.function.parameters
        with f.count(0, self.numbers.shape.width) as lane:
            row = f.arithmetic("add", first, lane)
            with f.when(f.compare("slt", row, p["last"])):
                f.store(count, f.at(p["evaluations"], "i64", row))

    # Checks

    def checked(self, state: Term) -> Term:
        """Return the status of rows by their states: finite, and not run away."""
        n = self.numbers
        speed = self._greatest_speed(state)
        away = n.compare("ogt", speed, n.spread(self.function.parameters["highest_speed"]))
        status = n.select(away, n.index(RAN_AWAY), n.index(OK))
        return n.select(self._finite(state), status, n.index(NOT_FINITE))

    def _finite(self, state: Term) -> Term:
        c, f = self.chunk, self.function
        kind = c.shape.number
        place = f.local(kind)
        f.store(c.constant(0.0), place)
        with self.every_chunk() as here:
            x = f.load(kind, here(state))
            # x - x is 0 for what is finite, NaN for what is not.
            f.store(c.add(f.load(kind, place), c.subtract(x, x)), place)
        sound = c.compare("oeq", f.load(kind, place), c.constant(0.0))
        if self.numbers.shape.width > 1:
            return sound
        return f.intrinsic(f"llvm.vector.reduce.and.v{CHUNK}i1", "i1", sound)

    def _greatest_speed(self, state: Term) -> Term:
        n, f = self.numbers, self.function
        kind = n.shape.number
        place = f.local(kind)
        f.store(n.constant(0.0), place)
        with f.count(*self.layout.speeds) as i:
            speed = n.absolute(f.load(kind, f.at(state, kind, i)))
            f.store(n.greater_or_nan(f.load(kind, place), speed), place)
        return f.load(kind, place)


def scalars(function: Function) -> Numbers:
    """Return arithmetic on ``double`` by itself."""
    return Numbers(function, DOUBLE)
