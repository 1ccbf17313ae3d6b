"""Show the policy of a run, or the movement in a file, as a page in the browser.

Usage: osimexp view run=FOLDER [--export FILE] [key=value ...]
       osimexp view movement=FILE model=file model.path=my.osim [key=value ...]

--export FILE writes one html file that opens without a network, and serves nothing.

Examples:
    osimexp view run=outputs/2025-01-31/12-00-00_gait2d_velocity_sac_s0 --export walk.html
    osimexp view controller=walk against=outputs/my_walk
"""

import os
import sys
import tempfile
import time
import webbrowser
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from osimexp.analysis.shown import Shown
from osimexp.cli.launch import launch
from osimexp.config import check
from osimexp.errors import ConfigError, RunFolderError
from osimexp.experiment.following import follow
from osimexp.experiment.playing import Changes
from osimexp.experiment.run_folder import RunFolder
from osimexp.experiment.showing import ShownSettings, shown
from osimexp.files import write_text
from osimexp.tasks.specification import Specification
from osimexp.terminal import say
from osimexp.visual.meshes import read_mesh
from osimexp.visual.page.encoding import encode_figure, encode_movement
from osimexp.visual.page.html import Packed, exported
from osimexp.visual.page.server import PageServer
from osimexp.visual.page.triangles import Triangles
from osimexp.words import with_keys


@dataclass(frozen=True)
class ViewSettings:
    """Settings of ``osimexp view``, without those of the movement.

    Attributes:
        against: another run's folder, or another file of the same model, to compare with; null
            shows one movement.
        export: html file to write; null serves the page.
        port: port of the page on this machine; 0 takes a free one.
        open: whether to open the browser, if there is one.
        live: whether to show each newer policy of the run; null does so while it is running.
    """

    against: str | None
    export: str | None
    port: Annotated[int, Field(ge=0, le=65535)]
    open: bool
    live: bool | None


def main() -> None:
    """Show the movement that the command line names."""
    sys.argv[1:] = with_keys(sys.argv[1:], {"--export": "export"})
    launch(
        view, "command/view", __doc__, lambda: (ShownSettings, ViewSettings, Changes, Specification)
    )


def view(config: dict[str, Any]) -> float:
    """Write or serve the page, and return the duration of the first movement in s."""
    own = {key: config[key] for key in ViewSettings.__dataclass_fields__}
    settings = check(ViewSettings, own, "view")
    if settings.export is not None:
        return _export(config, settings, Path(settings.export))
    return _serve(config, settings)


def _export(config: dict[str, Any], settings: ViewSettings, file: Path) -> float:
    if file.suffix.lower() not in (".html", ".htm"):
        raise ConfigError(f"view.export: {file} must end in .html.")
    movements = [_first(config), *_second(config, settings)]
    page = exported(" and ".join(one.name for one in movements), [*map(_packed, movements)])
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_text(file, page)
    except OSError as error:
        raise RunFolderError(f"{file} cannot be written: {error.strerror}.") from error
    say(f"Written to {file} ({len(page) / 1e6:.1f} MB)")
    return movements[0].movement.duration


def _serve(config: dict[str, Any], settings: ViewSettings) -> float:
    folder = _followed(config, settings)
    if folder is not None and config["checkpoint"] is None:
        config = {**config, "checkpoint": "latest"}
    second = [_packed(one) for one in _second(config, settings)]
    duration = 0.0

    def play() -> Sequence[Packed]:
        nonlocal duration
        first = _first(config)
        duration = first.movement.duration
        return [_packed(first), *second]

    title = Path(config["run"] or config["movement"] or "").name
    with PageServer(title, settings.port, live=folder is not None) as server:
        if folder is None:
            server.show(play())
        else:
            server.show([], f"waiting for the first checkpoint of {folder.path}")
        with suppress(KeyboardInterrupt), signpost(server.address) as file:
            say(f"The page is at {server.address} (Ctrl-C ends it)")
            if settings.open and _has_screen():
                webbrowser.open(file.as_uri())
            if folder is not None:
                follow(folder, server, play)
            while True:
                time.sleep(3600.0)
    return duration


def _followed(config: dict[str, Any], settings: ViewSettings) -> RunFolder | None:
    """Return the run whose newer policies are shown, or None."""
    if config["run"] is None or config["movement"] is not None:
        if settings.live:
            raise ConfigError("view.live: a movement's file cannot be followed; give run=FOLDER.")
        return None
    folder = RunFolder.open(Path(config["run"]))
    running = folder.record()["state"] == "running"
    return folder if (running if settings.live is None else settings.live) else None


def _first(config: dict[str, Any]) -> Shown:
    return shown(config)[0]


def _second(config: dict[str, Any], settings: ViewSettings) -> list[Shown]:
    if settings.against is None:
        return []
    other = {**config, "ground_reactions": None, "movement": settings.against}
    if Path(settings.against).is_dir():
        other |= {"run": settings.against, "movement": None}
    return [shown(other)[0]]


def _packed(one: Shown) -> Packed:
    return Packed(
        one.name, encode_figure(one.figure, _read), encode_movement(one.movement, one.poses)
    )


def _read(file: Path) -> Triangles:
    mesh = read_mesh(file)
    return Triangles(mesh.vertices, mesh.triangles)


@contextmanager
def signpost(address: str) -> Iterator[Path]:
    """Write a page that only this user can read, which leads to an address, and remove it after.

    The words of a browser's command line can be read by every user of the machine.
    """
    with tempfile.TemporaryDirectory(prefix="osimexp-") as folder:  # Of mode 0700.
        file = Path(folder) / "view.html"
        file.write_text(f'<!doctype html><meta http-equiv="refresh" content="0; url={address}">\n')
        yield file


def _has_screen() -> bool:
    # Without a screen, a text browser would take over the terminal.
    elsewhere = sys.platform in ("win32", "darwin")
    return elsewhere or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))


if __name__ == "__main__":
    main()
