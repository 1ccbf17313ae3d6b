"""The local server of a page: its html file, its data and changes of the data."""

import re
import secrets
import socket
from collections.abc import Sequence
from http import HTTPStatus
from types import TracebackType
from typing import Self

from osimexp.errors import ConfigError
from osimexp.visual.page.connections import Connections
from osimexp.visual.page.html import Packed, description, served

HOST = "127.0.0.1"
HERE = re.compile(r"(127\.0\.0\.1|localhost)(:[0-9]{1,5})?")  # any port, as of a tunnel


class PageServer:
    """A server of one page on localhost, which runs in its own thread while the context is entered.

    Every address of it begins with a secret, so that other users of the machine, who can connect as
    well, cannot read the page.

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
        self._secret = secrets.token_urlsafe(16)
        try:
            self._socket = socket.create_server((HOST, port))
        except OSError as error:
            raise ConfigError(
                f"Port {port} cannot be used ({error.strerror}); port=0 takes a free one."
            ) from error
        self._connections = Connections(self._socket, self._respond)
        self._port = self._socket.getsockname()[1]

    @property
    def address(self) -> str:
        """URL of the page, with its secret."""
        return f"http://{HOST}:{self._port}/{self._secret}/"

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

    def answer(self, place: str) -> tuple[str, bytes] | None:
        """Return the type and the bytes of a file of the page, or None if there is none.

        Args:
            place: path of the file behind the secret; empty is the page itself.
        """
        if place == "":
            return "text/html; charset=utf-8", self._page
        block = self._files.get(place)
        if block is None:
            return None
        return "application/json" if place == "shown.json" else "application/gzip", block

    def __enter__(self) -> Self:
        self._connections.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop the server and free the port."""
        self._connections.close()

    def _respond(self, path: str, hosts: Sequence[str]) -> tuple[HTTPStatus, str, bytes]:
        # A page of another site, whose name was made to point here, must not read a run.
        if len(hosts) != 1 or HERE.fullmatch(hosts[0].strip()) is None:
            return HTTPStatus.FORBIDDEN, "", b""
        secret, slash, place = path.partition("?")[0].removeprefix("/").partition("/")
        known = secrets.compare_digest(secret.encode(), self._secret.encode())
        found = self.answer(place) if known and slash else None
        return (HTTPStatus.NOT_FOUND, "", b"") if found is None else (HTTPStatus.OK, *found)
