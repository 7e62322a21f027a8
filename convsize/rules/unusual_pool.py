"""W557: unusual pools."""

from __future__ import annotations

from collections.abc import Iterator

from convsize.errors import Diagnostic
from convsize.graph.network import Network, Node
from convsize.rules.base import Context, Rule
from convsize.rules.places import axes_of, by_place, finding, windowed_pools
from convsize.words import listed

_COMMON = {(1, 1), (2, 2), (3, 2)}


def _find(context: Context) -> Iterator[Diagnostic]:
    network = context.network
    for found in by_place(node for node in windowed_pools(network) if _unusual(network, node)):
        node = found[0]
        yield finding(
            "W557",
            node,
            f"{_unusual(network, node)} in a pool is uncommon",
            "common pools have a window of 2 or 3 at a stride of 2, and no padding: `M`, `M3/2`",
            style=True,
        )


def _unusual(network: Network, node: Node) -> str:
    """What is uncommon about a pool; nothing about one that covers the whole map."""
    axes = axes_of(network, node)
    (source,) = network.input_shapes(node)
    if all(axis.kernel >= extent for axis, extent in zip(axes, source.spatial, strict=True)):
        return ""
    parts = []
    for axis in axes:
        if (axis.kernel, axis.stride) not in _COMMON:
            parts.append(f"a window of {axis.kernel} at a stride of {axis.stride}")
            break
    if any((axis.before or axis.after) and axis.fill == "zeros" for axis in axes):
        parts.append("zero padding")
    return listed(parts)


RULE = Rule(
    code="W557",
    name="unusual-pool",
    summary="a pool with padding, or with a window other than 2/2 and 3/2",
    checks="Pools with padding, and pools whose window and stride are neither 2/2 nor 3/2 along some axis.",
    why=(
        "Larger pools discard too much at once, and padding mixes artificial values into the maps. ResNet "
        "pads its pool and Inception pools at stride 1: style."
    ),
    source="G7: Varma & Das, ch. 12.",
    example="input: 3@32x32\nC3D64 R M5/3 FC10\n",
    better="input: 3@32x32\nC3D64 R M FC10\n",
    fix="Write `M` or `M3/2`.",
    find=_find,
    style=True,
)
