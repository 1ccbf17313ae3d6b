"""A writer of functions in LLVM's assembly language, one instruction at a time."""

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Term:
    """A constant, or the result of an instruction.

    Attributes:
        type: type as LLVM writes it: ``double``, ``<16 x float>``, ``ptr``.
        text: name of the result, or the constant.
    """

    type: str
    text: str

    def __str__(self) -> str:
        return f"{self.type} {self.text}"


@dataclass
class Module:
    """A module in LLVM's assembly language: functions, constant arrays and declared intrinsics.

    Attributes:
        vector_bits: width of the widest vector registers that LLVM may use.
    """

    vector_bits: int
    functions: list[str] = field(default_factory=list)
    _arrays: dict[str, str] = field(default_factory=dict)
    _declared: dict[str, str] = field(default_factory=dict)

    def array(self, element: str, values: tuple[float, ...]) -> Term:
        """Return a pointer to a constant array of numbers; equal arrays are stored once."""
        items = ", ".join(f"{element} {number_text(element, v)}" for v in values)
        content = f"[{len(values)} x {element}] [{items}]"
        name = self._arrays.setdefault(content, f"@table.{len(self._arrays)}")
        return Term("ptr", name)

    def declare(self, name: str, result: str, parameters: list[str]) -> None:
        """Declare an intrinsic of LLVM, so that functions of the module can call it."""
        self._declared[name] = f"declare {result} @{name}({', '.join(parameters)})"

    def text(self) -> str:
        """Return the module in LLVM's assembly language."""
        arrays = (
            f"{name} = private unnamed_addr constant {content}, align 64"
            for content, name in self._arrays.items()
        )
        attributes = (
            f'attributes #0 = {{ nounwind "prefer-vector-width"="{self.vector_bits}" '
            f'"min-legal-vector-width"="{self.vector_bits}" }}'
        )
        return "\n".join([*arrays, *self._declared.values(), *self.functions, attributes, ""])


