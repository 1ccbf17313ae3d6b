"""Configs become typed settings at the door: below it nothing takes one that is not plain."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "osimexp"

# What Hydra hands a config to, or what composes one.
TAKES_CONFIGS = {
    "composition",
    "cli.launch",
    "sweeps.jobs",
    "sweeps.search.search",
}

# What reads what Hydra wrote or says, without taking a config.
IMPORTS_THEM = {
    *TAKES_CONFIGS,
    "plain_yaml",
    "mistakes",
    "sweeps.command",
    "sweeps.vetting",
    "sweeps.search.best",
}

CONFIGS = ("DictConfig", "ListConfig", "OmegaConf")


def annotations(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield the line and the text of every annotation: of arguments, results, fields and names."""
    for node in ast.walk(tree):
        found: list[ast.expr | None] = []
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found.append(node.returns)
        if isinstance(node, ast.arg | ast.AnnAssign):
            found.append(node.annotation)
        yield from ((node.lineno, ast.unparse(one)) for one in found if one is not None)


def imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield the line and the package of every import, wherever it stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name.partition(".")[0]) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.lineno, node.module.partition(".")[0]


def beyond(trees: dict[str, ast.AST]) -> list[str]:
    """Return where modules below the door annotate a config, or import what makes them."""
    found = []
    for module, tree in sorted(trees.items()):
        if module not in TAKES_CONFIGS:
            found += [
                f"{module}:{line} takes {text}"
                for line, text in annotations(tree)
                if any(config in text for config in CONFIGS)
            ]
        if module not in IMPORTS_THEM:
            found += [
                f"{module}:{line} imports {package}"
                for line, package in imports(tree)
                if package in ("hydra", "omegaconf")
            ]
    return found


def name(file: Path) -> str:
    return ".".join(file.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")


TREES: dict[str, ast.AST] = {
    name(file): ast.parse(file.read_text()) for file in PACKAGE.rglob("*.py")
}


def test_no_function_below_the_door_takes_a_config() -> None:
    assert not beyond(TREES)


@pytest.mark.parametrize("module", sorted(TAKES_CONFIGS))
def test_every_module_that_may_take_one_does(module: str) -> None:
    texts = [text for _, text in annotations(TREES[module])]
    assert any(config in text for config in CONFIGS for text in texts)


@pytest.mark.parametrize("module", sorted(IMPORTS_THEM))
def test_every_module_that_may_import_them_does(module: str) -> None:
    assert {package for _, package in imports(TREES[module])} & {"hydra", "omegaconf"}


def test_one_that_takes_a_config_is_seen() -> None:
    source = """
from omegaconf import DictConfig
def f(config: "DictConfig | None") -> None: ...
class Kept:
    config: DictConfig
"""
    assert sorted(beyond({"tasks.kept": ast.parse(source)})) == [
        "tasks.kept:2 imports omegaconf",
        "tasks.kept:3 takes 'DictConfig | None'",
        "tasks.kept:5 takes DictConfig",
    ]
