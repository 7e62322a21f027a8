"""Folds the iterations of repeats that are alike, so that ResNet-152 is a table a person can read.

Iterations of one repeat that follow each other and look, cost and are wired alike become one iteration with a number of
times. What a layer sees grows from iteration to iteration and does not count as a difference: a line knows its last
iteration's layer as well. Where a repeated call of a block has more than two kinds of iterations (the layers of a dense
block are all different), the whole repeat becomes one line with summed figures. Groups in brackets are always listed:
their rows are few, and a stack such as `(C3D{2*c} R M)*4` is what the reader came for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from convsize.record import Record
from convsize.records import LayerRow
from convsize.views.text.nesting import Item, Nested, Repeat, nested, rows_in, runs, summed


class Line(Record):
    """One line of a folded listing.

    rows: the layers it stands for in one iteration (several only for a repeat that was summed); `last`: the layer that
    ends it in the last iteration. times: how many iterations are alike, over all repeats around it. bracket: for every
    folded iteration of several lines around this one, outermost first, whether this is its "first", "middle" or "last"
    line. summary: the name of the block and the number of its iterations, where a whole repeat was summed. others: the
    layers of the iterations after the first one.
    """

    rows: tuple[LayerRow, ...]
    last: LayerRow
    times: int = 1
    bracket: tuple[str, ...] = ()
    summary: tuple[str, int] | None = None
    others: tuple[LayerRow, ...] = ()

    @property
    def all(self) -> tuple[LayerRow, ...]:
        """The layers of all iterations."""
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
        """The sum of a figure over the layers of one iteration."""
        return value(self.rows[0]) if len(self.rows) == 1 else sum(map(value, self.rows))


def unfolded(layers: Sequence[LayerRow]) -> tuple[Line, ...]:
    """One line for every layer."""
    return tuple(Line((row,), row) for row in layers)


def fold(layers: Sequence[LayerRow]) -> tuple[Line, ...]:
    """The lines of a folded listing."""
    return tuple(_lines(nested(layers, 0, 0)))


def _lines(items: Sequence[Item]) -> list[Line]:
    lines: list[Line] = []
    for item in items:
        if isinstance(item, Repeat):
            lines.extend(_fold_repeat(item))
        elif isinstance(item, Nested):
            lines.extend(_lines(item.items))
        else:
            lines.append(Line((item,), item))
    return lines


def _fold_repeat(repeat: Repeat) -> list[Line]:
    """Runs of iterations that are alike, or one summed line."""
    found = runs(repeat)
    if summed(repeat, found):
        rows = rows_in(item for iteration in repeat.iterations for item in iteration)
        depth = _instance_depth(rows[0], rows[-1])
        if depth < min(len(rows[0].blocks), len(rows[-1].blocks)):
            block = rows[0].blocks[depth].rstrip("0123456789")
            return [Line(tuple(rows), rows[-1], summary=(block, len(repeat.iterations)))]
    lines: list[Line] = []
    for run in found:
        iteration = _lines(repeat.iterations[run[0]])
        if len(run) > 1:
            alike = [iteration, *(_lines(repeat.iterations[at]) for at in run[1:])]
            iteration = [
                each[0].replace(
                    last=each[-1].last,
                    times=each[0].times * len(each),
                    others=(*each[0].others, *(row for other in each[1:] for row in other.all)),
                )
                for each in zip(*alike, strict=True)
            ]
            if len(iteration) > 1:
                marks = ["first", *["middle"] * (len(iteration) - 2), "last"]
                iteration = [
                    line.replace(bracket=(mark, *line.bracket)) for line, mark in zip(iteration, marks, strict=True)
                ]
        lines.extend(iteration)
    return lines


def _instance_depth(first: LayerRow, last: LayerRow) -> int:
    """How many of the blocks around two layers are the same."""
    depth = 0
    for one, other in zip(first.blocks, last.blocks, strict=False):
        if one != other:
            break
        depth += 1
    return depth
