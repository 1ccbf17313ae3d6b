"""The bench command on the smallest budget."""

import csv
import sys
from pathlib import Path

import pytest

from osimexp import bench


def test_bench_measures_every_candidate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "raw.csv"
    words = ["bench", "physics", "models=[arm]", "rounds=1", "seconds=0.02", "batch=4"]
    monkeypatch.setattr(sys, "argv", [*words, f"output={file}"])
    bench.main()
    rows = list(csv.DictReader(file.open()))
    assert [row["candidate"] for row in rows] == [c.name for c in bench.CANDIDATES]
    assert all(float(row["rate"]) > 0.0 and row["failed"] == "0" for row in rows)
    assert "times OpenSim" in capsys.readouterr().out


def test_bench_refuses_what_it_does_not_know(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["bench", "physic"])
    with pytest.raises(SystemExit, match="2"):
        bench.main()
    assert "physic" in capsys.readouterr().err
