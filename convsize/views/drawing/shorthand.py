"""What layers consist of, in the shorthand of specs: `[C1D64 | C1D96 C3D128 | M3/1p1 C1D32]`.

Norms, activations and dropout are left out. Branches are found from the wiring: from a join back to the value that all
of its branches start from. Layers that are wired otherwise are listed in a row.
"""

from __future__ import annotations

from collections.abc import Sequence

from convsize.record import Record
from convsize.records import LayerRow
from convsize.views.drawing.parts import JOINS, family

_SIGNS = {
    "sum": ("(", " + ", ")"),
    "difference": ("(", " - ", ")"),
    "gate": ("(", " * ", ")"),
    "quotient": ("(", " / ", ")"),
    "concatenation": ("[", " | ", "]"),
}
_TOLD = ("convolution", "transposed", "dense", "attention", "pool", "reshaping", *JOINS)
_ROOM = 64
"""Characters beyond which branches and layers are left out."""


class _Group(Record):
    """A join with what its branches consist of."""

    kind: str
    branches: tuple[tuple[str | _Group, ...], ...]


_Words = tuple["str | _Group", ...]


class _Tangled(Exception):  # noqa: N818 (control flow, never seen outside)
    """The wiring is no nest of series and branches."""


def shorthand(rows: Sequence[LayerRow]) -> str:
    """These layers in short, the last of them the one whose value goes on."""
    try:
        words = _Reader(rows).words()
    except _Tangled:
        return shortened([row.spec for row in rows if family(row) in _TOLD] or [row.spec for row in rows])
    text = ""
    for branches, length in ((99, 8), (4, 8), (3, 8), (3, 4), (2, 3), (2, 2), (1, 2), (1, 1)):
        text = _written(words, branches, length)
        if len(text) <= _ROOM:
            break
    return text


def shortened(words: Sequence[str], most: int = 8) -> str:
    """The words; of many, the first and the last."""
    if len(words) <= most:
        return " ".join(words)
    return " ".join([*words[: most - 2], "…", words[-1]])


class _Reader:
    """Reads rows backwards, from the last one."""

    def __init__(self, rows: Sequence[LayerRow]) -> None:
        self.rows = rows
        self.own = {row.name: row for row in rows}
        self.read = dict.fromkeys(self.own, 0)
        for row in rows:
            for name in row.inputs:
                if name in self.read:
                    self.read[name] += 1
        self.seen: set[str] = set()
        self.told = any(family(row) in _TOLD for row in rows)

    def words(self) -> _Words:
        words, start = self.back(self.rows[-1].name, 0)
        if start in self.own or len(self.seen) < len(self.rows):
            raise _Tangled
        return words

    def back(self, name: str, readers: int) -> tuple[_Words, str]:
        """What leads to a value, and the value that it starts from: one from outside, or one that others read, too.

        readers: how many readers of the value are known.
        """
        words: _Words = ()
        while name in self.own and self.read[name] <= readers:
            row = self.own[name]
            self.seen.add(name)
            if family(row) in JOINS:
                group, name = self.group(row)
                words = (group, *words)
                readers = len(row.inputs)
            else:
                if len(row.inputs) != 1:
                    raise _Tangled
                if family(row) in _TOLD or not self.told:
                    words = (row.spec, *words)
                (name,) = row.inputs
                readers = 1
        return words, name

    def group(self, join: LayerRow) -> tuple[_Group, str]:
        branches = [self.back(name, 1) for name in join.inputs]
        starts = {start for _, start in branches}
        if len(starts) > 1 and starts & self.own.keys():
            raise _Tangled
        # Branches that start from several values from outside are a join of what enters.
        return _Group(family(join), tuple(words or ("x",) for words, _ in branches)), min(starts)


def _written(words: _Words, branches: int, length: int) -> str:
    """A series, with so many branches of every join and so many words of every series."""
    shown = list(words) if len(words) <= length else [*words[: max(length - 1, 1)], "…"]
    return " ".join(each if isinstance(each, str) else _joined(each, branches, length) for each in shown)


def _joined(group: _Group, branches: int, length: int) -> str:
    start, sign, end = _SIGNS[group.kind]
    shown = [_written(words, branches, length) for words in group.branches[:branches]]
    if len(group.branches) > branches:
        shown.append("…")
    return f"{start}{sign.join(shown)}{end}"
