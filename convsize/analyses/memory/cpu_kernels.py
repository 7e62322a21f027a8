"""Kernel temporaries: what convolutions hold for a moment on a CPU, on top of what lives at operator boundaries.

PyTorch hands most float32 convolutions to oneDNN, which computes in blocks of 8 channels: it makes copies of the
tensors in that layout and gives them back when the operator ends. The others unfold the input into columns. No other
operator holds enough for a moment to move the peak of a training step by a percent.

Source: allocations of single convolutions, traced on torch 2.13 with one thread on a processor with AVX2. Others have
blocks of another size, and more threads add buffers of their own. So the peak is not exact as boundaries are: on the
networks of specs/ at their own sizes it is within 0.6 %.
"""

from __future__ import annotations

from math import prod

from convsize.analyses.memory.kernel_choice import extents, is_unfolded
from convsize.graph.network import Network, Node
from convsize.record import Record
from convsize.records import TrainingMemory, TrainingMoment, TrainingPeak, TrainingSetting

_BLOCK = 8
"""Channels of a block: the float32 values of a register."""

_COMPOSED = frozenset({"convsize.StdConv", "convsize.RMSNorm", "nn.RMSNorm"})
"""Calls that make more within one operator than is known."""

_ITEM = 4
"""Bytes of a float32, the only type in which this is known."""


def allocator_peak(network: Network, memory: TrainingMemory) -> int | None:
    """The most bytes that are allocated in a training step on a CPU, in the middle of operators, too; one thread.

    None where it is not known: in another type than float32, with checkpoints or frozen layers, in inference, and of
    networks with attention, whose kernel has buffers of its own, with standardised weights, or with RMS norms.
    """
    for node in network.layers:
        calls = node.op.torch(*network.input_shapes(node))
        if node.op.KIND == "attention" or any(call.target in _COMPOSED for call in calls):
            return None
    setting = memory.setting
    usual = TrainingSetting(setting.batch, setting.optimizer, accumulate=setting.accumulate, losses=setting.losses)
    if setting != usual:
        return None
    held = {node.name: found for node in network.layers if (found := _held(network, node, setting.batch)) is not None}
    return max(_highest(peak, held) for peak in (memory.first, memory.steady))


class _Held(Record):
    """The most that a convolution holds above what lived before it, in bytes, with its own results."""

    forward: int
    backward: int


class _Sizes(Record):
    """The bytes of a convolution's tensors: as they are, and in blocks (`_b`).

    columns: the input unfolded; of all samples in a loop, of one sample's plane in a matrix product of oneDNN.
    """

    x: int
    y: int
    weight: int
    bias: int
    x_b: int
    y_b: int
    weight_b: int
    columns: int


