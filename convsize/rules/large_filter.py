"""W552: a large filter where a chain of 3x3 would do."""

from __future__ import annotations

from collections.abc import Iterator

from convsize.errors import Diagnostic
from convsize.graph.network import Node
from convsize.record import Record
from convsize.rules.base import Context, Rule
from convsize.rules.places import axes_of, by_place, finding
from convsize.words import grid_word, plural


class _Chain(Record):
    kernel: int
    rank: int
    filters: int
    middle: int
    single: int
    chained: int


def _find(context: Context) -> Iterator[Diagnostic]:
    network = context.network
    filters = [node for node in network.layers if node.op.KIND == "convolution"]
    for found in by_place(node for node in filters if _chain(context, node)):
        node = found[0]
        chain = _chain(context, node)
        assert chain is not None
        small = "x".join("3" * chain.rank)
        depth = node.output.channels
        tokens = [f"C3D{chain.middle} R"] * (chain.filters - 1) + [f"C3D{depth}"]
        yield finding(
            "W552",
            node,
            f"one filter of {'x'.join([str(chain.kernel)] * chain.rank)} has {plural(chain.single, 'parameter')}; "
            f"{chain.filters} of {small} see the same {plural(chain.kernel, grid_word(chain.rank))} with "
            f"{chain.chained:,} ({100 - 100 * chain.chained // chain.single} % fewer) and more non-linearity",
            f"write `{' '.join(tokens)}`",
            style=True,
        )


def _chain(context: Context, node: Node) -> _Chain | None:
    """The chain of 3-wide filters that sees as much with fewer parameters, if there is one."""
    network = context.network
    axes = axes_of(network, node)
    first = axes[0]
    kernel = first.kernel
    plain = all((axis.kernel, axis.stride, axis.dilation) == (kernel, 1, 1) for axis in axes)
    depth_in, depth = network.input_shapes(node)[0].channels, node.output.channels
    row = context.rows[node.index]
    if not plain or kernel < 5 or kernel % 2 == 0 or row.weights != depth * depth_in * kernel ** len(axes):
        return None
    count = (kernel - 1) // 2
    taps = 3 ** len(axes)
    best = None
    for middle in {depth, depth_in}:
        if middle < 16:
            continue  # a chain through three maps would be no replacement
        weights = taps * (depth_in * middle + (count - 2) * middle * middle + middle * depth)
        chained = weights + ((count - 1) * middle + depth if row.biases else 0)
        if chained < row.parameters and (best is None or chained < best.chained):
            best = _Chain(kernel, len(axes), count, middle, row.parameters, chained)
    return best


RULE = Rule(
    code="W552",
    name="large-filter",
    summary="a chain of 3x3 filters has the receptive field of a large one, with fewer parameters",
    checks=(
        "Square convolutions of 5 and more at stride 1, without groups or dilation, against (F - 1)/2 "
        "filters of 3 with the same depth in between (or the input's depth, if that is smaller): only where "
        "the chain has fewer parameters."
    ),
    why=(
        "Three 3x3 filters see 7x7. From C to C maps a 7x7 filter has 49C² + C parameters and the chain 27C² "
        "+ 3C: 45 % fewer, as much less work, and three activations instead of one."
    ),
    source="G3: Aggarwal, ch. 8; Varma & Das, ch. 12; Simonyan & Zisserman 2015, section 2.3.",
    example="input: 3@32x32\nC3D64 R C7D64 R FC10\n",
    better="input: 3@32x32\nC3D64 R (C3D64 R)*3 FC10\n",
    fix="Write the chain, with an activation after each. Keep the filter in a pretrained network.",
    find=_find,
    style=True,
)
