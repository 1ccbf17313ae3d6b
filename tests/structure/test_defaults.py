"""A default is written once: in YAML; the field of the class that it is for repeats none."""

import dataclasses
import functools
import importlib
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass
from pathlib import Path
from typing import Any, get_type_hints
from warnings import catch_warnings, simplefilter

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from osimexp.config import config_directory
from osimexp.experiment.settings import RunSettings
from osimexp.models.muscle_sets import MuscleSet
from osimexp.models.settings import Base, ModelSettings
from osimexp.physics.settings import (
    AutomaticSettings,
    CompiledSettings,
    OpenSimSettings,
    WorkerSettings,
)
from osimexp.sweeps.search.settings import SearchSettings
from osimexp.tasks.actuators import ActuatorSet
from osimexp.tasks.specification import MovementSettings

CLASSES = {
    "model": ModelSettings,
    "muscles": MuscleSet,
    "actuators": ActuatorSet,
    "workers": WorkerSettings,
    "run": RunSettings,
    "task": MovementSettings,
    "hydra.sweeper": SearchSettings,
}
"""Classes of the parts of a config that name none by ``_target_``."""

TWICE = {
    # What works on a model by itself, such as drawing, posing or proving it, has no config to ask:
    # it takes the whole body, simulated as usual.
    CompiledSettings: ("physics", "compiled"),
    OpenSimSettings: ("physics", "opensim"),
    AutomaticSettings: ("physics", "auto"),
    MuscleSet: ("muscles", "all"),
    # Empty means that there is nothing of the kind, and programs name what there is.
    ModelSettings: ("model", "file"),
    Base: ("model", "file"),
    ActuatorSet: ("actuators", "held"),
    WorkerSettings: ("workers", "cores"),
}
"""Classes of settings whose defaults stand in the code, too, and the option that must say the same.

Terms and the settings of algorithms are never among them.
"""

NO_GROUPS = ("command", "hydra/help")

Place = tuple[type, str, Mapping[str, Any]]


@functools.cache
def options() -> tuple[tuple[str, str], ...]:
    """Return group and name of every option that sets values of a class."""
    folder = config_directory()
    found = [
        (str(file.parent.relative_to(folder)), file.stem)
        for file in sorted(folder.rglob("*/*.yaml"))
    ]
    return tuple(option for option in found if option[0] not in NO_GROUPS)


@functools.cache
def parts(group: str, name: str) -> tuple[Place, ...]:
    """Return the mappings in an option that a class is made of, with class and place."""
    file = config_directory() / group / f"{name}.yaml"
    if group.startswith("hydra") or overrides_others(file):
        # What overrides other options cannot be composed alone.
        config: Any = OmegaConf.load(file)
        if group.startswith("hydra"):
            config = OmegaConf.create({"hydra": {group.partition("/")[2]: config}})
        elif group not in ("experiment", "sweep"):
            config = OmegaConf.create({group: config})
    else:
        with initialize_config_dir(str(config_directory()), version_base="1.3"), catch_warnings():
            simplefilter("ignore")  # An option is no main config, whose defaults say _self_.
            config = compose(f"{group}/{name}")
    return tuple(within(OmegaConf.to_container(config), ""))


def overrides_others(file: Path) -> bool:
    """Whether an option chooses options of other groups, or builds on one that does."""
    said = OmegaConf.load(file).get("defaults", [])
    bases = [file.with_stem(entry) for entry in said if isinstance(entry, str)]
    return any(
        key.startswith("override ") for entry in said if not isinstance(entry, str) for key in entry
    ) or any(overrides_others(base) for base in bases if base.is_file())


def within(node: Any, place: str) -> Iterator[Place]:
    if not isinstance(node, Mapping):
        return
    kind = named(node["_target_"]) if "_target_" in node else None
    kind = CLASSES.get(place) if kind is None else kind
    if kind is not None:
        yield from made_of(kind, node, place)
    for key, value in node.items():
        yield from within(value, f"{place}.{key}".lstrip("."))


def made_of(kind: type, node: Mapping[str, Any], place: str) -> Iterator[Place]:
    """Return a mapping with its class, and those within it that its fields are typed by."""
    yield kind, place, node
    for key, nested in get_type_hints(kind).items():
        value = node.get(key)
        own = isinstance(value, Mapping) and "_target_" not in value
        if dataclasses.is_dataclass(nested) and own:
            yield from made_of(nested, value, f"{place}.{key}")  # type: ignore[arg-type]


def named(target: str) -> type | None:
    module, _, name = target.rpartition(".")
    kind = getattr(importlib.import_module(module), name)
    return kind if dataclasses.is_dataclass(kind) else None


def defaults(kind: type) -> dict[str, Any]:
    """Return the defaults of a class's fields."""
    found = {}
    for field in dataclasses.fields(kind):  # type: ignore[arg-type]
        if field.default is not MISSING:
            found[field.name] = field.default
        elif field.default_factory is not MISSING:
            found[field.name] = field.default_factory()
    return found


def twice(found: tuple[Place, ...]) -> list[str]:
    """Return the keys that a config gives although the field has a default."""
    return [
        f"{place}.{key}: {kind.__qualname__}"
        for kind, place, node in found
        for key in defaults(kind)
        if key in node and kind not in TWICE
    ]


@pytest.mark.parametrize(("group", "name"), options())
def test_no_default_of_an_option_stands_in_the_code_as_well(group: str, name: str) -> None:
    assert twice(parts(group, name)) == []


def test_classes_of_all_kinds_are_looked_at() -> None:
    found = [one for option in options() for one in parts(*option)]
    groups = {place.split(".")[0] for _, place, _ in found}
    assert groups >= {"algo", "observation", "reward", "termination", "start", "target", "push"}
    assert groups >= {"symmetry", "physics", "hydra", *(key for key in CLASSES if "." not in key)}
    assert {kind for kind, _, _ in found} >= {*CLASSES.values(), *TWICE}


@pytest.mark.parametrize("kind", TWICE)
def test_what_stands_twice_is_the_same(kind: type) -> None:
    (node,) = (node for found, _, node in parts(*TWICE[kind]) if found is kind)
    for key, default in defaults(kind).items():
        if key in node and node[key] != "???" and not isinstance(node[key], Mapping):
            given = tuple(node[key]) if isinstance(node[key], list) else node[key]
            assert given == default, f"{kind.__qualname__}.{key}"


@dataclass(frozen=True)
class Twice:
    weight: float
    width: float = 0.5


def test_a_default_that_stands_twice_is_seen() -> None:
    target = {"_target_": f"{__name__}.Twice", "weight": 1.0, "width": 0.3}
    deep = {"reward": {"mine": [0], "other": {"within": target}}}
    assert twice(tuple(within(deep, ""))) == ["reward.other.within.width: Twice"]
    assert twice(tuple(within({**target, "width": 0.5}, "start"))) == ["start.width: Twice"]
    del target["width"]
    assert twice(tuple(within(target, "start"))) == []
