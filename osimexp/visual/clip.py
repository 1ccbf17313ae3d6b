"""Clips of movements: frames at a constant rate, written as .mp4, .gif or a strip of pictures."""

import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Annotated, BinaryIO

import av
import numpy as np
from av.video.stream import VideoStream
from numpy.typing import NDArray
from PIL import Image
from pydantic import Field

from osimexp.errors import ConfigError, RunFolderError
from osimexp.files import replacing
from osimexp.motion.movement import Movement
from osimexp.physics.posing.figure import Figure, Poses
from osimexp.visual.camera import ViewSettings
from osimexp.visual.drawing import Drawing, stands
from osimexp.visual.shapes import look
from osimexp.visual.track import Track

Frames = NDArray[np.uint8]

QUALITY = "20"  # H.264's constant rate factor; 18 cannot be told from the original
COLOURS = 128  # colours of a gif
FINEST = 0.02  # shortest time for which viewers of gifs show a frame, s


@dataclass(frozen=True)
class ClipSettings(ViewSettings):
    """Settings of a clip.

    Attributes:
        width: width in pixels, an even number.
        height: height in pixels, an even number.
        fps: frames per second.
        speed: seconds of the movement in one second of the clip; 0.5 is half as fast as life.
        moments: number of pictures in a strip.
    """

    width: Annotated[int, Field(ge=16, le=7680, multiple_of=2)] = 640
    height: Annotated[int, Field(ge=16, le=4320, multiple_of=2)] = 480
    fps: Annotated[float, Field(gt=0.0, le=240.0)] = 30.0
    speed: Annotated[float, Field(gt=0.0)] = 1.0
    moments: Annotated[int, Field(ge=1, le=100)] = 6


class Clip:
    """A movement drawn as frames at a constant rate.

    Args:
        figure: appearance of the model.
        movement: movement of the model.
        poses: poses of the bodies in the movement.
        settings: settings of the clip.

    Raises:
        ModelError: a mesh cannot be read.
    """

    def __init__(
        self, figure: Figure, movement: Movement, poses: Poses, settings: ClipSettings
    ) -> None:
        self.settings = settings
        self._movement = movement
        shape = look(figure)
        self._track = Track(shape, movement, poses, settings.follow)
        self._drawing = Drawing(
            shape,
            settings.width,
            settings.height,
            settings,
            self._track.extent,
            stands(figure),
            self._track.forces,
            self._track.targets,
        )

    def __len__(self) -> int:
        """Return the number of frames."""
        settings = self.settings
        return int(self._movement.duration / settings.speed * settings.fps + 1e-6) + 1

    def __iter__(self) -> Iterator[Frames]:
        """Yield the frames ``(height, width, 3)`` one after another."""
        step = self.settings.speed / self.settings.fps
        for frame in range(len(self)):
            yield self._at(frame * step)

    def strip(self) -> Frames:
        """Return pictures at equal intervals of time in a row: ``(height, moments * w, 3)``."""
        times = np.linspace(0.0, self._movement.duration, self.settings.moments)
        return np.concatenate([self._at(float(time)) for time in times], axis=1)

    def _at(self, time: float) -> Frames:
        return self._drawing.picture(self._track.at(float(self._movement.time[0]) + time))


def clip_of(
    figure: Figure, movement: Movement, poses: Poses, settings: ClipSettings | None = None
) -> Frames:
    """Return the frames of a movement, ``(T, height, width, 3)``."""
    return np.stack(list(Clip(figure, movement, poses, settings or ClipSettings())))


def write_clip(path: Path, clip: Clip) -> int:
    """Write a clip, whole or not at all, and return the number of frames drawn.

    Args:
        path: file to write; its ending chooses a video (.mp4), an animation (.gif) or a strip
            (.png).
        clip: clip to write.

    Raises:
        ConfigError: the ending is none of these.
        RunFolderError: the file cannot be written.
    """
    writers: dict[str, Callable[[BinaryIO, Clip], int]] = {
        ".mp4": _mp4,
        ".gif": _gif,
        ".png": _png,
    }
    writer = writers.get(path.suffix.lower())
    if writer is None:
        raise ConfigError(f"output: {path} must end in .mp4, .gif or .png.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as stream:
            return writer(stream, clip)
    except OSError as error:
        raise RunFolderError(f"{path} cannot be written: {error.strerror or error}.") from error


def gif_bytes(frames: Iterable[Frames], fps: float) -> bytes:
    """Return frames as the animated gif that TensorBoard's image summaries hold.

    Args:
        frames: frames, each ``(height, width, 3)``.
        fps: frames per second, 50 at most.
    """
    stream = io.BytesIO()
    _write_gif(stream, frames, fps)
    return stream.getvalue()


def _mp4(stream: BinaryIO, clip: Clip) -> int:
    settings, count = clip.settings, 0
    rate = Fraction(settings.fps).limit_denominator(1001)
    with av.open(stream, "w", format="mp4", options={"movflags": "+faststart"}) as container:
        video: VideoStream = container.add_stream("libx264", rate=rate)
        video.width, video.height = settings.width, settings.height
        video.pix_fmt = "yuv420p"
        video.options = {"crf": QUALITY, "preset": "superfast"}
        for picture in clip:
            container.mux(video.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            count += 1
        container.mux(video.encode(None))
    return count


def _gif(stream: BinaryIO, clip: Clip) -> int:
    return _write_gif(stream, clip, clip.settings.fps)


def _write_gif(stream: BinaryIO, frames: Iterable[Frames], fps: float) -> int:
    """Write frames as a gif; all share the colours of the first frame."""
    left = iter(frames)
    first = Image.fromarray(next(left)).quantize(COLOURS, dither=Image.Dither.NONE)
    count = 1

    def rest() -> Iterator[Image.Image]:
        nonlocal count
        for picture in left:
            count += 1
            yield Image.fromarray(picture).quantize(palette=first, dither=Image.Dither.NONE)

    # Durations in a gif are in hundredths of a second.
    duration = max(round(100.0 / fps) / 100.0, FINEST)
    first.save(
        stream,
        "GIF",
        save_all=True,
        append_images=rest(),
        duration=round(1000 * duration),
        loop=0,
        optimize=False,
    )
    return count


def _png(stream: BinaryIO, clip: Clip) -> int:
    Image.fromarray(clip.strip()).save(stream, "PNG")
    return clip.settings.moments
