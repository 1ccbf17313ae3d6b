"""Docstrings are read alone, in a hover: none begins in the middle of a sentence."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# Words that begin a clause without its noun, or that point to the name above.
REFUSED = re.compile(
    r"(What|Where|Which|Of|Those|How|Whether|Whose|When|That|These|They|It|The same)\b"
)

# A verb or a noun phrase begins with a capital; code, numbers and single letters may come first.
BEGINNING = re.compile(r"[A-Z]|``|\d|e\^|\(")

Documented = ast.Module | ast.ClassDef | ast.FunctionDef


def complaints(text: str, file: str) -> list[str]:
    """Return the docstrings of a module that do not stand alone, with file and line."""
    found = []
    for line, docstring in _docstrings(ast.parse(text)):
        first = docstring.strip().splitlines()[0]
        if (opener := REFUSED.match(first)) is not None:
            found.append(f"{file}:{line} begins with {opener[1]!r}: {first}")
        elif BEGINNING.match(first) is None:
            found.append(f"{file}:{line} begins with no capital: {first}")
    return found


def _docstrings(node: Documented) -> Iterator[tuple[int, str]]:
    """Yield line and text of the docstrings of a module and of all that is public in it.

    A string after an assignment documents the name that is assigned.
    """
    if (docstring := ast.get_docstring(node)) is not None:
        yield node.body[0].lineno, docstring
    for before, statement in zip(node.body, node.body[1:], strict=False):
        match before, statement:
            case ast.Assign() | ast.AnnAssign(), ast.Expr(value=ast.Constant(value=str(text))):
                yield statement.lineno, text
    for statement in node.body:
        match statement:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name):
                if not name.startswith("_") or name.startswith("__"):
                    yield from _docstrings(statement)


def test_every_docstring_stands_alone() -> None:
    files = [file for room in ("osimexp", "hydra_plugins") for file in (ROOT / room).rglob("*.py")]
    assert len(files) > 200
    found = [
        complaint
        for file in sorted(files)
        for complaint in complaints(file.read_text(), str(file.relative_to(ROOT)))
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('"""What a module holds."""', 1),
        ('class Frame:\n    """Those that are seen."""', 2),
        ('class Frame:\n    """A moment."""\n    def at(self):\n        """Which rows."""', 4),
        ('class Frame:\n    @property\n    def ended(self):\n        """Whether it is over."""', 4),
        ('def mass():\n    """It is in kg."""', 2),
        ('LIMIT = 1.0\n"""Of a force, N."""', 2),
        ('class Settings:\n    every: int = 1\n    """how often."""', 3),
    ],
)
def test_the_test_can_fail(text: str, line: int) -> None:
    (complaint,) = complaints(text, "module.py")
    assert complaint.startswith(f"module.py:{line} begins with ")


def test_what_is_private_or_begins_with_a_noun_passes() -> None:
    text = (
        '"""A module."""\nLIMIT = 1.0\n"""Greatest force, N."""\n'
        'def _own():\n    """What is private."""\n'
        'def sine():\n    """Return the sine."""\n'
    )
    assert complaints(text, "module.py") == []
