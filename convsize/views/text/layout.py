"""Plain tables: widths, alignment, and what gives way when a terminal is narrow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from convsize import words
from convsize.record import Record
from convsize.views.text.paint import Paint

if TYPE_CHECKING:
    from fractions import Fraction

GAP = "  "
_WIDEST_WORD = 24
"""Characters of a word in a grid that are shown however narrow the terminal is."""


class Cell(Record):
    """A text and the style it is painted in."""

    text: str
    style: str | None = None


def clip(text: str, width: int, *, keep_end: bool = False) -> str:
    """The text in at most `width` characters, with … where something is left out."""
    if len(text) <= width:
        return text
    if width <= 1:
        return text[:width]
    return "…" + text[1 - width :] if keep_end else text[: width - 1] + "…"


def bar(value: int | Fraction, full: int | Fraction, width: int) -> str:
    """A bar of `width` blocks for `full`, in eighths of a block; what is more than nothing shows at least one."""
    if value <= 0 or full <= 0:
        return ""
    eighths = max(int((2 * value * width * 8 + full) // (2 * full)), 1)
    return "█" * (eighths // 8) + " ▏▎▍▌▋▊▉"[eighths % 8].strip()


def widths(rows: Sequence[Sequence[str]]) -> list[int]:
    """The widest text of every column."""
    return [max(map(len, column), default=0) for column in zip(*rows, strict=True)]


def full_width(columns: Sequence[int]) -> int:
    """The width of a line of columns with the gaps between them."""
    return sum(columns) + len(GAP) * max(len(columns) - 1, 0)


def line(cells: Sequence[Cell], columns: Sequence[int], to_left: Sequence[bool], paint: Paint) -> str:
    """One line of a table, without blanks at its end."""
    parts = []
    for at, (cell, width, left) in enumerate(zip(cells, columns, to_left, strict=True)):
        blank = " " * (width - len(cell.text))
        painted = paint(cell.text, cell.style)
        if left:
            parts.append(painted if at == len(cells) - 1 else painted + blank)
        else:
            parts.append(blank + painted)
    return GAP.join(parts).rstrip()


def wrapped(text: str, width: int, first: str = "", rest: str = "") -> list[str]:
    """Words in lines of at most `width` characters; `first` and `rest` begin them. A word is never cut."""
    lines: list[str] = []
    current = first
    empty = True
    for word in text.split():
        if not empty and len(current) + 1 + len(word) > width:
            lines.append(current)
            current, empty = rest, True
        current += word if empty else f" {word}"
        empty = False
    return [*lines, current]


def left_out(columns: Sequence[str]) -> str:
    """What is said below a table of the columns that a narrow terminal has no room for.

    >>> left_out(["RF", "weight layers"])
    'left out at this width: RF and weight layers'
    """
    return f"left out at this width: {words.listed(columns)}"


def titled(name: str, text: str, width: int, paint: Paint) -> list[str]:
    """A heading in lines of at most `width` characters: the name stands out, and the text goes on after it."""
    first, *more = wrapped(text, width, f"{name} ", "  ")
    return [paint(name, "bold") + first[len(name) :], *more]


def grid(
    headers: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    width: int,
    paint: Paint,
    styles: Sequence[str | None] | None = None,
) -> str:
    """A table of words: the widest columns give way until it fits, and their texts go on in further lines.

    A column of nothing but figures stands to the right.
    """
    room = widths([headers, *rows])
    floor = [
        min(max(len(word) for text in column for word in (header, *text.split())), _WIDEST_WORD)
        for header, column in zip(headers, zip(*rows, strict=True), strict=True)
    ]
    while full_width(room) > width:
        widest = max(range(len(room)), key=lambda at: room[at] - floor[at])
        if room[widest] <= floor[widest]:
            break
        room[widest] -= 1
    left = [not all(map(_is_figure, column)) for column in zip(*rows, strict=True)] or [True] * len(room)
    out = [
        line([Cell(text, "bold") for text in headers], room, left, paint),
        paint("─" * min(full_width(room), width), "dim"),
    ]
    for row in rows:
        columns = [wrapped(text, size) for text, size in zip(row, room, strict=True)]
        for at in range(max(map(len, columns))):
            cells = []
            for index, lines in enumerate(columns):
                text = clip(lines[at], room[index]) if at < len(lines) else ""
                cells.append(Cell(text, styles[index] if styles else None))
            out.append(line(cells, room, left, paint))
    return "\n".join(out) + "\n"


def listed(headers: Sequence[str], rows: Sequence[Sequence[str]], *, width: int, paint: Paint) -> str:
    """What is too wide for a table: every row as a heading with a line for each of its texts."""
    label = max(map(len, headers))
    out = []
    for first, *texts in rows:
        out.append(paint(first, "cyan"))
        for header, text in zip(headers[1:], texts, strict=True):
            begin = f"  {header:<{label}}  "
            first_line, *more = wrapped(text, width, begin, " " * len(begin))
            out += [f"  {paint(header, 'dim')}{first_line[2 + len(header) :]}", *more]
        out.append("")
    return "\n".join(out[:-1]) + "\n"


def _is_figure(text: str) -> bool:
    """Whether a text is a number, with a sign before it or a unit after it, or the dash of a missing one."""
    return not text or text == "–" or (text.lstrip("<>+-~")[:1].isdigit() and len(text.split()) <= 2)


def reflowed(text: str, width: int) -> str:
    """A page whose lines that stand at the same indent are one paragraph, in lines of at most `width` characters."""
    out: list[str] = []
    paragraph: list[str] = []
    indent = ""

    def end() -> None:
        if paragraph:
            out.extend(wrapped(" ".join(paragraph), width, indent, indent))
            paragraph.clear()

    for each in text.split("\n"):
        here = each[: len(each) - len(each.lstrip())]
        if not each.strip() or here != indent or not indent:
            end()
            indent = here
        if each.strip():
            paragraph.append(each)
        else:
            out.append("")
    end()
    return "\n".join(out)
