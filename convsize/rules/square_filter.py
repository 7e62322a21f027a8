"""W559: a large square filter that two long ones could replace."""

from __future__ import annotations

from collections.abc import Iterator

from convsize.errors import Diagnostic
from convsize.graph.network import Node
from convsize.rules.base import Context, Rule
from convsize.rules.places import axes_of, by_place, finding
from convsize.words import plural


def _find(context: Context) -> Iterator[Diagnostic]:
    network = context.network
    filters = [node for node in network.layers if node.op.KIND == "convolution" and node.output.rank == 2]
    for found in by_place(node for node in filters if _factorised(context, node)):
        node = found[0]
        row = context.rows[node.index]
        kernel = axes_of(network, node)[0].kernel
        depth = node.output.channels
        yield finding(
            "W559",
            node,
            f"{kernel}x{kernel} filters have {plural(row.weights, 'weight')} here; 1x{kernel} and then {kernel}x1 see "
            "the same "
            f"with {_factorised(context, node):,}",
            f"write `C1x{kernel}D{depth} C{kernel}x1D{depth}`, with an activation between them or without",
            style=True,
        )


def _factorised(context: Context, node: Node) -> int:
    """The weights of the two factors; 0 where the filter has none or they would not be fewer."""
    first, second = axes_of(context.network, node)
    kernel = first.kernel
    depth_in, depth = context.network.input_shapes(node)[0].channels, node.output.channels
    row = context.rows[node.index]
    whole = row.weights == depth * depth_in * kernel * kernel
    plain = {(axis.kernel, axis.stride, axis.dilation) for axis in (first, second)} == {(kernel, 1, 1)}
    factorised = kernel * depth_in * depth + kernel * depth * depth
    return factorised if kernel >= 5 and whole and plain and factorised < row.weights else 0


RULE = Rule(
    code="W559",
    name="square-filter",
    summary="an n×n filter can be replaced by 1×n and n×1 filters with fewer weights",
    checks=(
        "Square 2-D filters of 5 and more at stride 1, where the two factors have fewer weights. For 3x3, "
        "6C² against 9C², nothing is reported: it would apply to every layer of every network."
    ),
    why=(
        "A 1×n filter followed by an n×1 filter sees n×n pixels with 2n instead of n² weights per pair of "
        "maps: two sevenths for n = 7. According to Inception-v3 this works on maps of 12 to 20 pixels, but "
        "not in the first layers."
    ),
    source="G9: Varma & Das, ch. 12; Szegedy et al. 2016, section 3.2.",
    example="input: 64@17x17\nC7D64 R FC10\n",
    better="input: 64@17x17\nC1x7D64 R C7x1D64 R FC10\n",
    fix="Write the two factors.",
    find=_find,
    style=True,
)
