"""W508: zeros of the padding that count in an average pool."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

from convsize.errors import Diagnostic
from convsize.geometry import AxisWindow
from convsize.rules.base import Context, Rule
from convsize.rules.places import Places, axes_of, by_place, finding
from convsize.words import grid_word, plural


def _find(context: Context) -> Iterator[Diagnostic]:
    network = context.network
    places = Places(network)
    counting = [
        node
        for node in network.layers
        if node.op.KIND == "pool"
        and getattr(node.op, "count_zeros", False)
        and any(axis.before > 0 or axis.after > 0 for axis in axes_of(network, node))
    ]
    for found in by_place(counting):
        node = found[0]
        axes = axes_of(network, node)
        size = prod(axis.kernel for axis in axes)
        (source,) = network.input_shapes(node)
        real = prod(
            min(_real(axis, extent, 0), _real(axis, extent, count - 1))
            for axis, extent, count in zip(axes, source.spatial, node.output.spatial, strict=True)
        )
        if real == size:
            continue  # the padding lies after the last window
        token = places.retoken(found, count_zeros=False)
        yield finding(
            "W508",
            node,
            f"zeros of the padding count in this average: {size - real} of the {plural(size, 'value')} in a corner are "
            "zeros, so the maps fade towards their border",
            f"write `{token or node.spec + 'z0'}` to average over real {grid_word(source.rank)}s only, or remove the "
            "padding",
            fixes=places.replaced(found, token),
        )


def _real(axis: AxisWindow, extent: int, output: int) -> int:
    """How many real pixels one window reads along an axis."""
    start = output * axis.stride - axis.before
    first = max(-(start // axis.dilation), 0)
    last = min((extent - 1 - start) // axis.dilation, axis.kernel - 1)
    return max(last - first + 1, 0)


RULE = Rule(
    code="W508",
    name="zeros-in-average",
    summary="zeros of the padding count in an average pool",
    checks="Average pools with padding whose zeros count in the mean, as is the default here and in PyTorch.",
    why=(
        "At the border the sum of fewer pixels is divided by the full window, so the maps fade there: a "
        "constant 1 becomes 4/9 in the corner of a padded 3x3 average. Libraries disagree: TensorFlow never "
        "counts the zeros, PyTorch does by default, so a network moved from one to the other changes "
        "silently."
    ),
    source="PyTorch's `count_include_pad`; TensorFlow's `avg_pool` with SAME padding.",
    example="input: 3@32x32\nC3D64 R A3/2p1 FC10\n",
    better="input: 3@32x32\nC3D64 R A3/2p1z0 FC10\n",
    fix="Write `z0` on the pool (PyTorch: `count_include_pad=False`), or remove the padding. The values change.",
    find=_find,
)
