"""Connections of a local page: one thread serves them all, and none can hold up the others."""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from io import BytesIO
from typing import Any

MOST = 128  # connections that are open at a time; the one silent for longest gives way
LONGEST_HEAD = 16384  # of a request, bytes
TO_ASK = 10.0  # time in which a request must have come, s
TO_TAKE = 30.0  # time in which a client must have taken a piece of the answer, s
PIECE = 1 << 18  # bytes

Answer = Callable[[str, list[str]], tuple[HTTPStatus, str, bytes]]
"""Function of the path and the ``Host`` headers of a request: status, content type and body."""


class Connections:
    """A server of GET requests on a bound socket, in one thread and with a bound on connections.

    A connection is answered once and closed. One that asks for nothing, or does not take its
    answer, is closed after a time, and earlier if there are too many.

    Args:
        listener: bound socket, which the server closes.
        answer: function that answers a request; it is called in the server's thread.
    """

    def __init__(self, listener: socket.socket, answer: Answer) -> None:
        self._listener = listener
        self._answer = answer
        self._open: dict[asyncio.StreamWriter, bool] = {}  # and whether it has asked; oldest first
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    def start(self) -> None:
        """Begin to accept connections."""
        self._thread.start()
        self._ready.wait()

    def close(self) -> None:
        """Close all connections and the socket."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._ended.set)
            self._thread.join()
        self._listener.close()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._loop.set_exception_handler(self._trouble)
        self._ended = asyncio.Event()
        server = await asyncio.start_server(
            self._connected, sock=self._listener, limit=LONGEST_HEAD, backlog=MOST // 2
        )
        self._ready.set()
        await self._ended.wait()
        server.close()
        await asyncio.sleep(0)  # The last that were accepted become tasks.
        while len(tasks := asyncio.all_tasks()) > 1:
            for writer in list(self._open):
                writer.transport.abort()
            await asyncio.wait(tasks - {asyncio.current_task()}, timeout=0.1)

    def _trouble(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Make room where no connection could be accepted; report all other errors."""
        if isinstance(context.get("exception"), OSError):
            for writer in [one for one, asked in self._open.items() if not asked]:
                writer.transport.abort()
        else:
            loop.default_exception_handler(context)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # A client may go at any moment, which concerns nobody else.
        gone = (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError)
        with self._counted(writer), suppress(*gone):
            async with asyncio.timeout(TO_ASK):
                head = await reader.readuntil(b"\r\n\r\n")
            self._open[writer] = True
            exchange = _Exchange(head, self._answer)
            writer.write(exchange.wfile.getvalue())
            body = memoryview(exchange.body)  # Shared, however many are slow to take it.
            for begin in range(0, len(body), PIECE):
                writer.write(body[begin : begin + PIECE])
                async with asyncio.timeout(TO_TAKE):
                    await writer.drain()
            writer.close()
            async with asyncio.timeout(TO_TAKE):
                await writer.wait_closed()

    @contextmanager
    def _counted(self, writer: asyncio.StreamWriter) -> Iterator[None]:
        """Hold a connection among the open ones, and close it at the end in any case."""
        if len(self._open) >= MOST:
            silent = (one for one, asked in self._open.items() if not asked)
            oldest = next(silent, next(iter(self._open)))
            oldest.transport.abort()
            del self._open[oldest]
        self._open[writer] = False
        try:
            yield
        finally:
            self._open.pop(writer, None)
            writer.transport.abort()


class _Exchange(BaseHTTPRequestHandler):
    """A request whose head has come whole, and its answer.

    Attributes:
        wfile: head of the answer, and the whole of an error.
        body: rest of the answer.
    """

    wfile: BytesIO

    def __init__(self, head: bytes, answer: Answer) -> None:
        self.rfile, self.wfile = BytesIO(head), BytesIO()
        self.body = b""
        self._answer = answer
        self.handle_one_request()

    def do_GET(self) -> None:
        """Answer a request for the page or its data."""
        status, kind, block = self._answer(self.path, self.headers.get_all("Host", []))
        if status != HTTPStatus.OK:
            self.send_error(status)
            return
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(block)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        self.body = block

    def log_message(self, format: str, *arguments: object) -> None:
        """Print nothing: the terminal is for what the user asked."""
