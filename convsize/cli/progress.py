"""A line on how far a long run is, on a terminal only."""

from __future__ import annotations

import time
from typing import Self, TextIO

_WIDTH = 24
_INTERVAL = 0.1


class Progress:
    """Shows a bar on a stream once a run has taken `patience` seconds, and takes it away at the end.

    rich has a better one, at 40 ms of import for runs that take 100.
    """

    def __init__(self, total: int, stream: TextIO, patience: float) -> None:
        self._total = total
        self._stream = stream
        self._done = 0
        self._shown = False
        self._next = time.monotonic() + patience if stream.isatty() else float("inf")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._shown:
            self._stream.write("\r\x1b[K")
            self._stream.flush()

    def step(self) -> None:
        """One file more is done."""
        self._done += 1
        now = time.monotonic()
        if now < self._next or self._done == self._total:
            return
        self._next = now + _INTERVAL
        self._shown = True
        full = _WIDTH * self._done // self._total
        self._stream.write(f"\r\x1b[Kchecked {self._done} of {self._total} files [{'#' * full}{'.' * (_WIDTH - full)}]")
        self._stream.flush()
