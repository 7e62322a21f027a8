"""What a training run shows as it goes: a bar with its figures on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Self

from convsize.cli import terminal
from convsize.cli.progress import Progress

if TYPE_CHECKING:
    from convsize.records import RunStart


class Display:
    """The display of one process; all but the first of several are silent."""

    def __init__(self, *, silent: bool) -> None:
        self.silent = silent
        self._bar: Progress | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.make_room()

    def start(self, text: str, run: RunStart) -> None:
        """The heading, and the bar where there is a terminal."""
        self.line(text.rstrip("\n"))
        self.line("")
        if not self.silent and sys.stderr.isatty():
            self._bar = Progress(run.epochs * run.epoch_steps, sys.stderr, patience=0, done=run.step)
            self._bar.show()

    def step(self, text: str, done: int) -> None:
        """The figures of some steps: beside the bar, or as a line."""
        if self._bar is not None:
            self._bar.step(done, text)
        else:
            self.line(text)

    def line(self, text: str) -> None:
        """A line that stays."""
        self._write(f"{text}\n", warning=False)

    def warn(self, text: str) -> None:
        """Something that went wrong and that the run survives."""
        self._write(f"{terminal.paint(sys.stderr)('warning', 'yellow')}: {text}\n", warning=True)

    def _write(self, text: str, *, warning: bool) -> None:
        if self.silent:
            return
        if self._bar is not None:
            self._bar.make_room()
        stream = sys.stderr if warning else sys.stdout
        terminal.write(text, stream)
        stream.flush()
        if self._bar is not None:
            self._bar.show()
