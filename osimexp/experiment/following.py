"""Display of a run while it trains: each newer policy plays, and the page shows it."""

import time
from collections.abc import Callable, Sequence
from typing import NoReturn

from osimexp.errors import OsimexpError
from osimexp.experiment import checkpoint
from osimexp.experiment.run_folder import RunFolder
from osimexp.visual.page.html import Packed
from osimexp.visual.page.server import PageServer

POLL = 1.0  # time between checks of the run's folder, s


def follow(
    folder: RunFolder,
    server: PageServer,
    play: Callable[[], Sequence[Packed]],
    poll: float = POLL,
) -> NoReturn:
    """Show the movement of the latest policy whenever it is newer, until interrupted.

    Args:
        folder: folder of the run.
        server: server of the page.
        play: function that returns the latest policy's movements, packed for the page.
        poll: time between checks of the run's folder, s.

    Raises:
        OsimexpError: the first policy cannot be played; later errors are shown on the page.
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
