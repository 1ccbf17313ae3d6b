"""A page under many connections that ask for nothing, for half of it, or break off."""

import resource
import socket
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.error import URLError
from urllib.parse import SplitResult, urlsplit

import numpy as np

from osimexp.bench.faults.cases import Case, Outcome
from osimexp.bench.faults.commands import Setting, command, done
from osimexp.bench.faults.inputs import movement_text
from osimexp.bench.faults.processes import Fork, Job

KINDS = ("silent", "half a request", "broken off", "garbage", "reads nothing")
ASKING = 10.0  # time in which the page must answer, s
THREADS = 16
DESCRIPTORS = 400


def crowded(setting: Setting) -> Iterator[Case]:
    """Yield a case for each connection that is opened and held, with the page asked in between."""
    (setting.folder / "movement.mot").write_text(movement_text())
    words = ("movement=movement.mot", "model=arm", "model.paths=geometry", "port=0", "open=false")
    fork = Fork(Job(command("view", *words), setting.folder, 3600.0))
    try:
        address = _address(fork, setting.folder / "stdout.txt")
        yield from _crowd(setting, address, fork.number)
    finally:
        fork.end()


def _crowd(setting: Setting, address: str, server: int) -> Iterator[Case]:
    generator = np.random.default_rng(setting.seed)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    where = urlsplit(address)
    asked = max(setting.count // 20, 1)
    kinds: list[str] = []
    begun = time.monotonic()
    with ExitStack() as stack:
        for number in range(setting.count):
            kinds.append(str(generator.choice(KINDS)))
            _connect(where, kinds[-1], stack)
            if (number + 1) % asked and number + 1 < setting.count:
                continue
            outcome, said = _asked(address, server, setting.folder)
            seconds = time.monotonic() - begun
            for place in range(number + 1 - len(kinds), number + 1):
                kind = kinds[place - number - 1 + len(kinds)]
                yield Case("page", place, "view", kind, outcome, seconds / len(kinds), said)
            kinds, begun = [], time.monotonic()


def _connect(where: SplitResult, kind: str, stack: ExitStack) -> None:
    client = socket.create_connection((where.hostname or "", where.port or 0), timeout=ASKING)
    request = f"GET {where.path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    match kind:
        case "half a request":
            client.sendall(request[: len(request) // 2])
        case "garbage":
            client.sendall(bytes(range(256)) * 4 + b"\r\n\r\n")
        case "reads nothing" | "broken off":
            client.sendall(request)
    if kind == "broken off":
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        client.close()
    else:
        stack.callback(client.close)


def _asked(address: str, server: int, folder: Path) -> tuple[Outcome, str]:
    """Ask for the page, and look at what the server holds and has said."""
    try:
        with urllib.request.urlopen(address, timeout=ASKING) as answer:
            whole = answer.read()
    except (URLError, TimeoutError, OSError) as error:
        return "hang", f"The page did not answer: {error}."
    if b"</html>" not in whole[-100:]:
        return "silent", "The page was not whole."
    if errors := (folder / "stderr.txt").read_text():
        return "traceback" if "Traceback" in errors else "unclear", errors.splitlines()[-1][:300]
    place = Path("/proc") / str(server)
    threads, files = (len(list((place / name).iterdir())) for name in ("task", "fd"))
    if threads > THREADS or files > DESCRIPTORS:
        return "lost", f"The server holds {threads} threads and {files} descriptors."
    return "fine", ""


def _address(fork: Fork, file: Path) -> str:
    """Return the address that the server prints.

    Raises:
        SimulationError: it ended.
    """
    while True:
        for word in (file.read_text() if file.is_file() else "").split():
            if word.startswith("http://") and word.endswith("/"):
                return word
        if (ended := fork.ended()) is not None:
            done(ended)
        time.sleep(0.05)
