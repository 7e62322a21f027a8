"""Folds the turns of repeats that are alike, so that ResNet-152 is a table a person can read.

Turns of one repeat that follow each other and have the same figures become one turn with a number of times. What a
layer sees grows from turn to turn and does not count as a difference: a line knows its last turn's layer as well.
Where a repeated call of a block has more than two kinds of turns (the layers of a dense block are all different), the
whole repeat becomes one line with summed figures. Groups in brackets are always listed: their rows are few, and a
stack such as `(C3D{2*c} R M)*4` is what the reader came for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from convsize.record import Record
from convsize.records import LayerRow


class Line(Record):
    """One line of a folded listing.

    rows: the layers it stands for in one turn (several only for a repeat that was summed); `last`: the layer that ends
    it in the last turn. times: how many turns are alike, over all repeats around it. bracket: for every folded turn of
    several lines around this one, outermost first, whether this is its "first", "middle" or "last" line. summary: the
    name of the block and the number of its turns, where a whole repeat was summed. others: the layers of the turns
    after the first one.
    """

    rows: tuple[LayerRow, ...]
    last: LayerRow
    times: int = 1
    bracket: tuple[str, ...] = ()
    summary: tuple[str, int] | None = None
    others: tuple[LayerRow, ...] = ()

    @property
    def all(self) -> tuple[LayerRow, ...]:
        """The layers of all turns."""
        return (*self.rows, *self.others)

    @property
    def first(self) -> LayerRow:
        """The layer that begins it."""
        return self.rows[0]

    @property
    def name(self) -> str:
        """The layer's name; for a summed repeat the first and the last block: dl1…dl6."""
        if self.summary is None:
            return self.first.name
        depth = _instance_depth(self.first, self.last)
        first = ".".join(self.first.blocks[: depth + 1])
        return f"{first}…{self.last.blocks[depth]}"

    @property
    def spec(self) -> str:
        """The layer's shorthand; for a summed repeat the block's: dl*6."""
        return self.first.spec if self.summary is None else "{}*{}".format(*self.summary)

    @property
    def op(self) -> str:
        """The layer's kind; for a summed repeat, block."""
        return self.first.op if self.summary is None else "block"

    def total(self, value: Callable[[LayerRow], int]) -> int:
        """The sum of a figure over the layers of one turn."""
        return value(self.rows[0]) if len(self.rows) == 1 else sum(map(value, self.rows))


class _Repeat(Record):
    block: bool
    turns: list[list[_Item]]


_Item = LayerRow | _Repeat


def unfolded(layers: Sequence[LayerRow]) -> tuple[Line, ...]:
    """One line for every layer."""
    return tuple(Line((row,), row) for row in layers)


def fold(layers: Sequence[LayerRow]) -> tuple[Line, ...]:
    """The lines of a folded listing."""
    return tuple(_lines(_tree(list(layers), 0)))


def _tree(rows: list[LayerRow], level: int) -> list[_Item]:
    """Rows grouped by the repeats around them, from the level-th inwards."""
    items: list[_Item] = []
    at = 0
    while at < len(rows):
        row = rows[at]
        if len(row.turns) <= level:
            items.append(row)
            at += 1
            continue
        identity, _, block = row.turns[level]
        turns: list[list[LayerRow]] = []
        number = None
        while at < len(rows) and len(rows[at].turns) > level and rows[at].turns[level][0] == identity:
            if rows[at].turns[level][1] != number:
                number = rows[at].turns[level][1]
                turns.append([])
            turns[-1].append(rows[at])
            at += 1
        items.append(_Repeat(block, [_tree(turn, level + 1) for turn in turns]))
    return items


def _key(items: Sequence[_Item]) -> tuple[Any, ...]:
    """Equal for turns that look and cost the same."""
    return tuple(
        tuple(map(_key, item.turns))
        if isinstance(item, _Repeat)
        else (item.op, item.spec, item.input_shapes, item.output, item.parameters, item.buffers, item.macs, item.flops)
        for item in items
    )


def _rows(items: Sequence[_Item]) -> list[LayerRow]:
    rows: list[LayerRow] = []
    for item in items:
        if isinstance(item, _Repeat):
            for turn in item.turns:
                rows.extend(_rows(turn))
        else:
            rows.append(item)
    return rows


def _lines(items: Sequence[_Item]) -> list[Line]:
    lines: list[Line] = []
    for item in items:
        if isinstance(item, _Repeat):
            lines.extend(_fold_repeat(item))
        else:
            lines.append(Line((item,), item))
    return lines


def _fold_repeat(repeat: _Repeat) -> list[Line]:
    """Runs of turns that are alike, or one summed line."""
    keys = [_key(turn) for turn in repeat.turns]
    runs: list[tuple[int, int]] = []
    for at, key in enumerate(keys):
        if runs and keys[runs[-1][0]] == key:
            runs[-1] = (runs[-1][0], at)
        else:
            runs.append((at, at))
    if repeat.block and len(runs) > 2:
        rows = [row for turn in repeat.turns for row in _rows(turn)]
        depth = _instance_depth(rows[0], rows[-1])
        if depth < min(len(rows[0].blocks), len(rows[-1].blocks)):
            block = rows[0].blocks[depth].rstrip("0123456789")
            return [Line(tuple(rows), rows[-1], summary=(block, len(repeat.turns)))]
    lines: list[Line] = []
    for first, last in runs:
        turn = _lines(repeat.turns[first])
        if last > first:
            alike = [turn, *map(_lines, repeat.turns[first + 1 : last + 1])]
            turn = [
                each[0]._replace(
                    last=each[-1].last,
                    times=each[0].times * len(each),
                    others=(*each[0].others, *(row for other in each[1:] for row in other.all)),
                )
                for each in zip(*alike, strict=True)
            ]
            if len(turn) > 1:
                marks = ["first", *["middle"] * (len(turn) - 2), "last"]
                turn = [line._replace(bracket=(mark, *line.bracket)) for line, mark in zip(turn, marks, strict=True)]
        lines.extend(turn)
    return lines


def _instance_depth(first: LayerRow, last: LayerRow) -> int:
    """How many of the blocks around two layers are the same."""
    depth = 0
    for one, other in zip(first.blocks, last.blocks, strict=False):
        if one != other:
            break
        depth += 1
    return depth
