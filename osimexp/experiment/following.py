"""Following a run that trains: each newer policy plays, and the page shows it."""

import time
from collections.abc import Callable, Sequence
from typing import NoReturn

from osimexp.errors import OsimexpError
from osimexp.experiment import checkpoint
from osimexp.experiment.run_folder import RunFolder
from osimexp.visual.page.html import Packed
from osimexp.visual.page.server import PageServer

POLL = 1.0  # s between looks at the run's folder


def follow(
    folder: RunFolder,
    server: PageServer,
    play: Callable[[], Sequence[Packed]],
    poll: float = POLL,
) -> NoReturn:
    """Show what the latest policy plays, whenever it is a newer one, until interrupted.

    Args:
        folder: of the run.
        server: of the page.
        play: what the latest policy does.
        poll: s between looks.

    Raises:
        OsimexpError: the first policy cannot be played; what goes wrong later is said on the page.
    """
    file = folder.checkpoint_file("latest")
    seen: int | None = None
    steps, note = 0, ""
    while True:
        stamp = file.stat().st_mtime_ns if file.is_file() else None
        if stamp is not None and stamp != seen:
            try:
                steps = checkpoint.load(file).steps
                note = _note(folder, steps)
                server.show(play(), note)
            except OsimexpError as error:
                if seen is None:
                    raise
                server.say(str(error))
            seen = stamp
        elif seen is not None and (now := _note(folder, steps)) != note:
            note = now
            server.say(note)
        time.sleep(poll)


def _note(folder: RunFolder, steps: int) -> str:
    state = folder.record()["state"]
    return f"policy after {steps:,} steps; the run is {state}"
