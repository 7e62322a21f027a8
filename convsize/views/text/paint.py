"""Colour for terminals, and what stands in for signs that a stream cannot show.

Every colour stands for one thing: cyan for what one writes (a spec, a code, the name of a device), green for what fits,
holds or is new, red for what fails or is gone, yellow for warnings and what changed, magenta ("loud") for the largest
cost, blue for lines, bars and carets. Headings and names that lead a text are bold, and what can be skipped is dim.

The escape sequences are those that every terminal knows. rich could write them, at 22 ms of import for a command that
answers in 90.
"""

from __future__ import annotations

from convsize.record import Record

_CODES = {
    "bold": "1",
    "dim": "2",
    "red": "1;31",
    "yellow": "1;33",
    "blue": "1;34",
    "cyan": "36",
    "green": "32",
    "loud": "1;35",
}

_PLAIN = str.maketrans(
    {
        "×": "x",
        "÷": "/",
        "·": "*",
        "…": "..",
        "–": "-",
        "—": "-",
        "─": "-",
        "│": "|",
        "┌": "+",
        "└": "+",
        "├": "|",
        "┤": "|",
        "┼": "+",
        "┴": "+",
        "╯": "'",
        "○": "o",
        "●": "*",
        "■": "#",
        "◆": "&",
        "█": "#",
        "▉": "+",
        "▊": "+",
        "▋": "+",
        "▌": "+",
        "▍": ".",
        "▎": ".",
        "▏": ".",
        "⌊": "floor(",
        "⌋": ")",
        "⌈": "ceil(",
        "⌉": ")",
        "≤": "<=",
        "≥": ">=",
        "→": "->",
        "•": "-",
        "²": "^2",
        "³": "^3",
        "−": "-",
        "’": "'",
    }
)


class Paint(Record):
    """Writes a text in a style, or as it is where there is no colour."""

    colour: bool = False

    def __call__(self, text: str, style: str | None) -> str:
        """The text in one of the styles bold, dim, loud, red, yellow, blue, cyan, green."""
        if not self.colour or style is None or not text:
            return text
        return f"\x1b[{_CODES[style]}m{text}\x1b[0m"


PLAIN = Paint()


def showable(text: str, encoding: str | None) -> str:
    """The text in what a stream's encoding can show: 2x512 for 2×512 under ASCII, ? for the rest."""
    encoding = encoding or "ascii"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.translate(_PLAIN).encode(encoding, "replace").decode(encoding)
    return text
