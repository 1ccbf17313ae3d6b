"""Tables of compiled programs, looked up at another index in each SIMD lane."""

from dataclasses import dataclass, field

from osimexp.physics.compiled.ir.trace import Operation, Reference
from osimexp.physics.compiled.llvm.assembly import Term, number_text
from osimexp.physics.compiled.llvm.lanes import Numbers, Shape

Columns = tuple[float, ...]

_FEW = 2
"""Greatest length of a table that is read by a chain of selections."""

_REGISTERS = 64
"""Greatest length of a table that is held in registers, if the processor has the instructions."""

_PERMUTED = {
    16: ("llvm.x86.avx512.permvar.sf.512", "llvm.x86.avx512.vpermi2var.ps.512"),
    8: ("llvm.x86.avx2.permps", ""),
}
"""By the number of lanes, the instructions that pick entries from one register and from two, by the
low bits of an index in each lane.
"""


@dataclass
class _Group:
    """Tables that are read at one index, side by side in memory: a row has an entry of each.

    Attributes:
        tables: tables in the order of their first use.
        rows: pointer to the row at the index, for each lane.
        fours: entries of four neighbouring tables, by the number of the four.
    """

    tables: list[Columns] = field(default_factory=list)
    rows: list[Term] = field(default_factory=list)
    fours: dict[int, list[Term]] = field(default_factory=dict)


