"""Config values of every wrong kind, at every key of every group, end in one sentence."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from osimexp.composition import compose, options
from osimexp.config import with_value
from osimexp.errors import OsimexpError
from osimexp.experiment.whole import ExperimentSettings

WRONG = (
    None, [], [None], {}, {"a": 1}, {1: 2}, {"_target_": "x"}, {"_target_": 1}, "x", "", 1, -1, 0,
    True, 1.5, math.nan, math.inf, [1, 2, 3],
)  # fmt: skip
# What an option needs beside itself to compose.
BESIDE = {
    "file": ("model.path=x.osim",),
    "mid_gait": ("reward=imitate",),
    "phase": ("reward=imitate",),
}
PLACES = {"schedule": "run"}


def option_names() -> list[tuple[str, str]]:
    left_out = ("sweep", "experiment")
    return [(g, name) for g, names in options().items() if g not in left_out for name in names]


def keys(values: Mapping[str, Any], before: str) -> Iterator[str]:
    """Yield the dotted keys of a mapping, its own first."""
    yield before
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from keys(value, f"{before}.{key}")
        else:
            yield f"{before}.{key}"


@pytest.mark.parametrize(("group", "option"), option_names())
def test_a_value_of_a_wrong_kind_ends_in_a_sentence(group: str, option: str) -> None:
    if group == "target":
        words = ["reward=reach"] if option == "reach" else ["reward=imitate", f"target={option}"]
    else:
        words = [f"{group}={option}", *BESIDE.get(option, ())]
    config = compose("config", words).values
    place = PLACES.get(group, group)
    tried = 0
    for key in keys(config[place] or {}, place):
        for wrong in WRONG:
            tried += 1
            try:
                ExperimentSettings.from_config(with_value(config, key, wrong))
            except OsimexpError as error:
                said = str(error)
                assert "\n" not in said, (key, wrong)
                assert said.endswith((".", "?")) or "; known are" in said, (key, wrong, said)
    assert tried


@pytest.mark.parametrize(
    ("key", "wrong", "said"),
    [
        ("target", [None], "target must be a mapping of keys to values, not [None]."),
        ("observation.activations", 1, "observation.activations must be a mapping"),
        ("reward.effort", "1", "reward.effort must be a mapping of keys to values, not '1'."),
        ("physics", [1], "physics must be a mapping of keys to values, not [1]."),
        ("reward", [1], "reward must be a mapping"),
        ("task", 1, "task must be a mapping of keys to values, not 1."),
        ("model", None, "model must be a mapping"),
        ("algo", {1: 2}, "algo: a key must be a name, not 1."),
        ("physics", {"_target_": "osimexp.tasks.terms.terminations.Fallen", "height": 1.0,
                     "lean": 1.0}, "physics._target_"),
        ("reward.effort", {"_target_": "osimexp.tasks.terms.terminations.Fallen", "height": 1.0,
                           "lean": 1.0}, "reward.effort._target_"),
    ],
)  # fmt: skip
def test_the_key_is_named(key: str, wrong: object, said: str) -> None:
    with pytest.raises(OsimexpError) as caught:
        ExperimentSettings.from_config(with_value(compose("config").values, key, wrong))
    assert str(caught.value).startswith(said)
