"""Blocks: the layers that one call of a `def` made, by the name that stands before theirs."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from convsize.analyses.selection.in_place import alike, in_place
from convsize.errors import UsageError
from convsize.graph.network import Network
from convsize.record import Record
from convsize.words import nearest, or_rather


class Block(Record):
    """Layers that follow each other, run as one.

    members: their indices in order; inputs: the nodes outside that they read; outputs: those of them that are read
    outside or are outputs of the network. random: whether one of them draws random numbers in training.
    """

    name: str
    members: tuple[int, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    random: bool


def matching_blocks(network: Network, patterns: tuple[str, ...], left_out: frozenset[int]) -> tuple[Block, ...]:
    """The blocks that patterns of names are about, `bot*` or `stage?`; of blocks within blocks the outermost.

    left_out: layers that do not run.

    Raises UsageError where a pattern has no block.
    """
    members: dict[str, list[int]] = {}
    found = set()
    names = _names(network)
    for pattern in patterns:
        own = {name for name in names if fnmatchcase(name, pattern)}
        if not own:
            guess = or_rather(nearest(pattern, names)) if names else ": none is made by a `def`"
            raise UsageError(f"{network.name}: no block is called `{pattern}`{guess}")
        found |= own
    for node in network.layers:
        if node.index in left_out:
            continue
        home = next((name for name in _paths(node.blocks) if name in found), None)
        if home is not None:
            members.setdefault(home, []).append(node.index)
    return tuple(_block(network, name, tuple(indices), left_out) for name, indices in members.items())


def overwriting(network: Network, blocks: Sequence[Block]) -> frozenset[int]:
    """The activations that work in place where these blocks run again: none overwrites the input of its block."""
    given = {index: set(block.inputs) for block in blocks for index in block.members}
    return alike(
        network, {index for index in in_place(network) if network.nodes[index].inputs[0] not in given.get(index, ())}
    )


def _names(network: Network) -> list[str]:
    return list(dict.fromkeys(name for node in network.layers for name in _paths(node.blocks)))


def _paths(blocks: tuple[str, ...]) -> list[str]:
    """The names of the blocks around a layer, outermost first: bot1, bot1.f1."""
    return [".".join(blocks[: place + 1]) for place in range(len(blocks))]


def _block(network: Network, name: str, members: tuple[int, ...], left_out: frozenset[int]) -> Block:
    own = set(members)
    inputs = dict.fromkeys(index for member in members for index in network.nodes[member].reads if index not in own)
    read = {index for node in network.layers if node.index not in own | left_out for index in node.reads}
    read |= {network.nodes[end].inputs[0] if end in left_out else end for end in network.outputs.values()}
    ops = [network.nodes[member].op for member in members]
    return Block(
        name,
        members,
        tuple(inputs),
        tuple(member for member in members if member in read),
        any(op.random for op in ops),
    )
