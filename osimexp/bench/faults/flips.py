"""Bits that are flipped in checkpoints and in the cache of compiled models."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import torch

from osimexp.bench.faults.cases import REFUSED, Case, Outcome, outcome_of, said_by
from osimexp.bench.faults.commands import SMALL, Setting, done, trained
from osimexp.bench.faults.processes import Ended, Job, run, run_all
from osimexp.cache import VARIABLE
from osimexp.composition import compose
from osimexp.errors import OsimexpError
from osimexp.experiment import checkpoint
from osimexp.mistakes import sentence
from osimexp.tasks.make import make, task_of
from osimexp.terminal import say

DIFFERS = 77
"""Exit code of a fork whose result is another one."""

STEPS, SIZE = 20, 4

Load = Callable[[Path], Any]


def flipped(setting: Setting, load: Load = checkpoint.load) -> Iterator[Case]:
    """Yield a case for each bit flipped in a checkpoint and in the cache.

    Args:
        setting: place, seed, and number of bits of each.
        load: function that loads a checkpoint.
    """
    yield from in_checkpoints(setting, trained(setting), load)
    yield from in_cache(setting)


def in_checkpoints(setting: Setting, folder: Path, load: Load) -> Iterator[Case]:
    """Yield a case for each bit flipped in a checkpoint, which is loaded and compared."""
    file = folder / "checkpoints" / "latest.pt"
    content, sound = file.read_bytes(), load(file)
    bits = _bits(setting, len(content))

    def job(number: int, bit: int) -> Job:
        place = setting.folder / "checkpoint" / f"{number}"

        def read() -> None:
            copy = Path("latest.pt")
            copy.write_bytes(_with_flipped(content, bit))
            _answer(_refusing(lambda: load(copy)), lambda found: equal(found, sound))

        return Job(read, place, setting.limit)

    jobs = (job(number, bit) for number, bit in enumerate(bits))
    for number, ended in run_all(jobs, setting.processes):
        change = f"bit {bits[number]} of {8 * len(content)}"
        yield _case(number, "checkpoint", change, ended, setting.folder / "checkpoint")


def in_cache(setting: Setting) -> Iterator[Case]:
    """Yield a case for each bit flipped in a cached file, after which a task is simulated."""
    cache, wanted = setting.folder / "sound", setting.folder / "wanted.npy"

    def remember() -> None:
        np.save(wanted, simulated())

    known = {VARIABLE: str(cache)}
    done(run(Job(remember, setting.folder / "wanted", 600.0, environment=known)))
    files = sorted(file for file in cache.rglob("*") if file.is_file() and file.stat().st_size)
    sizes = [file.stat().st_size for file in files]
    generator = np.random.default_rng([setting.seed, 1])
    chosen = generator.integers(len(files), size=setting.count)
    bits = [int(generator.integers(8 * sizes[n])) for n in chosen]

    def job(number: int) -> Job:
        place = setting.folder / "cache" / f"{number}"
        inside = files[chosen[number]].relative_to(cache)

        def simulate() -> None:
            shutil.copytree(cache, place / "cached")
            (place / "cached" / inside).write_bytes(
                _with_flipped(files[chosen[number]].read_bytes(), bits[number])
            )
            expected = np.load(wanted)
            _answer(_refusing(simulated), lambda found: np.array_equal(found, expected))

        own = {VARIABLE: str(place / "cached")}
        return Job(simulate, place, setting.limit, environment=own)

    for number, ended in run_all(map(job, range(setting.count)), setting.processes):
        inside = files[chosen[number]].relative_to(cache)
        change = f"bit {bits[number]} of {8 * sizes[chosen[number]]} of {inside}"
        yield _case(number, "cache", change, ended, setting.folder / "cache")


def simulated() -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return the observations of some steps of the smallest compiled task."""
    task = task_of(compose("config", SMALL).values)
    generator = np.random.default_rng(0)
    with closing(make(task, SIZE)) as environment:
        found = [environment.reset(seed=0)[0]]
        shape = (SIZE, *(environment.single_action_space.shape or ()))
        for _ in range(STEPS):
            actions = generator.uniform(-1.0, 1.0, shape).astype(np.float32)
            found.append(environment.step(actions)[0])
    return np.array(found, dtype=np.float64)


def equal(one: Any, other: Any) -> bool:
    """Return whether two states are of equal types, keys and values, NaN being equal to NaN."""
    if isinstance(one, checkpoint.Checkpoint) and isinstance(other, checkpoint.Checkpoint):
        return equal(vars(one), vars(other))
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return list(one) == list(other) and all(equal(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(equal, one, other))
    if isinstance(one, torch.Tensor):
        one, other = one.numpy(), other.numpy()
    if isinstance(one, np.ndarray):
        same = one.dtype == other.dtype and one.shape == other.shape
        return bool(same and one.tobytes() == other.tobytes())
    return bool(one == other) or (one != one and other != other)


def _refusing(result: Callable[[], Any]) -> Any:
    """Return a result; an error that a user can mend ends the fork as it ends a command."""
    try:
        return result()
    except OsimexpError as error:
        say(f"Error: {sentence(error)}", error=True)
        raise SystemExit(REFUSED) from error


def _answer(found: Any, is_right: Callable[[Any], bool]) -> None:
    if not is_right(found):
        raise SystemExit(DIFFERS)


def _case(number: int, subject: str, change: str, ended: Ended, folder: Path) -> Case:
    outcome: Outcome = "silent" if ended.code == DIFFERS else outcome_of(ended)
    if outcome in ("fine", "refused"):
        shutil.rmtree(folder / f"{number}", ignore_errors=True)
    said = "" if outcome == "fine" else said_by(ended)
    return Case("flips", number, subject, change, outcome, ended.seconds, said)


def _bits(setting: Setting, size: int) -> list[int]:
    generator = np.random.default_rng([setting.seed, 0])
    return [int(bit) for bit in generator.integers(8 * size, size=setting.count)]


def _with_flipped(content: bytes, bit: int) -> bytes:
    changed = bytearray(content)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)
