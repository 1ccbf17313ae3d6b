"""Every command line of README.md and docs does what it says, on a small budget.

Each is taken from the text; folders of runs in it become those of a small sweep that is made once.
Those of ``COMPOSED`` are composed alone, each for its reason; of a sweep the first job is run.
"""

import re
import shlex
import shutil
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import pytest
from commands import TESTS, Command, exit_code
from hydra.core.override_parser.overrides_parser import OverridesParser

from osimexp.cli.evaluate import main as evaluate
from osimexp.cli.train import main as train
from osimexp.cli.verbs import VERBS

ROOT = TESTS.parent
DOCUMENTS = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))

# What makes a command short, beside what the text gives it.
SHORT = {
    "train": (
        "run.steps=128",
        "run.threads=1",
        "run.log.every=64",
        "run.checkpoint.every=128",
        "run.evaluation.every=128",
        "run.evaluation.episodes=1",
        "run.evaluation.final_episodes=1",
        "run.evaluation.images=false",
        "algo.environments=64",
        "task.duration=0.1",
        "workers=none",
        "physics=compiled",
    ),
    "resume": ("run.steps=256",),
    "evaluate": ("episodes=1", "workers=none", "threads=1"),
    "compare": ("resamples=100",),
}
COMPOSED = {
    r" workers=ray": "there is no cluster",
    r" sweep=": "the tests of searches run them",
    r"\.models": "the test of the list of models runs it",
    r"\.bench": "the tests of the measurements run them, and whole they take minutes",
    r"\.view (?!.*--export)": "it serves until it is interrupted",
    r" movement=": "the recording is the reader's own",
    r" controller=open_loop ": "the recording is the reader's own",
    r" movement\.walks=": "the tests of comparisons play walks",
}
SWEEP = "outputs/sweeps/made"
WRITTEN = ("run.folder", "hydra.sweep.dir")  # folders that a command makes
FILES = ("-o", "--export")  # followed by what a command is to write


def documented() -> dict[str, str]:
    """Return the command lines of all documents, each once, with the first that has it."""
    found: dict[str, str] = {}
    for file in DOCUMENTS:
        text = re.sub(r"```.*?```", "", file.read_text(), flags=re.DOTALL)
        text = re.sub(r" \\\n +", " ", text)
        lines = re.findall(r"^    (\S.*)$", text, re.MULTILINE)
        # In a sentence a command may be called by its name alone.
        named = [" ".join(code.split()) for code in re.findall(r"`([^`]+)`", text)]
        lines += [code for code in named if not re.fullmatch(r"\S*( -m)? ?\S+", code)]
        for line in lines:
            line = re.sub(r"\s+# .*", "", line)
            if re.match(r"python -m osimexp\b|osimexp [a-z]|make train\b", line):
                found.setdefault(line, file.name)
    return found


LINES = documented()


def parsed(line: str) -> tuple[Callable[[], None], str, list[str]]:
    """Return a line's ``main``, its verb, and the words after it."""
    words = shlex.split(line)
    if words[0] == "make":
        given = [word.removeprefix("ARGS=") for word in words[2:]]
        words = ["osimexp", *(part for text in given for part in shlex.split(text))]
    if words[0] == "python":
        words = words[2:]
    module, *words = words
    spec = find_spec(module)
    assert spec is not None
    package = spec.submodule_search_locations is not None
    main = import_module(f"{module}.__main__" if package else module).main
    verb = module.partition(".")[2]
    if not verb:
        verb = next((word for word in words[:1] if word in VERBS), "train")
    return main, verb, words


def put_in_place(word: str, jobs: list[str]) -> str:
    """Return a word with what stands for a folder of the reader's replaced by what is there."""
    key, equals, value = word.rpartition("=")
    if key in WRITTEN or not value.startswith("outputs/"):
        return word
    if value.startswith("outputs/sweeps"):
        return f"{key}{equals}{SWEEP}"
    folder, *inside = value.removeprefix("outputs/").split("/")
    return f"{key}{equals}{'/'.join([jobs[folder == 'b'], *inside])}"


def first_job(words: list[str]) -> list[str]:
    """Return the words with the first of each key's values alone, where they are a sweep's."""
    if "-m" not in words:
        return words
    keys = [word for word in words if not word.startswith("-")]
    flags = [word for word in words if word.startswith("--")]
    first = []
    for key in OverridesParser.create().parse_overrides(keys):
        sweep = key.is_sweep_override()
        value = next(key.sweep_string_iterator()) if sweep else key.get_value_element_as_str()
        first.append(f"{key.get_key_element()}={value}")
    return [*flags, *first]


def runs_of(sweep: Path) -> list[Path]:
    return sorted(path for path in sweep.iterdir() if path.name[0].isdigit())


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small sweep of two runs of a walker."""
    place = tmp_path_factory.mktemp("documented")
    words = ("-m", "experiment=walk", "algo.discount=0.9,0.99", f"hydra.sweep.dir={SWEEP}")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        assert exit_code(train, *words, *SHORT["train"]) == 0
        (first, _) = runs_of(Path(SWEEP))
        played = (f"run={first}", "movements=1", "seed=0", *SHORT["evaluate"])
        assert exit_code(evaluate, *played) == 0
    best = place / SWEEP / "experiment" / "best.yaml"  # as a search leaves one
    best.parent.mkdir()
    best.write_text("# @package _global_\nalgo: { discount: 0.95 }\n")
    return place


@pytest.fixture
def jobs(place: Path, made: Path) -> Iterator[list[str]]:
    """The folders of the two runs, copied to where the test works, and the reader's own model."""
    shutil.copytree(made, place, dirs_exist_ok=True)
    folders = runs_of(Path(SWEEP))
    shutil.copy(folders[0] / "model.osim", "my.osim")
    return [str(folder) for folder in folders]


@pytest.mark.parametrize("line", LINES)
def test_a_command_of_the_documents_works(command: Command, jobs: list[str], line: str) -> None:
    main, verb, words = parsed(line)
    words = [put_in_place(word, jobs) for word in words]
    if any(re.search(pattern, line) for pattern in COMPOSED):
        short = ("--cfg", "job")
    else:
        short = SHORT.get("resume" if " resume=" in line else verb, ())
    answer = command(*first_job(words), *short, main=main)
    assert answer.code == 0, answer.err
    for flag, name in pairwise(words):
        assert flag not in FILES or Path(name).exists()


def test_commands_are_found_in_the_documents() -> None:
    assert len(LINES) > 50
    assert {parsed(line)[1] for line in LINES} == set(VERBS)
    for pattern in COMPOSED:
        assert any(re.search(pattern, line) for line in LINES), pattern


@pytest.mark.parametrize(
    "line", ["python -m osimexp rewrd=walk", "python -m osimexp.evaluate run=outputs/... episode=2"]
)
def test_a_command_that_does_not_work_is_seen(command: Command, jobs: list[str], line: str) -> None:
    main, verb, words = parsed(line)
    words = [put_in_place(word, jobs) for word in words]
    assert command(*words, *SHORT[verb], main=main).refuses("did you mean")


def test_files_that_the_documents_name_are_there() -> None:
    for file in DOCUMENTS:
        for name in re.findall(r"`((?:osimexp|conf|tests|docs)/[\w./-]+)", file.read_text()):
            there = Path(name.rstrip("./"))
            pattern = there.parent if there.stem == "mine" else there  # a file of the reader's own
            assert list(ROOT.glob(str(pattern))), f"{file.name}: {name}"
