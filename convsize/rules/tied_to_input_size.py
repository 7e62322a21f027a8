"""W512: weights whose number depends on the input's size."""

from __future__ import annotations

from collections.abc import Iterator

from convsize.errors import Diagnostic
from convsize.geometry import Shape
from convsize.graph.network import Network, Node
from convsize.rules.base import Context, Rule
from convsize.rules.places import by_place, finding, in_between, origins
from convsize.words import plural


def _find(context: Context) -> Iterator[Diagnostic]:
    network = context.network
    origin = origins(network, in_between)
    maps = {
        node.index: source
        for node in network.layers
        if node.op.KIND == "dense" and (source := _map(network, network.nodes[origin[node.inputs[0]]])).area > 1
    }
    for found in by_place(network.nodes[index] for index in maps):
        node = found[0]
        source = maps[node.index]
        units = node.output.channels
        yield finding(
            "W512",
            node,
            f"this layer has a weight for each of the {source.channels}·{source.area:,} = "
            f"{plural(source.elements, 'value')} "
            f"of {source}: at another input size its weights do not fit",
            f"`GAP FC{units}` takes any size; `C{'x'.join(map(str, source.spatial))}D{units}p0` slides the same "
            f"weights "
            "over a larger input",
            style=True,
        )


def _map(network: Network, source: Node) -> Shape:
    """The volume that a value is made of, with its positions where it was flattened right there."""
    return network.input_shapes(source)[0] if source.op.EXTENTS == "flattened" else source.output


RULE = Rule(
    code="W512",
    name="tied-to-input-size",
    summary="a fully connected layer on a map fits one input size only",
    checks="Fully connected layers that flatten a map with positions, directly or through `flat`.",
    why=(
        "The number of such a layer's weights is depth·height·width·units, so a network trained at 224x224 "
        "cannot be loaded at 256x256. The layers before it, and networks that end in global average pooling, "
        "accept any size. LeNet, AlexNet and VGG are built this way: style."
    ),
    source="Yoon, part 6; Long et al. 2015, fully convolutional networks; Lin et al. 2014.",
    example="input: 3@8x8\nC3D64 R M FC10 S\n",
    better="input: 3@8x8\nC3D64 R M GAP FC10 S\n",
    fix="Pool globally first, or write the layer as a convolution as large as the map.",
    find=_find,
    style=True,
)
