"""Expressions such as ``-10*q^2 + sin(qdot)``, which OpenSim reads with Lepton."""

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import log as natural_log
from typing import ClassVar

import opensim

from osimexp.errors import ModelError
from osimexp.physics.compiled.forces.force import Contact, title
from osimexp.physics.compiled.ir.trace import (
    Scalar,
    Trace,
    Value,
    absolute,
    atan2,
    cos,
    either,
    exp,
    less,
    log,
    maximum,
    minimum,
    power,
    select,
    sin,
    sqrt,
    tanh,
)
from osimexp.physics.compiled.mechanics.dynamics import Loads
from osimexp.physics.compiled.mechanics.mechanism import Mechanism
from osimexp.physics.compiled.mechanics.motion import Motion


@dataclass(frozen=True)
class Expression:
    """A formula of named variables.

    Attributes:
        text: formula as the model gives it.
        owner: name of the thing that the formula belongs to, for messages.
        formula: syntax tree of the formula.
        definitions: names that the text defines, with the syntax tree of each.
    """

    text: str
    owner: str
    formula: ast.expr
    definitions: tuple[tuple[str, ast.expr], ...]

    def value(self, variables: Mapping[str, Scalar]) -> Scalar:
        """Return the value of the formula.

        Args:
            variables: value of each variable, by its name.

        Raises:
            ModelError: it uses a name or a function that is not known, or its value is not finite.
        """
        known = dict(variables)
        try:
            for name, formula in self.definitions:
                known[name] = self._work_out(formula, known)
            return self._work_out(self.formula, known)
        except (ValueError, ZeroDivisionError, OverflowError, TypeError) as error:
            raise self._refused("a constant part of it is not a finite number") from error

    def _work_out(self, node: ast.expr, known: Mapping[str, Scalar]) -> Scalar:
        match node:
            case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
                return float(number)
            case ast.Name(id=name) if name in known:
                return known[name]
            case ast.Name(id=name):
                raise self._refused(f"there is no variable {name}; known are {', '.join(known)}")
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return -self._work_out(operand, known)
            case ast.BinOp(left=left, op=ast.Pow(), right=right):
                return self._power(self._work_out(left, known), self._work_out(right, known))
            case ast.BinOp(left=left, op=operator, right=right) if type(operator) in _OPERATORS:
                apply = _OPERATORS[type(operator)]
                return apply(self._work_out(left, known), self._work_out(right, known))
            case ast.Call(func=ast.Name(id=name), args=args, keywords=[]):
                return self._call(name, [self._work_out(arg, known) for arg in args])
        raise self._refused("it is made of numbers, names, + - * / ^, brackets and functions alone")

    def _call(self, name: str, arguments: Sequence[Scalar]) -> Scalar:
        if name in _UNARY and len(arguments) == 1:
            return _UNARY[name](arguments[0])
        if name in _BINARY and len(arguments) == 2:
            return _BINARY[name](*arguments)
        known = ", ".join(sorted({*_UNARY, *_BINARY}))
        raise self._refused(f"it calls {name} with {len(arguments)} arguments; known are {known}")

    def _power(self, base: Scalar, exponent: Scalar) -> Scalar:
        if not isinstance(exponent, Value):
            return _constant_power(base, exponent)
        if isinstance(base, Value) or base <= 0.0:
            raise self._refused("only a constant above 0 can have an exponent that varies")
        return exp(exponent * natural_log(base))

    def _refused(self, reason: str) -> ModelError:
        return ModelError(
            f"physics=compiled cannot work out {self.text!r} of {self.owner}: {reason}; rewrite "
            "it, or keep physics=opensim."
        )


