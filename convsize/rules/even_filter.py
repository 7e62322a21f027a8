"""W551: even filters."""

from __future__ import annotations

from collections.abc import Iterator

from convsize.errors import Diagnostic
from convsize.graph.network import Network, Node
from convsize.rules.base import Context, Rule
from convsize.rules.places import FILTERS, axes_of, by_place, finding
from convsize.words import grid_word, plural


def _find(context: Context) -> Iterator[Diagnostic]:
    network = context.network
    filters = [node for node in network.layers if node.op.KIND in FILTERS]
    for found in by_place(node for node in filters if _even(network, node)):
        node = found[0]
        kernel = _even(network, node)
        yield finding(
            "W551",
            node,
            (
                f"a filter {kernel} wide has no middle {grid_word(node.output.rank)}: {plural(kernel - 1, 'zero')} "
                "cannot be split evenly between two sides"
            ),
            f"use {kernel - 1} or {kernel + 1}, which half padding keeps centred",
            style=True,
        )


def _even(network: Network, node: Node) -> int:
    """The first even extent of the filter; 0 where there is none, nothing is padded, or the windows tile the input."""
    for axis in axes_of(network, node):
        if axis.kernel % 2 == 0 and axis.kernel != axis.stride and (axis.before or axis.after):
            return axis.kernel
    return 0


RULE = Rule(
    code="W551",
    name="even-filter",
    summary="an even filter cannot be padded evenly",
    checks=(
        "Convolutions with an even filter and padding. Filters as wide as their stride, which tile the input as "
        "ConvNeXt's first layer does, and transposed convolutions, whose filter should be a multiple of the "
        "stride, are not reported."
    ),
    why=(
        "A filter of width F needs F - 1 zeros to keep the extent. Where that is odd, one side gets one more "
        "than the other, and every such layer shifts the map by half a pixel. Odd filters have a middle "
        "pixel."
    ),
    source="G2: Aggarwal, ch. 8; Yoon, part 6.",
    example="input: 3@32x32\nC4D64p1:2 R FC10\n",
    better="input: 3@32x32\nC3D64 R FC10\n",
    fix="Use 3 or 5.",
    find=_find,
    style=True,
)
