"""Work: multiply-adds and floating point operations of every layer, for one sample."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from convsize.analyses.facts import Facts
from convsize.record import Record


class LayerWork(Record):
    """What a layer computes.

    macs: multiply-adds of convolutions and matrix products. work: the other floating point operations by kind.
    flops: 2·macs + work, since a multiply-add is two operations.

    Texts that count connections count MACs: a 3×3 kernel over 7×7 pixels makes 5·5 hidden units and 5·5·3·3 connections
    (Bilen, MLP lecture 7). LeCun et al. 1998 add one for the bias of each unit.
    """

    macs: int
    flops: int
    work: tuple[tuple[str, int], ...]


def layer_work(facts: Sequence[Facts]) -> list[LayerWork]:
    """The work of every node, by index."""
    known: dict[int, LayerWork] = {}
    found = []
    for fact in facts:
        done = known.get(id(fact))
        if done is None:
            items = itemised((each.kind, each.flops) for each in fact.work)
            flops = 2 * fact.macs + sum(count for _, count in items)
            done = known[id(fact)] = LayerWork(fact.macs, flops, items)
        found.append(done)
    return found


def itemised(parts: Iterable[tuple[str, int]]) -> tuple[tuple[str, int], ...]:
    """Operations summed by kind, in the order in which the kinds first occur."""
    sums: dict[str, int] = {}
    for kind, flops in parts:
        sums[kind] = sums.get(kind, 0) + flops
    return tuple(sums.items())
