"""What there is to time in a network: pieces of work, each of a class, with what its time depends on.

A piece is one layer in one direction. The same pieces are timed alone when a device is calibrated and summed up when a
network's time is predicted, so that both speak of the same thing.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from math import log2, prod
from typing import Literal

from convsize.analyses.memory.autocast import FLOAT, HALF, INSIDE
from convsize.analyses.memory.tape import Device
from convsize.analyses.selection.in_place import in_place
from convsize.analyses.selection.logits import trailing_softmax
from convsize.graph.network import Network, Node
from convsize.ops.base import CONVOLUTIONS, TorchCall
from convsize.record import Record
from convsize.records import ITEM_SIZES

Direction = Literal["inference", "forward", "backward", "backward of the first"]
"""A forward pass that keeps nothing, in evaluation mode; one of training; its backward pass; and the backward pass of a
layer whose input needs no gradient."""

_VIEWS = frozenset({"nn.Flatten", "torch.reshape", "torch.narrow"})
"""Calls that only look at a tensor otherwise."""


class Layer(Record):
    """A layer to be run alone: its calls, its inputs' dims with the batch, and whether those are whole numbers."""

    calls: tuple[TorchCall, ...]
    inputs: tuple[tuple[int, ...], ...]
    tokens: bool


class Piece(Record):
    """A layer in one direction.

    family: its class, as "convolution 1x1"; convolution: whether PyTorch computes it as one. flops, bytes: of the whole
    batch. features: what throughput depends on, as logarithms and marks. key: the same for layers that are the same to
    the last number. dtype: the type that it computes in.
    """

    node: int
    family: str
    direction: Direction
    flops: int
    bytes: int
    features: tuple[float, ...]
    key: str
    layer: Layer
    convolution: bool
    dtype: str


def table_name(family: str, direction: str, dtype: str) -> str:
    """What a class of work is called in a device file."""
    return f"{family}, {direction}, {dtype}"


def types(network: Network, dtype: str, autocast: str | None, device: Device) -> list[str]:
    """The type that every node computes in, by index: under autocast that of the inputs, but for the calls it casts."""
    found: list[str] = []
    for node in network.nodes:
        if autocast is None or not node.inputs:
            found.append(dtype)
            continue
        calls = {call.kernel for call in node.op.torch(*network.input_shapes(node))}
        if calls & (HALF | INSIDE):
            found.append(autocast)
        elif calls & FLOAT[device] or any(found[index] != autocast for index in node.inputs):
            found.append(dtype)
        else:
            found.append(autocast)
    return found


def pieces(
    network: Network, batch: int, dtype: str, *, training: bool, computed: Sequence[str] | None = None
) -> list[Piece]:
    """All pieces in the order in which the layers run; in training each layer has its forward and its backward piece.

    In training a softmax that ends an output is left out. Layers that only look at a tensor otherwise make no piece.
    computed: the type of every node where that is not `dtype` for all, as `types` says it.
    """
    dropped = trailing_softmax(network) if training else frozenset()
    overwriting = in_place(network)
    flows = [False] * len(network.nodes)
    found = []
    for node in network.layers:
        if node.index in dropped:
            continue
        needs = any(flows[index] for index in node.inputs)
        trains = any(each.role != "buffer" for each in network.parameters(node))
        flows[node.index] = needs or trains
        if all(call.kernel in _VIEWS for call in node.op.torch(*network.input_shapes(node))):
            continue
        directions: list[Direction] = ["forward" if training else "inference"]
        if training and (needs or trains):
            directions.append("backward" if needs else "backward of the first")
        for direction in directions:
            own = dtype if computed is None else computed[node.index]
            found.append(_piece(network, node, batch, own, direction, overwrites=node.index in overwriting))
    return found


