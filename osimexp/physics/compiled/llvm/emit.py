"""Emission of traced programs as LLVM functions."""

from collections.abc import Callable
from dataclasses import dataclass, field

from osimexp.physics.compiled.ir.program import Program
from osimexp.physics.compiled.ir.trace import Operation, Reference
from osimexp.physics.compiled.llvm import mathematics
from osimexp.physics.compiled.llvm.assembly import Function, Module, Term
from osimexp.physics.compiled.llvm.lanes import Numbers, Shape
from osimexp.physics.compiled.llvm.tables import Tables

PROGRAM = {
    "state": "ptr noalias readonly",
    "controls": "ptr noalias readonly",
    "out": "ptr noalias writeonly",
}
"""Parameters of an emitted program: arrays of numbers of its shape."""


def emit(
    module: Module, name: str, program: Program, states: int, shape: Shape, flags: str = "contract"
) -> None:
    """Add a program to a module, as a function with the parameters of ``PROGRAM``.

    Args:
        module: module that the function is added to.
        name: name of the function.
        program: program to emit.
        states: number of inputs that are read from ``state``; the others are read from
            ``controls``.
        shape: precision and SIMD lanes of the numbers.
        flags: LLVM's fast-math flags for sums and products.
    """
    function = Function(module, name, PROGRAM, internal=True)
    numbers = Numbers(function, shape, flags)
    tables = Tables(numbers, program.operations)
    body = _Body(function, numbers, Numbers(function, shape), tables, states)
    for operation in program.operations:
        body.found.append(body.work_out(operation))
    for slot, result in enumerate(program.results):
        value = body.number(result)
        place = function.at(function.parameters["out"], shape.number, slot)
        function.store(value, place, shape.size)
    function.close()


@dataclass
class _Body:
    """A program that is being written.

    Attributes:
        plain: arithmetic without fast-math flags, for functions in which the order of operations
            matters.
        found: results of the operations so far.
    """

    function: Function
    numbers: Numbers
    plain: Numbers
    tables: Tables
    states: int
    found: list[Term] = field(default_factory=list)
    _circular: dict[str, tuple[Term, Term]] = field(default_factory=dict)

    def number(self, operand: Reference | float | int | bool) -> Term:
        """Return the term of an operand that is a number."""
        return self._known(operand, lambda v: self.numbers.constant(float(v)))

    def index(self, operand: Reference | float | int | bool) -> Term:
        """Return the term of an operand that is an index."""
        return self._known(operand, lambda v: self.numbers.index(int(v)))

    def condition(self, operand: Reference | float | int | bool) -> Term:
        """Return the term of an operand that is a condition."""
        return self._known(operand, lambda v: self.numbers.condition(bool(v)))

    def _known(
        self,
        operand: Reference | float | int | bool,
        constant: Callable[[float | int | bool], Term],
    ) -> Term:
        if isinstance(operand, Reference):
            return self.found[operand.number]
        return constant(operand)

    def work_out(self, operation: Operation) -> Term:
        """Write an operation, and return its result."""
        n, kind, o = self.numbers, operation.kind, operation.operands
        match kind:
            case "input":
                return self._input(int(operation.data[0]))
            case "add" | "sub" | "mul" | "div":
                return _BINARY[kind](n, self.number(o[0]), self.number(o[1]))
            case "neg" | "sqrt" | "abs":
                return _UNARY[kind](n, self.number(o[0]))
            case "exp":
                return mathematics.exp(self.plain, self.number(o[0]))
            case "log":
                return mathematics.log(self.plain, self.number(o[0]))
            case "sin" | "cos":
                return self._sine_and_cosine(self.number(o[0]))[kind == "cos"]
            case "atan2":
                return mathematics.atan2(self.plain, self.number(o[0]), self.number(o[1]))
            case "select":
                return n.select(self.condition(o[0]), self.number(o[1]), self.number(o[2]))
            case "less":
                return n.compare("olt", self.number(o[0]), self.number(o[1]))
            case "and" | "or":
                return n.whole(kind, self.condition(o[0]), self.condition(o[1]))
            case "not":
                return n.whole("xor", self.condition(o[0]), n.condition(True))
            case "locate":
                return self._locate(self.number(o[0]), operation.data)
            case "refine":
                return self._refine(self.index(o[0]), self.number(o[1]), int(operation.data[0]))
            case "lookup":
                return self.tables.entry(operation, self.index(o[0]))
        raise AssertionError(kind)

    def _input(self, slot: int) -> Term:
        array, place = ("state", slot) if slot < self.states else ("controls", slot - self.states)
        shape = self.numbers.shape
        pointer = self.function.at(self.function.parameters[array], shape.number, place)
        return self.function.load(shape.number, pointer, shape.size)

    def _sine_and_cosine(self, x: Term) -> tuple[Term, Term]:
        if x.text not in self._circular:
            self._circular[x.text] = mathematics.sine_and_cosine(self.plain, x)
        return self._circular[x.text]

    # Tables

    def _locate(self, x: Term, breaks: tuple[float, ...]) -> Term:
        """Return the number of breaks that are <= x."""
        n, count = self.numbers, self.numbers.index(0)
        for b in breaks:
            below = n.compare("ole", n.constant(b), x)
            count = n.whole("add", count, n.convert("zext", below, "i32"))
        return count

    def _refine(self, index: Term, position: Term, parts: int) -> Term:
        n = self.numbers
        low, high = n.constant(0.0), n.constant(parts - 1.0)
        position = n.select(n.compare("ogt", position, low), position, low)
        position = n.select(n.compare("olt", position, high), position, high)
        part = n.convert("fptosi", position, "i32")
        return n.whole("add", n.whole("mul", index, n.index(parts)), part)


_BINARY = {
    "add": Numbers.add,
    "sub": Numbers.subtract,
    "mul": Numbers.multiply,
    "div": Numbers.divide,
}
_UNARY = {"neg": Numbers.negate, "sqrt": Numbers.sqrt, "abs": Numbers.absolute}
