"""Patterns of paths, with the meaning they have in a `.gitignore`.

The time to match is bounded by the pattern's length times the path's, whatever stands in a pattern that others wrote.
pathspec, the library for this, makes one regular expression of a pattern, whose backtracking takes seconds for
`*a*a*a*a*a*a*a*a*b` against forty a's and has no end for forty stars; its `[!b]` also crosses folders. Git itself is
the witness in the tests.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

_STAR, _SLASH = "*", "/"
_ANY = "**"
"""The name of a pattern that stands for any number of folders."""


class Patterns:
    """Patterns of paths with the meaning they have in a `.gitignore`.

    `*` and `?` stay within one name, `**` crosses folders, `name/` is a folder, `/name` and `a/b` are anchored at the
    base, `!` takes back; the last pattern that fits decides.
    """

    __slots__ = ("_patterns",)

    def __init__(self, lines: Iterable[str]) -> None:
        self._patterns = tuple(_Pattern(line) for line in lines if line.strip() and not line.startswith("#"))

    def __bool__(self) -> bool:
        return bool(self._patterns)

    def verdict(self, path: str, folder: bool) -> bool | None:
        """True where the path (relative, with slashes) is named, False where it is taken back, None where neither."""
        names = path.split("/")
        for pattern in reversed(self._patterns):
            if (folder or not pattern.folders_only) and pattern.fits(names):
                return not pattern.taken_back
        return None

    def named(self, path: str, folder: bool = False) -> bool:
        """Whether a file (or folder) is named, itself or by a folder it lies in."""
        parts = path.split("/")
        above = ("/".join(parts[:count]) for count in range(1, len(parts)))
        return any(self.verdict(each, True) for each in above) or bool(self.verdict(path, folder))


class _Pattern:
    """One line of a `.gitignore`: what it says of names, from the base on or, unanchored, of the last name alone."""

    __slots__ = ("_anchored", "_names", "_text", "folders_only", "taken_back")

    def __init__(self, line: str) -> None:
        line = re.sub(r"(?<!\\)\s+$", "", line)
        self.taken_back = line.startswith("!")
        line = line.removeprefix("!")
        self.folders_only = line.endswith("/")
        line = line.rstrip("/")
        self._anchored = "/" in line
        self._text = line.removeprefix("/")
        self._names: list[str | re.Pattern[str]] | None = None

    def fits(self, names: Sequence[str]) -> bool:
        """Whether it names the path of these names."""
        if self._names is None:  # most runs ask few of many patterns
            self._names = list(_names(self._text))
        if not self._anchored:
            return _is(self._names[0], names[-1])
        return _fits(self._names, names)


def _fits(wanted: Sequence[str | re.Pattern[str]], names: Sequence[str]) -> bool:
    """Whether names follow each other as wanted.

    After an `**` the first place that fits is as good as any later one, so that only the last `**` need be tried again
    one name further on (the matching of wildcards in linear space).
    """
    at = place = 0
    again: tuple[int, int] | None = None
    while place < len(names):
        if at < len(wanted) and wanted[at] is _ANY:
            if at == len(wanted) - 1:
                return True  # all that is inside
            at += 1
            again = (at, place)
        elif at < len(wanted) and _is(wanted[at], names[place]):
            at += 1
            place += 1
        elif again is not None:
            at, place = again[0], again[1] + 1
            again = (at, place)
        else:
            return False
    return at == len(wanted)


def _is(wanted: str | re.Pattern[str], name: str) -> bool:
    if isinstance(wanted, str):
        return wanted is _ANY or wanted == name
    return wanted.fullmatch(name) is not None


def _names(text: str) -> Iterator[str | re.Pattern[str]]:
    """The names of a pattern: literal texts, regular expressions, and _ANY."""
    tokens = list(_tokens(text))
    starts = [0, *(at + 1 for at, token in enumerate(tokens) if token == _SLASH)]
    for start, end in zip(starts, [*(at - 1 for at in starts[1:]), len(tokens)], strict=True):
        name = tokens[start:end]
        stars = name.count(_STAR)
        if stars > 1 and stars == len(name):
            yield _ANY
        elif not stars and all(token.startswith("=") for token in name):
            yield "".join(token[1:] for token in name)
        else:
            yield _regex(name)


def _regex(tokens: Sequence[str]) -> re.Pattern[str]:
    """A name's expression, which takes back nothing: what stands after a star is taken where it first fits."""
    pieces = [""]
    for token in tokens:
        if token == _STAR:
            pieces.append("")
        else:
            pieces[-1] += re.escape(token[1:]) if token.startswith("=") else token
    if len(pieces) == 1:
        text = pieces[0]
    else:
        first, *middle, last = pieces
        text = first + "".join(f"(?>.*?{piece})" for piece in middle if piece) + f".*{last}"
    try:
        return re.compile(text, re.DOTALL)
    except re.error:  # [z-a], which names nothing
        return re.compile("(?!)")


def _tokens(text: str) -> Iterator[str]:
    """A pattern's signs: _STAR, _SLASH, "=a" for the letter a, else the expression of one letter."""
    at = 0
    while at < len(text):
        if text[at] in (_STAR, _SLASH):
            yield text[at]
        elif text[at] == "?":
            yield "."
        elif text[at] == "[":
            without = text[at + 1 : at + 2] in ("!", "^")
            first = at + 1 + without
            end = text.find("]", first + 1)
            if end < 0:
                yield "(?!)"  # an open one names nothing
                return
            inner = re.sub(r"([\\\[\]^&~|])", r"\\\1", text[first:end])
            yield f"[{'^' if without else ''}{inner}]"
            at = end
        else:
            if text[at] == "\\" and at + 1 < len(text):
                at += 1
            yield f"={text[at]}"
        at += 1


def relative(path: str | os.PathLike[str], folder: Path) -> str | None:
    """A path relative to a folder, with slashes; None where it lies outside."""
    # abspath, for pathlib either leaves `..` in or follows links.
    full, base = os.path.abspath(path), os.path.abspath(folder)  # noqa: PTH100
    try:
        return Path(full).relative_to(base).as_posix()
    except ValueError:
        return None
