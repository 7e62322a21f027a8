"""W518: calls of a block that look as if they were meant to use the same weights."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from convsize.errors import Diagnostic, Fix, Label, Span
from convsize.graph.network import Network, Node
from convsize.language.tree import DefStmt
from convsize.record import Record
from convsize.rules.base import Context, Rule
from convsize.words import listed, plural

_SCALES = 3
"""Outputs over maps of as many sizes make a pyramid; two are a usual pair of auxiliary classifiers."""


class _Use(Record):
    """An outermost call of a block: the call, what it reads, and its layers."""

    call: Span
    reads: tuple[int, ...]
    nodes: tuple[Node, ...]


def _find(context: Context) -> Iterator[Diagnostic]:
    network = context.network
    blocks = {stmt.name.name: stmt for stmt in network.file.statements if isinstance(stmt, DefStmt)}
    alike: dict[tuple[str, object], list[_Use]] = {}
    for use in _uses(network):
        written = network.source.slice(use.call)
        block = blocks.get(written.partition("(")[0])
        if block is None or block.shared or not any(_trains(network, node) for node in use.nodes):
            continue
        depths = tuple(network.nodes[index].output.channels for index in use.reads)
        alike.setdefault((written, (depths, tuple(node.spec for node in use.nodes))), []).append(use)
    alone = _single_inputs(network)
    for (written, _), uses in alike.items():
        block = blocks[written.partition("(")[0]]
        if len(uses) > 1:
            yield from _of_inputs(alone, block, uses)
            yield from _of_scales(network, block, uses)


def _uses(network: Network) -> list[_Use]:
    members: dict[tuple[str, ...], list[Node]] = {}
    for node in network.layers:
        if node.calls:
            depth = len(node.blocks) - len(node.calls) + 1
            members.setdefault(node.blocks[:depth], []).append(node)
    found = []
    for nodes in members.values():
        own = {node.index for node in nodes}
        reads = dict.fromkeys(index for node in nodes for index in node.inputs if index not in own)
        found.append(_Use(nodes[0].calls[0], tuple(reads), tuple(nodes)))
    return found


def _trains(network: Network, node: Node) -> bool:
    return node.shared is None and any(each.role != "buffer" for each in network.parameters(node))


def _single_inputs(network: Network) -> list[str]:
    """The one input that every node is computed from, "" where there are several; nothing where there is one input."""
    if len(network.inputs) < 2:
        return []
    own = {index: name for name, index in network.inputs.items()}
    found: list[str] = []
    for node in network.nodes:
        behind = {found[index] for index in node.inputs} or {own.get(node.index, "")}
        found.append(behind.pop() if len(behind) == 1 else "")
    return found


def _of_inputs(alone: Sequence[str], block: DefStmt, uses: Sequence[_Use]) -> Iterator[Diagnostic]:
    """Two inputs that each go through the block, alone. alone: the one input of every node."""
    seen: dict[str, _Use] = {}
    for use in uses if alone else ():
        found = {alone[index] for index in use.reads}
        if len(found) == 1 and found != {""}:
            seen.setdefault(found.pop(), use)
    if len(seen) > 1:
        names = [f"`{name}`" for name in seen]
        text = f"`{block.name.name}` has other weights for each of the inputs {listed(names)}"
        yield _finding(block, list(seen.values()), text, "all are to be seen by the same ones, as in a siamese network")


def _of_scales(network: Network, block: DefStmt, uses: Sequence[_Use]) -> Iterator[Diagnostic]:
    """Outputs that the block makes of maps of equal depth and different sizes."""
    ends = set(network.outputs.values())
    sizes = {network.nodes[use.reads[0]].output.spatial: use for use in reversed(uses) if use.nodes[-1].index in ends}
    if len(sizes) >= _SCALES and all(sizes):
        of = plural(len(sizes), "size")
        text = f"`{block.name.name}` has other weights for each of {of} of maps that it makes outputs of"
        yield _finding(block, [*sizes.values()][::-1], text, "one set is meant for all of them, as in RetinaNet")


def _finding(block: DefStmt, uses: Sequence[_Use], message: str, meant: str) -> Diagnostic:
    first, second, *_ = uses
    word = Span(block.span.start, block.span.start + len("def"))
    return Diagnostic(
        "W518",
        "warning",
        message,
        second.call,
        f"if {meant}, write `shared {block.name.name}` instead of `def {block.name.name}`",
        labels=(Label(first.call, "the first call"),) if first.call != second.call else (),
        fixes=(Fix(word, "shared", safe=False),),
    )


RULE = Rule(
    code="W518",
    name="weights-not-shared",
    summary="equal calls of a block, for several inputs or scales, with weights of each call's own",
    checks=(
        "Blocks of a `def` that are called alike, at the same depth, for values of different inputs; and blocks that "
        f"make outputs of {_SCALES} or more maps of the same depth and different sizes."
    ),
    why=(
        "The branches of a siamese network and the heads over a feature pyramid use one set of weights. With a `def` "
        "every call has its own: the parameters count several times, and what one call learns the others do not know."
    ),
    source="Bromley et al. 1993, signature verification with a siamese network; Lin et al. 2017, RetinaNet.",
    example=(
        "input left: 3@32x32\ninput right: 3@32x32\ndef f: C5D16/2 R C3/2 R C3 R GAP\n@left f as a\n"
        "@right f as b\n[@a | @b] FC2\n"
    ),
    better=(
        "input left: 3@32x32\ninput right: 3@32x32\nshared f: C5D16/2 R C3/2 R C3 R GAP\n@left f as a\n@right f as b\n"
        "[@a | @b] FC2\n"
    ),
    fix="Write `shared` instead of `def`, or suppress it where each is to have weights of its own.",
    find=_find,
)
