"""Programs taken from a record of equations, and an interpreter to test compiled code against."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from osimexp.physics.compiled.ir.trace import Operation, Reference, Scalar, Trace, Value


@dataclass(frozen=True)
class Program:
    """A list of operations to compile, with the results that it works out.

    Attributes:
        name: name of the compiled function.
        operations: operations in the order of execution; operands are places in this tuple.
        results: constants or references to operations, in the order of the output.
        inputs: length of the input array.
    """

    name: str
    operations: tuple[Operation, ...]
    results: tuple[Reference | float, ...]
    inputs: int


def program(name: str, trace: Trace, results: list[Scalar], inputs: int) -> Program:
    """Return the program that works out ``results``; operations that no result needs are left out.

    Args:
        name: name of the compiled function.
        trace: record that the results belong to.
        results: scalars to work out, in the order of the output.
        inputs: length of the input array.
    """
    needed = {r.number for r in results if isinstance(r, Value)}
    for number in range(len(trace.operations) - 1, -1, -1):
        if number in needed:
            needed.update(
                o.number for o in trace.operations[number].operands if isinstance(o, Reference)
            )
    order = sorted(needed)
    place = {number: Reference(i) for i, number in enumerate(order)}
    operations = tuple(
        Operation(
            operation.kind,
            tuple(place[o.number] if isinstance(o, Reference) else o for o in operation.operands),
            operation.data,
        )
        for operation in (trace.operations[number] for number in order)
    )
    return Program(
        name,
        operations,
        tuple(place[r.number] if isinstance(r, Value) else float(r) for r in results),
        inputs,
    )


def evaluate(program: Program, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Work out a program in plain Python, as the reference for compiled code.

    Args:
        program: program to work out.
        values: input array ``(inputs,)``.

    Returns:
        Output array ``(results,)``.
    """
    found: list[float | int | bool] = []

    def known(operand: Reference | float | int | bool) -> float | int | bool:
        return found[operand.number] if isinstance(operand, Reference) else operand

    with np.errstate(all="ignore"):
        for operation in program.operations:
            operands = [known(o) for o in operation.operands]
            found.append(_work_out(operation, operands, values))
    return np.array([known(r) for r in program.results], dtype=float)


def _work_out(
    operation: Operation, o: list[float | int | bool], values: NDArray[np.float64]
) -> float | int | bool:
    kind, data = operation.kind, operation.data
    match kind:
        case "input":
            return np.float64(values[int(data[0])])
        case "add":
            return np.float64(o[0]) + o[1]
        case "sub":
            return np.float64(o[0]) - o[1]
        case "mul":
            return np.float64(o[0]) * o[1]
        case "div":
            return np.float64(o[0]) / o[1]
        case "neg":
            return -o[0]
        case "sqrt" | "exp" | "log" | "sin" | "cos" | "abs":
            return np.float64(getattr(np, kind)(o[0]))
        case "atan2":
            return np.float64(np.arctan2(o[0], o[1]))
        case "select":
            return o[1] if o[0] else o[2]
        case "less":
            return bool(o[0] < o[1])
        case "and":
            return bool(o[0] and o[1])
        case "or":
            return bool(o[0] or o[1])
        case "not":
            return not o[0]
        case "locate":
            return sum(b <= o[0] for b in data)
        case "refine":
            t = o[1] if o[1] > 0.0 else 0.0
            return int(o[0]) * int(data[0]) + int(min(t, data[0] - 1.0))
        case "lookup":
            return data[int(o[0])]
    raise AssertionError(kind)
