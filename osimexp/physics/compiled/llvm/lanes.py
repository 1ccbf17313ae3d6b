"""Arithmetic on numbers that are SIMD vectors: one operation for all lanes."""

from dataclasses import dataclass

from osimexp.physics.compiled.llvm.assembly import Function, Term, number_text


@dataclass(frozen=True)
class Shape:
    """The precision and the number of SIMD lanes of a number in compiled code.

    Attributes:
        element: ``double`` or ``float``.
        width: number of lanes.
    """

    element: str
    width: int

    def of(self, element: str) -> str:
        """Return the LLVM type of as many lanes of another element."""
        return f"<{self.width} x {element}>"

    @property
    def number(self) -> str:
        """LLVM type of a number of this shape."""
        return self.of(self.element)

    @property
    def integer(self) -> str:
        """LLVM type of an integer with as many bits as an element."""
        return "i64" if self.element == "double" else "i32"

    @property
    def size(self) -> int:
        """Size of an element, in bytes."""
        return self.width * (8 if self.element == "double" else 4)

    @property
    def mantissa(self) -> int:
        """Number of bits in the fraction of an element."""
        return 52 if self.element == "double" else 23

    def intrinsic(self, name: str) -> str:
        """Return the name of an LLVM intrinsic for numbers of this shape."""
        bits = "f64" if self.element == "double" else "f32"
        return f"llvm.{name}.v{self.width}{bits}"


class Numbers:
    """A writer of operations on numbers of one shape into a function.

    A product and a sum may be contracted to one rounding; no other operations are rearranged.
    """

    def __init__(self, function: Function, shape: Shape, flags: str = "contract") -> None:
        self.function = function
        self.shape = shape
        self.flags = flags

    def constant(self, value: float) -> Term:
        """Return a constant number, the same in all lanes."""
        return self._splat(self.shape.element, value)

    def integer(self, value: int) -> Term:
        """Return a constant integer of the size of a number, the same in all lanes."""
        return self._splat(self.shape.integer, value)

    def index(self, value: int) -> Term:
        """Return a constant index, the same in all lanes."""
        return self._splat("i32", value)

    def condition(self, value: bool) -> Term:
        """Return a constant condition, the same in all lanes."""
        return self._splat("i1", value)

    def _splat(self, element: str, value: float | int | bool) -> Term:
        return Term(self.shape.of(element), f"splat ({element} {number_text(element, value)})")

    def spread(self, value: Term) -> Term:
        """Write one ``double`` into all lanes, rounded to the element, and return the number."""
        write = self.function.value
        if self.shape.element == "float":
            value = write("float", f"fptrunc {value} to float")
        return self._everywhere(value, self.shape.number)

    def spread_index(self, value: Term) -> Term:
        """Write one ``i64`` into all lanes, and return the index."""
        value = self.function.value("i32", f"trunc {value} to i32")
        return self._everywhere(value, self.shape.of("i32"))

    def _everywhere(self, value: Term, kind: str) -> Term:
        write = self.function.value
        first = write(kind, f"insertelement {kind} poison, {value}, i64 0")
        mask = f"<{self.shape.width} x i32> zeroinitializer"
        return write(kind, f"shufflevector {first}, {kind} poison, {mask}")

    # Arithmetic

    def _two(self, operation: str, a: Term, b: Term) -> Term:
        return self.function.value(a.type, f"{operation} {self.flags} {a}, {b.text}")

    def add(self, a: Term, b: Term) -> Term:
        """Return a + b."""
        return self._two("fadd", a, b)

    def subtract(self, a: Term, b: Term) -> Term:
        """Return a - b."""
        return self._two("fsub", a, b)

    def multiply(self, a: Term, b: Term) -> Term:
        """Return a b."""
        return self._two("fmul", a, b)

    def divide(self, a: Term, b: Term) -> Term:
        """Return a / b."""
        return self._two("fdiv", a, b)

    def negate(self, a: Term) -> Term:
        """Return -a."""
        return self.function.value(a.type, f"fneg {a}")

    def sqrt(self, a: Term) -> Term:
        """Return the correctly rounded square root."""
        return self.function.intrinsic(self.shape.intrinsic("sqrt"), a.type, a)

    def absolute(self, a: Term) -> Term:
        """Return |a|."""
        return self.function.intrinsic(self.shape.intrinsic("fabs"), a.type, a)

    def greater_or_nan(self, a: Term, b: Term) -> Term:
        """Return the larger of two numbers; NaN if one is NaN."""
        return self.function.intrinsic(self.shape.intrinsic("maximum"), a.type, a, b)

    def polynomial(self, x: Term, coefficients: tuple[float, ...]) -> Term:
        """Return sum c[k] x^k, by Horner's rule."""
        result = self.constant(coefficients[-1])
        for c in reversed(coefficients[:-1]):
            result = self.add(self.multiply(result, x), self.constant(c))
        return result

    # Conditions and integers

    def compare(self, predicate: str, a: Term, b: Term) -> Term:
        """Return the comparison of two numbers by LLVM's predicate, such as ``olt`` for less."""
        return self.function.value(self.shape.of("i1"), f"fcmp {predicate} {a}, {b.text}")

    def compare_integers(self, predicate: str, a: Term, b: Term) -> Term:
        """Return the comparison of two integers by LLVM's predicate, such as ``slt``."""
        return self.function.value(self.shape.of("i1"), f"icmp {predicate} {a}, {b.text}")

    def select(self, condition: Term, yes: Term, no: Term) -> Term:
        """Return ``yes`` in lanes where the condition holds, else ``no``."""
        return self.function.value(yes.type, f"select {condition}, {yes}, {no}")

    def whole(self, operation: str, a: Term, b: Term) -> Term:
        """Return the result of an instruction on two integers or two conditions."""
        return self.function.value(a.type, f"{operation} {a}, {b.text}")

    def negation(self, a: Term) -> Term:
        """Return the negation of a condition."""
        return self.whole("xor", a, self.condition(True))

    def any(self, a: Term) -> Term:
        """Return one ``i1``: whether a condition holds in any lane."""
        return self.function.intrinsic(f"llvm.vector.reduce.or.v{self.shape.width}i1", "i1", a)

    def bits(self, a: Term) -> Term:
        """Return the bits of a number, as an integer."""
        kind = self.shape.of(self.shape.integer)
        return self.function.value(kind, f"bitcast {a} to {kind}")

    def from_bits(self, a: Term) -> Term:
        """Return the number that has the given bits."""
        return self.function.value(self.shape.number, f"bitcast {a} to {self.shape.number}")

    def convert(self, operation: str, a: Term, element: str) -> Term:
        """Return a number converted by an instruction: ``fptosi``, ``sitofp`` or ``zext``."""
        kind = self.shape.of(element)
        return self.function.value(kind, f"{operation} {a} to {kind}")
