"""Workspaces: what cuDNN takes for a moment in every convolution, by calls that can be measured one by one.

The space is that of the plan which cuDNN chooses, so nothing but a measurement on the device tells it: here stand the
calls to measure, and what a step of training takes with the answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from convsize.graph.network import Network
from convsize.ops.base import TorchCall
from convsize.record import Record
from convsize.records import TrainingPeak, TrainingSetting

Direction = Literal["forward", "backward"]


class ConvolutionCall(Record):
    """A convolution as it is called: its arguments, the shape that enters it, and whether that needs a gradient."""

    call: TorchCall
    shape: tuple[int, ...]
    needs: bool

    def key(self, dtype: str, direction: Direction) -> str:
        """What tells it apart: `nn.Conv2d(in_channels=3, …) of 8x3x224x224, float32, forward`."""
        arguments = ", ".join(f"{name}={value}" for name, value in self.call.kwargs)
        shape = "x".join(map(str, self.shape))
        which = "backward" if direction == "backward" and self.needs else "backward of the weight"
        return f"{self.call.target}({arguments}) of {shape}, {dtype}, {which if direction == 'backward' else direction}"


def convolution_calls(network: Network, batch: int) -> dict[str, ConvolutionCall]:
    """Every convolution of a network by the name of its layer."""
    flows = [False] * len(network.nodes)
    found = {}
    for node in network.layers:
        needs = any(flows[index] for index in node.inputs)
        flows[node.index] = needs or any(each.role != "buffer" for each in network.parameters(node))
        shapes = network.input_shapes(node)
        dims = list(shapes[0].dims)
        for call in node.op.torch(*shapes):
            if call.target == "F.pad":
                amounts = dict(call.kwargs)["pad"]
                assert isinstance(amounts, tuple)
                for axis in range(len(amounts) // 2):
                    dims[-1 - axis] += int(amounts[2 * axis]) + int(amounts[2 * axis + 1])
            elif (own := call.convolution) is not None:
                found[node.name] = ConvolutionCall(own, (batch, *dims), needs)
                break
    return found


def workspace_bytes(
    network: Network, setting: TrainingSetting, peak: TrainingPeak, workspaces: Mapping[str, int]
) -> int | None:
    """How much more than the tensors of a step is asked for at its peak, with workspaces of cuDNN by key.

    None where a convolution has not been measured.
    """
    calls = convolution_calls(network, setting.batch)
    dtype = setting.autocast or setting.dtype
    highest = peak.bytes
    for each in peak.timeline:
        call = calls.get(each.layer or "")
        if call is not None:
            taken = workspaces.get(
                call.key(dtype, "forward" if each.moment in ("forward", "recompute") else "backward")
            )
            if taken is None:
                return None
            highest = max(highest, each.highest + taken)
    return highest - peak.bytes


def cublas_count(network: Network, *, inference: bool) -> int:
    """The workspaces of cuBLAS in a step: one, and for backward, which runs in a thread of its own, another."""
    products = any(
        call.target == "nn.Linear" for node in network.layers for call in node.op.torch(*network.input_shapes(node))
    )
    return 0 if not products else 1 if inference else 2
