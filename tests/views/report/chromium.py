"""A headless Chromium, spoken to in its DevTools protocol over two pipes: no driver, no websocket, no port.

https://chromedevtools.github.io/devtools-protocol/
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from base64 import b64decode
from pathlib import Path
from typing import Any, Self

PATIENCE = 60
"""Seconds; a machine that does other things as well takes 5 to open a page."""


_FLAGS = (
    "headless",
    "no-sandbox",
    "disable-gpu",
    "disable-quic",
    "no-first-run",
    "disable-background-networking",
    "disable-component-update",
    "disable-sync",
    "hide-scrollbars",
    "remote-debugging-pipe",
)


def find() -> str | None:
    """Where a Chromium is installed, if any is."""
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    return next((path for path in map(shutil.which, names) if path), None)


class Browser:
    """One page of one browser. `requests` and `complaints` are what it asked for and what its console said."""

    def __init__(self, home: Path, width: int = 1280, height: int = 900) -> None:
        program = find()
        assert program is not None
        inner_read, self._write = os.pipe()
        self._read, inner_write = os.pipe()
        flags = [f"--{name}" for name in _FLAGS]

        def hand_over() -> None:
            # The protocol is spoken on descriptors 3 and 4. They may be where the pipes are already.
            one, other = os.dup(inner_read), os.dup(inner_write)
            os.dup2(one, 3)
            os.dup2(other, 4)

        self._process = subprocess.Popen(
            [program, *flags, f"--window-size={width},{height}", f"--user-data-dir={home}", "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=hand_over,
            close_fds=False,
        )
        os.close(inner_read)
        os.close(inner_write)
        os.set_blocking(self._read, False)
        self._unread = b""
        self._number = 0
        self._session: str | None = None
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self._loaded = False
        targets = self.call("Target.getTargets")["targetInfos"]
        page = next(each["targetId"] for each in targets if each["type"] == "page")
        self._session = self.call("Target.attachToTarget", targetId=page, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")
        self.resize(width, height)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(PATIENCE)
        os.close(self._write)
        os.close(self._read)

    def call(self, method: str, **params: Any) -> Any:
        """The result of a command of the protocol."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": params}
        if self._session is not None:
            message["sessionId"] = self._session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self._write, data) :]
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                return answer["result"]

    def _next(self) -> dict[str, Any]:
        end = time.monotonic() + PATIENCE
        while b"\0" not in self._unread:
            assert time.monotonic() < end, "the browser does not answer"
            try:
                data = os.read(self._read, 2**20)
            except BlockingIOError:
                time.sleep(0.005)
                continue
            assert data, "the browser has ended"
            self._unread += data
        text, _, self._unread = self._unread.partition(b"\0")
        message: dict[str, Any] = json.loads(text)
        self._note(message.get("method", ""), message.get("params", {}))
        return message

    def _note(self, method: str, params: dict[str, Any]) -> None:
        if method == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(str(params["exceptionDetails"]))
        elif method == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning", "assert"):
            self.complaints.append(str(params["args"]))
        elif method == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
            self.complaints.append(params["entry"]["text"])
        elif method == "Page.loadEventFired":
            self._loaded = True

    def open(self, path: Path, fragment: str = "") -> None:
        """Opens a file and waits until it is loaded."""
        self._loaded = False
        self.call("Page.navigate", url=path.resolve().as_uri() + fragment)
        self._wait_until_loaded()

    def reload(self) -> None:
        """Loads the page again and waits: `location.reload()` returns while the old page still stands."""
        self._loaded = False
        self.call("Page.reload")
        self._wait_until_loaded()

    def follow(self, selector: str) -> None:
        """Clicks on a link and waits until what it leads to is loaded."""
        x, y = self.centre(selector)
        self._loaded = False
        for kind in ("Moved", "Pressed", "Released"):
            self.mouse(kind, x, y)
        self._wait_until_loaded()

    def _wait_until_loaded(self) -> None:
        while not self._loaded:
            self._next()

    def run(self, script: str) -> Any:
        """The value of an expression in the page."""
        done = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in done, done["exceptionDetails"]
        return done["result"].get("value")

    def settle(self) -> None:
        """Waits until what was scrolled or changed is painted."""
        self.run("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))")

    def centre(self, selector: str) -> tuple[float, float]:
        """Scrolls to the first element of a selector; the middle of it in the window."""
        found = json.dumps(selector)
        self.run(f"document.querySelector({found}).scrollIntoView({{block: 'center', behavior: 'instant'}})")
        self.settle()
        x, y = self.run(
            f"(() => {{const b = document.querySelector({found}).getBoundingClientRect();"
            "return [b.x + b.width / 2, b.y + b.height / 2]})()"
        )
        return x, y

    def mouse(self, kind: str, x: float, y: float) -> None:
        """Moves, presses or releases the left button at a place in the window."""
        button = {} if kind == "Moved" else {"button": "left", "clickCount": 1}
        self.call("Input.dispatchMouseEvent", type=f"mouse{kind}", x=x, y=y, **button)

    def prefer(self, **features: str) -> None:
        """What the reader prefers, such as prefers_color_scheme="dark"; the page has heard of it when this returns."""
        listed = [{"name": name.replace("_", "-"), "value": value} for name, value in features.items()]
        self.call("Emulation.setEmulatedMedia", features=listed)
        self.settle()  # styles change at once, a page's listeners are told with the next frame

    def resize(self, width: int, height: int) -> None:
        """The size of the window in pixels."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def click(self, selector: str) -> None:
        """Clicks in the middle of the first element of a selector, as a mouse does."""
        x, y = self.centre(selector)
        for kind in ("Moved", "Pressed", "Released"):
            self.mouse(kind, x, y)
        self.settle()

    def press(self, key: str, text: str = "") -> None:
        """Presses a key."""
        codes = {"Tab": 9, "Enter": 13, "Escape": 27, "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40}
        code = {"key": key, "code": key, "windowsVirtualKeyCode": codes.get(key, 0)}
        self.call("Input.dispatchKeyEvent", type="keyDown", **code, **({"text": text} if text else {}))
        self.call("Input.dispatchKeyEvent", type="keyUp", **code)

    def write(self, text: str) -> None:
        """Types into the element that has the focus."""
        self.call("Input.insertText", text=text)

    def picture(self, path: Path) -> None:
        """A PNG of what the window shows."""
        path.write_bytes(b64decode(self.call("Page.captureScreenshot", format="png")["data"]))

    def pdf(self, path: Path) -> None:
        """The page as it prints."""
        path.write_bytes(b64decode(self.call("Page.printToPDF")["data"]))
