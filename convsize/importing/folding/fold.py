"""The fold: a structure as short as repeats and blocks make it."""

from __future__ import annotations

from collections import Counter

from convsize.importing.folding.blocks import best_block, replaced
from convsize.importing.folding.keys import Keys, leaves
from convsize.importing.folding.repeats import repeated
from convsize.importing.items import Block, Series
from convsize.importing.layers import Graph
from convsize.importing.structure import Structure

__all__ = ["folded"]

_LETTERS = "fjpqyz"
_LONG = 10


def folded(structure: Structure, graph: Graph, reserved: frozenset[str] = frozenset()) -> Structure:
    """The same network with repeats and blocks. reserved: words that no block may be called."""
    scopes = [
        tuple(layer.scope[-1].path.split(".")) if layer.scope and layer.scope[-1].path else () for layer in graph.layers
    ]
    keys = Keys()
    trunk = repeated(structure.trunk, keys, scopes)
    heads = [repeated(series, keys, scopes) for _, _, series in structure.heads]
    blocks: list[Block] = []

    def name(uses: list[Series]) -> str:
        return _name(uses, graph, {*reserved, *(block.name for block in blocks)})

    while True:
        found = best_block([trunk, *heads, *(block.body for block in blocks)], keys, scopes, name)
        if found is None:
            break
        block, calls = found
        trunk = repeated(replaced(trunk, calls), keys, scopes)
        heads = [repeated(replaced(each, calls), keys, scopes) for each in heads]
        blocks = [each.replace(body=repeated(replaced(each.body, calls), keys, scopes)) for each in blocks]
        blocks.append(block.replace(body=repeated(block.body, keys, scopes)))
    named = tuple((label, tap, series) for (label, tap, _), series in zip(structure.heads, heads, strict=True))
    return structure.replace(trunk=trunk, heads=named, blocks=tuple(_inner_first(blocks)))


def _inner_first(blocks: list[Block]) -> list[Block]:
    """Blocks in an order in which each follows those that it calls."""
    by_name = {block.name: block for block in blocks}
    found: dict[str, Block] = {}

    def add(block: Block) -> None:
        for leaf in leaves(block.body):
            if leaf.token.kind in by_name and leaf.token.kind not in found:
                add(by_name[leaf.token.kind])
        found.setdefault(block.name, block)

    for block in blocks:
        add(block)
    return list(found.values())


def _name(uses: list[Series], graph: Graph, taken: set[str]) -> str:
    """A block's name: of the class whose module it is, else a letter."""
    kinds = Counter(filter(None, (_kind(each, graph) for each in uses)))
    for kind, _ in sorted(kinds.items(), key=lambda pair: (-pair[1], pair[0])):
        plain = "".join(each for each in kind if each.isalnum() and each.isascii())
        short = plain if len(plain) <= _LONG else "".join(each for each in plain if each.isupper() or each.isdigit())
        wanted = short.lower()
        if len(wanted) > 1 and wanted[0].isalpha() and wanted not in taken and len(wanted) <= _LONG:
            return wanted
    free: str = next(each for each in (*_LETTERS, *(f"f{at}" for at in range(1, 1000))) if each not in taken)
    return free


def _kind(series: Series, graph: Graph) -> str:
    """The class of the innermost module around all layers of a series, which must not be the model itself."""
    found = list(leaves(series))
    if not found:
        return ""
    first, last = graph.layers[found[0].layer].scope, graph.layers[found[-1].layer].scope
    common = [one for one, other in zip(first, last, strict=False) if one.path == other.path]
    kind = common[-1].kind if len(common) > 1 else ""
    return "" if kind in ("Sequential", "ModuleList", "ModuleDict") else kind
