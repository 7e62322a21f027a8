"""W505: a receptive field that is small against the input that global average pooling sums up."""

from __future__ import annotations

from collections.abc import Iterator

from convsize.errors import Diagnostic
from convsize.graph.network import Network, Node
from convsize.ops.shared.windows import axis_name
from convsize.records import ReceptiveField
from convsize.rules.base import Context, Rule
from convsize.rules.places import by_place, consumers, finding
from convsize.words import grid_word, plural


def _find(context: Context) -> Iterator[Diagnostic]:
    network = context.network
    pools = [node for node in network.layers if _averages_everything(network, node)]
    if not pools:
        return
    flat = _flat_from(network)
    for found in by_place(node for node in pools if flat[node.index]):
        for node in found:
            small = _smallest(context, node)
            if small is None:
                continue
            name, field, axis, extent = small
            of = "the input's" if len(network.inputs) == 1 else f"`{name}`'s"
            size = field.size[axis]
            shape = network.nodes[network.inputs[name]].output
            noun = grid_word(shape.rank)
            yield finding(
                "W505",
                node,
                f"every position that is averaged here sees {size} of the {plural(extent, noun)} of {of} "
                f"{axis_name(shape, axis)}: no unit sees {noun}s that are further apart",
                "stride or pool earlier, add convolutions, or dilate them (`C3D64d2`), until the field is "
                f"{-(-extent // 2)} or more",
            )
            break


def _averages_everything(network: Network, node: Node) -> bool:
    if node.op.KIND != "pool" or node.op.VALUES != "averaged":
        return False
    return network.window(node).kind == "everything"


def _flat_from(network: Network) -> list[bool]:
    """For every node whether nothing from there on has positions: a gate's pooling is not the last word."""
    readers = consumers(network)
    flat = [node.output.area == 1 for node in network.nodes]
    for node in reversed(network.nodes):
        flat[node.index] = flat[node.index] and all(flat[reader] for reader in readers[node.index])
    return flat


def _smallest(context: Context, node: Node) -> tuple[str, ReceptiveField, int, int] | None:
    """The input and axis of which the least is seen, if that is under half."""
    network = context.network
    source = network.nodes[node.inputs[0]]
    row = context.rows.get(source.index)
    if row is None:
        return None
    worst = None
    for name, field in row.receptive_fields:
        if field.whole:
            continue
        extents = network.nodes[network.inputs[name]].output.spatial
        for axis, (size, extent) in enumerate(zip(field.size, extents, strict=False)):
            if 2 * size < extent and (worst is None or size * worst[3] < worst[1].size[worst[2]] * extent):
                worst = (name, field, axis, extent)
    return worst


RULE = Rule(
    code="W505",
    name="small-receptive-field",
    summary="global average pooling over units that each see less than half of the input",
    checks=(
        "The receptive field before global average pooling, compared with the input axis by axis, where no "
        "later layer has positions. Not reported are the pooling of a gate (squeeze and excitation), fully "
        "connected layers, which see all positions with a weight for each, max pooling, which asks only "
        "whether something is there, and networks with an output for every pixel."
    ),
    why=(
        "A unit does not see what is outside its receptive field. An average of local views can tell how "
        "much of something there is, but not how distant parts relate."
    ),
    source=(
        "G6: Kurmi, DSE316 ConvNet slides; Luo et al. 2016, effective receptive fields; Brendel & Bethge 2019, BagNets."
    ),
    example="input: 3@224x224\n(C3D64 R)*4 GAP FC10\n",
    better="input: 3@224x224\nC7D64/2 R M (C3D64 R)*2 M (C3D128 R)*2 M (C3D256 R)*4 GAP FC10\n",
    fix=(
        "Stride or pool earlier (each halves the map and doubles what every later layer adds to the field), "
        "add layers, use larger or dilated filters. `convsize analyze` prints the field of every layer."
    ),
    find=_find,
)
