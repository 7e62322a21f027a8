"""W560: expensive filters on a deep volume that nothing reduced."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from math import prod

from convsize.errors import Diagnostic, Span
from convsize.graph.network import Network, Node
from convsize.language.tree import Num
from convsize.rules.base import Context, Rule
from convsize.rules.places import Places, axes_of, by_place, consumers, finding, in_between, origins
from convsize.words import plural

_DEEP = 256


def _find(context: Context) -> Iterator[Diagnostic]:
    network = context.network
    places, readers = Places(network), consumers(network)
    filters = [node for node in network.layers if node.op.KIND == "convolution"]
    origin = origins(network, in_between)
    for found in by_place(node for node in filters if _expensive(context, node, origin)):
        node = max(found, key=lambda each: context.rows[each.index].macs)
        (source,) = network.input_shapes(node)
        axes = axes_of(network, node)
        taps = prod(axis.kernel for axis in axes)
        kernel = "x".join(str(axis.kernel) for axis in axes)
        size = kernel if len({axis.kernel for axis in axes}) > 1 else str(axes[0].kernel)
        depth = node.output.channels
        narrow = min(source.channels, depth) // 2
        reduced = source.channels * narrow + taps * narrow * narrow + narrow * depth
        yield finding(
            "W560",
            node,
            f"a {kernel} filter over all {plural(source.channels, 'map')} has {taps}·{source.channels}·{depth} = "
            f"{plural(taps * source.channels * depth, 'weight')}; at {plural(narrow, 'map')}, with 1x1 filters before "
            "and after, "
            f"{reduced:,}",
            _written(network, places, found, narrow, depth, size, readers),
            style=True,
        )


def _written(
    network: Network, places: Places, found: list[Node], narrow: int, depth: int, size: str, readers: list[list[int]]
) -> str:
    """The three filters, with what the one there is has of suffixes and of a norm after it; in a block in words."""
    node = found[0]
    if node.calls:
        return "halve the depth with a 1x1 filter before it and restore it with one after it, in the block's parameters"
    here = Span(0, 0)
    plain = {"padding": None, "dilation": None, "size": (Num(Fraction(1), here),)}
    thin, wide = (Num(Fraction(each), here) for each in (narrow, depth))
    tokens = [
        places.retoken(found, depth=thin, stride=None, **plain) or f"C1D{narrow}",
        places.retoken(found, depth=thin) or f"C{size}D{narrow}",
        places.retoken(found, depth=wide, stride=None, **plain) or f"C1D{depth}",
    ]
    norms = [network.nodes[each].spec for each in readers[node.index] if network.nodes[each].op.KIND == "norm"]
    return f"write `{' '.join([*norms, 'R', '']).join(f'{token} ' for token in tokens).strip()}`"


def _expensive(context: Context, node: Node, origin: list[int]) -> bool:
    """Whether a filter with neighbours reads a great depth that no 1x1 filter has reduced just before it."""
    network = context.network
    (source,) = network.input_shapes(node)
    taps = prod(axis.kernel for axis in axes_of(network, node))
    whole = context.rows[node.index].weights == taps * source.channels * node.output.channels
    deep = min(source.channels, node.output.channels) >= _DEEP
    return taps >= 5 and whole and deep and not _reduced(network, network.nodes[origin[node.inputs[0]]])


def _reduced(network: Network, before: Node) -> bool:
    if before.op.KIND != "convolution":
        return False
    pointwise = all(axis.kernel == 1 for axis in axes_of(network, before))
    return pointwise and before.output.channels < network.input_shapes(before)[0].channels


RULE = Rule(
    code="W560",
    name="missing-reduction",
    summary="an expensive filter on many maps, without a 1x1 reduction before it",
    checks=(
        "Convolutions wider than one pixel, without groups, with at least 256 input and output maps, where "
        "the layer before is not a 1x1 convolution that reduces the depth."
    ),
    why=(
        "1x1 convolutions reduce the depth cheaply: a reduction to C/2, a 3x3 filter and an expansion to C "
        "have 3.25C² weights, a 3x3 filter alone has 9C². GoogLeNet and ResNet-50 rely on this; VGG and the "
        "small ResNets do not: style."
    ),
    source="G10: Aggarwal, ch. 8; Varma & Das, ch. 12; Szegedy et al. 2015.",
    example="input: 256@28x28\nC3D256 R FC10\n",
    better="input: 256@28x28\nC1D128 R C3D128 R C1D256 R FC10\n",
    fix="Reduce the depth, filter, and expand it again.",
    find=_find,
    style=True,
)
