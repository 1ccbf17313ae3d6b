"""A headless Chromium that a test speaks to by the DevTools protocol, over two pipes."""

import base64
import io
import itertools
import json
import os
import select
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import pytest
from chromium import find_chromium
from PIL import Image

FLAGS = (
    "--headless=new",
    "--remote-debugging-pipe",
    "--no-sandbox",
    "--no-first-run",
    "--disable-extensions",
    "--disable-background-networking",
    "--disable-dev-shm-usage",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--window-size=1280,800",
)

# The browser reads from descriptor 3 and writes to descriptor 4.
WIRING = """
import os, sys
from fcntl import F_DUPFD, fcntl
there = [fcntl(int(number), F_DUPFD, 10) for number in sys.argv[1:3]]
for place, descriptor in zip((3, 4), there):
    os.dup2(descriptor, place)
os.execv(sys.argv[3], sys.argv[3:])
"""


def chromium() -> str:
    """Return the browser's path; without one the test is skipped, and in CI (CI=true) it fails."""
    found = find_chromium()
    if found is None:
        say = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        say("needs Chromium: apt-get install chromium, or name a browser in OSIMEXP_CHROMIUM")
    return found


class Browser:
    """One page of a browser; ``problems`` are what it wrote to its console as errors."""

    def __init__(self, executable: str, profile: Path) -> None:
        its_input, self._to = os.pipe()
        self._from, its_output = os.pipe()
        wires = str(its_input), str(its_output)
        self._process = subprocess.Popen(
            [
                sys.executable,
                "-c",
                WIRING,
                *wires,
                executable,
                *FLAGS,
                f"--user-data-dir={profile}",
            ],
            pass_fds=(its_input, its_output),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(its_input)
        os.close(its_output)
        self._numbers = itertools.count(1)
        self._received = b""
        self.problems: list[str] = []
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        attached = self.ask("Target.attachToTarget", targetId=target, flatten=True)
        self._session: str = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.tell(f"{domain}.enable")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._to)
        os.close(self._from)

    def open(self, address: str, offline: bool = False) -> None:
        """Load a page and wait until it says that it is ready."""
        conditions = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
        self.tell("Network.emulateNetworkConditions", offline=offline, **conditions)
        self.tell("Page.navigate", url=address)
        self.wait("document.body?.dataset.ready === 'true'")

    def value(self, expression: str) -> Any:
        """What an expression of JavaScript gives on the page."""
        answer = self.tell(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        if "exceptionDetails" in answer:
            raise AssertionError(f"{expression}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def wait(self, condition: str, seconds: float = 30.0) -> None:
        """Wait until an expression holds."""
        end = time.monotonic() + seconds
        while not self.value(condition):
            if time.monotonic() > end:
                raise AssertionError(f"not within {seconds} s: {condition}; {self.problems}")
            time.sleep(0.05)

    def picture(self, selector: str | None = None) -> "np.ndarray[Any, np.dtype[np.uint8]]":
        """``(height, width, 3)`` of the page, or of an element with what lies over it."""
        data = base64.b64decode(self.tell("Page.captureScreenshot", format="png")["data"])
        with Image.open(io.BytesIO(data)) as image:
            pixels = np.asarray(image.convert("RGB"))
        if selector is None:
            return pixels
        box = self.value(
            f"(() => {{ const b = document.querySelector({selector!r}).getBoundingClientRect();"
            "return [b.left, b.top, b.right, b.bottom].map(Math.round); })()"
        )
        left, top, right, bottom = box
        return pixels[top:bottom, left:right]

    def tell(self, method: str, **parameters: Any) -> Any:
        """Ask the page."""
        return self.ask(method, self._session, **parameters)

    def ask(self, method: str, session: str | None = None, **parameters: Any) -> Any:
        """Send a command and wait for its answer, noting problems that come before it."""
        number = next(self._numbers)
        message: dict[str, Any] = {"id": number, "method": method, "params": parameters}
        if session is not None:
            message["sessionId"] = session
        self._send(json.dumps(message).encode() + b"\0")
        while True:
            answer = self._receive()
            if answer.get("id") == number:
                if "error" in answer:
                    raise AssertionError(f"{method}: {answer['error']}")
                return answer["result"]
            self._note(answer)

    def _note(self, event: dict[str, Any]) -> None:
        details = event.get("params", {})
        match event.get("method"):
            case "Runtime.exceptionThrown":
                self.problems.append(json.dumps(details["exceptionDetails"]))
            case "Runtime.consoleAPICalled" if details["type"] in ("error", "warning", "assert"):
                self.problems.append(json.dumps(details["args"]))
            case "Log.entryAdded" if details["entry"]["level"] == "error":
                self.problems.append(json.dumps(details["entry"]))

    def _send(self, data: bytes) -> None:
        while data:
            data = data[os.write(self._to, data) :]

    def _receive(self) -> dict[str, Any]:
        while b"\0" not in self._received:
            ready, _, _ = select.select([self._from], [], [], 60.0)
            block = os.read(self._from, 1 << 16) if ready else b""
            if not block:
                raise AssertionError("the browser does not answer")
            self._received += block
        message, _, self._received = self._received.partition(b"\0")
        return json.loads(message)  # type: ignore[no-any-return]
