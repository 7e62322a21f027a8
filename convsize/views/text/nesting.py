"""Rows nested in their blocks and repeats, and what iterations of a repeat must have in common to be folded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from convsize.record import Record
from convsize.records import LayerRow


class Nested(Record):
    """An instance of a block with what is in it."""

    name: str
    items: list[Item]


class Repeat(Record):
    """Iterations in a row; block: what is repeated is one call of a block."""

    block: bool
    iterations: list[list[Item]]


Item = LayerRow | Nested | Repeat


def nested(rows: Sequence[LayerRow], blocks: int, iterations: int) -> list[Item]:
    """Rows grouped by the blocks and the repeats around them, from the given levels inwards."""
    items: list[Item] = []
    at = 0
    while at < len(rows):
        row = rows[at]
        in_block = _run(rows, at, lambda one: one.blocks[: blocks + 1]) if len(row.blocks) > blocks else at
        in_iterations = at
        if len(row.iterations) > iterations:
            in_iterations = _run(
                rows, at, lambda one: one.iterations[iterations : iterations + 1] and one.iterations[iterations].repeat
            )
        if in_block == in_iterations == at:
            items.append(row)
            at += 1
        elif in_iterations > in_block or (
            # A repeat of one iteration around a block; several iterations of a block would be several blocks.
            in_iterations == in_block
            and row.iterations[iterations].block
            and rows[in_iterations - 1].iterations[iterations] == row.iterations[iterations]
        ):
            parts: list[list[Item]] = []
            start = at
            while start < in_iterations:
                end = _run(rows[:in_iterations], start, lambda one: one.iterations[iterations])
                parts.append(nested(rows[start:end], blocks, iterations + 1))
                start = end
            items.append(Repeat(row.iterations[iterations].block, parts))
            at = in_iterations
        else:
            items.append(Nested(row.blocks[blocks], nested(rows[at:in_block], blocks + 1, iterations)))
            at = in_block
    return items


def _run(rows: Sequence[LayerRow], at: int, key: Callable[[LayerRow], Any]) -> int:
    """Where the rows end that have the key of the at-th."""
    first = key(rows[at])
    end = at + 1
    while end < len(rows) and key(rows[end]) == first:
        end += 1
    return end


def rows_in(items: Iterable[Item]) -> list[LayerRow]:
    """All layers in these."""
    found: list[LayerRow] = []
    for item in items:
        if isinstance(item, Nested):
            found += rows_in(item.items)
        elif isinstance(item, Repeat):
            for iteration in item.iterations:
                found += rows_in(iteration)
        else:
            found.append(item)
    return found


def likeness(rows: Sequence[LayerRow]) -> tuple[Any, ...]:
    """Equal for iterations that look, cost and are wired alike inside."""
    places = {row.name: at for at, row in enumerate(rows)}
    return tuple(
        (
            *(row.op, row.spec, row.input_shapes, row.output, row.parameters, row.buffers, row.macs, row.flops),
            *(places.get(name) for name in row.inputs),
        )
        for row in rows
    )


def runs(repeat: Repeat) -> list[list[int]]:
    """The iterations of a repeat by their places: those that follow each other and are alike stand together."""
    found: list[list[int]] = []
    keys: list[tuple[Any, ...]] = []
    for at, iteration in enumerate(repeat.iterations):
        key = likeness(rows_in(iteration))
        if keys and keys[-1] == key:
            found[-1].append(at)
        else:
            found.append([at])
            keys.append(key)
    return found


def summed(repeat: Repeat, found: Sequence[Sequence[int]]) -> bool:
    """Whether a repeat is one sum: a block with over two kinds of iterations (as in a dense block)."""
    return repeat.block and len(found) > 2