class Function:
    """A writer of one function, which ``close`` adds to its module.

    Variables are on the stack; LLVM moves them to registers.
    """

    def __init__(
        self, module: Module, name: str, parameters: dict[str, str], internal: bool = False
    ) -> None:
        self.module = module
        self.parameters = {n: Term(t.split()[0], f"%{n}") for n, t in parameters.items()}
        declared = ", ".join(f"{t} %{n}" for n, t in parameters.items())
        linkage = "internal " if internal else ""
        self._head = f"define {linkage}void @{name}({declared}) #0 {{"
        self._stack: list[str] = []
        self._lines: list[str] = []
        self._count = 0

    def close(self) -> None:
        """Write the return and add the function to its module."""
        self.do("ret void")
        lines = [self._head, "entry:", *self._stack, "br label %body", "body:", *self._lines, "}"]
        self.module.functions.append("\n".join(lines))

    # Instructions

    def do(self, text: str) -> None:
        """Write an instruction that has no result."""
        self._lines.append(text)

    def value(self, kind: str, text: str) -> Term:
        """Write an instruction and return its result."""
        self._count += 1
        name = f"%v{self._count}"
        self._lines.append(f"{name} = {text}")
        return Term(kind, name)

    def intrinsic(self, name: str, result: str, *operands: Term, flags: str = "") -> Term:
        """Write a call of an intrinsic of LLVM, and return its result."""
        self.module.declare(name, result, [o.type for o in operands])
        return self.value(result, f"call {flags} {result} @{name}({', '.join(map(str, operands))})")

    def call(self, name: str, *operands: Term) -> None:
        """Write a call of a function of this module."""
        self.do(f"call void @{name}({', '.join(map(str, operands))})")

    # Memory

    def local(self, kind: str, count: int = 1) -> Term:
        """Return a pointer to ``count`` places on the stack."""
        self._count += 1
        name = f"%s{self._count}"
        self._stack.append(f"{name} = alloca {kind}, i64 {count}, align 64")
        return Term("ptr", name)

    def at(self, pointer: Term, element: str, index: Term | int) -> Term:
        """Write the address of an element of an array, and return the pointer."""
        place = index if isinstance(index, Term) else Term("i64", str(index))
        return self.value("ptr", f"getelementptr inbounds {element}, {pointer}, {place}")

    def load(self, kind: str, pointer: Term, align: int = 0) -> Term:
        """Write a load, and return the value at a pointer."""
        return self.value(kind, f"load {kind}, {pointer}" + (f", align {align}" if align else ""))

    def store(self, value: Term, pointer: Term, align: int = 0) -> None:
        """Write a store of a value to a pointer."""
        self.do(f"store {value}, {pointer}" + (f", align {align}" if align else ""))

    # Scalars

    def arithmetic(self, operation: str, a: Term, b: Term | int | float) -> Term:
        """Write an instruction with two operands of one type, and return its result."""
        if not isinstance(b, Term):
            b = Term(a.type, number_text(a.type, b))
        return self.value(a.type, f"{operation} {a}, {b.text}")

    def compare(self, predicate: str, a: Term, b: Term | int | float) -> Term:
        """Write a comparison of two integers or two floating-point numbers; return the ``i1``."""
        if not isinstance(b, Term):
            b = Term(a.type, number_text(a.type, b))
        kind = "fcmp" if a.type in ("double", "float") else "icmp"
        return self.value("i1", f"{kind} {predicate} {a}, {b.text}")

    def choose(self, condition: Term, yes: Term, no: Term) -> Term:
        """Write a selection: ``yes`` if the condition holds, else ``no``; return the result."""
        return self.value(yes.type, f"select {condition}, {yes}, {no}")

    # Control flow

    def _label(self) -> str:
        self._count += 1
        return f"b{self._count}"

    def jump(self, label: str) -> None:
        """Write a jump to a label."""
        self.do(f"br label %{label}")

    def mark(self, label: str) -> None:
        """Write a label here; the block before it must have ended with a jump."""
        self.do(f"{label}:")

    @contextmanager
    def when(self, condition: Term) -> Iterator[None]:
        """Run the instructions written inside only if the condition holds."""
        inside, after = self._label(), self._label()
        self.do(f"br {condition}, label %{inside}, label %{after}")
        self.mark(inside)
        yield
        self.jump(after)
        self.mark(after)

    @contextmanager
    def repeat(self, going: Term) -> Iterator[None]:
        """Run the instructions written inside for as long as the ``i1`` at a pointer is true."""
        test, inside, after = self._label(), self._label(), self._label()
        self.jump(test)
        self.mark(test)
        self.do(f"br {self.load('i1', going)}, label %{inside}, label %{after}")
        self.mark(inside)
        yield
        self.jump(test)
        self.mark(after)

    @contextmanager
    def claim(self, counter: Term, stop: Term, step: int) -> Iterator[Term]:
        """Run the instructions written inside for each block of ``step`` numbers that is free.

        Blocks are taken from a counter in memory, which several threads may share, until ``stop``
        is reached. Yields the first number of the block.
        """
        test, inside, after = self._label(), self._label(), self._label()
        self.jump(test)
        self.mark(test)
        index = self.value("i64", f"atomicrmw add {counter}, i64 {step} monotonic")
        self.do(f"br {self.compare('slt', index, stop)}, label %{inside}, label %{after}")
        self.mark(inside)
        yield index
        self.jump(test)
        self.mark(after)

    @contextmanager
    def count(self, start: Term | int, stop: Term | int, step: int = 1) -> Iterator[Term]:
        """Run the instructions written inside for each ``i64`` in ``range(start, stop, step)``."""
        place = self.local("i64")
        self.store(start if isinstance(start, Term) else Term("i64", str(start)), place)
        test, inside, after = self._label(), self._label(), self._label()
        self.jump(test)
        self.mark(test)
        index = self.load("i64", place)
        self.do(f"br {self.compare('slt', index, stop)}, label %{inside}, label %{after}")
        self.mark(inside)
        yield index
        self.store(self.arithmetic("add nsw", index, step), place)
        self.jump(test)
        self.mark(after)


def number_text(kind: str, value: float | int | bool) -> str:
    """Return a constant as LLVM writes it; floating-point ones by their bits."""
    if kind == "float":
        return f"0x{struct.unpack('<Q', struct.pack('<d', _single(value)))[0]:016X}"
    if kind == "double":
        return f"0x{struct.unpack('<Q', struct.pack('<d', value))[0]:016X}"
    if kind == "i1":
        return "true" if value else "false"
    return str(int(value))


def _single(value: float) -> float:
    """Return a number rounded to single precision."""
    try:
        return float(struct.unpack("<f", struct.pack("<f", value))[0])
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")