class Tables:
    """The tables of a program.

    A small table is read by selections or held in registers. Larger tables are interleaved, so that
    one load reads entries of four tables, and an index reads few lines of the cache.
    """

    def __init__(self, numbers: Numbers, operations: tuple[Operation, ...]) -> None:
        self.numbers = numbers
        self._groups: dict[tuple[int, int], _Group] = {}
        for operation in operations:
            if operation.kind == "lookup" and not self._held(operation.data):
                tables = self._groups.setdefault(_key(operation), _Group()).tables
                if operation.data not in tables:
                    tables.append(operation.data)

    def _held(self, table: Columns) -> bool:
        shape = self.numbers.shape
        return len(table) <= _FEW or (
            shape.element == "float" and shape.width in _PERMUTED and len(table) <= _REGISTERS
        )

    def entry(self, operation: Operation, index: Term) -> Term:
        """Return the entry that a ``lookup`` operation reads at an index."""
        table = operation.data
        if len(table) <= _FEW:
            return self._choose(index, table)
        if self._held(table):
            return self._permute(index, table)
        group = self._groups[_key(operation)]
        return self._load(group, group.tables.index(table), index)

    def _choose(self, index: Term, table: Columns) -> Term:
        n = self.numbers
        result = n.constant(table[-1])
        for place in range(len(table) - 2, -1, -1):
            here = n.compare_integers("ule", index, n.index(place))
            result = n.select(here, n.constant(table[place]), result)
        return result

    def _permute(self, index: Term, table: Columns) -> Term:
        """Return entries of a table that is held in registers."""
        n, f, shape = self.numbers, self.numbers.function, self.numbers.shape
        one, two = _PERMUTED[shape.width]
        rows = [
            vector(shape, table[start : start + shape.width], 0.0)
            for start in range(0, len(table), shape.width)
        ]
        span = 2 if two else 1
        pieces = [
            f.intrinsic(two, shape.number, rows[i], index, rows[i + 1])
            if two and i + 1 < len(rows)
            else f.intrinsic(one, shape.number, rows[i], index)
            for i in range(0, len(rows), span)
        ]
        result = pieces[-1]
        for i in range(len(pieces) - 2, -1, -1):
            here = n.compare_integers("ult", index, n.index(shape.width * span * (i + 1)))
            result = n.select(here, pieces[i], result)
        return result

    # Tables in memory

    def _load(self, group: _Group, column: int, index: Term) -> Term:
        f, shape = self.numbers.function, self.numbers.shape
        if not group.rows:
            group.rows = self._rows(group, index)
        if shape.width % 4 == 0:
            four = column // 4
            if four not in group.fours:
                group.fours[four] = self._four(group.rows, 4 * four)
            return group.fours[four][column % 4]
        entries = [f.load(shape.element, f.at(row, shape.element, column)) for row in group.rows]
        return self._gathered(entries)

    def _rows(self, group: _Group, index: Term) -> list[Term]:
        f, shape = self.numbers.function, self.numbers.shape
        tables, width = group.tables, len(group.tables)
        if shape.width % 4 == 0:
            width = -(-width // 4) * 4
        empty = (0.0,) * (width - len(tables))
        values = tuple(v for row in zip(*tables, strict=True) for v in (*row, *empty))
        array = f.module.array(shape.element, values)
        rows = []
        for lane in range(shape.width):
            place = f.value("i32", f"extractelement {index}, i64 {lane}")
            place = f.value("i64", f"zext {place} to i64")
            rows.append(f.at(array, f"[{width} x {shape.element}]", place))
        return rows

    def _gathered(self, entries: list[Term]) -> Term:
        f, kind = self.numbers.function, self.numbers.shape.number
        result = Term(kind, "poison")
        for lane, entry in enumerate(entries):
            result = f.value(kind, f"insertelement {result}, {entry}, i64 {lane}")
        return result

    def _four(self, rows: list[Term], column: int) -> list[Term]:
        """Return four neighbouring columns, by one load for each lane and a transposition."""
        f, width, element = (
            self.numbers.function,
            self.numbers.shape.width,
            self.numbers.shape.element,
        )
        size = self.numbers.shape.size // width * 4
        loaded = [f.load(f"<4 x {element}>", f.at(row, element, column), size) for row in rows]
        # One vector has the rows of lanes 0, 4, ..., the next those of lanes 1, 5, ...
        a, b, c, d = (self._joined(loaded[first::4]) for first in range(4))
        quarters = range(0, width, 4)

        def mixed(x: Term, y: Term, places: tuple[int, int, int, int]) -> Term:
            # In each quarter of the lanes, places 0 to 3 are entries of x, and 4 to 7 of y.
            mask = [q + (p if p < 4 else width + p - 4) for q in quarters for p in places]
            return self._shuffled(x, y, mask)

        low, high = (0, 4, 1, 5), (2, 6, 3, 7)
        first, second = (0, 1, 4, 5), (2, 3, 6, 7)
        halves = [(mixed(a, b, part), mixed(c, d, part)) for part in (low, high)]
        return [mixed(x, y, part) for x, y in halves for part in (first, second)]

    def _joined(self, parts: list[Term]) -> Term:
        """Return vectors of four entries, joined to one."""
        size = 4
        while len(parts) > 1:
            size *= 2
            every = list(range(size))
            pairs = zip(parts[::2], parts[1::2], strict=True)
            parts = [self._shuffled(x, y, every) for x, y in pairs]
        return parts[0]

    def _shuffled(self, x: Term, y: Term, mask: list[int]) -> Term:
        places = ", ".join(f"i32 {place}" for place in mask)
        kind = f"<{len(mask)} x {self.numbers.shape.element}>"
        return self.numbers.function.value(
            kind, f"shufflevector {x}, {y}, <{len(mask)} x i32> <{places}>"
        )


def _key(operation: Operation) -> tuple[int, int]:
    """Return the index and the length of a table; tables with the same key lie side by side."""
    (index,) = operation.operands
    assert isinstance(index, Reference)
    return index.number, len(operation.data)


def vector(shape: Shape, values: tuple[float, ...], padding: float) -> Term:
    """Return a constant vector of numbers, with ``padding`` in the remaining lanes."""
    row = values + (padding,) * (shape.width - len(values))
    items = ", ".join(f"{shape.element} {number_text(shape.element, v)}" for v in row)
    return Term(shape.number, f"<{items}>")
