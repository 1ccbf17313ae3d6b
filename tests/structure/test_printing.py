"""Everything that is printed goes through ``osimexp.terminal``, which shows texts as texts."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAY = "osimexp/terminal.py"

# Whatever prints, makes text for a terminal or is markup where a string is expected.
FORBIDDEN = ("rich.console.Console", "rich.text", "rich.print", "rich.markup", "click.echo")


def printing(source: str) -> list[str]:
    """Return the places of a source that write to the terminal by themselves, with lines."""
    found = []
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=ast.Name(id="print"), keywords=words):
                files = [ast.unparse(word.value) for word in words if word.arg == "file"]
                if not files or files[0].startswith("sys."):
                    found.append(f"{node.lineno}: print")
            case ast.Attribute(value=ast.Attribute(attr="stdout" | "stderr"), attr="write"):
                found.append(f"{node.lineno}: write")
            case ast.ImportFrom(module="html") | ast.Import(names=[ast.alias(name="html")]):
                found.append(f"{node.lineno}: html")
            case ast.ImportFrom(module=str(module), names=names):
                wholes = [f"{module}.{alias.name}" for alias in names]
                found += [f"{node.lineno}: {one}" for one in wholes if one.startswith(FORBIDDEN)]
            case ast.Attribute(attr="savefig"):
                found.append(f"{node.lineno}: savefig")
    return found


def test_only_the_terminal_prints() -> None:
    files = [*(ROOT / "osimexp").rglob("*.py"), *(ROOT / "hydra_plugins").rglob("*.py")]
    ways = {
        MAY: None,
        "osimexp/visible.py": "html",
        "osimexp/analysis/gait/panels.py": "savefig",
    }
    found = [
        f"{name}:{one}"
        for file in sorted(files)
        for one in printing(file.read_text())
        if (name := str(file.relative_to(ROOT))) not in ways
        or (ways[name] is not None and not one.endswith(str(ways[name])))
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "source",
    [
        "print(name)",
        "print(name, file=sys.stderr)",
        "import sys\nsys.stdout.write(name)",
        "from rich.console import Console",
        "from rich.text import Text",
        "from rich import print",
        "figure.savefig(stream)",
        "from html import escape",
    ],
)
def test_printing_is_seen(source: str) -> None:
    assert printing(source)


def test_what_does_not_reach_the_terminal_is_let_be() -> None:
    assert not printing("print(answer, file=pipe)\nfrom rich.console import Group")
