import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from absl import logging
from commands import SUPPORT, TESTS, Answer, Command, exit_code

from osimexp.models.prepare import quiet
from osimexp.trust import VARIABLE


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(autouse=True, scope="session")
def _no_opensim_log() -> None:
    quiet()


@pytest.fixture(autouse=True, scope="session")
def _absl_leaves_captured_output_open() -> None:
    # Each job sets logging up anew, which closes absl's handler and with it the stderr that it
    # found when it was imported: while tests are collected, that which pytest captures into.
    logging.get_absl_handler().python_handler.stream = sys.__stderr__


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that the test works in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def command(place: Path, capfd: pytest.CaptureFixture[str]) -> Command:
    """Run ``python -m osimexp`` (or another module's ``main``) within this process."""
    from osimexp.cli.train import main as train

    def run(*arguments: str, main: Callable[[], None] = train) -> Answer:
        capfd.readouterr()
        code = exit_code(main, *arguments)
        out, err = capfd.readouterr()
        return Answer(code, out, err)

    return run


@pytest.fixture
def started(place: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start ``python -m osimexp`` in a process of its own, which does not outlive the test."""
    processes: list[subprocess.Popen[str]] = []

    def heard() -> None:
        # A shell may have told its children to ignore these, as nohup and & do.
        for number in (signal.SIGHUP, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)

    def start(*arguments: str) -> subprocess.Popen[str]:
        environment = os.environ | {
            "PYTHONPATH": os.pathsep.join([str(TESTS.parent), str(SUPPORT)]),
            "OMP_NUM_THREADS": "1",
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "osimexp", *arguments],
            cwd=place,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=heard,
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        if process.poll() is None:
            process.kill()
        process.communicate()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say at the end what was skipped, and what it needs."""
    skipped = terminalreporter.getreports("skipped")
    reasons = Counter(report.longrepr[2].removeprefix("Skipped: ") for report in skipped)
    if reasons:
        terminalreporter.section("skipped here")
    for reason, count in reasons.most_common():
        terminalreporter.line(f"{count} test{'s' if count > 1 else ''}: {reason}")


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep what tests compile out of the user's own cache; processes of one test run share it."""
    base = tmp_path_factory.getbasetemp()
    cache = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "cache"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OSIMEXP_CACHE", str(cache))
        yield


@pytest.fixture(scope="session", autouse=True)
def own_code_trusted() -> Iterator[None]:
    """Trust the toy of the tests and its options, as users trust their own terms and options."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, f"toy,{SUPPORT / 'conf'}")
        yield
