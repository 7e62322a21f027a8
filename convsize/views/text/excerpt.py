"""Diagnostics with the lines they are about and carets under what they mean."""

from __future__ import annotations

from collections.abc import Sequence

from convsize.errors import Diagnostic, Source
from convsize.record import Record
from convsize.views.text.layout import wrapped
from convsize.views.text.paint import PLAIN, Paint

_COLOURS = {"error": "red", "warning": "yellow", "advice": "blue"}
_LONGEST = 160
"""Characters of a source line that are shown at most: a spec may be one line of a megabyte."""

_SHORTEST = 20
"""Characters of a source line that are shown however narrow the terminal is."""


class _Mark(Record):
    """A part of one line: its columns from 0, its label, and whether it is the main one."""

    line: int
    start: int
    end: int
    text: str
    main: bool


def render(found: Diagnostic, source: Source, *, width: int | None = None, paint: Paint = PLAIN) -> str:
    """The message, every line that is pointed at with its labels, and the help.

    With a width, lines of the spec are cut around what is pointed at, and sentences go on in further lines.

    ```
    error[E301]: the branches of this sum have different depths
      --> net.spec:3:2
     3 | (C3D64 BN R C3D128 + x) R
       |  ^^^^^^^^^^^^^^^^^^^   ^ this branch gives 3@224x224
       |  this branch gives 128@224x224
       = help: project the shortcut: replace `x` by `C1D128`
    ```
    """
    colour = _COLOURS[found.severity]
    marks = [_mark(source, found.span.start, found.span.end, found.label, main=True)]
    marks += [_mark(source, label.span.start, label.span.end, label.text, main=False) for label in found.labels]
    numbers = sorted({mark.line for mark in marks})
    gutter = len(str(numbers[-1])) + 1
    place = source.place(found.span.start)
    head = f"{found.severity}[{found.code}]"
    first, *rest = prose(f"{head}: {visible(found.message)}", width, "  ")
    out = [
        f"{paint(head, colour)}{paint(first[len(head) :], 'bold')}",
        *(paint(line, "bold") for line in rest),
        f"{' ' * gutter}{paint('-->', 'blue')} {visible(source.name)}:{place.line}:{place.column}",
    ]
    bar = paint("|", "blue")
    room = _LONGEST if width is None else min(max(width - gutter - 3, _SHORTEST), _LONGEST)
    before: int | None = None
    for number in numbers:
        if before is not None and number > before + 1:
            out.append(paint("...", "blue"))
        before = number
        here = [mark for mark in marks if mark.line == number]
        text, here = _window(source.line(number), here, room)
        shown, here = _columns(text, here)
        out.append(f"{paint(f'{number:>{gutter}}', 'blue')} {bar} {shown}".rstrip())
        out.extend(f"{' ' * gutter} {bar} {under}" for under in _under(here, paint, colour, room))
    if found.help:
        said = visible(found.help, lines=True).split("\n")
        indent = " " * (gutter + len(" = help: "))
        left = None if width is None else width - len(indent)
        # What stands indented below a sentence is code to copy: a line of it stays one.
        lines = [part for line in said for part in ([line] if line[:1] in ("", " ") else prose(line, left))]
        out.append(f"{' ' * gutter} {paint('=', 'blue')} {paint('help', 'bold')}: {lines[0]}")
        out.extend(f"{indent}{line}".rstrip() for line in lines[1:])
    return "\n".join(out) + "\n"


def prose(text: str, width: int | None, indent: str = "") -> list[str]:
    """A sentence in lines of at most a width; what stands in backticks stays on one of them where it fits there.

    >>> prose("project the shortcut: replace `C3 D8` by `C1D8`", 36)
    ['project the shortcut: replace', '`C3 D8` by `C1D8`']
    """
    if width is None or len(text) <= width:
        return [text]
    parts = text.split("`")
    for at in range(1, len(parts) - 1, 2):
        if len(parts[at]) + 2 < width - len(indent):
            parts[at] = parts[at].replace(" ", "\0")
    return [line.replace("\0", " ") for line in wrapped("`".join(parts), max(width, _SHORTEST), "", indent)]


def compact(found: Diagnostic, source: Source, *, paint: Paint = PLAIN) -> str:
    """One line: the code, where, the message, and the help in brackets."""
    place = source.place(found.span.start)
    head = paint(f"{found.severity}[{found.code}]", _COLOURS[found.severity])
    tail = f" ({visible(found.help)})" if found.help else ""
    return f"{head} {visible(source.name)}:{place.line}:{place.column}: {visible(found.message)}{tail}\n"


