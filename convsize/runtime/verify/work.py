"""Receipts: multiply-adds, forward and backward, against PyTorch's counter."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from math import prod

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode, sdpa_backward_flop_count, sdpa_flop_count

from convsize.graph.network import Network
from convsize.record import Record
from convsize.records import Line
from convsize.runtime.verify.lines import exact
from convsize.words import listed

NO_FUSED = "attention's kernel needs values: measured on the CPU"


def counter() -> FlopCounterMode:
    """PyTorch's counter, with its formulas for attention also for the kernel of a CPU, which it has none for."""
    forward = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
    backward = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward
    known = {forward: partial(_first, sdpa_flop_count, 3), backward: partial(_first, sdpa_backward_flop_count, 4)}
    return FlopCounterMode(display=False, custom_mapping=known)


def _first(formula: Callable[..., int], count: int, *shapes: object, **_: object) -> int:
    """A formula of the shapes of an operator's first arguments."""
    return formula(*shapes[:count])


class _Work(Record):
    """Multiply-adds of a batch: forward, backward as they are, and as PyTorch's counter has them.

    fused: whether attention is among them, whose backward takes two and a half times its forward pass.
    """

    forward: int
    counted_forward: int
    backward: int
    counted_backward: int
    grouped: bool
    fused: bool


def _predicted_work(network: Network, batch: int) -> _Work:
    """Backward takes as much again for the weights' gradients, and again for the input's where it needs one.

    The counter of torch 2.13 multiplies the weights' gradient of a grouped convolution by its groups, which a grouped
    convolution has not to pay. It counts the sums of average pools that PyTorch's layers cannot do as convolutions.
    """
    useful: set[int] = set()
    for end in network.outputs.values():
        useful |= network.ancestors(end)
    flows = [False] * len(network.nodes)
    forward = extra_forward = backward = counted = 0
    grouped = False
    for node in network.layers:
        shapes = network.input_shapes(node)
        macs = batch * node.op.macs(shapes, node.output)
        trains = any(each.role != "buffer" for each in network.parameters(node))
        needs = any(flows[index] for index in node.inputs)
        flows[node.index] = needs or trains
        forward += macs
        ones = 0
        groups = 1
        for call in node.op.torch(*shapes):
            arguments = dict(call.kwargs)
            if call.target == "convsize.AveragePool":
                kernel = arguments["kernel_size"]
                assert isinstance(kernel, tuple)
                ones = prod(node.output.spatial) * prod(map(int, kernel))
            given = arguments.get("groups", 1)
            groups = given if isinstance(given, int) and call.convolution is not None else groups
        sums = batch * node.output.channels * ones
        extra_forward += sums + ones
        if node.index in useful:
            own = node.op.macs_backward(shapes, node.output, [flows[index] for index in node.inputs], trains=trains)
            backward += batch * own
            counted += batch * own + macs * trains * (groups - 1) + sums * needs
            grouped = grouped or (groups > 1 and macs > 0)
    return _Work(forward, forward + extra_forward, backward, counted, grouped, fuses(network))


def fuses(network: Network) -> bool:
    """Whether attention runs in PyTorch's fused kernel, which there is on devices that compute and not on "meta"."""
    calls = (call for node in network.layers for call in node.op.torch(*network.input_shapes(node)))
    return any(call.target == "convsize.Attention" for call in calls)


def work(network: Network, module: nn.Module, inputs: list[Tensor], batch: int, forward_only: str) -> Iterator[Line]:
    """Multiply-adds of a batch, in the counter's own convention where it has one.

    forward_only: why there can be no backward pass, or nothing.
    """
    predicted = _predicted_work(network, batch)
    with counter() as counted:
        outputs = module(*inputs)
    measured = counted.get_total_flops()
    note = f"FlopCounterMode/2, batch {batch}"
    if predicted.counted_forward != predicted.forward:
        ones = predicted.counted_forward - predicted.forward
        note += f"; less the {ones:,} by which average pools sum"
        measured -= 2 * ones
    yield exact("multiply-adds, forward", "macs", predicted.forward, measured // 2, note)
    ends = list(outputs.values()) if isinstance(outputs, dict) else [outputs]
    ends = [end for end in ends if end.requires_grad]
    why = forward_only if ends else "nothing trains"
    if not why and predicted.fused and inputs[0].is_meta:
        why = NO_FUSED
    if why:
        yield Line("multiply-adds, backward", "macs", predicted.backward, None, "not measured", why)
        return
    with counter() as counted:
        torch.autograd.backward([end.sum() for end in ends])
    module.zero_grad()
    measured = counted.get_total_flops() // 2
    if measured == predicted.counted_backward != predicted.backward:
        counts = []
        if predicted.grouped:
            counts.append("counts the weight gradient of grouped convolutions once per group (a bug in PyTorch)")
        if predicted.counted_forward != predicted.forward:
            counts.append("counts average pools as convolutions")
        note = f"FlopCounterMode/2, batch {batch}, which {listed(counts)}: the true figure is {predicted.backward:,}"
        yield exact("multiply-adds, backward", "macs", predicted.counted_backward, measured, note)
        return
    note = (
        f"FlopCounterMode/2, batch {batch}; once more the forward count for weights, and for inputs that need "
        "a gradient"
    )
    if predicted.fused:
        note += "; two and a half times for attention, whose kernel makes the weights again"
    yield exact("multiply-adds, backward", "macs", predicted.backward, measured, note)
