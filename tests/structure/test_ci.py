"""The script that a change has to pass, with stand-ins for all that it calls."""

import os
import subprocess
from pathlib import Path

import pytest
from browser import chromium
from commands import TESTS


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of programs that write down how they were called, before all others."""
    for name in ("apt-get", "make", "python3", "sudo"):
        program = tmp_path / name
        program.write_text(
            "#!/bin/sh\n"
            f'echo "{name} $@ (CI=$CI)" >> {tmp_path}/calls\n'
            + ('exec "$@"\n' if name == "sudo" else f"exit $(cat {tmp_path}/{name}.code)\n")
        )
        program.chmod(0o755)
        (tmp_path / f"{name}.code").write_text("0")
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.delenv("PYTHON", raising=False)
    return tmp_path


def called(machine: Path) -> tuple[subprocess.CompletedProcess[str], list[str]]:
    ended = subprocess.run([TESTS.parent / ".ci/run"], capture_output=True, text=True)
    lines = (machine / "calls").read_text().splitlines()
    return ended, [line for line in lines if not line.startswith("sudo")]


def test_it_runs_the_tests_where_there_is_a_browser(machine: Path) -> None:
    ended, lines = called(machine)
    assert ended.returncode == 0
    assert lines == ["python3 tests/support/chromium.py (CI=true)", "make test (CI=true)"]
    (machine / "make.code").write_text("3")
    assert called(machine)[0].returncode == 3


def test_it_installs_a_browser_where_there_is_none(machine: Path) -> None:
    (machine / "python3.code").write_text("1")
    ended, lines = called(machine)
    assert ended.returncode == 0
    assert lines[1].startswith("apt-get update")
    assert lines[2].startswith("apt-get install")
    assert lines[2].endswith("chromium (CI=true)")
    assert lines[3] == "make test (CI=true)"


def test_it_says_where_no_browser_can_be_installed(machine: Path) -> None:
    (machine / "python3.code").write_text("1")
    (machine / "apt-get.code").write_text("100")
    ended, lines = called(machine)
    assert "Chromium cannot be installed" in ended.stderr
    assert lines[-1] == "make test (CI=true)"


def test_a_browser_test_without_a_browser_is_skipped_and_in_ci_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("OSIMEXP_CHROMIUM", raising=False)
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="apt-get install chromium"):
        chromium()
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="apt-get install chromium"):
        chromium()
