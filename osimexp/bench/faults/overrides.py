"""Overrides that Hypothesis makes up, on the command lines of a description and of a training."""

import shutil
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

from osimexp.bench.faults.cases import Case, outcome_of, said_by
from osimexp.bench.faults.commands import SMALL, Setting, command
from osimexp.bench.faults.mutations import NUMBERS, TEXTS
from osimexp.bench.faults.processes import Job, run_all
from osimexp.composition import compose, options
from osimexp.errors import ConfigError
from osimexp.words import quoted

# Given last, so that no override makes a training long; Hydra takes the last of two.
LAST = ("run.steps=64", "run.folder=run", "hydra.mode=RUN")


TRIES = 6  # examples for each command line, because Hypothesis repeats simple ones


def overrides(setting: Setting) -> Iterator[Case]:
    """Yield a case for each command line of one or two overrides.

    Raises:
        ConfigError: Hypothesis is not installed.
    """
    lines = drawn(setting.seed, setting.count)

    def job(number: int) -> Job:
        words = (*SMALL, *lines[number], *LAST)
        verb = ("describe", "train")[number % 2]
        return Job(command(verb, *words), setting.folder / f"{number}", setting.limit)

    for number, ended in run_all(map(job, range(len(lines))), setting.processes):
        outcome = outcome_of(ended)
        if outcome in ("fine", "refused"):
            shutil.rmtree(setting.folder / f"{number}", ignore_errors=True)
        said = "" if outcome == "fine" else said_by(ended)
        change = " ".join(map(repr, lines[number]))
        subject = ("describe", "train")[number % 2]
        yield Case("overrides", number, subject, change, outcome, ended.seconds, said)


def drawn(seed: int, count: int) -> list[tuple[str, ...]]:
    """Return command lines that follow from a seed alone.

    Raises:
        ConfigError: Hypothesis is not installed.
    """
    try:
        hypothesis: Any = import_module("hypothesis")
        some: Any = import_module("hypothesis.strategies")
    except ModuleNotFoundError as error:
        raise ConfigError(
            "The piece overrides needs Hypothesis, which comes with the extra osimexp[test]."
        ) from error
    composed = compose("config", SMALL).values
    everything = dict(_leaves(composed))
    sections = [key for key, value in everything.items() if isinstance(value, Mapping)]
    leaves = {key: v for key, v in everything.items() if key not in (*sections, "run.folder")}
    groups = {group: found for group, found in options().items() if "/" not in group}

    words = some.sampled_from(NUMBERS + TEXTS)
    whole = some.integers(-3, 40).map(str)
    numbers = some.one_of(whole, some.floats().map(str), some.floats(-2.0, 2.0).map(str))
    texts = some.one_of(words, some.text(max_size=8)).map(quoted)
    simple = some.one_of(numbers, texts, words, some.sampled_from(("null", "true", "false", "???")))
    lists = some.lists(simple, max_size=3).map(lambda found: f"[{','.join(found)}]")
    names = some.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True)
    mappings = some.dictionaries(names, some.one_of(simple, lists), max_size=2).map(
        lambda found: "{" + ",".join(f"{key}:{value}" for key, value in found.items()) + "}"
    )
    anything = some.one_of(simple, lists, mappings)
    alike = {bool: some.sampled_from(("true", "false")), int: whole, float: numbers, str: texts}

    def either(often: Any, rarely: Any) -> Any:
        # One of two would be drawn as often as the other.
        return some.integers(0, 3).flatmap(lambda n: often if n else rarely)

    def setting(key: str, prefix: str = "") -> Any:
        value = either(alike.get(type(leaves.get(key)), anything), anything)
        return value.map(lambda text: f"{prefix}{key}={text}")

    known = some.sampled_from(list(leaves)).flatmap(setting)
    section = some.sampled_from(sections).flatmap(setting)
    unknown = some.tuples(
        either(some.tuples(some.sampled_from([*leaves, *sections]), names).map(".".join), names),
        some.sampled_from(("", "+", "++", "~")),
    ).flatmap(lambda pair: setting(*pair))
    chosen = some.sampled_from(sorted(groups)).flatmap(
        lambda group: either(some.sampled_from((*groups[group], "null")), names).map(
            lambda option: f"{group}={option}"
        )
    )
    word = either(known, some.one_of(section, unknown, chosen))
    line = some.lists(word, min_size=1, max_size=2, unique=True)

    found: dict[tuple[str, ...], None] = {}

    def take(words: list[str]) -> None:
        found[tuple(words)] = None

    how = hypothesis.settings(
        max_examples=TRIES * count,
        database=None,
        deadline=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    hypothesis.seed(seed)(how(hypothesis.given(line)(take)))()
    return list(found)[:count]


def _leaves(values: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the dotted keys of a config with their values, those of whole sections included."""
    for key, value in values.items():
        yield f"{before}{key}", value
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{before}{key}.")
