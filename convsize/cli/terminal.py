"""Standard output and standard error as they are: colour or none, a width, an encoding."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, TextIO

from convsize.errors import Diagnostic, Source, printable
from convsize.views.text.paint import PLAIN, Paint, showable

if TYPE_CHECKING:
    from fractions import Fraction

    from convsize.geometry import Shape
    from convsize.language.tree import File
    from convsize.records import Report

DEFAULT_WIDTH = 80


def paint(stream: TextIO) -> Paint:
    """Colour on a terminal only; NO_COLOR and TERM=dumb forbid it, FORCE_COLOR asks for it (https://no-color.org)."""
    if os.environ.get("NO_COLOR"):
        return PLAIN
    if os.environ.get("FORCE_COLOR"):
        return Paint(colour=True)
    return Paint(colour=stream.isatty() and os.environ.get("TERM") != "dumb")


def width(stream: TextIO) -> int:
    """The columns of the terminal; COLUMNS overrides them, and a pipe has 80."""
    said = os.environ.get("COLUMNS", "")
    if said.isascii() and said.isdigit() and 0 < int(said) < 10_000:
        return int(said)
    if stream.isatty():
        try:
            return os.get_terminal_size(stream.fileno()).columns or DEFAULT_WIDTH
        except OSError:
            pass
    return DEFAULT_WIDTH


def reading_width(stream: TextIO) -> int | None:
    """The columns in which sentences are set for a person at a terminal; None where a program or a file gets them."""
    return width(stream) if stream.isatty() else None


def write(text: str, stream: TextIO | None = None) -> None:
    """Writes to standard output, or another stream, what its encoding can show of the text."""
    stream = sys.stdout if stream is None else stream
    stream.write(showable(text, stream.encoding))


def complain(text: str) -> None:
    """An error that has no place in a spec, to standard error."""
    from convsize.views.text.excerpt import prose

    room = reading_width(sys.stderr)
    first, *rest = (part for each in f"error: {text}".split("\n") for part in prose(printable(each), room, "  "))
    write("\n".join([paint(sys.stderr)("error", "red") + first[len("error") :], *rest]) + "\n", sys.stderr)


def advised(
    report: Report, file: File, lets: Mapping[str, Fraction], inputs: Mapping[str, Shape]
) -> tuple[Diagnostic, ...]:
    """What is said of a network, with the change at which what its spec states would hold."""
    if not any(found.code in ("E401", "E403", "E407") for found in report.diagnostics):
        return report.diagnostics
    from convsize.check.advice import doubted

    return doubted(file, report.diagnostics, lets, inputs)


def report_diagnostics(found: Iterable[Diagnostic], source: Source) -> None:
    """Errors with their excerpts and warnings in a line each, to standard error; advice is for `check`."""
    shown = [each for each in found if each.severity != "advice"]
    if not shown:
        return
    from convsize.views.text import excerpt

    colours = paint(sys.stderr)
    excerpts = 0
    for each in shown:
        if each.severity == "error":
            if excerpts:
                write("\n", sys.stderr)
            excerpts += 1
            write(excerpt.render(each, source, width=reading_width(sys.stderr), paint=colours), sys.stderr)
        else:
            write(excerpt.compact(each, source, paint=colours), sys.stderr)
