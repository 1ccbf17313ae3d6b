import json
import socket
import stat
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlsplit

import pytest

from osimexp.cli import view
from osimexp.errors import ConfigError
from osimexp.visual.page import connections
from osimexp.visual.page.html import Packed
from osimexp.visual.page.server import PageServer

RESET = b"\1\0\0\0\0\0\0\0"  # of SO_LINGER: closing breaks the connection off


@pytest.fixture
def server() -> Iterator[PageServer]:
    with PageServer("page", 0, live=False) as running:
        running.show([Packed("walk", b"figure" * 1_000_000, b"movement")])
        yield running


def got(address: str) -> bytes:
    with urllib.request.urlopen(address, timeout=10.0) as answer:
        return bytes(answer.read())


def connected(server: PageServer) -> socket.socket:
    where = urlsplit(server.address)
    assert where.hostname is not None
    return socket.create_connection((where.hostname, where.port or 0), timeout=10.0)


def status(server: PageServer, *lines: str) -> int:
    """Return the status of the answer to a request of so many lines."""
    with connected(server) as client:
        client.sendall("".join(f"{line}\r\n" for line in (*lines, "")).encode())
        return int(client.makefile("rb").readline().split()[1])


def path(server: PageServer) -> str:
    return urlsplit(server.address).path


def test_the_page_and_its_data_are_at_the_address(server: PageServer) -> None:
    assert b"<title>page</title>" in got(server.address)
    (one,) = json.loads(got(server.address + "shown.json"))["movements"]
    assert got(server.address + one["figure"]) == b"figure" * 1_000_000
    assert got(server.address + one["movement"]) == b"movement"
    with pytest.raises(HTTPError, match="404"):
        got(server.address + "nothing")


def test_another_user_of_the_machine_finds_nothing_without_the_secret(server: PageServer) -> None:
    root = server.address.removesuffix(path(server)) + "/"
    (one,) = json.loads(got(server.address + "shown.json"))["movements"]
    wrong = "A" * (len(path(server)) - 2)
    for place in ("", "shown.json", one["figure"], f"{wrong}/shown.json", path(server)[1:-1]):
        with pytest.raises(HTTPError, match="404") as refused:
            got(root + place)
        assert path(server)[1:-1] not in refused.value.read().decode()
    with PageServer("page", 0, live=False) as other:
        assert path(other) != path(server)


def test_the_secret_is_not_among_the_words_of_the_browser(server: PageServer) -> None:
    with view.signpost(server.address) as file:
        assert server.address in file.read_text()
        assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert not file.parent.exists()


@pytest.mark.parametrize(
    "hosts",
    [
        (),
        ("elsewhere.example",),
        ("127.0.0.1", "127.0.0.1"),
        ("127.0.0.1", "elsewhere.example"),
        ("localhost.elsewhere.example",),
        ("localhost:80:elsewhere",),
        ("127.0.0.1@elsewhere.example",),
    ],
)
def test_only_one_host_that_is_this_machine_is_answered(
    server: PageServer, hosts: tuple[str, ...]
) -> None:
    assert status(server, f"GET {path(server)} HTTP/1.1", *(f"Host: {h}" for h in hosts)) == 403
    assert status(server, f"GET {path(server)} HTTP/1.1", "Host: localhost:9000") == 200


def test_six_hundred_silent_connections_hold_no_threads_and_no_page(server: PageServer) -> None:
    threads, files = threading.active_count(), _descriptors()
    with ExitStack() as stack:
        for number in range(600):
            client = stack.enter_context(connected(server))
            if number % 2:
                client.sendall(b"GET /")  # and never the rest
            if number == 300:
                assert b"<title>page</title>" in got(server.address)
        assert b"<title>page</title>" in got(server.address)
        assert threading.active_count() == threads
        held = _descriptors() - files - 600
        assert held <= connections.MOST
    _soon(lambda: _descriptors() <= files)


def test_a_connection_that_asks_for_nothing_is_closed(
    server: PageServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "TO_ASK", 0.2)
    with connected(server) as silent, connected(server) as slow:
        begun = time.monotonic()
        slow.sendall(b"GET / HTTP/1.1\r\n")
        assert silent.recv(1) == b""
        assert slow.recv(1) == b""
        assert time.monotonic() - begun < 5.0


def test_a_client_that_takes_nothing_is_closed(
    server: PageServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "TO_TAKE", 0.2)
    server.show([Packed("walk", bytes(50_000_000), b"")])
    (one,) = json.loads(got(server.address + "shown.json"))["movements"]
    with connected(server) as client:
        client.sendall(
            f"GET {path(server)}{one['figure']} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
        )
        time.sleep(1.0)
        received = 0
        try:
            while block := client.recv(1 << 20):
                received += len(block)
        except ConnectionResetError:
            pass
        assert received < 50_000_000


def test_clients_that_break_off_are_not_spoken_of(
    server: PageServer, capfd: pytest.CaptureFixture[str]
) -> None:
    (one,) = json.loads(got(server.address + "shown.json"))["movements"]
    whole = f"GET {path(server)}{one['figure']} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    for sent in (b"", b"GET", whole[:-2], whole, b"\xff\0\r\n\r\n", b"A" * 100_000, b"\r\n\r\n"):
        for reading in (0, 10):
            client = connected(server)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            client.sendall(sent)
            if reading and sent == whole:
                client.recv(reading)
            client.close()
    assert b"<title>page</title>" in got(server.address)
    server.close()
    assert capfd.readouterr() == ("", "")


def test_the_end_of_the_server_ends_its_connections(capfd: pytest.CaptureFixture[str]) -> None:
    before = threading.active_count()
    with PageServer("page", 0, live=False) as server:
        clients = [connected(server) for _ in range(10)]
        got(server.address)
    assert threading.active_count() == before
    for client in clients:
        with client:
            assert _ended(client)
    assert capfd.readouterr() == ("", "")


def test_a_port_in_use_is_refused(server: PageServer) -> None:
    with pytest.raises(ConfigError, match="port=0"):
        PageServer("page", urlsplit(server.address).port or 0, live=False)


def _ended(client: socket.socket) -> bool:
    try:
        return client.recv(1) == b""
    except ConnectionResetError:
        return True


def _descriptors() -> int:
    place = Path("/proc/self/fd")
    return len(list(place.iterdir())) if place.is_dir() else 0


def _soon(is_so: Callable[[], bool]) -> None:
    patience = time.monotonic() + 5.0
    while not is_so():
        assert time.monotonic() < patience
        time.sleep(0.02)
