"""A digest of a network's structure: equal for the same network however it is written, different for any other.

What decides the function of a layer is its PyTorch calls with every padding resolved, its output volume, and which
values enter it in which order. Names, layout, blocks and repeats leave no trace. Sums and gates do not depend on the
order of their branches, and sums of sums or concatenations of concatenations are one.

The layers form a directed acyclic graph in which two equal layers with weights of their own are not one layer used
twice, so a tree hash is not enough. Colours are refined from below (what a layer is computed from) and from above
(what it is used for) until they tell no more layers apart; then the graph is written down in the order of a walk from
the outputs that takes the branches of a sum by colour, and that text is hashed.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from convsize.graph.network import Network

_COMMUTATIVE = {"sum": True, "gate": True, "concatenation": False}
_DIGITS = 16
_ROUNDS = 3


def digest(network: Network) -> str:
    """The digest, 16 hexadecimal digits, of everything the outputs depend on and of what nothing uses."""
    kinds, sources = _flattened(network)
    roots = [network.outputs["main"], *(index for name, index in network.outputs.items() if name != "main")]
    colours = _colours(kinds, sources, roots)
    main, heads = roots[0], sorted(roots[1:], key=lambda index: colours[index])
    numbers: dict[int, int] = {}
    lines: list[str] = []
    used = {source for inputs in sources.values() for source in inputs}.union(roots)
    unused = sorted(kinds.keys() - used, key=lambda index: colours[index])
    for root in (main, *heads, *unused):
        _walk(root, kinds, sources, colours, numbers, lines)
    lines.append(f"main {numbers[main]} heads {sorted(numbers[index] for index in heads)}")
    return _hash("\n".join(lines))


def _hash(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=_DIGITS // 2).hexdigest()


def _flattened(network: Network) -> tuple[dict[int, str], dict[int, list[int]]]:
    """For every layer what it is, as text, and its inputs; joins that only feed a join of their kind are merged."""
    users: dict[int, list[int]] = {node.index: [] for node in network.nodes}
    for node in network.nodes:
        for source in node.inputs:
            users[source].append(node.index)
    roots = set(network.outputs.values())
    order = {name: place for place, name in enumerate(network.inputs)}
    kinds: dict[int, str] = {}
    sources: dict[int, list[int]] = {}
    merged: set[int] = set()
    calls_text: dict[tuple[int, object], str] = {}
    for node in reversed(network.nodes):
        if node.index in merged:
            continue
        inputs = list(node.inputs)
        name = node.op.NAME
        if name in ("sum", "concatenation"):
            inputs = _merged_inputs(network, node.index, users, roots, merged)
        if not node.inputs:
            kinds[node.index] = f"input {order[node.name]} {node.output}"
        elif name in _COMMUTATIVE:
            kinds[node.index] = f"{name} {node.output}"
        else:
            shapes = network.input_shapes(node)
            key = (id(node.op), shapes)
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
    name = network.nodes[index].op.NAME
    found: list[int] = []
    waiting = list(reversed(network.nodes[index].inputs))
    while waiting:
        source = waiting.pop()
        node = network.nodes[source]
        if name == node.op.NAME and node.inputs and len(users[source]) == 1 and source not in roots:
            merged.add(source)
            waiting.extend(reversed(node.inputs))
        else:
            found.append(source)
    return found


def _is_commutative(kind: str) -> bool:
    return _COMMUTATIVE.get(kind.split(" ", 1)[0], False)


def _colours(kinds: dict[int, str], sources: dict[int, list[int]], roots: list[int]) -> dict[int, str]:
    """Refined colours: alternately from the inputs up and from the uses down."""
    upwards = sorted(kinds)
    colours = {index: _hash(kinds[index]) for index in upwards}
    root_marks = dict.fromkeys(roots[1:], "head")
    root_marks[roots[0]] = "main"
    for _ in range(_ROUNDS):
        fresh: dict[int, str] = {}
        for index in upwards:
            inputs = [fresh[source] for source in sources[index]]
            if _is_commutative(kinds[index]):
                inputs.sort()
            fresh[index] = _hash(f"{colours[index]} < {inputs}")
        uses: dict[int, list[str]] = {index: [root_marks.get(index, "")] for index in upwards}
        below: dict[int, str] = {}
        for index in reversed(upwards):
            below[index] = _hash(f"{fresh[index]} > {sorted(uses[index])}")
            commutes = _is_commutative(kinds[index])
            for place, source in enumerate(sources[index]):
                uses[source].append(f"{'' if commutes else place} {below[index]}")
        colours = below
    return colours


def _walk(
    root: int,
    kinds: dict[int, str],
    sources: dict[int, list[int]],
    colours: dict[int, str],
    numbers: dict[int, int],
    lines: list[str],
) -> None:
    """Numbers the layers below a root, inputs before what they feed, and writes a line for each."""
    waiting = [(root, False)]
    while waiting:
        index, ready = waiting.pop()
        if index in numbers:
            continue
        commutes = _is_commutative(kinds[index])
        inputs = sorted(sources[index], key=lambda source: colours[source]) if commutes else sources[index]
        if not ready:
            waiting.append((index, True))
            waiting.extend((source, False) for source in reversed(inputs))
            continue
        numbers[index] = len(numbers)
        own = [numbers[source] for source in inputs]
        lines.append(f"{kinds[index]} {sorted(own) if commutes else own}")
