"""W511: max-pool windows without a pixel."""

from __future__ import annotations

from collections.abc import Iterator

from convsize.errors import Diagnostic
from convsize.geometry import AxisWindow, output_extent
from convsize.graph.network import Node
from convsize.ops.shared.windows import axis_name
from convsize.rules.base import Context, Rule
from convsize.rules.places import Places, axes_of, by_place, finding, windowed_pools
from convsize.words import grid_word, plural

_MOST_WINDOWS = 4096
"""No real pool is dilated by more than its input is wide; how far an absurd one is looked at."""


def _find(context: Context) -> Iterator[Diagnostic]:
    network = context.network
    places = Places(network)
    for found in by_place(windowed_pools(network)):
        for node in found:
            each = _empty(context, node) or _left_out(context, places, node, found)
            if each is not None:
                yield each
                break


def _empty(context: Context, node: Node) -> Diagnostic | None:
    """A dilated window between whose taps the whole input lies."""
    (source,) = context.network.input_shapes(node)
    if node.op.VALUES != "chosen":
        return None
    for axis, window in enumerate(axes_of(context.network, node)):
        extent = source.spatial[axis]
        # Padding is at most half the reach, so that only a window with holes wider than the input can miss all of it.
        if window.dilation <= extent:
            continue
        for output in range(min(node.output.spatial[axis], _MOST_WINDOWS)):
            start = output * window.stride - window.before
            first = max(-(start // window.dilation), 0)
            if first >= window.kernel or start + window.dilation * first >= extent:
                taps = [start + window.dilation * tap for tap in range(min(window.kernel, 6))]
                return finding(
                    "W511",
                    node,
                    f"window {output + 1} along the {axis_name(source, axis)} reads the positions "
                    f"{', '.join(map(str, taps))} of {plural(extent, grid_word(source.rank))}, all of them padding: "
                    "its maximum is minus infinity",
                    f"pad less than the dilation: `p{window.dilation - 1}`, or dilate less",
                )
    return None


def _left_out(context: Context, places: Places, node: Node, found: list[Node]) -> Diagnostic | None:
    """A window that rounding up would add after the input."""
    if getattr(node.op, "rounding", "floor") != "ceil":
        return None
    (source,) = context.network.input_shapes(node)
    for axis, window in enumerate(axes_of(context.network, node)):
        extent, count = source.spatial[axis], node.output.spatial[axis]
        by_formula = _rounded_up(extent, window)
        if count < by_formula:
            start = (by_formula - 1) * window.stride - window.before
            noun = grid_word(source.rank)
            same = all(_floor_is_the_same(context, each) for each in found)
            token = places.retoken(found, rounding="floor") if same else None
            return finding(
                "W511",
                node,
                f"rounding up gives {plural(by_formula, 'window')} along the {axis_name(source, axis)}, and the last "
                f"would start at {start}, after the {plural(extent, noun)}: PyTorch leaves it out and gives {count}, "
                "other libraries do not",
                f"write `{token or 'floor'}`: it gives the same result in all libraries"
                if same
                else f"pad less, or choose a different input size: rounding down would lose {noun}s along another axis",
                fixes=places.replaced(found, token) if same else (),
            )
    return None


def _floor_is_the_same(context: Context, node: Node) -> bool:
    (source,) = context.network.input_shapes(node)
    down = tuple(map(output_extent, source.spatial, axes_of(context.network, node)))
    return down == node.output.spatial


def _rounded_up(extent: int, window: AxisWindow) -> int:
    return -(-(extent + window.before + window.after - window.reach) // window.stride) + 1


RULE = Rule(
    code="W511",
    name="pool-window-in-padding",
    summary="a pool's window that lies entirely in the padding",
    checks=(
        "Pools that round up and whose last window would start after the input; and dilated max pools with a "
        "window that reads no pixel."
    ),
    why=(
        "The formula with ⌈ ⌉ counts a window that sees no pixel. PyTorch and Caffe leave it out; some "
        "exporters and frameworks keep it, so the same network has different extents there. The maximum of a "
        "window without a pixel is minus infinity, which makes the loss NaN some layers later."
    ),
    source="PyTorch's pooling shape check: the last window must start inside the input or its left padding.",
    example="input: 3@15x15\nC3D16 R M2/2p1ceil FC10\n",
    better="input: 3@15x15\nC3D16 R M2/2p1floor FC10\n",
    fix="Round down, or choose a size, padding or stride that divides evenly.",
    find=_find,
)