def visible(text: str, *, lines: bool = False) -> str:
    """The text with one � for every character that does not print: a spec must not steer a terminal."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() or (lines and char == "\n") else " " if char in "\t\n" else "�" for char in text
    )


def _mark(source: Source, start: int, end: int, text: str, *, main: bool) -> _Mark:
    """A span in the columns of its first line; one that goes on is marked to the end of that line."""
    first, last = source.place(start), source.place(max(end, start))
    length = len(source.line(first.line))
    until = last.column - 1 if last.line == first.line else length
    return _Mark(first.line, first.column - 1, max(until, first.column), text, main)


def _window(text: str, marks: Sequence[_Mark], room: int) -> tuple[str, list[_Mark]]:
    """The part of a long line around its marks and their labels, around the main one where they lie too far apart."""
    if len(text) <= room:
        return text, list(marks)
    shown = room - 2  # with a … at either end
    start, end = min(mark.start for mark in marks), max(mark.end for mark in marks)
    labelled = max(mark.end + 1 + len(mark.text) for mark in marks)
    if labelled - start <= shown:
        end = labelled
    elif end - start > shown:
        start, end = next(((mark.start, mark.end) for mark in marks if mark.main), (start, end))
    first = max(start - max(shown - (end - start), 0) // 2, 0)
    first = min(first, len(text) - shown)
    last = first + shown
    head, tail = "…" if first else "", "…" if last < len(text) else ""
    moved = []
    for mark in marks:
        start = min(max(mark.start, first), last) - first + len(head)
        end = min(max(mark.end, first), last) - first + len(head)
        moved.append(mark.replace(start=start, end=max(end, start + 1)))
    return head + text[first:last] + tail, moved


def _columns(text: str, marks: Sequence[_Mark]) -> tuple[str, list[_Mark]]:
    """The text as it is shown, and the marks in columns of the terminal, where some signs are two wide or none."""
    if text.isascii() and text.isprintable():
        return text, list(marks)
    from unicodedata import combining, east_asian_width  # 0.4 ms that plain specs need not pay

    shown: list[str] = []
    column = 0
    columns = [0]
    for char in text:
        sign = "    " if char == "\t" else visible(char)
        shown.append(sign)
        width = len(sign)
        if not char.isascii() and char.isprintable():
            width = 0 if combining(char) else 2 if east_asian_width(char) in "WF" else 1
        column += width
        columns.append(column)
    last = len(text)
    moved = []
    for mark in marks:
        start = columns[min(mark.start, last)] + max(mark.start - last, 0)
        end = columns[min(mark.end, last)] + max(mark.end - last, 0)
        moved.append(mark.replace(start=start, end=max(end, start + 1)))  # an accent alone has no width
    return "".join(shown), moved


def _under(marks: Sequence[_Mark], paint: Paint, colour: str, room: int) -> list[str]:
    """The line of carets, with the last label after it, and the other labels below from right to left.

    A label for which no room is left to the right of its carets begins further to the left.
    """
    carets: dict[int, str] = {}
    for mark in sorted(marks, key=lambda mark: mark.main):
        for column in range(mark.start, mark.end):
            carets[column] = colour if mark.main else "blue"
    end = max(carets) + 1
    line = ""
    at = 0
    while at < end:
        style = carets.get(at)
        stop = at
        while stop < end and carets.get(stop) == style:
            stop += 1
        line += paint("^" * (stop - at), style) if style else " " * (stop - at)
        at = stop
    said = sorted((mark for mark in marks if mark.text), key=lambda mark: (mark.start, mark.end))
    if said and said[-1].end == end and end + 1 + len(said[-1].text) <= room:
        last = said.pop()
        line += " " + paint(visible(last.text), colour if last.main else "blue")
    out = [line]
    while said:
        mark = said.pop()
        first, *rest = prose(visible(mark.text), room)
        if mark.start + len(first) > room:
            mark = mark.replace(start=max(room - len(first), 0))
        row = ""
        for other in said:
            if len(row) <= other.start < mark.start:
                row += " " * (other.start - len(row)) + "|"
        row += " " * (mark.start - len(row))
        out.append(row + paint(first, colour if mark.main else "blue"))
        out.extend(paint(line, colour if mark.main else "blue") for line in rest)
    return out
