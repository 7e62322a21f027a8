"""W502: a value that nothing uses and nothing names."""

from __future__ import annotations

from collections.abc import Iterator

from convsize.errors import Diagnostic, Span
from convsize.graph.network import Network, Node
from convsize.language.tree import Group, Item
from convsize.rules.base import Context, Rule
from convsize.rules.places import Places, ancestors_of, by_place, consumers, finding, series_of
from convsize.words import plural


def _find(context: Context) -> Iterator[Diagnostic]:
    network = context.network
    readers = consumers(network)
    outputs = set(network.outputs.values())
    dead = [node for node in network.layers if not readers[node.index] and node.index not in outputs]
    if not dead:
        return
    named = {end for series in series_of(network.file) for item in series.items if item.names for end in _ends(item)}
    counted_for = ancestors_of(network, (*outputs, *network.taps.values()))
    places = Places(network)
    for found in by_place(node for node in dead if named.isdisjoint((node.span, *node.calls))):
        if not places.whole(found):
            continue  # one iteration or one call uses it
        node = found[0]
        lost = _lost(network, node, counted_for)
        parameters = sum(context.rows[index].parameters for index in lost if index in context.rows)
        yield finding(
            "W502",
            node,
            f"nothing uses or names the {node.output} that this gives: {plural(len(lost), 'layer')} with "
            f"{plural(parameters, 'parameter')} lead nowhere",
            "name the value, `… as skip`, and use it later as `@skip`; or remove these layers",
        )


def _lost(network: Network, node: Node, counted_for: set[int]) -> list[int]:
    """What leads to a node and to nothing else; it is added to what is accounted for."""
    waiting = [node.index]
    counted_for.add(node.index)
    lost = []
    while waiting:
        index = waiting.pop()
        lost.append(index)
        for source in network.nodes[index].inputs:
            if source not in counted_for:
                counted_for.add(source)
                waiting.append(source)
    return lost


def _ends(item: Item) -> Iterator[Span]:
    """The places of what an item ends with."""
    atom = item.atom
    yield atom.span
    if isinstance(atom, Group):
        for branch in atom.branches:
            yield from _ends(branch.items[-1])


RULE = Rule(
    code="W502",
    name="unused-value",
    summary="a value that nothing uses or names",
    checks="Layers whose output no other layer reads, that are not an output of the network and have no name.",
    why=(
        "A tap in the middle of a series starts again from the named value, and the layers before it are "
        "dropped: their parameters are counted but never trained. Usually a sum or a concatenation was "
        "intended."
    ),
    source="The language: every value is used or named.",
    example="input: 3@32x32\nC3D64 R as stem C3D64 R @stem C3D32 R FC10\n",
    better="input: 3@32x32\nC3D64 R as stem (C3D64 R + @stem) C3D32 R FC10\n",
    fix="Join the value with `( + )` or `[ | ]`, name it with `as`, or remove the layers that lead to it.",
    find=_find,
)
