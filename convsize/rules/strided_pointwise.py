"""W555: strided 1x1 filters."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from convsize.errors import Diagnostic
from convsize.graph.network import Network, Node
from convsize.rules.base import Context, Rule
from convsize.rules.places import FILTERS, Places, axes_of, by_place, finding
from convsize.words import grid_word, plural


def _find(context: Context) -> Iterator[Diagnostic]:
    network = context.network
    places = Places(network)
    windows = [node for node in network.layers if node.op.KIND in {*FILTERS, "pool"}]
    for found in by_place(node for node in windows if _skipped(network, node)):
        node = found[0]
        skipped = _skipped(network, node)
        stride = max(axis.stride for axis in axes_of(network, node) if axis.kernel == 1)
        convolution = places.retoken(found, stride=None) if node.op.KIND in FILTERS else None
        pool = f"A{places.stride(found) or stride}"
        yield finding(
            "W555",
            node,
            f"a 1-wide window at a stride of {stride} skips {skipped.numerator} of every "
            f"{plural(skipped.denominator, grid_word(node.output.rank))}",
            f"average first, then project: `{pool} {convolution}`" if convolution else f"pool over all: `{pool}`",
            style=True,
        )


def _skipped(network: Network, node: Node) -> Fraction:
    """The share of pixels that fall between windows one pixel wide; 0 where an axis has a wider window."""
    read = Fraction(1)
    for axis in axes_of(network, node):
        if axis.kernel == 1:
            read /= axis.stride
    return 1 - read


RULE = Rule(
    code="W555",
    name="strided-pointwise",
    summary="a strided 1x1 filter skips most of the pixels",
    checks="Convolutions and pools that are one pixel wide along an axis and have a stride there.",
    why=(
        "A 1x1 filter at stride 2 reads every fourth pixel and ignores the rest. In ResNet's shortcuts the "
        "other branch sees them, and the networks work: style. Averaging first uses every pixel and was "
        "found to be better."
    ),
    source="He et al. 2019, bag of tricks for image classification (ResNet-D).",
    example="input: 3@32x32\nC3D64 R (C3D128/2 + C1D128/2) R FC10\n",
    better="input: 3@32x32\nC3D64 R (C3D128/2 + A2 C1D128) R FC10\n",
    fix="Put `A2` before the 1x1 filter and remove its stride.",
    find=_find,
    style=True,
)
