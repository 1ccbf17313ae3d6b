"""Options are read at one look: a recipe is one file, and no option is more than two."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from omegaconf import DictConfig, OmegaConf
from tasks import composed

from osimexp.config import config_directory, selected

LONGEST = 30
"""Lines of a recipe, which are seen on one screen."""

RECIPES = sorted(file.stem for file in (config_directory() / "experiment").glob("*.yaml"))


def entries(file: Path) -> Iterator[tuple[str, str]]:
    """Return group and option of each entry of a file's defaults, no group for its own."""
    for entry in OmegaConf.load(file).get("defaults", []):
        group, name = ("", entry) if isinstance(entry, str) else next(iter(entry.items()))
        yield group.partition("@")[0], str(name).partition("@")[0]


def chain(file: Path, folder: Path) -> list[str]:
    """Return the longest chain of files in a folder of configs that each build on the next.

    An option that is overridden is none of them: it is chosen in the place of another.
    """
    longest: list[str] = []
    for group, name in entries(file):
        base = (folder / group.lstrip("/") if group else file.parent) / f"{name}.yaml"
        if not group.startswith("override ") and base.is_file():  # Hydra has options of its own.
            longest = max(longest, chain(base, folder), key=len)
    return [str(file.relative_to(folder).with_suffix("")), *longest]


def options(folder: Path) -> list[Path]:
    return [file for file in sorted(folder.rglob("*/*.yaml")) if file.parent.name != "command"]


def too_long(folder: Path) -> list[list[str]]:
    chains = [chain(file, folder) for file in options(folder)]
    return [one for one in chains if len(one) > 2 or (len(one) > 1 and "experiment" in one[0])]


def leaves(config: DictConfig, place: str = "") -> Iterator[tuple[str, Any]]:
    for key in config:
        value, where = config[key], f"{place}.{key}".lstrip(".")
        if isinstance(value, DictConfig) and value:
            yield from leaves(value, where)
        else:
            yield where, OmegaConf.to_container(value) if OmegaConf.is_config(value) else value


def said_anyway(recipe: Path) -> list[str]:
    """Return the keys of a recipe whose values are those of the options that it chooses."""
    said = OmegaConf.load(recipe)
    said.pop("defaults")
    chosen = [f"{group.removeprefix('override /')}={name}" for group, name in entries(recipe)]
    without = composed(*chosen)
    return [key for key, value in leaves(said) if selected(without, key) == value]


def test_no_option_builds_on_one_that_builds_on_another_and_a_recipe_on_none() -> None:
    assert len(options(config_directory())) > 60
    assert too_long(config_directory()) == []


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_is_short_and_says_what_it_changes_alone(name: str) -> None:
    recipe = config_directory() / "experiment" / f"{name}.yaml"
    assert len(recipe.read_text().splitlines()) <= LONGEST
    assert said_anyway(recipe) == []


def test_a_chain_of_three_and_a_recipe_on_a_recipe_are_seen(tmp_path: Path) -> None:
    files = {
        "reward/walk": "",
        "reward/fast": "defaults: [walk]",
        "reward/faster": "defaults: [_self_, fast]",
        "start/there": "defaults: [{/reward@_global_.reward: fast}]",
        "experiment/one": "defaults: [{override /reward: faster}]",
        "experiment/two": "defaults: [one, {override /reward: walk}]",
    }
    for name, text in files.items():
        file = tmp_path / f"{name}.yaml"
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    assert too_long(tmp_path) == [
        ["experiment/two", "experiment/one"],
        ["reward/faster", "reward/fast", "reward/walk"],
        ["start/there", "reward/fast", "reward/walk"],
    ]


def test_what_a_recipe_repeats_is_seen(tmp_path: Path) -> None:
    recipe = tmp_path / "mine.yaml"
    recipe.write_text("defaults: [{override /algo: ppo}]\nalgo: {epochs: 4, discount: 0.9}")
    assert said_anyway(recipe) == ["algo.epochs"]
