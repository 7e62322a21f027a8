"""A digest of a network's structure: equal for the same network however it is written, different for any other.

What decides the function of a layer is its PyTorch calls with every padding resolved, its output volume, and which
values enter it in which order. Names, layout, blocks and repeats leave no trace. Sums and gates do not depend on the
order of their branches, and sums of sums or concatenations of concatenations are one.

The layers form a directed acyclic graph in which two equal layers with weights of their own are not one layer used
twice, so a tree hash is not enough. Colours are refined from below (what a layer is computed from) and from above (what
it is used for), and among the layers that share their weights; then the graph is written down in the order of a walk
from the outputs that takes the branches of a sum by colour, and that text is hashed. Colours are numbers mixed by hand:
Python's own hash may differ from one version to the next, and a cryptographic one, which only the text needs, would
take most of the time of a large network.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from convsize.graph.network import Network
    from convsize.ops.base import Op

_JOINS = frozenset({"sum", "difference", "gate", "quotient", "concatenation"})
_COMMUTATIVE = frozenset({"sum", "gate"})
_ASSOCIATIVE = frozenset({"sum", "concatenation"})
_DIGITS = 16
_ROUNDS = 3
_MASK = 2**64 - 1


def digest(network: Network) -> str:
    """The digest, 16 hexadecimal digits, of everything the outputs depend on and of what nothing uses."""
    kinds, sources = _flattened(network)
    shared = _shared(network)
    commutative = {index for index in kinds if network.nodes[index].op.KIND in _COMMUTATIVE}
    main, *heads = (network.outputs["main"], *(index for name, index in network.outputs.items() if name != "main"))
    used = {source for inputs in sources.values() for source in inputs}.union((main, *heads))
    unused = kinds.keys() - used
    colours: dict[int, int] = {}
    if commutative or len(heads) > 1 or len(unused) > 1:
        colours = _colours(kinds, sources, commutative, shared, main, heads)
        heads = _by_colour(heads, colours)
    numbers: dict[int, int] = {}
    lines: list[str] = []
    for root in (main, *heads, *_by_colour(unused, colours)):
        _walk(root, kinds, sources, commutative, shared, colours, numbers, lines)
    lines.append(f"main {numbers[main]} heads {sorted(numbers[index] for index in heads)}")
    return _hash("\n".join(lines)).hex()


def _shared(network: Network) -> dict[int, int]:
    """For every layer that uses the weights of others the first one that does; one that is used once is like any."""
    found = {node.index: node.first for node in network.nodes if node.first is not None and network.parameters(node)}
    return found | {first: first for first in found.values()}


def _hash(text: str) -> bytes:
    return blake2b(text.encode(), digest_size=_DIGITS // 2).digest()


def _by_colour(indices: Iterable[int], colours: dict[int, int]) -> list[int]:
    """In an order that does not depend on how the network is written; without colours there is one index at most."""
    return sorted(indices, key=lambda index: colours.get(index, 0))


def _flattened(network: Network) -> tuple[dict[int, str], dict[int, list[int]]]:
    """For every layer what it is, as text, and its inputs; joins that only feed a join of their kind are merged."""
    users: dict[int, list[int]] = {node.index: [] for node in network.nodes}
    for node in network.nodes:
        for source in node.reads:
            users[source].append(node.index)
    roots = set(network.outputs.values())
    order = {name: place for place, name in enumerate(network.inputs)}
    kinds: dict[int, str] = {}
    sources: dict[int, list[int]] = {}
    merged: set[int] = set()
    calls_text: dict[tuple[Op, object], str] = {}
    for node in reversed(network.nodes):
        if node.index in merged:
            continue
        inputs = list(node.reads)
        kind = node.op.KIND
        if kind in _ASSOCIATIVE:
            inputs = _merged_inputs(network, node.index, users, roots, merged)
        if not node.inputs:
            kinds[node.index] = f"input {order[node.name]} {node.output}"
        elif kind in _JOINS:
            kinds[node.index] = f"{kind} {node.output}"
        else:
            shapes = network.input_shapes(node)
            key = (node.op, shapes)
            text = calls_text.get(key)
            if text is None:
                # How an extent was rounded shows in the output volume; the flag itself may be written without effect.
                calls = [
                    (call.target, [pair for pair in call.kwargs if pair[0] != "ceil_mode"])
                    for call in node.op.torch(*shapes)
                ]
                text = calls_text[key] = f"{calls} {node.output}"
            kinds[node.index] = text
        sources[node.index] = inputs
    return kinds, sources


def _merged_inputs(
    network: Network, index: int, users: dict[int, list[int]], roots: set[int], merged: set[int]
) -> list[int]:
    """The inputs of a join with those of the joins of its kind that feed nothing else in their places."""
    kind = network.nodes[index].op.KIND
    found: list[int] = []
    waiting = list(reversed(network.nodes[index].inputs))
    while waiting:
        source = waiting.pop()
        node = network.nodes[source]
        if kind == node.op.KIND and node.inputs and len(users[source]) == 1 and source not in roots:
            merged.add(source)
            waiting.extend(reversed(node.inputs))
        else:
            found.append(source)
    return found


def _mixed(left: int, right: int) -> int:
    """A number of 64 bits that depends on both and on their order (the steps of SplitMix64, Steele et al. 2014)."""
    value = (left * 0x9E3779B97F4A7C15 + right) & _MASK
    value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9 & _MASK
    return value ^ value >> 27


def _colours(
    kinds: dict[int, str],
    sources: dict[int, list[int]],
    commutative: set[int],
    shared: dict[int, int],
    main: int,
    heads: list[int],
) -> dict[int, int]:
    """Refined colours: alternately from the inputs up and from the uses down.

    What has no order (the branches of a sum, the uses of a value, those of shared weights) is mixed one by one and
    added up.
    """
    upwards = sorted(kinds)
    first = {kind: int.from_bytes(_hash(kind), "big") for kind in set(kinds.values())}
    colours = {index: first[kinds[index]] for index in upwards}
    marks = dict.fromkeys(heads, 1)
    marks[main] = 2
    for _ in range(_ROUNDS):
        weights = dict.fromkeys(shared.values(), 0)
        for index, holder in shared.items():
            weights[holder] += _mixed(colours[index], 3)
        for index, holder in shared.items():
            colours[index] = _mixed(colours[index], weights[holder])
        fresh: dict[int, int] = {}
        for index in upwards:
            colour = colours[index]
            if index in commutative:
                fresh[index] = _mixed(colour, sum([_mixed(fresh[source], 0) for source in sources[index]]))
            else:
                for source in sources[index]:
                    colour = _mixed(colour, fresh[source])
                fresh[index] = colour
        uses = {index: marks.get(index, 0) for index in upwards}
        for index in reversed(upwards):
            colours[index] = colour = _mixed(fresh[index], uses[index])
            commutes = index in commutative
            for place, source in enumerate(sources[index], 1):
                uses[source] += _mixed(colour, 0 if commutes else place)
    return colours


def _walk(
    root: int,
    kinds: dict[int, str],
    sources: dict[int, list[int]],
    commutative: set[int],
    shared: dict[int, int],
    colours: dict[int, int],
    numbers: dict[int, int],
    lines: list[str],
) -> None:
    """Numbers the layers below a root, inputs before what they feed, and writes a line for each.

    A layer that uses weights of others says so by the number of the first layer that does, in this order.
    """
    holders = {shared[index]: number for index, number in reversed(numbers.items()) if index in shared}
    waiting = [(root, False)]
    while waiting:
        index, ready = waiting.pop()
        if index in numbers:
            continue
        commutes = index in commutative
        inputs = _by_colour(sources[index], colours) if commutes else sources[index]
        if not ready:
            waiting.append((index, True))
            waiting.extend([(source, False) for source in reversed(inputs)])
            continue
        numbers[index] = len(numbers)
        own = [numbers[source] for source in inputs]
        weights = f" weights {holders.setdefault(shared[index], numbers[index])}" if index in shared else ""
        lines.append(f"{kinds[index]} {sorted(own) if commutes else own}{weights}")
