"""The cache on disk: nothing in it is believed before it is verified."""

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from osimexp.cache import VARIABLE, cache_folder, cached_file, kept

NAME = "compiled/a"


@pytest.fixture
def cache(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(VARIABLE, str(place / "cache"))
    return place / "cache"


@pytest.fixture(params=[0o000, 0o022, 0o777])
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


def content(expected: bytes = b"made", name: str = NAME) -> tuple[bytes, bool]:
    """Return what is kept, and whether it was made for that."""
    made = []

    def make() -> bytes:
        made.append(True)
        return expected

    return kept(name, make), bool(made)


def test_what_was_made_is_kept(cache: Path) -> None:
    assert content() == (b"made", True)
    assert content() == (b"made", False)


def test_every_flipped_bit_and_cut_is_made_again(cache: Path) -> None:
    content()
    file = cached_file(NAME)
    sound = file.read_bytes()
    damaged = [sound[:length] for length in range(len(sound))]
    for number in range(8 * len(sound)):
        flipped = bytearray(sound)
        flipped[number // 8] ^= 1 << number % 8
        damaged.append(bytes(flipped))
    for found in [*damaged, sound + b"\0"]:
        file.write_bytes(found)
        assert content() == (b"made", True)
        assert file.read_bytes() == sound


def test_the_file_of_another_name_is_not_taken(cache: Path) -> None:
    content()
    cached_file(NAME).rename(cached_file("compiled/b"))
    assert content(b"other", "compiled/b") == (b"other", True)


@pytest.mark.skipif(os.name != "posix", reason="needs the file modes of POSIX")
def test_nobody_else_reads_or_writes_it(cache: Path, umask: None) -> None:
    content()
    assert content() == (b"made", False)
    for folder in (cache, cache / "compiled"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(cached_file(NAME).stat().st_mode) == 0o600


@pytest.mark.skipif(os.name != "posix", reason="needs the file modes of POSIX")
def test_what_others_may_have_written_is_made_again(
    cache: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    content()
    cached_file(NAME).chmod(0o666)
    assert content() == (b"made", True)
    assert "other users can write it" in caplog.text
    assert content() == (b"made", False)
    if os.geteuid() == 0:
        os.chown(cached_file(NAME), 12345, -1)
    else:
        user = os.geteuid()
        monkeypatch.setattr(os, "geteuid", lambda: user + 1)
    assert content() == (b"made", True)
    assert "another user wrote it" in caplog.text


@pytest.mark.skipif(os.name != "posix", reason="needs links and pipes")
def test_what_is_no_file_is_made_again(cache: Path, caplog: pytest.LogCaptureFixture) -> None:
    content()
    file = cached_file(NAME)
    file.rename(cache / "there")
    file.symlink_to(cache / "there")
    assert content() == (b"made", True)
    file.unlink()
    os.mkfifo(file)
    assert content() == (b"made", True)
    file.unlink()
    file.mkdir()
    assert content() == (b"made", True)
    assert "cannot be written" in caplog.text


def no_home(*_: object, **__: object) -> str:
    raise RuntimeError("could not determine the home directory")


@pytest.mark.parametrize("found", [no_home, lambda *_, **__: "~/.cache/osimexp"])
def test_a_user_without_a_home_makes_no_folder_of_a_tilde(
    place: Path, monkeypatch: pytest.MonkeyPatch, found: Callable[..., str]
) -> None:
    monkeypatch.delenv(VARIABLE)
    monkeypatch.setattr("platformdirs.user_cache_dir", found)
    assert cache_folder().is_absolute()
    assert "~" not in str(cache_folder())