def _held(network: Network, node: Node, batch: int) -> _Held | None:
    """What a layer's convolution holds, None where it has none."""
    shapes = network.input_shapes(node)
    call = next((own for each in node.op.torch(*shapes) if (own := each.convolution) is not None), None)
    if call is None:
        return None
    arguments = {"stride": 1, "dilation": 1, "groups": 1, **dict(call.kwargs)}  # as PyTorch has it where none is said
    transposed = call.target.startswith("nn.ConvTranspose")
    kernel, stride = extents(arguments["kernel_size"]), extents(arguments["stride"])
    groups, depth, maps = (arguments[name] for name in ("groups", "in_channels", "out_channels"))
    assert isinstance(groups, int)
    assert isinstance(depth, int)
    assert isinstance(maps, int)
    strided = any(step > 1 for step in stride)
    dilated = any(step > 1 for step in extents(arguments["dilation"]))
    per_group = depth // groups
    single = groups > 1 and per_group == 1 and maps == groups
    uneven = groups > 1 and not single and (per_group % _BLOCK > 0 or maps // groups % _BLOCK > 0)
    # The end of a transposed convolution is the input of the one that it runs backward.
    source, end = (node.output, shapes[0]) if transposed else (shapes[0], node.output)
    loop = is_unfolded(arguments, (batch, *shapes[0].dims))
    # A filter that is dilated, deep, or taller than its input has its gradient from a matrix product.
    tall = any(size > extent for size, extent in zip(kernel[:-1], source.spatial, strict=False))
    product = uneven or dilated or tall or (len(kernel) == 3 and kernel[0] > 1)
    flat = groups == 1 and not transposed and depth < _BLOCK and maps % _BLOCK == 0
    known = {each.name: each.elements for each in network.parameters(node)}
    rows = maps if single or uneven else _rounded(maps)
    width = per_group if flat or groups > 1 else _rounded(per_group)
    unfolded = per_group * prod(kernel) * (batch * end.area if loop else prod(end.spatial[-2:]))
    sizes = _Sizes(
        x=batch * shapes[0].elements * _ITEM,
        y=batch * node.output.elements * _ITEM,
        weight=known["weight"] * _ITEM,
        bias=known.get("bias", 0) * _ITEM,
        x_b=0 if flat else batch * _rounded(depth) * shapes[0].area * _ITEM,
        y_b=batch * _rounded(maps) * node.output.area * _ITEM,
        weight_b=rows * width * prod(kernel) * _ITEM,
        columns=0 if loop and prod(kernel) == 1 else unfolded * _ITEM,
    )
    trained = any(
        each.role != "buffer"
        for index in network.ancestors(node.index) - {node.index}
        for each in network.parameters(network.nodes[index])
    )
    gradient = sizes.x if trained else 0
    before = network.nodes[node.inputs[0]]
    last = any(call.target == "convsize.LayerNorm" for call in before.op.torch(*network.input_shapes(before)))
    if loop:
        return _Held(sizes.columns + sizes.y, gradient + sizes.columns + sizes.weight + sizes.bias)
    if last:
        return _channels_last(sizes, gradient)
    return _Held(
        forward=_forward(sizes, uneven=uneven, upwards=transposed and strided),
        backward=max(
            _input_gradient(sizes, uneven=uneven, strided=strided) if trained else 0,
            gradient + _weight_gradient(sizes, product=product),
        ),
    )


def _forward(sizes: _Sizes, *, uneven: bool, upwards: bool) -> int:
    """Copies of what goes in and of what comes out; padding of a transposed one is cut off in further copies."""
    if uneven:
        return sizes.columns + 2 * sizes.y
    return max(sizes.x_b + sizes.weight_b + sizes.y_b, 3 * sizes.y if upwards else 0)


def _input_gradient(sizes: _Sizes, *, uneven: bool, strided: bool) -> int:
    if uneven:
        return sizes.x + max(sizes.columns, sizes.x)
    behind = max(sizes.x_b, sizes.x)
    return max(sizes.y_b + sizes.weight_b + behind, 3 * sizes.x if strided else sizes.x + behind)


def _weight_gradient(sizes: _Sizes, *, product: bool) -> int:
    own = sizes.weight + sizes.bias
    if product:
        # oneDNN sums up in four more copies of the gradient.
        return own + 4 * sizes.weight + sizes.columns
    weight_b = sizes.weight_b
    return weight_b + sizes.bias + max(sizes.y_b + sizes.x_b, own)


def _channels_last(sizes: _Sizes, gradient: int) -> _Held:
    """Behind a layer norm depth is innermost: the weights and their gradient are laid out alike for the kernel."""
    copies = sizes.weight + sizes.weight_b
    return _Held(copies + sizes.y, copies + sizes.y + gradient + 2 * sizes.weight + 2 * sizes.bias)


def _rounded(channels: int) -> int:
    return -(-channels // _BLOCK) * _BLOCK


def _highest(peak: TrainingPeak, held: dict[str, _Held]) -> int:
    highest = 0
    before: TrainingMoment | None = None
    for each in peak.timeline:
        highest = max(highest, each.highest)
        kernel = held.get(each.layer or "")
        if kernel is not None and before is not None:
            highest = max(highest, before.end + (kernel.forward if each.moment == "forward" else kernel.backward))
        before = each
    return highest