def parse(text: str, variables: Sequence[str], owner: str) -> Expression:
    """Return the expression that a text in Lepton's grammar stands for.

    After semicolons the text may define names, such as ``2*a; a=q+1``; a definition may use the
    names that are defined after it.

    Args:
        text: the expression.
        variables: names of the variables that the expression may use.
        owner: name of the thing that the expression belongs to, for messages.

    Raises:
        ModelError: the text is not in that grammar, or uses a name or a function that is not known.
    """
    main, *rest = "".join(text.split()).split(";")
    pairs = [one.partition("=") for one in reversed(rest) if one]
    empty = ast.Constant(0.0)
    expression = Expression(text, owner, empty, ())
    try:
        if "**" in text:
            raise SyntaxError
        formula = _syntax(main)
        definitions = tuple((name, _syntax(given)) for name, _, given in pairs)
    except SyntaxError as error:
        raise expression._refused("it cannot be read") from error
    expression = Expression(text, owner, formula, definitions)
    trace = Trace()
    expression.value({name: trace.input(i) for i, name in enumerate(variables)})
    return expression


def _syntax(text: str) -> ast.expr:
    return ast.parse(text.replace("^", "**"), mode="eval").body


def _constant_power(base: Scalar, exponent: float) -> Scalar:
    if not isinstance(base, Value):
        return float(base**exponent)
    if exponent > 0.0 and not (2.0 * exponent).is_integer():
        # 0 to such a power is 0; a number below 0 has no such power.
        above = select(less(0.0, base), base, 1.0)
        return select(less(0.0, base), power(above, exponent), sqrt(base))
    return power(base, exponent)


_OPERATORS: dict[type[ast.operator], Callable[[Scalar, Scalar], Scalar]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b,
}

_UNARY: dict[str, Callable[[Scalar], Scalar]] = {
    "sqrt": sqrt,
    "exp": exp,
    "log": log,
    "sin": sin,
    "cos": cos,
    "tan": lambda x: sin(x) / cos(x),
    "sec": lambda x: 1.0 / cos(x),
    "csc": lambda x: 1.0 / sin(x),
    "cot": lambda x: cos(x) / sin(x),
    "asin": lambda x: atan2(x, sqrt((1.0 - x) * (1.0 + x))),
    "acos": lambda x: atan2(sqrt((1.0 - x) * (1.0 + x)), x),
    "atan": lambda x: atan2(x, 1.0),
    "sinh": lambda x: 0.5 * exp(x) - 0.5 * exp(-x),
    "cosh": lambda x: 0.5 * exp(x) + 0.5 * exp(-x),
    "tanh": tanh,
    "step": lambda x: select(less(x, 0.0), 0.0, 1.0),
    "delta": lambda x: select(either(less(x, 0.0), less(0.0, x)), 0.0, 1.0),
    "square": lambda x: x * x,
    "cube": lambda x: x * x * x,
    "recip": lambda x: 1.0 / x,
    "abs": absolute,
}

_BINARY: dict[str, Callable[[Scalar, Scalar], Scalar]] = {"min": minimum, "max": maximum}


@dataclass(frozen=True)
class CoordinateExpression:
    """OpenSim's ExpressionBasedCoordinateForce: a generalised force by a formula of a coordinate.

    Attributes:
        name: name of the force.
        coordinate: number of the coordinate.
        expression: force (N m or N) as a formula of ``q`` (rad or m) and its speed ``qdot``.
    """

    name: str
    coordinate: int
    expression: Expression
    contacts: ClassVar[tuple[Contact, ...]] = ()

    def apply(self, motion: Motion, loads: Loads) -> None:
        """Add the generalised force on the coordinate."""
        variables = {
            "q": motion.coordinates[self.coordinate],
            "qdot": motion.speeds[self.coordinate],
        }
        loads.along(self.coordinate, self.expression.value(variables))


def read_coordinate_expression(given: opensim.Force, mechanism: Mechanism) -> CoordinateExpression:
    """Return an ExpressionBasedCoordinateForce.

    Raises:
        ModelError: its expression cannot be compiled.
    """
    force = opensim.ExpressionBasedCoordinateForce.safeDownCast(given)
    expression = parse(force.get_expression(), ("q", "qdot"), f"force {title(force)}")
    index = mechanism.coordinate_index(force.get_coordinate())
    return CoordinateExpression(force.getName(), index, expression)
