"""Structure: a graph of layers as series, branches and taps."""

from __future__ import annotations

from convsize.importing.items import Bind, Block, Branches, Item, Leaf, Series, Start, Tap
from convsize.importing.layers import JOINS, Graph
from convsize.importing.tokens import Defaults, token
from convsize.record import Record

__all__ = ["Structure", "structured"]


class Structure(Record):
    """A network as it is written: the trunk, and a head for every further output, with the tap that it begins at."""

    inputs: tuple[int, ...]
    trunk: Series
    heads: tuple[tuple[str, int | None, Series], ...]
    blocks: tuple[Block, ...] = ()


class _Chain:
    """A series that ends in a layer: what it begins at (None where it begins with taps or is an input itself)."""

    __slots__ = ("items", "source")

    def __init__(self, source: int | None, items: list[Item]) -> None:
        self.source = source
        self.items = items


def structured(graph: Graph, defaults: Defaults) -> Structure:
    """The series that compute the outputs of a graph, all of whose layers are needed."""
    layers = graph.layers
    outputs = [at for _, at in graph.outputs]
    uses = [0] * len(layers)
    for layer in layers:
        for each in layer.inputs:
            uses[each] += 1
    kept = set(outputs)
    chains: dict[int, _Chain] = {}

    def branch(source: int) -> tuple[int | None, list[Item]]:
        """The series that gives a value to one join alone, or the value itself."""
        if uses[source] == 1 and source not in kept and layers[source].kind != "input":
            chain = chains.pop(source)
            return chain.source, chain.items
        return source, []

    def absorbed(chain: _Chain) -> _Chain:
        """The chain after the one that it begins at, where nothing else begins there."""
        source = chain.source
        if source is not None and uses[source] == 1 and source not in kept and layers[source].kind != "input":
            before = chains.pop(source)
            return _Chain(before.source, before.items + chain.items)
        return chain

    for at, layer in enumerate(layers):
        if layer.kind == "input":
            chains[at] = _Chain(None, [])
        elif layer.kind not in JOINS:
            (source,) = layer.inputs
            leaf = Leaf(token(layer, layers[source].volume, defaults), at)
            chains[at] = absorbed(_Chain(source, [leaf]))
        else:
            parts = [branch(each) for each in layer.inputs]
            sources = {source for source, _ in parts}
            (common,) = sources if len(sources) == 1 else (None,)
            if common is not None:
                uses[common] -= len(parts) - 1
                series = tuple(tuple(items) or (Start(),) for _, items in parts)
                if layer.kind == "*" and len(series) == 2 and series[1] == (Start(),):
                    series = series[::-1]  # a gate is read as x times what is made of it
                chains[at] = absorbed(_Chain(common, [Branches(layer.kind, series, at, layers[common].volume[0])]))
            else:
                series = tuple(tuple(items) if source is None else (Tap(source), *items) for source, items in parts)
                chains[at] = _Chain(None, [Branches(layer.kind, series, at)])
    return _written_down(graph, chains)


def _written_down(graph: Graph, chains: dict[int, _Chain]) -> Structure:
    """The chains that are left one after another, each from the tap that it begins at."""
    inputs = tuple(at for at, layer in enumerate(graph.layers) if layer.kind == "input")
    (_, main), *others = graph.outputs
    wanted = {source for chain in chains.values() for source in _taps(chain)}
    last: int | None = inputs[0] if len(inputs) == 1 else None
    trunk: list[Item] = []
    heads: list[tuple[str, int | None, Series]] = []
    apart = {at for _, at in others if at not in wanted and at != main and at not in inputs}
    for at in sorted(chains.keys() - apart - set(inputs)):
        chain = chains[at]
        if chain.source is not None and chain.source != last:
            trunk.append(Tap(chain.source))
        trunk += [*chain.items, Bind(at)]
        last = at
    if last != main:
        trunk.append(Tap(main))
    for label, at in others:
        if at in apart:
            heads.append((label, chains[at].source, tuple(chains[at].items)))
            apart.remove(at)
        else:
            heads.append((label, at, (Start(),)))
    if len(inputs) > 1 and trunk and not isinstance(trunk[0], Tap):
        trunk.insert(0, Tap(inputs[0]))  # inputs meet at once: a trunk with several says where it starts
    return Structure(inputs, _needed(tuple(trunk), heads), tuple(heads))


def _needed(trunk: Series, heads: list[tuple[str, int | None, Series]]) -> Series:
    """The trunk without names that nothing uses."""
    used = {tap for item in trunk for tap in _taps_of(item)}
    for _, source, items in heads:
        used |= {source} if source is not None else set()
        used |= {tap for item in items for tap in _taps_of(item)}
    return tuple(item for item in trunk if not isinstance(item, Bind) or item.layer in used)


def _taps(chain: _Chain) -> set[int]:
    found = {tap for item in chain.items for tap in _taps_of(item)}
    return found | ({chain.source} if chain.source is not None else set())


def _taps_of(item: Item) -> set[int]:
    if isinstance(item, Tap):
        return {item.layer}
    if isinstance(item, Branches):
        return {tap for series in item.branches for each in series for tap in _taps_of(each)}
    return set()
