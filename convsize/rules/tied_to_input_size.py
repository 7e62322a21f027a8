"""W512: weights whose number depends on the input's size."""

from __future__ import annotations

from collections.abc import Iterator

from convsize.errors import Diagnostic
from convsize.geometry import Shape
from convsize.graph.network import Network, Node
from convsize.rules.base import Context, Rule
from convsize.rules.places import by_place, finding

_PASSING = frozenset({"dropout", "ReLU", "batch norm"})


def _find(context: Context) -> Iterator[Diagnostic]:
    network = context.network
    tied = [node for node in network.layers if node.op.NAME == "fully connected" and _map(network, node) is not None]
    for found in by_place(tied):
        node = found[0]
        source = _map(network, node)
        assert source is not None
        units = node.output.channels
        yield finding(
            "W512",
            node,
            f"this layer has a weight for each of the {source.channels}·{source.area:,} = {source.elements:,} values "
            f"of {source}: at another input size its weights do not fit",
            f"`GAP FC{units}` takes any size; `C{'x'.join(map(str, source.spatial))}D{units}p0` slides the same "
            f"weights "
            "over a larger input",
            style=True,
        )


def _map(network: Network, node: Node) -> Shape | None:
    """The volume with positions that a fully connected layer flattens, if any."""
    index = node.inputs[0]
    while True:
        source = network.nodes[index]
        if source.output.area > 1:
            return source.output
        if source.op.NAME == "flattening":
            return next((shape for shape in network.input_shapes(source) if shape.area > 1), None)
        if source.op.NAME not in _PASSING:
            return None
        index = source.inputs[0]


RULE = Rule(
    code="W512",
    name="tied-to-input-size",
    summary="a fully connected layer on a map: its weights fit one input size only",
    checks="Fully connected layers that flatten a map with positions, directly or through `flat`.",
    why=(
        "The number of such a layer's weights is depth·height·width·units, so that a network trained at 224x224 cannot "
        "be loaded at 256x256. Everything before it, and a network that ends in global average pooling, takes any "
        "size. LeNet, AlexNet and VGG are built this way: style."
    ),
    source="Yoon, part 6; Long et al. 2015, fully convolutional networks; Lin et al. 2014.",
    example="input: 3@8x8\nC3D64 R M FC10 S\n",
    better="input: 3@8x8\nC3D64 R M GAP FC10 S\n",
    fix="Pool globally first, or write the layer as a convolution as large as the map.",
    find=_find,
    style=True,
)
