"""W553: depths that are no power of two."""

from __future__ import annotations

from collections.abc import Iterator

from convsize.errors import Diagnostic
from convsize.rules.base import Context, Rule
from convsize.rules.places import by_place, consumers, finding


def _find(context: Context) -> Iterator[Diagnostic]:
    network = context.network
    readers = consumers(network)
    # After the last layer with weights the depth is that of the task: classes, colours, coordinates.
    last = [True] * len(network.nodes)
    for node in reversed(network.nodes):
        last[node.index] = all(last[each] and not context.rows[each].weights for each in readers[node.index])
    odd = [
        node
        for node in network.layers
        if node.op.KIND in {"convolution", "transposed"}
        and not last[node.index]
        and node.output.channels & (node.output.channels - 1)
    ]
    for found in by_place(odd):
        node = found[0]
        depth = node.output.channels
        below = 1 << (depth.bit_length() - 1)
        yield finding(
            "W553",
            node,
            f"a depth of {depth} is not a power of two",
            f"{below} and {2 * below} are the nearest",
            style=True,
        )


RULE = Rule(
    code="W553",
    name="depth-no-power-of-two",
    summary="a depth that is not a power of two",
    checks="Convolutions, except those that give the network's outputs, whose depth is not a power of two.",
    why=(
        "The habit has a reason: depths that are powers of two divide into groups and fill the tiles of "
        "matrix hardware, which are multiples of 8 to 64. AlexNet has 96 and 384, EfficientNet 24 and 40: "
        "style."
    ),
    source="G1: Varma & Das, ch. 12.",
    example="input: 3@32x32\nC3D60 R FC10\n",
    better="input: 3@32x32\nC3D64 R FC10\n",
    fix="Take the nearest power of two, or at least a multiple of 8.",
    find=_find,
    style=True,
)
