"""Scalars that record the operations that made them, so that the record can be compiled.

The equations of a model are run once with these scalars in place of numbers. An operation on plain
``float`` operands is worked out at once and is not recorded. A scalar that depends on the state is
a ``Value``, and operations on it are recorded. The same operation on the same operands is recorded
once, so a record has no common subexpressions. Operations that no result needs are dropped when a
record is compiled.

Vectors and matrices of scalars are NumPy arrays of ``dtype=object``.
"""

import math
from dataclasses import dataclass, field
from typing import Any, TypeAlias, Union

import numpy as np
from numpy.typing import NDArray

Scalar: TypeAlias = Union[float, "Value"]
Condition: TypeAlias = Union[bool, "Value"]
Index: TypeAlias = Union[int, "Value"]
Array = NDArray[np.object_]
"""An array of scalars; sums and products of arrays are recorded like those of scalars."""

Operand: TypeAlias = Union[float, int, bool, "Value"]


@dataclass(frozen=True)
class Operation:
    """One recorded operation.

    Attributes:
        kind: name of the operation, one of those listed at ``Trace``.
        operands: references to earlier operations, or constants.
        data: numbers that are part of the operation: the slot of an input, breaks, or a table.
    """

    kind: str
    operands: tuple[Union["Reference", float, int, bool], ...]
    data: tuple[float, ...] = ()


@dataclass(frozen=True)
class Reference:
    """The result of the operation with a given number, used as an operand of another operation."""

    number: int


@dataclass
class Trace:
    """A record of operations; each operation uses results of earlier ones only.

    Kinds that yield a number: ``input`` (``data[0]`` is its slot), ``add sub mul div neg sqrt exp
    log sin cos atan2 abs``, ``select`` (condition, value if true, value if false) and ``lookup``
    (index; ``data`` is the table). Kinds that yield a condition: ``less`` (a < b), ``and or not``.
    Kinds that yield an index: ``locate`` (x; the number of sorted breaks ``data`` that are <= x)
    and ``refine`` (index i and number t; ``i n + floor(t)`` with t held in [0, n - 1], ``n`` is
    ``data[0]``). Comparisons with NaN are false, so indices stay inside their tables.
    """

    operations: list[Operation] = field(default_factory=list)
    _known: dict[Operation, int] = field(default_factory=dict)

    def input(self, slot: int) -> "Value":
        """Return the value in a slot of the input array."""
        return self.record("input", (), (slot,))

    def inputs(self, first: int, count: int) -> list["Value"]:
        """Return the values in ``count`` slots of the input array, from slot ``first`` on."""
        return [self.input(first + i) for i in range(count)]

    def record(
        self, kind: str, operands: tuple[Operand, ...], data: tuple[float, ...] = ()
    ) -> "Value":
        """Return the result of an operation, and record the operation if it is new."""
        operation = Operation(
            kind,
            tuple(Reference(o.number) if isinstance(o, Value) else o for o in operands),
            data,
        )
        number = self._known.get(operation)
        if number is None:
            number = len(self.operations)
            self.operations.append(operation)
            self._known[operation] = number
        return Value(self, number)


