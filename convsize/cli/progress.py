"""A bar that says how far a long run is, on a terminal only."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Self, TextIO

if TYPE_CHECKING:
    from rich.progress import Progress as Bar


class Progress:
    """Shows a bar on a stream once a run has taken `patience` seconds, and takes it away at the end.

    rich draws it; it is imported when the bar appears, so that short runs, which are nearly all, do not pay for it.
    """

    def __init__(self, total: int, stream: TextIO, patience: float) -> None:
        self._total = total
        self._stream = stream
        self._done = 0
        self._bar: Bar | None = None
        self._start = time.monotonic() + patience if stream.isatty() else float("inf")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def step(self) -> None:
        """One of them more is done."""
        self._done += 1
        if self._bar is None and time.monotonic() >= self._start and self._done < self._total:
            from rich.console import Console
            from rich.progress import Progress as Bar

            self._bar = Bar(console=Console(file=self._stream), transient=True)
            self._bar.add_task("", total=self._total)
            self._bar.start()
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], completed=self._done)
