"""The base error, diagnostics with spans, and the exit codes."""

from __future__ import annotations

import bisect
import os
from enum import IntEnum
from typing import Literal

from convsize.record import Record


class ExitCode(IntEnum):
    """What the process returns: a wrong spec, a wrong call, a broken tool and a broken PyTorch never look the same."""

    OK = 0
    FINDINGS = 1
    USAGE = 2
    INTERNAL = 3
    CRASHED = 4


class Span(Record):
    """A half-open range of character offsets in a source text."""

    start: int
    end: int

    def to(self, other: Span) -> Span:
        """The span from the start of this one to the end of `other`."""
        return Span(self.start, other.end)

    def of(self, text: str) -> str:
        """The part of a text that lies in it."""
        return text[self.start : self.end]


class Place(Record):
    """A position as people count it: line and column from 1."""

    line: int
    column: int


def stem_of(path: str) -> str:
    """What the network in a file is called: the file's name without folder and ending; what is no text is replaced."""
    name, _ = os.path.splitext(os.path.basename(path))  # noqa: PTH119, PTH122 (pathlib costs a start)
    return printable((name or path).encode("utf-8", "replace").decode())


def printable(text: str) -> str:
    """The text with one � for every character that does not print: a file's name must not steer a terminal."""
    return text if text.isprintable() else "".join(char if char.isprintable() else "\ufffd" for char in text)


class Source:
    """A spec's text with its name, and the way from an offset to a line and a column."""

    __slots__ = ("_starts", "name", "text")

    def __init__(self, text: str, name: str = "<spec>") -> None:
        self.text = text
        self.name = name
        self._starts: list[int] | None = None

    def _line_starts(self) -> list[int]:
        if self._starts is None:
            self._starts = [0, *(i + 1 for i, char in enumerate(self.text) if char == "\n")]
        return self._starts

    def place(self, offset: int) -> Place:
        """The line and column (from 1) of a character offset."""
        starts = self._line_starts()
        line = bisect.bisect_right(starts, offset)
        return Place(line, offset - starts[line - 1] + 1)

    def line(self, number: int) -> str:
        """The text of a line (from 1), without its line break."""
        starts = self._line_starts()
        end = starts[number] if number < len(starts) else len(self.text)
        return self.text[starts[number - 1] : end].rstrip("\r\n")

    def slice(self, span: Span) -> str:
        """The text under a span."""
        return span.of(self.text)


Severity = Literal["error", "warning", "advice"]


class Label(Record):
    """A further place a diagnostic points at, with what is to be seen there."""

    span: Span
    text: str


class Fix(Record):
    """A replacement of text that mends what was found; `safe` when the text can mean nothing else."""

    span: Span
    replacement: str
    safe: bool


class Diagnostic(Record):
    """One finding: a stable code, one sentence with the numbers, where, and how to fix it.

    `label` is written under the carets of `span`; `labels` are further places; `fixes` holds alternatives, the first
    the preferred one.
    """

    code: str
    severity: Severity
    message: str
    span: Span
    help: str | None = None
    label: str = ""
    labels: tuple[Label, ...] = ()
    fixes: tuple[Fix, ...] = ()


class ConvsizeError(Exception):
    """Every error that convsize raises on purpose."""


class UsageError(ConvsizeError):
    """The call is wrong, not the spec: a missing file, an unknown column, a value that is out of range."""


class CrashError(ConvsizeError):
    """A library ended the process that computed, by a signal and without a word."""


class SpecError(ConvsizeError):
    """A spec that is wrong; `diagnostics` says where and how to fix it, `source` holds its text."""

    def __init__(self, source: Source, diagnostics: tuple[Diagnostic, ...]) -> None:
        self.source = source
        self.diagnostics = diagnostics
        lines = []
        for found in diagnostics:
            if found.severity == "error":
                place = source.place(found.span.start)
                lines.append(f"{source.name}:{place.line}:{place.column}: {found.code} {found.message}")
        super().__init__("\n".join(lines))

    def __reduce__(self) -> tuple[type[SpecError], tuple[Source, tuple[Diagnostic, ...]]]:
        return SpecError, (self.source, self.diagnostics)
