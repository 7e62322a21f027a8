"""A bar that says how far a long run is, on a terminal only."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Self, TextIO

if TYPE_CHECKING:
    from rich.progress import Progress as Bar


PATIENCE = 1.0
"""Seconds before a run is a long one."""


class Progress:
    """Shows a bar on a stream once a run has taken `patience` seconds, and takes it away at the end.

    Without patience the bar is there from the start; where there is one thing to do only, it pulses. `done`: how many
    of the `total` are done already. rich draws it; it is imported when the bar appears, so that short runs, which are
    nearly all, do not pay for it.
    """

    def __init__(self, total: int, stream: TextIO, patience: float = PATIENCE, done: int = 0) -> None:
        self._total = total
        self._stream = stream
        self._done = done
        self._text = ""
        self._bar: Bar | None = None
        self._start = time.monotonic() + patience if stream.isatty() else float("inf")

    def __enter__(self) -> Self:
        if time.monotonic() >= self._start:
            self.show()
        return self

    def __exit__(self, *_: object) -> None:
        self.make_room()

    def step(self, done: int | None = None, text: str = "") -> None:
        """One more is done, or `done` in all; `text` stands to the right of the bar."""
        self._done = self._done + 1 if done is None else done
        self._text = text
        if self._bar is not None or (time.monotonic() >= self._start and self._done < self._total):
            self.show()

    def show(self) -> None:
        """Shows the bar now, again after `make_room`."""
        if self._bar is None:
            from rich.console import Console
            from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
            from rich.progress import Progress as Bar

            # By default rich would send to this stream what is written to standard output, be that a file or not.
            self._bar = Bar(
                BarColumn(),
                TaskProgressColumn(),
                TimeRemainingColumn(),
                TextColumn("{task.description}", markup=False),
                console=Console(file=self._stream),
                transient=True,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            self._bar.add_task("", total=self._total if self._total > 1 else None)
        self._bar.update(self._bar.task_ids[0], completed=self._done, description=self._text)
        self._bar.start()

    def make_room(self) -> None:
        """Takes the bar away until it is shown again: something else is about to be written to the terminal."""
        if self._bar is not None:
            self._bar.stop()
