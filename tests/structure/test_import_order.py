"""The rooms of the house in their order, and every import as an arrow that must point down."""

import ast
from collections.abc import Iterable
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from osimexp.physics.compiled.model import SOURCES

PACKAGE = Path(__file__).parents[2] / "osimexp"

# From the bottom to the top: each imports only those before it.
ROOMS = (
    "errors", "visible", "terminal", "arrays", "files",
    "moved", "trust", "plain_yaml", "cache", "config", "words", "mistakes", "composition",
    "models", "motion", "physics", "visual",
    "tasks", "controllers", "algorithms",
    "analysis", "experiment", "sweeps", "results", "bench", "cli",
)  # fmt: skip

# Rooms whose folders have an order of their own, likewise.
FLOORS = {
    "physics": (
        "simulation", "settings", "arrays", "running_clock",
        "reference", "posing", "compiled", "remote", "backends",
    ),
    "physics.compiled": (
        "ir", "mechanics", "paths", "muscles", "forces", "system", "equations",
        "llvm", "kernels", "run", "proof", "model", "simulation",
    ),
    "tasks": (
        "environment", "base_pose", "scene", "actuators", "actions", "columns", "terms", "goals",
        "mirror", "specification", "musculoskeletal", "make", "adapters", "compose", "description",
    ),
}  # fmt: skip


def arrows() -> dict[str, set[str]]:
    """Return the modules that each module of the package imports, wherever it does."""
    modules = {_name(file): ast.parse(file.read_text()) for file in PACKAGE.rglob("*.py")}
    return {
        module: {target for target in _targets(tree, modules) if target != module}
        for module, tree in modules.items()
    }


def upward(arrows: dict[str, set[str]], rooms: tuple[str, ...], within: str = "") -> list[str]:
    """Return the imports that point up an order of rooms, as lines of a drawing."""
    found = []
    for module, targets in sorted(arrows.items()):
        for target in sorted(targets):
            here, there = _room(module, within), _room(target, within)
            if here in rooms and there in rooms and rooms.index(there) > rooms.index(here):
                found.append(f"{module} -> {target}")
    return found


def _name(file: Path) -> str:
    return ".".join(file.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")


def _targets(tree: ast.AST, modules: Iterable[str]) -> set[str]:
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {n if n.removeprefix("osimexp.") in modules else node.module for n in names}
    return {n.removeprefix("osimexp.") for n in found if n.startswith("osimexp.")}


def _room(module: str, within: str) -> str | None:
    if within and not module.startswith(f"{within}."):
        return None
    return module.removeprefix(f"{within}." if within else "").partition(".")[0]


ARROWS = arrows()

# `python -m osimexp.compare` and its like are found at the top of the package or in a room.
DOORS = {name for name, targets in ARROWS.items() if targets and all(
    target.startswith("cli.") for target in targets
) and not name.startswith("cli.")}  # fmt: skip


def test_every_room_has_its_place_in_the_order() -> None:
    rooms = {_room(module, "") for module in ARROWS.keys() - DOORS}
    assert rooms - {"__init__", "trained"} == set(ROOMS)


def test_imports_point_down() -> None:
    inside = {name: targets for name, targets in ARROWS.items() if name not in DOORS}
    drawn = upward(inside, ROOMS)
    assert not drawn, "\n".join(["up the order " + " < ".join(ROOMS), *drawn])


@pytest.mark.parametrize("room", FLOORS)
def test_imports_within_a_room_point_down(room: str) -> None:
    assert not upward(ARROWS, FLOORS[room], room)


def test_no_module_imports_itself_by_way_of_others() -> None:
    try:
        TopologicalSorter(ARROWS).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_an_upward_arrow_is_seen() -> None:
    drawn = {"models.build": {"errors", "physics.engine"}, "physics.engine": {"models.build"}}
    assert upward(drawn, ROOMS) == ["models.build -> physics.engine"]
    assert upward({"physics.arrays": {"physics.backends"}}, FLOORS["physics"], "physics") == [
        "physics.arrays -> physics.backends"
    ]


def test_the_cache_of_compiled_code_depends_on_what_is_compiled_and_on_nothing_else() -> None:
    """All that the compiler imports is in its digest, or makes the model's text, which is too."""
    digested = {source.removesuffix(".py").replace("/", ".") for source in SOURCES}
    makes_the_text = {"models.prepare", "models.settings", "physics.settings"}
    passes_on = {"errors", "arrays", "cache"}
    imported = {
        target
        for module, targets in ARROWS.items()
        if module.startswith("physics.compiled") or module in digested
        for target in targets
    }
    covered = {t for t in imported if any(t == d or t.startswith(f"{d}.") for d in digested)}
    assert imported - covered == makes_the_text | passes_on
    assert not {module for module in covered if "posing" in module or "visual" in module}
