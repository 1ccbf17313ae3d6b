"""Tests go through what is public: no private name of another object or module is read."""

import ast
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
READERS = ("getattr", "hasattr", "setattr", "delattr")


def private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def reached(source: str) -> list[str]:
    """Return the private names that a source reads of anything but its own object, with lines."""
    found = []
    for node in ast.walk(ast.parse(source)):
        names: list[str] = []
        match node:
            case ast.Attribute(value=ast.Name(id="self" | "cls")):
                pass
            case ast.Attribute(attr=name):
                names = [name]
            case ast.Import(names=aliases):
                names = [part for alias in aliases for part in alias.name.split(".")]
            case ast.ImportFrom(module=module, names=aliases):
                names = [*(module or "").split("."), *(alias.name for alias in aliases)]
            case ast.Call(
                func=ast.Name(id=reader) | ast.Attribute(attr=reader),
                args=[_, ast.Constant(value=str(name)), *_],
            ) if reader in READERS:
                names = [name]
        found += [f"{node.lineno}: {name}" for name in names if private(name)]  # type: ignore[attr-defined]
    return found


def test_no_private_name_is_reached_into() -> None:
    found = [
        f"{file.relative_to(TESTS)}:{name}"
        for file in sorted(TESTS.rglob("*.py"))
        for name in reached(file.read_text())
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "source",
    [
        "batch._block.state",
        "self._batch._block",
        "batch._timeout = 1.0",
        "from osimexp.config import _import",
        "from osimexp._config import check",
        "import osimexp._config",
        "getattr(batch, '_block')",
        "monkeypatch.setattr(batch, '_tell', tell)",
    ],
)
def test_a_reach_into_a_private_name_is_seen(source: str) -> None:
    assert len(reached(source)) == 1


def test_what_is_an_object_s_own_or_public_is_not_held_for_one() -> None:
    assert not reached("self._state; cls._kinds; batch.state; module.__file__; _helper(2)")


def test_fixtures_and_hooks_alone_stand_in_conftest() -> None:
    """What tests share besides has a file in tests/support."""
    for node in ast.parse((TESTS / "conftest.py").read_text()).body:
        if isinstance(node, ast.FunctionDef):
            decorators = [ast.unparse(decorator) for decorator in node.decorator_list]
            fixture = any(decorator.startswith("pytest.fixture") for decorator in decorators)
            assert fixture or node.name.startswith("pytest_"), node.name
        else:
            assert isinstance(node, ast.Import | ast.ImportFrom), ast.unparse(node)
