"""W510: convolutions with windows that lie wholly in the padding."""

from __future__ import annotations

from collections.abc import Iterator

from convsize.errors import Diagnostic
from convsize.graph.network import Node
from convsize.ops.shared.windows import axis_name
from convsize.rules.base import Context, Rule
from convsize.rules.places import FILTERS, axes_of, by_place, finding
from convsize.words import plural


def _find(context: Context) -> Iterator[Diagnostic]:
    network = context.network
    filters = [node for node in network.layers if node.op.KIND in FILTERS]
    for found in by_place(node for node in filters if any(_empty(context, node))):
        node = found[0]
        empty = _empty(context, node)
        axis = max(range(len(empty)), key=lambda at: empty[at])
        window = axes_of(network, node)[axis]
        (source,) = network.input_shapes(node)
        yield finding(
            "W510",
            node,
            f"padding {max(window.before, window.after)} is not below the filter's reach of {window.reach}: "
            f"{empty[axis]} of the {plural(node.output.spatial[axis], 'window')} along the {axis_name(source, axis)} "
            "see only "
            f"zeros",
            f"pad by at most {window.reach - 1} (`pfull`); `phalf` keeps the extents at stride 1",
        )


def _empty(context: Context, node: Node) -> list[int]:
    """How many windows along each axis lie before the first or after the last pixel."""
    (source,) = context.network.input_shapes(node)
    counts = []
    for window, extent, count in zip(axes_of(context.network, node), source.spatial, node.output.spatial, strict=True):
        ahead = (window.before - window.reach) // window.stride + 1 if window.before >= window.reach else 0
        first_behind = -(-(extent + window.before) // window.stride)
        counts.append(min(ahead, count) + max(count - first_behind, 0))
    return counts


RULE = Rule(
    code="W510",
    name="padding-beyond-kernel",
    summary="padding as wide as the filter, so that some windows see only zeros",
    checks="Convolutions with windows that lie entirely before the first pixel or after the last.",
    why=(
        "Such outputs are just the bias: they cost memory and multiply-adds without information. With full "
        "padding, one less than the filter's reach, every window still sees a pixel. FCN has a reason to pad "
        "its first layer by 100: any input is then large enough for the layers that follow."
    ),
    source="Aggarwal, ch. 8: full padding is F - 1.",
    example="input: 3@32x32\nC3D64p3 R FC10\n",
    better="input: 3@32x32\nC3D64 R FC10\n",
    fix="Pad less: `phalf` keeps the extents, and `pfull` is the largest useful padding.",
    find=_find,
)
