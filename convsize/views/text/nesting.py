"""Rows as the blocks and the repeats that they stand in, and what turns of a repeat must have in common to be one."""

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
    """Turns in a row; block: what is repeated is one call of a block."""

    block: bool
    turns: list[list[Item]]


Item = LayerRow | Nested | Repeat


def nested(rows: Sequence[LayerRow], blocks: int, turns: int) -> list[Item]:
    """Rows grouped by the blocks and the repeats around them, from the given levels inwards."""
    items: list[Item] = []
    at = 0
    while at < len(rows):
        row = rows[at]
        in_block = _run(rows, at, lambda one: one.blocks[: blocks + 1]) if len(row.blocks) > blocks else at
        in_turns = at
        if len(row.turns) > turns:
            in_turns = _run(rows, at, lambda one: one.turns[turns : turns + 1] and one.turns[turns].repeat)
        if in_block == in_turns == at:
            items.append(row)
            at += 1
        elif in_turns > in_block or (
            # A repeat of one turn around a block; several turns of a block would be several blocks.
            in_turns == in_block and row.turns[turns].block and rows[in_turns - 1].turns[turns] == row.turns[turns]
        ):
            parts: list[list[Item]] = []
            start = at
            while start < in_turns:
                end = _run(rows[:in_turns], start, lambda one: one.turns[turns])
                parts.append(nested(rows[start:end], blocks, turns + 1))
                start = end
            items.append(Repeat(row.turns[turns].block, parts))
            at = in_turns
        else:
            items.append(Nested(row.blocks[blocks], nested(rows[at:in_block], blocks + 1, turns)))
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
            for turn in item.turns:
                found += rows_in(turn)
        else:
            found.append(item)
    return found


def likeness(rows: Sequence[LayerRow]) -> tuple[Any, ...]:
    """Equal for turns that look, cost and are wired alike inside."""
    places = {row.name: at for at, row in enumerate(rows)}
    return tuple(
        (
            *(row.op, row.spec, row.input_shapes, row.output, row.parameters, row.buffers, row.macs, row.flops),
            *(places.get(name) for name in row.inputs),
        )
        for row in rows
    )


def runs(repeat: Repeat) -> list[list[int]]:
    """The turns of a repeat by their places: those that follow each other and are alike stand together."""
    found: list[list[int]] = []
    keys: list[tuple[Any, ...]] = []
    for at, turn in enumerate(repeat.turns):
        key = likeness(rows_in(turn))
        if keys and keys[-1] == key:
            found[-1].append(at)
        else:
            found.append([at])
            keys.append(key)
    return found


def summed(repeat: Repeat, found: Sequence[Sequence[int]]) -> bool:
    """Whether a repeat is one sum: a block of more than two kinds of turns (the layers of a dense block all differ)."""
    return repeat.block and len(found) > 2