class Value:
    """The result of a recorded operation."""

    __slots__ = ("number", "trace")

    def __init__(self, trace: Trace, number: int) -> None:
        self.trace = trace
        self.number = number

    def __add__(self, other: Any) -> Any:
        return NotImplemented if isinstance(other, np.ndarray) else _add(self, other)

    def __radd__(self, other: Any) -> Any:
        return NotImplemented if isinstance(other, np.ndarray) else _add(self, other)

    def __sub__(self, other: Any) -> Any:
        return NotImplemented if isinstance(other, np.ndarray) else _subtract(self, other)

    def __rsub__(self, other: Any) -> Any:
        return NotImplemented if isinstance(other, np.ndarray) else _subtract(other, self)

    def __mul__(self, other: Any) -> Any:
        return NotImplemented if isinstance(other, np.ndarray) else _multiply(self, other)

    def __rmul__(self, other: Any) -> Any:
        return NotImplemented if isinstance(other, np.ndarray) else _multiply(self, other)

    def __truediv__(self, other: Any) -> Any:
        return NotImplemented if isinstance(other, np.ndarray) else _divide(self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return NotImplemented if isinstance(other, np.ndarray) else _divide(other, self)

    def __neg__(self) -> Scalar:
        return _negate(self)

    def __pow__(self, exponent: int) -> Scalar:
        return power(self, exponent)

    def __bool__(self) -> bool:
        raise TypeError("A recorded value has no truth yet; use select().")

    @property
    def operation(self) -> Operation:
        """The recorded operation that made this value."""
        return self.trace.operations[self.number]


# Arithmetic. Every rule below holds exactly, or to one rounding, for finite numbers.


def _same(a: Scalar, b: Scalar) -> bool:
    """Return whether two scalars are the same constant or the same recorded value."""
    return isinstance(a, Value) and isinstance(b, Value) and a.number == b.number


def _negated(a: Scalar) -> Scalar | None:
    """Return x if ``a`` is -x, else None."""
    if isinstance(a, Value) and a.operation.kind == "neg":
        (operand,) = a.operation.operands
        assert isinstance(operand, Reference)
        return Value(a.trace, operand.number)
    return None


def _scaled(a: Value) -> tuple[float, Value]:
    """Return (c, x) if ``a`` is c x with a constant c, else (1, a)."""
    if a.operation.kind == "mul":
        first, second = a.operation.operands
        if isinstance(second, float) and isinstance(first, Reference):
            return second, Value(a.trace, first.number)
    return 1.0, a


def _ordered(a: Value, b: Scalar) -> tuple[Scalar, Scalar]:
    """Return commuting operands in one fixed order, with constants last."""
    return (b, a) if isinstance(b, Value) and b.number < a.number else (a, b)


def _add(a: Value, b: Scalar) -> Scalar:
    if not isinstance(b, Value):
        b = float(b)
        return a if b == 0.0 else a.trace.record("add", (a, b))
    if (minus := _negated(b)) is not None:
        return _subtract(a, minus)
    if (minus := _negated(a)) is not None:
        return _subtract(b, minus)
    return a.trace.record("add", _ordered(a, b))


def _subtract(a: Scalar, b: Scalar) -> Scalar:
    if _same(a, b):
        return 0.0
    if not isinstance(b, Value):
        assert isinstance(a, Value)
        return _add(a, -float(b))
    if (minus := _negated(b)) is not None:
        return a + minus
    if not isinstance(a, Value):
        a = float(a)
        return _negate(b) if a == 0.0 else b.trace.record("sub", (a, b))
    if (minus := _negated(a)) is not None:
        return -(minus + b)
    return a.trace.record("sub", (a, b))


def _negate(a: Value) -> Scalar:
    if (minus := _negated(a)) is not None:
        return minus
    if a.operation.kind == "sub":
        first, second = (
            Value(a.trace, o.number) if isinstance(o, Reference) else float(o)
            for o in a.operation.operands
        )
        return second - first
    return a.trace.record("neg", (a,))


def _multiply(a: Value, b: Scalar) -> Scalar:
    if not isinstance(b, Value):
        b = float(b)
        if b == 0.0:
            return 0.0
        if b == 1.0:
            return a
        if b == -1.0:
            return _negate(a)
        if (minus := _negated(a)) is not None:
            return minus * -b
        scale, rest = _scaled(a)
        return (
            a.trace.record("mul", (rest, scale * b))
            if rest is not a
            else a.trace.record("mul", (a, b))
        )
    if (minus := _negated(a)) is not None:
        return -(minus * b)
    if (minus := _negated(b)) is not None:
        return -(a * minus)
    return a.trace.record("mul", _ordered(a, b))


def _divide(a: Scalar, b: Scalar) -> Scalar:
    if not isinstance(b, Value):
        return a * (1.0 / float(b))
    if _same(a, b):
        return 1.0
    if not isinstance(a, Value):
        a = float(a)
        return 0.0 if a == 0.0 else b.trace.record("div", (a, b))
    return a.trace.record("div", (a, b))


# Functions of scalars


def sqrt(x: Scalar) -> Scalar:
    """Return the square root of a scalar; NaN below 0."""
    return x.trace.record("sqrt", (x,)) if isinstance(x, Value) else math.sqrt(x)


def exp(x: Scalar) -> Scalar:
    """Return e to the power x; infinite above 709 in double precision."""
    return x.trace.record("exp", (x,)) if isinstance(x, Value) else math.exp(x)


def log(x: Scalar) -> Scalar:
    """Return the natural logarithm of a number above 0."""
    return x.trace.record("log", (x,)) if isinstance(x, Value) else math.log(x)


def sin(x: Scalar) -> Scalar:
    """Return the sine of an angle in rad."""
    return x.trace.record("sin", (x,)) if isinstance(x, Value) else math.sin(x)


def cos(x: Scalar) -> Scalar:
    """Return the cosine of an angle in rad."""
    return x.trace.record("cos", (x,)) if isinstance(x, Value) else math.cos(x)


def atan2(y: Scalar, x: Scalar) -> Scalar:
    """Return the angle (rad) of the point (x, y), in [-pi, pi]."""
    trace = _trace_of(x, y)
    return math.atan2(float(y), float(x)) if trace is None else trace.record("atan2", (y, x))  # type: ignore[arg-type]


def tanh(x: Scalar) -> Scalar:
    """Return the hyperbolic tangent, worked out from exp(-2 |x|), which cannot overflow."""
    if not isinstance(x, Value):
        return math.tanh(x)
    decay = exp(-2.0 * absolute(x))
    size = (1.0 - decay) / (1.0 + decay)
    return select(less(x, 0.0), -size, size)


def absolute(x: Scalar) -> Scalar:
    """Return |x|."""
    return x.trace.record("abs", (x,)) if isinstance(x, Value) else abs(x)


def power(x: Scalar, exponent: float) -> Scalar:
    """Return x to a constant power.

    Whole and half powers are products and square roots; other powers need x > 0.
    """
    if not isinstance(x, Value):
        return float(x**exponent)
    if exponent < 0.0:
        return 1.0 / power(x, -exponent)
    if exponent == int(exponent):
        return _whole_power(x, int(exponent))
    if exponent - 0.5 == int(exponent):
        return _whole_power(x, int(exponent)) * sqrt(x)
    return exp(exponent * log(x))


def _whole_power(x: Scalar, exponent: int) -> Scalar:
    if exponent == 0:
        return 1.0
    half = _whole_power(x, exponent // 2)
    return half * half * x if exponent % 2 else half * half


# Conditions


def less(a: Scalar, b: Scalar) -> Condition:
    """Return the condition a < b; false for NaN."""
    trace = _trace_of(a, b)
    return bool(a < b) if trace is None else trace.record("less", (a, b))  # type: ignore[operator]


def both(a: Condition, b: Condition) -> Condition:
    """Return the condition that ``a`` and ``b`` both hold."""
    if not isinstance(a, Value):
        return b if a else False
    if not isinstance(b, Value):
        return a if b else False
    return a.trace.record("and", (a, b))


def either(a: Condition, b: Condition) -> Condition:
    """Return the condition that ``a`` or ``b`` holds, or both."""
    if not isinstance(a, Value):
        return True if a else b
    if not isinstance(b, Value):
        return True if b else a
    return a.trace.record("or", (a, b))


def negation(a: Condition) -> Condition:
    """Return the condition that ``a`` does not hold."""
    return a.trace.record("not", (a,)) if isinstance(a, Value) else not a


def select(condition: Condition, yes: Scalar, no: Scalar) -> Scalar:
    """Return ``yes`` if the condition holds, else ``no``; both are worked out."""
    if not isinstance(condition, Value):
        return yes if condition else no
    if _same(yes, no) or (not isinstance(yes, Value) and not isinstance(no, Value) and yes == no):
        return yes
    return condition.trace.record("select", (condition, yes, no))


def minimum(a: Scalar, b: Scalar) -> Scalar:
    """Return the smaller of two scalars; ``b`` if one is NaN."""
    return select(less(a, b), a, b)


def maximum(a: Scalar, b: Scalar) -> Scalar:
    """Return the larger of two scalars; ``b`` if one is NaN."""
    return select(less(b, a), a, b)


# Tables


def locate(x: Scalar, breaks: tuple[float, ...]) -> Index:
    """Return the number of sorted ``breaks`` that are <= x, from 0 to ``len(breaks)``."""
    if not isinstance(x, Value):
        return sum(b <= x for b in breaks)
    return x.trace.record("locate", (x,), breaks)


def refine(index: Index, position: Scalar, parts: int) -> Index:
    """Return ``index * parts + floor(position)`` with ``position`` held in [0, parts - 1]."""
    if parts == 1:
        return index
    trace = _trace_of(index, position)
    if trace is None:
        return int(index) * parts + int(min(max(float(position), 0.0), parts - 1.0))  # type: ignore[arg-type]
    return trace.record("refine", (index, position), (parts,))


def lookup(index: Index, table: tuple[float, ...]) -> Scalar:
    """Return the entry of a table at an index, which must be inside the table."""
    if not isinstance(index, Value):
        return table[index]
    if all(entry == table[0] for entry in table):
        return table[0]
    return index.trace.record("lookup", (index,), table)


def _trace_of(*operands: Operand) -> Trace | None:
    return next((o.trace for o in operands if isinstance(o, Value)), None)
