"""A workspace that brings rows of a batch into SIMD lanes and back, and checks them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from osimexp.physics.compiled.llvm.assembly import Function, Term
from osimexp.physics.compiled.llvm.lanes import Numbers, Shape

OK, NOT_FINITE, RAN_AWAY, OVERRUN, NOT_BRACKETED = range(5)
"""Status of a row; 0 if there was no problem."""

ROWS = {"next": "ptr noalias", "rows": "i64"}
"""Parameters of every function over rows: a counter of the rows taken so far, which threads share,
and the number of rows.
"""


@dataclass(frozen=True)
class Layout:
    """The order of numbers in the rows of a machine.

    Attributes:
        states: length of a row of states.
        controls: length of a row of controls, which are held constant through a control step.
        speeds: first slot of the state that is a speed, and the slot after the last speed.
        fibres: slots of the state that are solved for in an equilibrium, one for each residual.
    """

    states: int
    controls: int
    speeds: tuple[int, int]
    fibres: tuple[int, ...] = ()


class Workspace:
    """A writer of operations on as many rows as there are SIMD lanes, one row in each lane.

    An array of the workspace has one number, in all lanes, for every slot of the state.
    """

    def __init__(self, function: Function, shape: Shape, layout: Layout) -> None:
        self.function = function
        self.layout = layout
        self.numbers = Numbers(function, shape)

    def array(self, count: int | None = None) -> Term:
        """Return a pointer to a new array of ``count`` numbers, or as many as there are states."""
        count = self.layout.states if count is None else count
        return self.function.local(self.numbers.shape.number, max(count, 1))

    @contextmanager
    def groups(self) -> Iterator[Term]:
        """Run the instructions written inside for each group of rows that no thread has taken yet.

        A group has as many rows as there are lanes. Yields the number of its first row.
        """
        f, p = self.function, self.function.parameters
        with f.claim(p["next"], p["rows"], self.numbers.shape.width) as first:
            yield first

    # Over the states

    def get(self, array: Term, slot: Term | int) -> Term:
        """Return the number in a slot of an array."""
        kind = self.numbers.shape.number
        return self.function.load(kind, self.function.at(array, kind, slot))

    def put(self, array: Term, slot: Term | int, value: Term) -> None:
        """Set the number in a slot of an array."""
        self.function.store(value, self.function.at(array, self.numbers.shape.number, slot))

    def fill(self, target: Term, of: Callable[[Term], Term]) -> None:
        """Set every number of an array to the value of a function of its slot."""
        with self.function.count(0, self.layout.states) as slot:
            self.put(target, slot, of(slot))

    def combine(self, target: Term, parts: list[tuple[Term | None, Term]]) -> None:
        """Set an array to a weighted sum of arrays; a weight of None is 1."""

        def total(slot: Term) -> Term:
            n, result = self.numbers, None
            for factor, array in parts:
                part = self.get(array, slot)
                if factor is not None:
                    part = n.multiply(part, factor)
                result = part if result is None else n.add(result, part)
            assert result is not None
            return result

        self.fill(target, total)

    def greatest(self, count: Term | int, of: Callable[[Term], Term], start: int = 0) -> Term:
        """Return the greatest value of a function of the slots, at least 0; NaN if one is NaN."""
        n, place = self.numbers, self.array(1)
        self.put(place, 0, n.constant(0.0))
        with self.function.count(start, count) as slot:
            self.put(place, 0, n.greater_or_nan(self.get(place, 0), of(slot)))
        return self.get(place, 0)

    # Rows in and out

    def load(self, first: Term, source: str, columns: int, target: Term) -> None:
        """Read rows of a parameter into an array; lanes beyond the last row repeat the last row."""
        f, shape = self.function, self.numbers.shape
        final = f.arithmetic("sub", f.parameters["rows"], 1)
        with f.count(0, shape.width) as lane:
            row = f.arithmetic("add", first, lane)
            row = f.choose(f.compare("slt", row, final), row, final)
            start = self._row(source, row, columns)
            with f.count(0, columns) as column:
                value = f.load("double", f.at(start, "double", column))
                if shape.element == "float":
                    value = f.value("float", f"fptrunc {value} to float")
                f.store(value, self._element(target, column, lane))

    def store(
        self, first: Term, target: str, columns: int, source: Term, status: Term | None = None
    ) -> None:
        """Write an array to rows of a parameter; with a status, only the rows that are OK."""
        f, shape = self.function, self.numbers.shape
        kept = self._kept(status if status is not None else self.numbers.index(OK))
        with f.count(0, shape.width) as lane:
            row = f.arithmetic("add", first, lane)
            there = f.compare("slt", row, f.parameters["rows"])
            sound = f.compare("eq", f.load("i32", f.at(kept, "i32", lane)), OK)
            with f.when(self.numbers.whole("and", there, sound)):
                start = self._row(target, row, columns)
                with f.count(0, columns) as column:
                    value = f.load(shape.element, self._element(source, column, lane))
                    if shape.element == "float":
                        value = f.value("double", f"fpext {value} to double")
                    f.store(value, f.at(start, "double", column))

    def store_indices(self, first: Term, target: str, indices: Term) -> None:
        """Write an ``i32`` of each lane to a parameter that has one ``i32`` for each row."""
        f = self.function
        kept = self._kept(indices)
        with f.count(0, self.numbers.shape.width) as lane:
            row = f.arithmetic("add", first, lane)
            with f.when(f.compare("slt", row, f.parameters["rows"])):
                value = f.load("i32", f.at(kept, "i32", lane))
                f.store(value, f.at(f.parameters[target], "i32", row))

    def _kept(self, indices: Term) -> Term:
        place = self.function.local(self.numbers.shape.of("i32"))
        self.function.store(indices, place)
        return place

    def _row(self, parameter: str, row: Term, columns: int) -> Term:
        f = self.function
        return f.at(f.parameters[parameter], "double", f.arithmetic("mul", row, columns))

    def _element(self, array: Term, column: Term, lane: Term) -> Term:
        f, shape = self.function, self.numbers.shape
        place = f.arithmetic("add", f.arithmetic("mul", column, shape.width), lane)
        return f.at(array, shape.element, place)

    # Checks

    def checked(self, state: Term) -> Term:
        """Return the status of rows by their states: OK, not finite, or too fast."""
        n, p = self.numbers, self.function.parameters
        first, last = self.layout.speeds
        speed = self.greatest(last, lambda slot: n.absolute(self.get(state, slot)), first)
        away = n.compare("ogt", speed, n.spread(p["highest_speed"]))
        status = n.select(away, n.index(RAN_AWAY), n.index(OK))

        def nothing(slot: Term) -> Term:
            # x - x is 0 if x is finite, else NaN.
            x = self.get(state, slot)
            return n.subtract(x, x)

        finite = n.compare("oeq", self.greatest(self.layout.states, nothing), n.constant(0.0))
        return n.select(finite, status, n.index(NOT_FINITE))
