"""The rasteriser's machine code, and where it is kept."""

import os

import pytest

from osimexp.visual import raster


def square(x: float) -> float:
    return x * x


def test_nothing_is_kept_where_nothing_can_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(raster.numba.config, "CACHE_DIR", "", raising=False)
    monkeypatch.setattr(os, "access", lambda *_: False)
    made = raster.compiled(square)
    assert made(3.0) == 9.0
    assert made.stats.cache_path is None  # type: ignore[attr-defined]
