"""Patterns of paths, with the meaning they have in a `.gitignore`."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path


class Patterns:
    """Patterns of paths with the meaning they have in a `.gitignore`.

    `*` and `?` stay within one name, `**` crosses folders, `name/` is a folder, `/name` and `a/b` are anchored at the
    base, `!` takes back; the last pattern that fits decides.
    """

    __slots__ = ("_patterns",)

    def __init__(self, lines: Iterable[str]) -> None:
        self._patterns = tuple(_pattern(line) for line in lines if line.strip() and not line.startswith("#"))

    def __bool__(self) -> bool:
        return bool(self._patterns)

    def verdict(self, path: str, folder: bool) -> bool | None:
        """True where the path (relative, with slashes) is named, False where it is taken back, None where neither."""
        for regex, folders_only, taken_back in reversed(self._patterns):
            if (folder or not folders_only) and regex.fullmatch(path):
                return not taken_back
        return None

    def named(self, path: str, folder: bool = False) -> bool:
        """Whether a file (or folder) is named, itself or by a folder it lies in."""
        parts = path.split("/")
        above = ("/".join(parts[:count]) for count in range(1, len(parts)))
        return any(self.verdict(each, True) for each in above) or bool(self.verdict(path, folder))


def _pattern(line: str) -> tuple[re.Pattern[str], bool, bool]:
    line = re.sub(r"(?<!\\)\s+$", "", line)
    taken_back = line.startswith("!")
    line = line.removeprefix("!")
    folders_only = line.endswith("/")
    line = line.rstrip("/")
    anchored = "/" in line
    line = line.removeprefix("/")
    try:
        regex = re.compile(("" if anchored else "(?:.*/)?") + "".join(_regex(line)), re.DOTALL)
    except re.error:  # [z-a], which names nothing
        regex = re.compile("(?!)")
    return regex, folders_only, taken_back


def _regex(line: str) -> Iterator[str]:
    at = 0
    while at < len(line):
        starts_name = at == 0 or line[at - 1] == "/"
        if line[at] == "*":
            behind = len(line) - len(line[at:].lstrip("*"))
            whole_name = starts_name and behind - at > 1 and line[behind : behind + 1] in ("", "/")
            yield "[^/]*" if not whole_name else ".+" if behind == len(line) else "(?:.*/)?"
            at = behind + (whole_name and behind < len(line))
        elif line[at] == "?":
            yield "[^/]"
            at += 1
        elif line[at] == "[":
            without = line[at + 1 : at + 2] in ("!", "^")
            first = at + 1 + without
            end = line.find("]", first + 1)
            inner = re.sub(r"([\\\[\]^&~|])", r"\\\1", line[first:end])
            yield f"(?!/)[{'^' if without else ''}{inner}]" if end > 0 else "(?!)"  # an open one names nothing
            at = end + 1 if end > 0 else len(line)
        else:
            if line[at] == "\\" and at + 1 < len(line):
                at += 1
            yield re.escape(line[at])
            at += 1


def relative(path: str | os.PathLike[str], folder: Path) -> str | None:
    """A path relative to a folder, with slashes; None where it lies outside."""
    # abspath, for pathlib either leaves `..` in or follows links.
    full, base = os.path.abspath(path), os.path.abspath(folder)  # noqa: PTH100
    try:
        return Path(full).relative_to(base).as_posix()
    except ValueError:
        return None
