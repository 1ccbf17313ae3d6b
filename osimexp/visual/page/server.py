"""The local server of a page: its html file, its data and changes of the data."""

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

from osimexp.errors import ConfigError
from osimexp.visual.page.html import Packed, description, served

HOST = "127.0.0.1"
CLOSING = 0.1  # time between checks of whether to end, s

Answer = Callable[[str], tuple[str, bytes] | None]


class PageServer:
    """A server of one page on localhost, which runs in its own thread while the context is entered.

    Args:
        title: title of the page.
        port: port of the server; 0 takes a free one.
        live: whether the page looks for changes.

    Raises:
        ConfigError: the port cannot be used.
    """

    def __init__(self, title: str, port: int, live: bool) -> None:
        self._page = served(title).encode()
        self._live = live
        self._version = 0
        self._shown: Sequence[Packed] = ()
        self._files: dict[str, bytes] = {}
        self._latest: frozenset[str] = frozenset()
        try:
            self._server = _Server((HOST, port), self.answer)
        except OSError as error:
            raise ConfigError(
                f"Port {port} cannot be used ({error.strerror}); port=0 takes a free one."
            ) from error
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(CLOSING,), daemon=True
        )

    @property
    def address(self) -> str:
        """URL of the page."""
        return f"http://{HOST}:{self._server.server_address[1]}/"

    def say(self, note: str) -> None:
        """Replace the line of text beneath the picture."""
        self.show(self._shown, note)

    def show(self, shown: Sequence[Packed], note: str = "") -> None:
        """Replace the movements that the page shows by others, one or two."""
        self._version += 1
        self._shown = shown
        text, data = description(shown, self._version, self._live, note)
        # Data that a page may be loading stays for one more change; the new set appears at once.
        before = {place: block for place, block in self._files.items() if place in self._latest}
        self._latest = frozenset(data)
        self._files = {**before, **data, "shown.json": text}

    def answer(self, path: str) -> tuple[str, bytes] | None:
        """Return the type and the bytes of the file at a path, or None if there is none."""
        place = path.partition("?")[0].removeprefix("/")
        if place == "":
            return "text/html; charset=utf-8", self._page
        block = self._files.get(place)
        if block is None:
            return None
        return "application/json" if place == "shown.json" else "application/gzip", block

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self.close()

    def close(self) -> None:
        """Stop the server and free the port."""
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], answer: Answer) -> None:
        self.answer = answer
        super().__init__(address, _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        """Answer a request for the page or its data."""
        # A page of another site, whose name was made to point here, must not read a run.
        if self.headers.get("Host", "").partition(":")[0] not in (HOST, "localhost"):
            self.send_error(HTTPStatus.FORBIDDEN)
            return
        found = self.server.answer(self.path)
        if found is None:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        kind, block = found
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(block)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        with suppress(ConnectionError):  # The page was closed while it loaded.
            self.wfile.write(block)

    def log_message(self, format: str, *arguments: object) -> None:
        """Print nothing: the terminal is for what the user asked."""
