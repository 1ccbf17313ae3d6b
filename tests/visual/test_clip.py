"""Clips, read back."""

import io
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image
from render_walk import walking
from walker import walker

from osimexp.errors import ConfigError, OsimexpError
from osimexp.visual.clip import Clip, ClipSettings, clip_of, gif_bytes, write_clip


def clip(seconds: float = 1.0, **settings: object) -> Clip:
    movement, poses = walking(seconds)
    small = {"width": 160, "height": 120, "fps": 20.0, **settings}
    return Clip(walker(), movement, poses, ClipSettings(**small))  # type: ignore[arg-type]


def test_a_video_has_its_frames_size_and_rate(tmp_path: Path) -> None:
    made = clip()
    assert write_clip(tmp_path / "new" / "walk.mp4", made) == 21
    with av.open(tmp_path / "new" / "walk.mp4") as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height) == (160, 120)
        assert stream.average_rate == 20
        assert stream.codec_context.name == "h264"
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(stream)]
    assert len(frames) == 21
    original = list(made)[10].astype(float)
    assert np.abs(frames[10] - original).mean() < 6.0
    assert [file.name for file in (tmp_path / "new").iterdir()] == ["walk.mp4"]


def test_speed_changes_how_many_frames_there_are() -> None:
    assert len(clip(speed=0.5)) == 41
    assert len(clip(speed=2.0)) == 11
    slow, usual = list(clip(speed=0.5)), list(clip())
    np.testing.assert_array_equal(slow[20], usual[10])


def test_a_gif_has_its_frames_size_and_rate(tmp_path: Path) -> None:
    assert write_clip(tmp_path / "walk.gif", clip()) == 21
    with Image.open(tmp_path / "walk.gif") as image:
        assert image.size == (160, 120)
        assert image.n_frames == 21  # type: ignore[attr-defined]
        assert image.info["duration"] == 50
        assert image.info["loop"] == 0


def test_a_strip_shows_moments_side_by_side(tmp_path: Path) -> None:
    assert write_clip(tmp_path / "walk.png", clip(moments=3)) == 3
    with Image.open(tmp_path / "walk.png") as image:
        assert image.size == (480, 120)
        pixels = np.asarray(image)
    frames = list(clip())
    np.testing.assert_array_equal(pixels[:, 160:320], frames[10])


def test_frames_and_gifs_for_other_programs() -> None:
    movement, poses = walking(0.5)
    frames = clip_of(walker(), movement, poses, ClipSettings(width=64, height=48, fps=10))
    assert frames.shape == (6, 48, 64, 3)
    assert frames.dtype == np.uint8
    assert (frames[0] != frames[3]).any()
    with Image.open(io.BytesIO(gif_bytes(frames, 10))) as image:
        assert image.format == "GIF"
        assert image.n_frames == 6  # type: ignore[attr-defined]


def test_what_cannot_be_written_ends_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"walk\.avi must end in"):
        write_clip(tmp_path / "walk.avi", clip())
    (tmp_path / "file").write_text("")
    with pytest.raises(OsimexpError, match="cannot be written"):
        write_clip(tmp_path / "file" / "walk.gif", clip())