def _piece(network: Network, node: Node, batch: int, dtype: str, direction: Direction, *, overwrites: bool) -> Piece:
    shapes = network.input_shapes(node)
    itemsize = ITEM_SIZES[dtype]
    macs = node.op.macs(shapes, node.output)
    other = sum(each.flops for each in node.op.work(shapes, node.output))
    weights = sum(each.elements for each in network.parameters(node))
    read = sum(shape.elements for shape in shapes)
    written = node.output.elements
    times = {"inference": 1, "forward": 1, "backward": 2, "backward of the first": 1}[direction]
    if node.op.reads_tokens() and not direction.startswith("backward"):
        weights = written * batch  # the rows that are looked up, not the whole table
    if direction == "backward" and node.op.KIND in {"sum", "concatenation"}:
        # Both hand the gradient on as it is, or views of it; what a sum broadcast is summed.
        times = int(node.op.KIND == "sum" and any(shape != node.output for shape in shapes))
    if direction == "backward" and node.op.KIND == "difference":
        times = 1  # one gradient is handed on, the other gets its sign
    calls = node.op.torch(*shapes)
    if overwrites:
        calls = tuple(call.replace(kwargs=(*call.kwargs, ("inplace", True))) for call in calls)
    inputs = tuple((batch, *shape.dims) for shape in shapes)
    # Device files hold what was measured of a layer by this text's digest.
    text = ", ".join(f"TorchCall(target={call.target!r}, kwargs={call.kwargs!r})" for call in calls)
    text = f"(({text}{',' if len(calls) == 1 else ''}), {inputs!r})"
    named = blake2b(text.encode(), digest_size=8).hexdigest()
    return Piece(
        node=node.index,
        family=family(network, node),
        direction=direction,
        flops=batch * (2 * macs + other) * times,
        bytes=((read + written) * batch + weights) * itemsize * times,
        features=_features(network, node, batch),
        key=f"{named} {direction}, {dtype}",
        layer=Layer(calls, inputs, node.op.reads_tokens()),
        convolution=node.op.KIND in CONVOLUTIONS,
        dtype=dtype,
    )


def family(network: Network, node: Node) -> str:
    """The class of a layer: convolutions by their kernel and groups, everything else by its op."""
    kind = node.op.KIND
    shapes = network.input_shapes(node)
    call = _convolution(node.op.torch(*shapes))
    if kind not in CONVOLUTIONS or call is None:
        return node.op.NAME
    groups = _groups(call)
    if kind == "transposed":
        return "transposed convolution"
    if kind == "depthwise" or groups == shapes[0].channels > 1:
        return "depthwise convolution"
    if groups > 1:
        return "grouped convolution"
    kernel = dict(call.kwargs)["kernel_size"]
    assert isinstance(kernel, tuple)
    return "convolution 1x1" if prod(kernel) == 1 else "convolution kxk"


def _convolution(calls: tuple[TorchCall, ...]) -> TorchCall | None:
    return next((own for call in calls if (own := call.convolution) is not None), None)


def _groups(call: TorchCall) -> int:
    groups = dict(call.kwargs).get("groups", 1)
    assert isinstance(groups, int)
    return groups


def _features(network: Network, node: Node, batch: int) -> tuple[float, ...]:
    """Logarithms of extents, none below 0, and marks.

    What is awkward to compute counts as much as a factor of four. A matrix times a vector is read once at the speed of
    memory, by another kernel than a product of matrices, so that neither says much about the other.
    """
    shapes = network.input_shapes(node)
    before, after = shapes[0], node.output
    positions = max(after.area, 1)
    window = node.op.window(*shapes)
    reach = prod(axis.kernel for axis in window.axes) * prod(each.widths[1] for each in window.reads)
    stride = max((float(axis.stride) for axis in window.axes), default=1.0)
    call = _convolution(node.op.torch(*shapes))
    groups = 1 if call is None else _groups(call)
    if not node.op.macs(shapes, after):
        elements = batch * max(sum(shape.elements for shape in shapes), after.elements)
        return (log2(elements), log2(positions), log2(max(reach, 1)), 2.0 * (stride > 1))
    return (
        log2(max(before.channels // groups, 1)),
        log2(max(after.channels // groups, 1)),
        log2(groups),
        log2(positions),
        log2(batch),
        log2(max(reach, 1)),
        2.0 * (stride > 1),
        2.0 * ((before.channels // groups) % 8 != 0),
        2.0 * ((after.channels // groups) % 8 != 0),
        6.0 * (batch * positions == 1),
    )
